/**
 * Contract of discovery: how workers and clients find the control plane, and find it again after a restart.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { AddressError, ProtocolMismatch } from "../domain/Errors.ts"
import type { Announcement } from "../domain/Message.ts"

/**
 * Service that announces and finds control planes.
 *
 * @category services
 * @since 0.1.0
 */
export class Discovery extends Context.Service<Discovery, {
  /** Where announcements are made or awaited, for messages to people. */
  readonly address: string
  /** Announces until the scope closes. Succeeds with the address as bound. */
  readonly announce: (
    announcement: Announcement
  ) => Effect.Effect<{ readonly address: string }, AddressError, Scope.Scope>
  /**
   * Calls `onFound` for each control plane of the namespace that announces itself, again when its epoch changes, and
   * `onMismatch` when it speaks no version of the protocol that this code does. Default: that is logged.
   */
  readonly find: (
    onFound: (announcement: Announcement) => void,
    onMismatch?: (mismatch: ProtocolMismatch) => void
  ) => Effect.Effect<void, AddressError, Scope.Scope>
}>()("fastworker/services/Discovery") {}
