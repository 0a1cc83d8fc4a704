/**
 * Contract of the control plane as the process that runs it sees it: addresses, questions, and an orderly stop. Tasks
 * come in through the transport.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { TaskFinished, TaskNotFound } from "../domain/Errors.ts"
import type { Stats, TaskStatus, TaskType, WorkerStatus } from "../domain/Message.ts"
import type { TaskState } from "../domain/TaskState.ts"

/**
 * What a stop left undone.
 *
 * @category models
 * @since 0.1.0
 */
export interface DrainReport {
  /** Waiting tasks that were cancelled. */
  readonly cancelled: number
  /** Waiting tasks that the journal keeps: they go on when the control plane is started again. */
  readonly kept: number
  /** Tasks that were still running at the deadline. */
  readonly abandoned: number
}

/**
 * Service that is the control plane of this process.
 *
 * @category services
 * @since 0.1.0
 */
export class ControlPlane extends Context.Service<ControlPlane, {
  readonly address: string
  readonly workerAddress: string
  readonly discovery: string
  /** Where the worker inside this process connects; reachable from nowhere else. */
  readonly localWorkerAddress: string
  readonly stats: Effect.Effect<Stats>
  readonly status: (id: string) => Effect.Effect<TaskStatus, TaskNotFound>
  readonly list: (options: {
    readonly state?: TaskState
    readonly limit: number
  }) => Effect.Effect<{ readonly tasks: ReadonlyArray<TaskStatus>; readonly total: number }>
  readonly workers: Effect.Effect<ReadonlyArray<WorkerStatus>>
  readonly tasks: Effect.Effect<ReadonlyArray<TaskType & { readonly workers: ReadonlyArray<string> }>>
  /** Cancels a task; succeeds with its state, which is `cancelling` when it runs. */
  readonly cancel: (id: string) => Effect.Effect<TaskState, TaskNotFound | TaskFinished>
  /**
   * Stops taking tasks, waits for the running ones until the drain timeout, cancels what waits. Succeeds with what was
   * left undone.
   */
  readonly drain: Effect.Effect<DrainReport>
}>()("fastworker/services/ControlPlane") {}
