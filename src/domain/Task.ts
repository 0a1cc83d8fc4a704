/**
 * One submission of a task definition: its identity and the record that the control plane keeps for it. Owns the shape of
 * the record; the core changes it, the queue links it.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import type { Body } from "./Body.ts"
import type { FailureReason } from "./Outcome.ts"
import type { PriorityLevel } from "./Priority.ts"
import type { Sensitive } from "./Sensitive.ts"
import type { TaskState } from "./TaskState.ts"
import type { WorkerRecord } from "./WorkerInfo.ts"

const maxIdLength = 128

/**
 * Whether a text is the id of a task: what {@link TaskId} checks, at a quarter of what a regular expression takes for it.
 *
 * @category guards
 * @since 0.1.0
 */
export const isTaskIdText = (text: string): boolean => {
  if (text.length === 0 || text.length > maxIdLength) return false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x21 || code > 0x7e) return false
  }
  return true
}

/**
 * Schema for the id of a task: 1 to 128 characters, printable ASCII without spaces. Generated ids are 128 random bits in
 * 32 hexadecimal digits; a caller may give one of its own, to submit idempotently.
 *
 * @category schemas
 * @since 0.1.0
 */
export const TaskId = Schema.String.check(
  Schema.isPattern(/^[\x21-\x7e]{1,128}$/u, { expected: "1 to 128 printable ASCII characters without spaces" })
).pipe(Schema.brand("fastworker/TaskId"))

/**
 * The id of a task.
 *
 * @category models
 * @since 0.1.0
 */
export type TaskId = typeof TaskId.Type

/**
 * Schema for the name of a task definition: 1 to 128 characters, no control characters.
 *
 * @category schemas
 * @since 0.1.0
 */
export const TaskName = Schema.String.check(
  Schema.isPattern(/^[^\p{Cc}]{1,128}$/u, { expected: "a name of 1 to 128 characters without control characters" })
)

/**
 * Schema for a key that groups tasks (of a limit, of fairness, of uniqueness) and for tags and tenants: 1 to 256
 * characters without control characters.
 *
 * @category schemas
 * @since 0.1.0
 */
export const TaskKey = Schema.String.check(
  Schema.isPattern(/^[^\p{Cc}]{1,256}$/u, { expected: "1 to 256 characters without control characters" })
)

/**
 * Schema for the span that a task belongs to, as the W3C's `traceparent` header has it.
 *
 * @category schemas
 * @since 0.1.0
 */
export const TraceParent = Schema.String.check(
  Schema.isPattern(/^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/u, {
    expected: "a W3C traceparent: version, trace id, span id and flags in hexadecimal digits"
  })
)

/**
 * Schema for how a unique key is held, and what happens to a submission that meets a held one.
 *
 * **Details**
 *
 * `while`: `waiting` until the task first starts, `unfinished` until its outcome, `period` for `period` milliseconds from
 * its acceptance whatever becomes of it. `onConflict`: `reject` fails with `UniqueConflict`, `existing` gives the caller
 * the task that holds the key, `replace` cancels that one and takes the key over.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Unique = Schema.Struct({
  key: TaskKey,
  while: Schema.Literals(["waiting", "unfinished", "period"]),
  /** Milliseconds, with `period`. */
  period: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 31_536_000_000 }))),
  onConflict: Schema.Literals(["reject", "existing", "replace"])
})

/**
 * How a unique key is held.
 *
 * @category models
 * @since 0.1.0
 */
export type Unique = typeof Unique.Type

/**
 * What a submission may say besides name, arguments and priority; shared by the record and the outcome. Plain tasks
 * have none of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface TaskOptions {
  readonly unique?: Unique
  /** Counts towards the limits per key of its type. */
  readonly limitKey?: string
  /** Shares its priority fairly with those of other keys. Default: the tenant. */
  readonly fairKey?: string
  /** Share of its fairness key relative to others, 0.001 to 1,000. Default: 1. */
  readonly weight?: number
  readonly tags?: ReadonlyArray<string>
  readonly tenant?: string
  /** The outcome is not kept for late askers. */
  readonly ignoreResult?: boolean
  /** Version of the definition that the arguments were made with. */
  readonly version?: number
  /** The task that this one runs again. */
  readonly retryOf?: string
  /** The schedule that submitted it. */
  readonly schedule?: string
  /** The task whose handler submitted it. */
  readonly parent?: string
  /** The span that submitted it, as {@link TraceParent}. */
  readonly trace?: string
  /** What of it is not shown. */
  readonly sensitive?: Sensitive
}

/**
 * An attempt that has ended without the outcome. Times are milliseconds of the monotonic clock.
 *
 * @category models
 * @since 0.1.0
 */
export interface EndedAttempt {
  readonly attempt: number
  readonly worker: string
  readonly startedAt: number
  readonly endedAt: number
  /** `lost`: with its worker, otherwise why it failed. */
  readonly reason: FailureReason | "lost"
  /** The encoded error, cut off when it is long; empty when there is none. */
  readonly body: Body
  /** Id of its span in the trace of the task. */
  readonly span?: string
}

/**
 * What a task has when something happened to it, mutable and owned by the core. Times are milliseconds of the monotonic
 * clock.
 *
 * @category models
 * @since 0.1.0
 */
export interface TaskDetail {
  /** When a delayed task is due, or a queued one was. */
  dueAt: number
  /** When the task expires unless it has an outcome; `Infinity` is never. */
  expiresAt: number
  /** Attempts that have ended, oldest first; the newest of them are kept. */
  history: ReadonlyArray<EndedAttempt>
  /** Number of attempts that have ended with a failure that is retried. */
  failures: number
  /** When the first attempt started. */
  firstStartedAt: number | undefined
  /** What the handler reported last, encoded. */
  progress: Body | undefined
  /** Why a task in `cancelling` has to stop, and what it will be then. */
  stop: "cancelled" | "expired" | undefined
}

/**
 * The record of a task that has no outcome yet, mutable and owned by the control plane's core. Times are milliseconds of
 * the monotonic clock.
 *
 * **Details**
 *
 * `args` are the encoded arguments, opaque to the control plane. `sequence` is the order in which tasks became ready to run,
 * so that a task that is handed back takes its old place. `attempt` counts leases that count (a lease that was handed
 * back unstarted does not), `losses` those that ended with the loss of the worker, `crashes` those of them that are known to
 * have begun.
 *
 * @category models
 * @since 0.1.0
 */
export interface TaskRecord {
  readonly id: string
  readonly name: string
  /** Its priority; somebody may give it another one. */
  level: PriorityLevel
  readonly args: Body
  sequence: number
  readonly submittedAt: number
  readonly options: TaskOptions | undefined
  detail: TaskDetail | undefined
  state: TaskState
  attempt: number
  crashes: number
  losses: number
  /** Who runs it, while `running` or `cancelling`. */
  worker: WorkerRecord | undefined
  /** Number of the exchange whose reply carried the lease. */
  leaseExchange: number
  leasedAt: number
  /** Run time in milliseconds that was expected when it was leased. */
  expectedMillis: number
  /** Tokens of the sessions that are to be told the outcome. */
  watchers: ReadonlyArray<string>
  /** Links of the queue's lane, or of the leases of its worker; owned by what it is in. */
  next: TaskRecord | undefined
  previous: TaskRecord | undefined
}

/**
 * Returns since when a task is ready to run, or will be.
 *
 * @category getters
 * @since 0.1.0
 */
export const readyAt = ({ detail, submittedAt }: TaskRecord): number =>
  detail === undefined
    ? submittedAt
    : Math.max(submittedAt, detail.dueAt, detail.history[detail.history.length - 1]?.endedAt ?? 0)
