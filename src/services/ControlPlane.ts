/**
 * Contract of the control plane as the process that runs it sees it: addresses, questions, and an orderly stop. Tasks
 * come in through the transport.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { ReplyError, TaskFinished, TaskNotFound, WorkerIsLocal, WorkerNotFound } from "../domain/Errors.ts"
import type { PauseTarget, Stats, SubmitTask, TaskStatus, TaskType, WorkerStatus } from "../domain/Message.ts"
import type { ScheduleDeclaration } from "../domain/Schedules.ts"
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
 * A task as it is submitted within the control plane's process. `args` are encoded.
 *
 * @category models
 * @since 0.1.0
 */
export type PlaneSubmission = Omit<typeof SubmitTask.Type, "id" | "size" | "watch"> & {
  readonly id?: string
  readonly args: Uint8Array
}

/**
 * Changes that can be made within the control plane's process, as clients make them over the wire. What they made is on
 * disk when they succeed, if there is a journal.
 *
 * @category models
 * @since 0.1.0
 */
export interface PlaneChanges {
  /** Succeeds with the id, which is that of another task when it holds the unique key and the submission wants it so. */
  readonly submit: (task: PlaneSubmission) => Effect.Effect<string, ReplyError>
  /** Runs a task that failed or expired again. Succeeds with the id of the new one. */
  readonly retry: (id: string) => Effect.Effect<string, ReplyError>
  /** Submits the task of a schedule now. Succeeds with its id. */
  readonly trigger: (schedule: string) => Effect.Effect<string, ReplyError>
  readonly setPaused: (target: PauseTarget, isPaused: boolean) => Effect.Effect<void, ReplyError>
  readonly setSchedule: (declaration: ScheduleDeclaration) => Effect.Effect<void, ReplyError>
  readonly unschedule: (id: string) => Effect.Effect<void, ReplyError>
  /** Tells the workers of an id, or the one with a key, to leave. Succeeds with their number. */
  readonly drainWorker: (worker: string) => Effect.Effect<number, WorkerNotFound | WorkerIsLocal>
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
  readonly changes: PlaneChanges
  /**
   * Stops taking tasks, waits for the running ones until the drain timeout, cancels what waits. Succeeds with what was
   * left undone.
   */
  readonly drain: Effect.Effect<DrainReport>
}>()("fastworker/services/ControlPlane") {}
