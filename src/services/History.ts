/**
 * Contract of what is known of a control plane's past and present, for dashboards and the HTTP API: lists, counts and
 * details of tasks, alive and finished, what happened by time, failures, workers, schedules and types; and changes of many
 * tasks, which mean the same tasks as a list does.
 *
 * What looks at many tasks does it in slices, between which the control plane goes on.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type {
  BadRequest,
  CountChanged,
  JournalFailed,
  ResultEvicted,
  TaskNotFound,
  UnknownTask,
  WorkerNotFound
} from "../domain/Errors.ts"
import type { Priority } from "../domain/Priority.ts"
import type { TaskSelection } from "../domain/TaskQuery.ts"
import type { TaskState } from "../domain/TaskState.ts"
import type * as View from "../domain/View.ts"

/**
 * Which tasks are meant, as it stands in a query of the API.
 *
 * @category models
 * @since 0.1.0
 */
export type TaskQuery = Omit<TaskSelection, "ids" | "asOf" | "dryRun" | "expect">

/**
 * Which part of a list is wanted.
 *
 * @category models
 * @since 0.1.0
 */
export interface PageRequest {
  /** Default: 100. */
  readonly limit?: number | undefined
  /** What `next` of the page before said. */
  readonly cursor?: string | undefined
  /** By submission, newest or oldest first, or by the last change. Default: `newest`. */
  readonly sort?: "newest" | "oldest" | "changed" | undefined
}

/**
 * A part of a list.
 *
 * @category models
 * @since 0.1.0
 */
export interface TaskPage {
  readonly asOf: number
  readonly tasks: ReadonlyArray<View.TaskRow>
  readonly next: string | null
}

/**
 * How many tasks are meant; `states` leaves the states of the query aside. Those in `retrying` are a part of `delayed`.
 *
 * @category models
 * @since 0.1.0
 */
export interface TaskCounts {
  readonly total: number
  readonly states: Readonly<Record<TaskState | "retrying", number>>
  readonly newer: number
}

/**
 * The parts of a task that may be long.
 *
 * @category models
 * @since 0.1.0
 */
export type PayloadPart = "args" | "result" | "error" | "progress"

/**
 * What came of a change of many.
 *
 * @category models
 * @since 0.1.0
 */
export interface Changed {
  readonly count: number
  /** Those that had changed meanwhile, or were refused. */
  readonly skipped: number
}

/**
 * Tasks that changed, the newest first; `over` says that there were more. `next` is what to ask with the next time.
 *
 * @category models
 * @since 0.1.0
 */
export interface Changes {
  readonly tasks: ReadonlyArray<View.TaskTuple>
  readonly over: boolean
  readonly next: number
}

/**
 * What a live stream is made of: synchronous, it is asked some times a second.
 *
 * @category models
 * @since 0.1.0
 */
export interface Feed {
  /** The whole state but for its number. */
  readonly snapshot: () => Omit<View.Snapshot, "seq">
  /** Where a stream that begins now begins. */
  readonly position: () => number
  /** The tasks that changed since a position, at most 500. */
  readonly changes: (since: number) => Changes
  /** Seconds that ended and began after this time, oldest first, at most 60. */
  readonly seconds: (after: number) => ReadonlyArray<View.Second>
}

/**
 * What is known of a control plane's past and present.
 *
 * @category models
 * @since 0.1.0
 */
export interface History {
  readonly list: (query: TaskQuery, page?: PageRequest) => Effect.Effect<TaskPage, BadRequest>
  /** `after`: milliseconds since 1970, for `newer`. */
  readonly counts: (query: TaskQuery, after?: number) => Effect.Effect<TaskCounts, BadRequest>
  /** Those of these tasks that are known. */
  readonly lookup: (ids: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<View.TaskRow>>
  readonly task: (id: string) => Effect.Effect<View.TaskDetail, TaskNotFound>
  /** The whole of a part of a task. `ResultEvicted`: it is not kept any more. */
  readonly payload: (id: string, part: PayloadPart) => Effect.Effect<Uint8Array, TaskNotFound | ResultEvicted>
  /** Cancels tasks without an outcome. */
  readonly cancelMany: (selection: TaskSelection) => Effect.Effect<Changed, BadRequest | CountChanged>
  /** Gives tasks without an outcome this priority; those that have it are not counted. */
  readonly prioritizeMany: (
    selection: TaskSelection,
    to: Priority
  ) => Effect.Effect<Changed, BadRequest | CountChanged>
  /** Runs tasks that failed or expired, and are still kept for that, again. */
  readonly retryMany: (selection: TaskSelection) => Effect.Effect<Changed, BadRequest | CountChanged | JournalFailed>
  /** Forgets tasks that failed or expired, and are still kept: they can't be retried any more and are in no list. */
  readonly purgeMany: (selection: TaskSelection) => Effect.Effect<Changed, BadRequest | CountChanged>
  readonly snapshot: Effect.Effect<Omit<View.Snapshot, "seq">>
  readonly series: (range: View.Range, type?: string) => Effect.Effect<View.Series>
  readonly errors: (range: View.Range, type?: string) => Effect.Effect<{
    readonly groups: ReadonlyArray<View.ErrorGroup>
    readonly total: number
  }>
  readonly workers: Effect.Effect<ReadonlyArray<View.WorkerRow>>
  /** By id or key. */
  readonly worker: (id: string) => Effect.Effect<View.WorkerDetail, WorkerNotFound>
  readonly schedules: Effect.Effect<ReadonlyArray<View.ScheduleRow>>
  readonly types: Effect.Effect<ReadonlyArray<View.TypeRow>>
  readonly type: (name: string) => Effect.Effect<View.TypeDetail, UnknownTask>
  /** All but what the server of the dashboard knows. */
  readonly system: Effect.Effect<Omit<View.SystemView, "dashboards">>
  /** The numbers of now and since the start, in the text format of Prometheus. */
  readonly metrics: Effect.Effect<string>
  readonly feed: Feed
}
