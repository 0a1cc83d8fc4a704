/**
 * Contract of the dispatcher: which worker gets the next task of a name. Owns the policy; the control plane's core takes
 * tasks from the queue and makes the leases.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type { WorkerRecord } from "../domain/WorkerInfo.ts"

/**
 * Service that chooses workers. Its methods are synchronous: they are called for every task.
 *
 * @category services
 * @since 0.1.0
 */
export class Dispatcher extends Context.Service<Dispatcher, {
  /**
   * Returns the worker for the next task of this name, or `undefined` when none has a handler and a free slot. With
   * `accepts` it is the best of those that are acceptable: rare, and may look at all of them.
   */
  readonly pick: (name: string, accepts?: (worker: WorkerRecord) => boolean) => WorkerRecord | undefined
  /** Tells that load, credit or state of a worker changed, or that it is new. */
  readonly update: (worker: WorkerRecord) => void
  readonly remove: (worker: WorkerRecord) => void
}>()("fastworker/services/Dispatcher") {}
