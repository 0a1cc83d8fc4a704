/**
 * What a control plane says of what is there, for people and tools: tasks, schedules, workers, counts.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Count, Token } from "./MessageFields.ts"
import { FailureReason } from "./Outcome.ts"
import { Priority } from "./Priority.ts"
import { ScheduleDeclaration } from "./Schedules.ts"
import { TaskId, TaskKey, TaskName } from "./Task.ts"
import { TaskState } from "./TaskState.ts"
import { WorkerAbout, WorkerId, WorkerLoad, WorkerState } from "./WorkerInfo.ts"

/**
 * Schema for an attempt that has ended without the outcome. Times are milliseconds since 1970; `lost`: with its worker.
 *
 * @category schemas
 * @since 0.1.0
 */
export const AttemptStatus = Schema.Struct({
  attempt: Count,
  worker: Schema.String,
  startedAt: Schema.Finite,
  endedAt: Schema.Finite,
  reason: Schema.Literals([...FailureReason.literals, "lost"]),
  /** The encoded error, cut off when it is long. */
  error: Schema.optionalKey(Schema.String)
})

/**
 * Schema for a schedule, for people and tools. Times are milliseconds since 1970.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ScheduleStatus = Schema.Struct({
  ...ScheduleDeclaration.fields,
  /** `undefined` when it will never be due again. */
  nextAt: Schema.optionalKey(Schema.Finite),
  paused: Schema.Boolean,
  /** The task that it submitted last. */
  lastTask: Schema.optionalKey(TaskId),
  lastAt: Schema.optionalKey(Schema.Finite),
  /** Due times at which nothing was submitted: the task before still ran, or it was refused. */
  skipped: Count
})

/**
 * A schedule, for people and tools.
 *
 * @category models
 * @since 0.1.0
 */
export type ScheduleStatus = typeof ScheduleStatus.Type

/**
 * Schema for the state of one task, for people and tools. Times are milliseconds since 1970.
 *
 * @category schemas
 * @since 0.1.0
 */
export const TaskStatus = Schema.Struct({
  id: TaskId,
  name: TaskName,
  priority: Priority,
  state: TaskState,
  attempt: Count,
  submittedAt: Schema.Finite,
  startedAt: Schema.optionalKey(Schema.Finite),
  finishedAt: Schema.optionalKey(Schema.Finite),
  /** When it is due, while it is delayed. */
  dueAt: Schema.optionalKey(Schema.Finite),
  expiresAt: Schema.optionalKey(Schema.Finite),
  worker: Schema.optionalKey(WorkerId),
  reason: Schema.optionalKey(FailureReason),
  /** Why it waits, while it is delayed or queued. */
  waiting: Schema.optionalKey(Schema.String),
  tags: Schema.optionalKey(Schema.Array(TaskKey)),
  tenant: Schema.optionalKey(TaskKey),
  retryOf: Schema.optionalKey(TaskId),
  schedule: Schema.optionalKey(TaskKey),
  /** The task whose handler submitted it. */
  parent: Schema.optionalKey(TaskId),
  /** Attempts that have ended without the outcome, oldest first. */
  history: Schema.optionalKey(Schema.Array(AttemptStatus))
})

/**
 * The state of one task, for people and tools.
 *
 * @category models
 * @since 0.1.0
 */
export type TaskStatus = typeof TaskStatus.Type

/**
 * Schema for one worker, for people and tools. Times are milliseconds since 1970.
 *
 * @category schemas
 * @since 0.1.0
 */
export const WorkerStatus = Schema.Struct({
  id: WorkerId,
  /** `unresponsive` is one whose event loop is blocked: see `lag`. `paused` is one that is given nothing. */
  state: Schema.Literals([...WorkerState.literals, "unresponsive", "paused"]),
  /** How far its event loop was behind when it last said so, in milliseconds. */
  lag: Count,
  /** Tells apart workers with the same id. */
  key: Schema.String,
  local: Schema.Boolean,
  slots: Count,
  running: Count,
  tasks: Schema.Array(TaskName),
  registeredAt: Schema.Finite,
  lastSeenAt: Schema.Finite,
  succeeded: Count,
  failed: Count,
  about: WorkerAbout,
  /** What it said last of its process. */
  load: Schema.optionalKey(WorkerLoad)
})

/**
 * One worker, for people and tools.
 *
 * @category models
 * @since 0.1.0
 */
export type WorkerStatus = typeof WorkerStatus.Type

/**
 * Schema for the counts of a control plane since its start. `submitted` is always the sum of `waiting`, `running` and
 * the four outcomes; `delayed` is a part of `waiting`, `cancelling` of `running`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Stats = Schema.Struct({
  version: Schema.String,
  namespace: Schema.String,
  epoch: Token,
  upMillis: Count,
  draining: Schema.Boolean,
  submitted: Count,
  waiting: Count,
  waitingByPriority: Schema.Struct({ critical: Count, high: Count, normal: Count, low: Count }),
  delayed: Count,
  waitingBytes: Count,
  running: Count,
  cancelling: Count,
  succeeded: Count,
  failed: Count,
  cancelled: Count,
  expired: Count,
  /** Attempts that failed and were not the last. */
  retries: Count,
  /** Attempts that ended with their worker or thread, and are held to have done it. */
  crashes: Count,
  /** Reports that were refused because the lease had ended. */
  lateReports: Count,
  workers: Count,
  sessions: Count,
  results: Count,
  resultBytes: Count,
  /** Tasks that failed or expired and can be retried. */
  dead: Count,
  schedules: Count,
  /** What is paused: `all`, `task:NAME`, `worker:ID`. */
  paused: Schema.Array(Schema.String),
  /** Why nothing can be stored in the journal now. */
  journal: Schema.optionalKey(Schema.String)
})

/**
 * The counts of a control plane since its start.
 *
 * @category models
 * @since 0.1.0
 */
export type Stats = typeof Stats.Type
