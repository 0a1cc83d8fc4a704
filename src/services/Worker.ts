/**
 * Contract of a worker: registers with the control plane, runs what it is given, reports, and stops in order.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { ProtocolMismatch } from "../domain/Errors.ts"

/**
 * Service that is the worker of this process.
 *
 * @category services
 * @since 0.1.0
 */
export class Worker extends Context.Service<Worker, {
  readonly id: string
  /** Succeeds when the worker is registered. Waits for ever while there is no control plane. */
  readonly ready: Effect.Effect<void, ProtocolMismatch>
  /**
   * Succeeds when the worker has left because the control plane told it to, with the number of tasks that were
   * interrupted. Waits for ever when it is not told.
   */
  readonly left: Effect.Effect<number>
  /** Number of tasks that run now. */
  readonly running: Effect.Effect<number>
  /**
   * Takes no more tasks, waits for the running ones until the drain timeout, then interrupts them. Succeeds with the
   * number of those that were interrupted: they run elsewhere.
   */
  readonly drain: Effect.Effect<number>
}>()("fastworker/services/Worker") {}
