/**
 * Contract of the heartbeat: says that a worker is alive from beside its event loop, which a task may block. Owns nothing
 * of the worker: without it a worker lives by its exchanges alone.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/**
 * Where a worker is registered, and what it was told there. Times are milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface HeartbeatTarget {
  readonly address: string
  readonly heartbeatMillis: number
  readonly heartbeatTimeoutMillis: number
}

/**
 * Service that beats for a worker; by default it does not.
 *
 * @category services
 * @since 0.1.0
 */
export class Heartbeat extends Context.Reference<{
  /** Prepares to beat for a session until the scope closes. The result is to be called with each registration. */
  readonly start: (session: string) => Effect.Effect<(target: HeartbeatTarget) => void, never, Scope.Scope>
}>("fastworker/services/Heartbeat", {
  defaultValue: () => ({ start: () => Effect.succeed(() => {}) })
}) {}
