/**
 * What a handler can learn about the task that it runs.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"

/**
 * Service that tells a handler which task it runs. Provided to every handler by the executor.
 *
 * **Details**
 *
 * A task may run more than once (its worker can be lost after the work was done): `idempotencyKey` is the same for every
 * attempt, pass it on to systems that accept one.
 *
 * @category services
 * @since 0.1.0
 */
export class TaskContext extends Context.Service<TaskContext, {
  readonly id: string
  readonly name: string
  /** 1 for the first attempt. */
  readonly attempt: number
  /** Id of the worker that runs this attempt. */
  readonly worker: string
  readonly idempotencyKey: string
}>()("fastworker/domain/TaskContext") {}
