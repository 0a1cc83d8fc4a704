/**
 * Contract of the client: submit tasks, get their results, ask about them, change what becomes of them. Engines behind it
 * may differ; definitions and errors stay the same.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type {
  CallError,
  CountChanged,
  InvalidArguments,
  InvalidResult,
  JournalFailed,
  NotRetryable,
  ResultError,
  ScheduleNotFound,
  SubmitError,
  TaskFinished,
  TaskLost,
  TaskNotFound,
  TaskStopping,
  UnknownTask,
  WorkerIsLocal,
  WorkerNotFound,
  WouldDeadlock
} from "../domain/Errors.ts"
import type { Event } from "../domain/Event.ts"
import type { TaskType } from "../domain/Message.ts"
import type { Priority } from "../domain/Priority.ts"
import type { TaskSchedule } from "../domain/Schedules.ts"
import type { ScheduleStatus, Stats, TaskStatus, WorkerStatus } from "../domain/Status.ts"
import type { TaskId } from "../domain/Task.ts"
import type { TaskDefinition } from "../domain/TaskDefinition.ts"
import type { TaskSelection } from "../domain/TaskQuery.ts"
import type { TaskState } from "../domain/TaskState.ts"
import type { ErrorGroup, Range, SystemView, TaskDetail, TypeDetail, WorkerDetail } from "../domain/View.ts"
import type { Changed, PageRequest, TaskCounts, TaskPage, TaskQuery } from "./History.ts"

/**
 * What a submission may say besides the arguments. It wins over what the definition says.
 *
 * @category models
 * @since 0.1.0
 */
export interface SubmitOptions {
  /** Default: the definition's. */
  readonly priority?: Priority
  /** The caller's own id: submitting it again has the effect of once. Default: 128 random bits. */
  readonly id?: string
  /** How long to wait before it may run. Default: not at all. */
  readonly in?: Duration.Input
  /** When it may run at the earliest, a number in milliseconds since 1970; `in` wins. Default: now. */
  readonly at?: DateTime.DateTime | Date | number
  /** How long after this submission the task is worth running. Default: the definition's. */
  readonly expiresIn?: Duration.Input
  /** Words to find the task by, at most 16; added to those of the definition. */
  readonly tags?: ReadonlyArray<string>
  /** For whom it runs: tenants of the same priority take turns, unless the definition has a fairness key. */
  readonly tenant?: string
  /** The outcome is told to who waits for it and not kept for late askers. Default: `false`. */
  readonly ignoreResult?: boolean
}

/**
 * A submitted task.
 *
 * @category models
 * @since 0.1.0
 */
export interface TaskHandle<out Success, out Error, out Progress = unknown> {
  /** The id of the task that was there already when it holds the unique key and the definition wants it so. */
  readonly id: TaskId
  /**
   * Waits for the outcome, for as long as the control plane answers: use `Effect.timeout` for a deadline of your own.
   * Within a handler the slot is free meanwhile.
   */
  readonly result: Effect.Effect<Success, Error | ResultError>
  readonly status: Effect.Effect<TaskStatus, TaskNotFound | CallError>
  /**
   * Cancels the task. Succeeds when it does not run any more; fails with `TaskStopping` when it still does at the deadline
   * of the client, and with `TaskFinished` when it had another outcome before.
   */
  readonly cancel: Effect.Effect<void, CancelError>
  /**
   * What the handler reports, from the newest that there is on; values that come faster than they are taken are left
   * out. Ends with the outcome, whatever it is.
   */
  readonly progress: Stream.Stream<Progress, ProgressError>
}

/**
 * Why a task could not be cancelled.
 *
 * @category models
 * @since 0.1.0
 */
export type CancelError = TaskNotFound | TaskFinished | TaskStopping | CallError

/**
 * Why the progress of a task can't be followed. `InvalidResult`: it does not fit the definition that this program has.
 *
 * @category models
 * @since 0.1.0
 */
export type ProgressError = TaskNotFound | TaskLost | InvalidResult | WouldDeadlock | CallError

/**
 * Why a task could not be retried.
 *
 * @category models
 * @since 0.1.0
 */
export type RetryError = TaskNotFound | NotRetryable | Exclude<SubmitError, InvalidArguments>

/**
 * Why a schedule's task could not be submitted.
 *
 * @category models
 * @since 0.1.0
 */
export type TriggerError = ScheduleNotFound | Exclude<SubmitError, InvalidArguments>

/**
 * Which tasks are meant; all that is said must hold.
 *
 * @category models
 * @since 0.1.0
 */
export interface TaskFilter {
  readonly state?: TaskState
  readonly name?: string
  readonly tag?: string
  readonly tenant?: string
  /** Submitted at least so long ago. */
  readonly olderThan?: Duration.Input
}

/**
 * How many tasks are changed at once.
 *
 * @category models
 * @since 0.1.0
 */
export interface ManyOptions {
  /** Counts them and changes nothing. */
  readonly dryRun?: boolean
  /** Changes exactly that many, or none: then it fails with `CountChanged`. */
  readonly expect?: number
}

/**
 * What can be paused.
 *
 * @category models
 * @since 0.1.0
 */
export type PauseTarget = { readonly task: string } | { readonly worker: string } | { readonly schedule: string }

/**
 * Which events are wanted; all that is said must hold. Default: all.
 *
 * @category models
 * @since 0.1.0
 */
export interface EventFilter {
  readonly types?: ReadonlyArray<Event["type"]>
  /** Only what concerns tasks of this name. */
  readonly name?: string
  /** Only what concerns this task. */
  readonly id?: string
}

/**
 * Stands in a stream of events where `count` of them were left out, because the follower was too slow.
 *
 * @category models
 * @since 0.1.0
 */
export interface EventsDropped {
  readonly type: "dropped"
  readonly count: number
}

/**
 * Arguments and options of a call: the arguments may be left out when the definition requires none.
 *
 * @category models
 * @since 0.1.0
 */
export type Submission<Args, Options = SubmitOptions> = {} extends Args ? readonly [args?: Args, options?: Options]
  : readonly [args: Args, options?: Options]

/**
 * Service that submits tasks to a control plane.
 *
 * @category services
 * @since 0.1.0
 */
export class Client extends Context.Service<Client, {
  /** Submits a task. Succeeds when the control plane has accepted it; nothing is sent when the arguments are invalid. */
  readonly delay: <Name extends string, Args, Success, Error, Progress>(
    task: TaskDefinition<Name, Args, Success, Error, Progress>,
    ...submission: Submission<NoInfer<Args>>
  ) => Effect.Effect<TaskHandle<Success, Error, Progress>, SubmitError>
  /** Submits a task and waits for its value, in one message. Within a handler the slot is free meanwhile. */
  readonly run: <Name extends string, Args, Success, Error>(
    task: TaskDefinition<Name, Args, Success, Error>,
    ...submission: Submission<NoInfer<Args>>
  ) => Effect.Effect<Success, Error | SubmitError | ResultError>
  /**
   * Submits many tasks in as few messages as possible; handles come in the order of the arguments. When one is refused
   * it fails with that refusal, and those that were accepted still run.
   */
  readonly delayAll: <Name extends string, Args, Success, Error, Progress>(
    task: TaskDefinition<Name, Args, Success, Error, Progress>,
    args: ReadonlyArray<NoInfer<Args>>,
    options?: Omit<SubmitOptions, "id">
  ) => Effect.Effect<ReadonlyArray<TaskHandle<Success, Error, Progress>>, SubmitError>
  /**
   * Submits many tasks and waits for their values, in as few messages as possible; values come in the order of the
   * arguments. It fails as soon as one of them is refused or fails; the others run on. Within a handler the slot is free
   * meanwhile.
   */
  readonly runAll: <Name extends string, Args, Success, Error>(
    task: TaskDefinition<Name, Args, Success, Error>,
    args: ReadonlyArray<NoInfer<Args>>,
    options?: Omit<SubmitOptions, "id">
  ) => Effect.Effect<ReadonlyArray<Success>, Error | SubmitError | ResultError>
  /** Waits for the outcome of a task that was submitted by anyone. */
  readonly result: <Name extends string, Args, Success, Error>(
    task: TaskDefinition<Name, Args, Success, Error>,
    id: string
  ) => Effect.Effect<Success, Error | ResultError>
  /** Follows the progress of a task that was submitted by anyone; see `TaskHandle`. */
  readonly progress: <Name extends string, Args, Success, Error, Progress>(
    task: TaskDefinition<Name, Args, Success, Error, Progress>,
    id: string
  ) => Stream.Stream<Progress, ProgressError>
  readonly status: (id: string) => Effect.Effect<TaskStatus, TaskNotFound | CallError>
  /** Cancels a task; see `TaskHandle`. */
  readonly cancel: (id: string) => Effect.Effect<void, CancelError>
  /** Cancels the tasks that wait or run. Succeeds with their number, when those that run were told to stop. */
  readonly cancelAll: (filter: TaskFilter, options?: ManyOptions) => Effect.Effect<number, CountChanged | CallError>
  /**
   * Gives a task another priority: one that waits stands last in it, one that runs has it when it waits again. A task that
   * has it already stays where it is.
   */
  readonly prioritize: (id: string, to: Priority) => Effect.Effect<void, TaskNotFound | TaskFinished | CallError>
  /** Gives the tasks that wait or run, and have another one, this priority. Succeeds with their number. */
  readonly prioritizeAll: (
    filter: TaskFilter,
    to: Priority,
    options?: ManyOptions
  ) => Effect.Effect<number, CountChanged | CallError>
  /** Runs a task that failed or expired again, as a new task. Succeeds with the id of the new one. */
  readonly retry: (id: string) => Effect.Effect<TaskId, RetryError>
  /** Runs tasks that failed or expired again. Succeeds with their number; what is refused stays as it is. */
  readonly retryAll: (filter: TaskFilter, options?: ManyOptions) => Effect.Effect<number, CountChanged | CallError>
  /** Forgets tasks that failed or expired: they can't be retried any more. Succeeds with their number. */
  readonly purge: (filter: TaskFilter, options?: ManyOptions) => Effect.Effect<number, CountChanged | CallError>
  /** From now on nothing of the target is started; what runs goes on. Default: everything. */
  readonly pause: (target?: PauseTarget) => Effect.Effect<void, ScheduleNotFound | CallError>
  readonly resume: (target?: PauseTarget) => Effect.Effect<void, ScheduleNotFound | CallError>
  /**
   * Tells the workers with this id, or the one with this key, to finish what they run and to leave; a worker process then
   * ends. Succeeds with their number.
   */
  readonly drainWorker: (worker: string) => Effect.Effect<number, WorkerNotFound | WorkerIsLocal | CallError>
  /** Adds a schedule (`Task.every`, `Task.cron`), or replaces the one with the same id. */
  readonly schedule: (schedule: TaskSchedule) => Effect.Effect<void, TriggerError>
  /** Removes a schedule. One that a worker declares comes back when that worker registers again. */
  readonly unschedule: (id: string) => Effect.Effect<void, ScheduleNotFound | CallError>
  /** Submits the task of a schedule now, whenever it is due. */
  readonly trigger: (id: string) => Effect.Effect<TaskId, TriggerError>
  readonly schedules: Effect.Effect<ReadonlyArray<ScheduleStatus>, CallError>
  /**
   * Follows what happens in the control plane from now on. Fails when it can't be reached at first; later it goes on as
   * soon as there is a control plane again, without what happened meanwhile.
   */
  readonly events: (filter?: EventFilter) => Stream.Stream<Event | EventsDropped, CallError>
  /**
   * Tasks that wait or run, oldest first, then the outcomes that are kept; with `dead` those that can be retried. `limit`
   * at most 10,000, default 100; `total` is the number before it.
   */
  readonly list: (
    options?: TaskFilter & { readonly dead?: boolean; readonly limit?: number }
  ) => Effect.Effect<{ readonly tasks: ReadonlyArray<TaskStatus>; readonly total: number }, CallError>
  readonly workers: Effect.Effect<ReadonlyArray<WorkerStatus>, CallError>
  readonly tasks: Effect.Effect<ReadonlyArray<TaskType & { readonly workers: ReadonlyArray<string> }>, CallError>
  /** One of the tasks, with what `tasks` leaves out: the JSON Schemas of arguments, result and error. */
  readonly taskType: (
    name: string
  ) => Effect.Effect<TaskType & { readonly workers: ReadonlyArray<string> }, UnknownTask | CallError>
  /** Tasks of now and of the history, page by page; `next` of a page is the `cursor` of the one after it. */
  readonly find: (query?: TaskQuery & PageRequest) => Effect.Effect<TaskPage, CallError>
  /** How many tasks of now and of the history there are, by state. */
  readonly count: (query?: TaskQuery) => Effect.Effect<TaskCounts, CallError>
  /** Everything that is known of a task: its states, attempts, arguments, result and error. */
  readonly describe: (id: string) => Effect.Effect<TaskDetail, TaskNotFound | CallError>
  /** Failures that are the same but for their numbers. Default: of the last 15 minutes. */
  readonly errors: (
    options?: { readonly range?: Range; readonly type?: string }
  ) => Effect.Effect<{ readonly groups: ReadonlyArray<ErrorGroup>; readonly total: number }, CallError>
  /** By id or key. */
  readonly describeWorker: (id: string) => Effect.Effect<WorkerDetail, WorkerNotFound | CallError>
  /** With its rates, and the JSON Schemas of arguments, result and error. */
  readonly describeType: (name: string) => Effect.Effect<TypeDetail, UnknownTask | CallError>
  /** The control plane itself: its settings, and what its parts hold. */
  readonly system: Effect.Effect<Omit<SystemView, "dashboards">, CallError>
  /** Cancels, prioritizes, retries or forgets the tasks that a selection means; it can say more than a filter. */
  readonly change: (
    what: "cancel" | "retry" | "purge" | { readonly prioritize: Priority },
    selection: TaskSelection
  ) => Effect.Effect<Changed, CountChanged | JournalFailed | CallError>
  readonly stats: Effect.Effect<Stats, CallError>
}>()("fastworker/services/Client") {}
