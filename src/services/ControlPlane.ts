/**
 * Contract of the control plane as the process that runs it sees it: addresses, questions, changes, and an orderly stop.
 * Tasks come in through the transport, or from what is served beside it. Whatever is changed is stored, where there is a
 * journal, before an effect succeeds.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type {
  BadRequest,
  IdConflict,
  JournalFailed,
  NotRetryable,
  OutboxFull,
  QueueFull,
  ResultEvicted,
  ScheduleNotFound,
  ShuttingDown,
  TaskFinished,
  TaskNotFound,
  TooLarge,
  UniqueConflict,
  UnknownTask,
  WorkerIsLocal,
  WorkerNotFound
} from "../domain/Errors.ts"
import type { PauseTarget, SubmitTask, TaskType } from "../domain/Message.ts"
import type { Priority } from "../domain/Priority.ts"
import type { ScheduleDeclaration } from "../domain/Schedules.ts"
import type { Stats, TaskStatus, WorkerStatus } from "../domain/Status.ts"
import type { TaskState } from "../domain/TaskState.ts"
import type { History } from "./History.ts"

/**
 * Why a task is not accepted.
 *
 * @category models
 * @since 0.1.0
 */
export type SubmitRefusal =
  | UnknownTask
  | QueueFull
  | OutboxFull
  | IdConflict
  | UniqueConflict
  | TooLarge
  | ShuttingDown
  | ResultEvicted
  | BadRequest
  | JournalFailed

/**
 * A task as it is submitted, with its encoded arguments.
 *
 * @category models
 * @since 0.1.0
 */
export interface Submission extends Omit<typeof SubmitTask.Type, "size" | "watch"> {
  /** JSON. */
  readonly args: string
}

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
   * Gives a task another priority; succeeds with its state. One that waits stands last in it, one that runs has it when it
   * waits again.
   */
  readonly prioritize: (id: string, to: Priority) => Effect.Effect<TaskState, TaskNotFound | TaskFinished>
  /** Accepts a task. Succeeds with its id, which is that of another one when that holds the unique key. */
  readonly submit: (submission: Submission) => Effect.Effect<string, SubmitRefusal>
  /** Runs a task that failed or expired again, as a new one. Succeeds with its id. */
  readonly retry: (id: string) => Effect.Effect<string, SubmitRefusal | TaskNotFound | NotRetryable>
  readonly pause: (target: PauseTarget) => Effect.Effect<void, BadRequest | ScheduleNotFound>
  readonly resume: (target: PauseTarget) => Effect.Effect<void, BadRequest | ScheduleNotFound>
  readonly setSchedule: (
    declaration: ScheduleDeclaration
  ) => Effect.Effect<void, ShuttingDown | TooLarge | BadRequest | JournalFailed>
  readonly unschedule: (id: string) => Effect.Effect<void, ScheduleNotFound>
  /** Submits a schedule's task now. Succeeds with its id. */
  readonly trigger: (id: string) => Effect.Effect<string, SubmitRefusal | ScheduleNotFound>
  /** Tells the workers of an id, or the one with a key, to finish what they run and to leave. Succeeds with how many. */
  readonly drainWorker: (target: string) => Effect.Effect<number, WorkerNotFound | WorkerIsLocal>
  /** What happened and what is, for dashboards; and changes of many tasks at once. */
  readonly history: History
  /**
   * Stops taking tasks, waits for the running ones until the drain timeout, cancels what waits. Succeeds with what was
   * left undone.
   */
  readonly drain: Effect.Effect<DrainReport>
}>()("fastworker/services/ControlPlane") {}
