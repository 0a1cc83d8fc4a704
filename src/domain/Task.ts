/**
 * One submission of a task definition: its identity and the record that the control plane keeps for it. Owns the shape of
 * the record; the core changes it, the queue links it.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import type { PriorityLevel } from "./Priority.ts"
import type { TaskState } from "./TaskState.ts"
import type { WorkerRecord } from "./WorkerInfo.ts"

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
 * The record of a task that has no outcome yet, mutable and owned by the control plane's core. Times are milliseconds of
 * the monotonic clock.
 *
 * **Details**
 *
 * `args` are the encoded arguments, opaque to the control plane. `sequence` is the order of admission and never changes,
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
  readonly level: PriorityLevel
  readonly args: Uint8Array
  readonly sequence: number
  readonly submittedAt: number
  state: TaskState
  attempt: number
  crashes: number
  losses: number
  /** Who runs it, while `running`. */
  worker: WorkerRecord | undefined
  /** Number of the exchange whose reply carried the lease. */
  leaseExchange: number
  leasedAt: number
  /** Run time in milliseconds that was expected when it was leased. */
  expectedMillis: number
  /** Tokens of the sessions that are to be told the outcome. */
  watchers: ReadonlyArray<string>
  /** Links of the queue's lane, owned by the queue. */
  next: TaskRecord | undefined
  previous: TaskRecord | undefined
}
