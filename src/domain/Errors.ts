/**
 * Every failure that a user can see. They cross the wire, so they are schemas; they carry ids, sizes and limits, never
 * arguments or results.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { FinalState, TaskState } from "./TaskState.ts"

/**
 * The arguments do not fit the definition. Raised by the client before anything is sent; by the worker when they were
 * submitted by something else, or for another version of the definition.
 *
 * **What to do**
 *
 * Correct the fields that it names. When they fit the caller's definition, the worker has another version of it:
 * deploy the same, or raise its `version` and give it an `upgrade`.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidArguments extends Schema.TaggedError<InvalidArguments>()("InvalidArguments", {
  task: Schema.String,
  /** One entry for each field that is wrong; `field` is a path such as `to` or `items.3.name`, empty for the whole. */
  issues: Schema.Array(Schema.Struct({ field: Schema.String, message: Schema.String }))
}) {
  override get message() {
    const issues = this.issues.map(({ field, message }) => field === "" ? message : `${field}: ${message}`)
    return `Invalid arguments for task "${this.task}": ${issues.join("; ")}`
  }
}

/**
 * The arguments or the result are larger than the limit.
 *
 * **What to do**
 *
 * Keep large data where it is and pass a reference to it; or raise `--max-payload` (`maxPayloadBytes`) in the control
 * plane, the workers and the programs that submit.
 *
 * @category errors
 * @since 0.1.0
 */
export class TooLarge extends Schema.TaggedError<TooLarge>()("TooLarge", {
  task: Schema.String,
  what: Schema.Literals(["arguments", "result"]),
  /** Bytes, encoded. */
  size: Schema.Int,
  /** Bytes allowed. */
  limit: Schema.Int
}) {
  override get message() {
    return `The ${this.what} of task "${this.task}" have ${this.size} bytes encoded; the limit is ${this.limit}. ` +
      `Pass a reference (a path, a key) instead of the data`
  }
}

/**
 * No process has a handler for this task name.
 *
 * **What to do**
 *
 * Compare the name with those that it lists, and start the control plane or a worker with the file that has the task:
 * `--tasks FILE`.
 *
 * @category errors
 * @since 0.1.0
 */
export class UnknownTask extends Schema.TaggedError<UnknownTask>()("UnknownTask", {
  task: Schema.String,
  /** Names that have a handler, at most 20. */
  known: Schema.Array(Schema.String)
}) {
  override get message() {
    const known = this.known.length === 0
      ? "no task has one yet: start the control plane or a worker with --tasks FILE"
      : `known tasks: ${this.known.join(", ")}`
    return `No process has a handler for task "${this.task}"; ${known}`
  }
}

/**
 * The queue is at its bound. Nothing was accepted.
 *
 * **What to do**
 *
 * Submit again later, after a pause that grows; start more workers; or raise `--max-waiting` and
 * `--max-waiting-bytes`.
 *
 * @category errors
 * @since 0.1.0
 */
export class QueueFull extends Schema.TaggedError<QueueFull>()("QueueFull", {
  waiting: Schema.Int,
  maxWaiting: Schema.Int,
  waitingBytes: Schema.Int,
  maxWaitingBytes: Schema.Int
}) {
  override get message() {
    return `The queue is full: ${this.waiting} of ${this.maxWaiting} tasks, ` +
      `${this.waitingBytes} of ${this.maxWaitingBytes} bytes of arguments are waiting`
  }
}

/**
 * Outcomes that this client asked for pile up uncollected; its submissions are refused until it collects them.
 *
 * **What to do**
 *
 * Take the results of what was submitted before more is submitted.
 *
 * @category errors
 * @since 0.1.0
 */
export class OutboxFull extends Schema.TaggedError<OutboxFull>()("OutboxFull", {
  outcomes: Schema.Int,
  maxOutcomes: Schema.Int
}) {
  override get message() {
    return `${this.outcomes} outcomes wait to be collected by this client, the bound is ${this.maxOutcomes}: ` +
      `collect them, or submit without watching`
  }
}

/**
 * A task with this id exists and has another name or other arguments.
 *
 * **What to do**
 *
 * Submit it with the name and the arguments of the first one, or give it an id of its own.
 *
 * @category errors
 * @since 0.1.0
 */
export class IdConflict extends Schema.TaggedError<IdConflict>()("IdConflict", { id: Schema.String }) {
  override get message() {
    return `A task with the id "${this.id}" exists already, with another name or other arguments`
  }
}

/**
 * A task with the same unique key has not finished (or not started, or is too recent: as the definition says). Nothing
 * was submitted.
 *
 * **What to do**
 *
 * Mostly nothing: the work is under way. To get the task that holds the key, or to take its place, let the definition
 * say `onConflict: "existing"` or `"replace"`.
 *
 * @category errors
 * @since 0.1.0
 */
export class UniqueConflict extends Schema.TaggedError<UniqueConflict>()("UniqueConflict", {
  task: Schema.String,
  key: Schema.String,
  /** The task that holds the key. */
  id: Schema.String
}) {
  override get message() {
    return `Task "${this.id}" (${this.task}) holds the unique key "${this.key}": nothing was submitted`
  }
}

/**
 * The number of tasks that a filter meets is not the one that was expected: nothing was changed.
 *
 * **What to do**
 *
 * Count again (`dryRun`), look at what is meant now, and repeat with the new number.
 *
 * @category errors
 * @since 0.1.0
 */
export class CountChanged extends Schema.TaggedError<CountChanged>()("CountChanged", {
  expected: Schema.Int,
  count: Schema.Int
}) {
  override get message() {
    return `${this.count} tasks meet the filter, not ${this.expected} as expected: nothing was changed, look again`
  }
}

/**
 * No schedule has this id.
 *
 * **What to do**
 *
 * See `fastworker schedules`. One that a worker declares is there once that worker has registered.
 *
 * @category errors
 * @since 0.1.0
 */
export class ScheduleNotFound extends Schema.TaggedError<ScheduleNotFound>()("ScheduleNotFound", {
  id: Schema.String
}) {
  override get message() {
    return `No schedule has the id "${this.id}": \`fastworker schedules\` lists them`
  }
}

/**
 * No connected worker has this id or key.
 *
 * **What to do**
 *
 * See `fastworker workers`. One that left, or was lost, is not connected any more.
 *
 * @category errors
 * @since 0.1.0
 */
export class WorkerNotFound extends Schema.TaggedError<WorkerNotFound>()("WorkerNotFound", {
  worker: Schema.String
}) {
  override get message() {
    return `No connected worker has the id "${this.worker}"`
  }
}

/**
 * The worker is part of the control plane's process: it can't leave it.
 *
 * **What to do**
 *
 * Pause it (`fastworker pause --worker ID`), or stop the control plane.
 *
 * @category errors
 * @since 0.1.0
 */
export class WorkerIsLocal extends Schema.TaggedError<WorkerIsLocal>()("WorkerIsLocal", {
  worker: Schema.String
}) {
  override get message() {
    return `The worker "${this.worker}" is part of the control plane and can't leave it: pause it, or stop the control plane`
  }
}

/**
 * Only a task that failed or expired, and is still kept, can be retried.
 *
 * **What to do**
 *
 * Submit the task anew. An outcome never changes; a retry is a new task too.
 *
 * @category errors
 * @since 0.1.0
 */
export class NotRetryable extends Schema.TaggedError<NotRetryable>()("NotRetryable", {
  id: Schema.String,
  state: TaskState
}) {
  override get message() {
    return `Task "${this.id}" is ${this.state}: only tasks that failed or expired, and are still kept, can be retried`
  }
}

/**
 * The control plane is shutting down and takes no new work.
 *
 * **What to do**
 *
 * Submit again when it is back, with the same id.
 *
 * @category errors
 * @since 0.1.0
 */
export class ShuttingDown extends Schema.TaggedError<ShuttingDown>()("ShuttingDown", {}) {
  override get message() {
    return "The control plane is shutting down and takes no new work"
  }
}

/**
 * No answer from the control plane within the deadline.
 *
 * **What to do**
 *
 * See that the control plane runs, that address and namespace are those that it has, and that nothing between blocks
 * its ports. A submission that failed so may have been accepted: submit it again with the same id, which has the
 * effect of once.
 *
 * @category errors
 * @since 0.1.0
 */
export class Unreachable extends Schema.TaggedError<Unreachable>()("Unreachable", {
  /** The address that was dialled, or where announcements were awaited. */
  address: Schema.String,
  afterMillis: Schema.Int,
  reason: Schema.String
}) {
  override get message() {
    return `No answer from a control plane (${this.address}) within ${this.afterMillis} ms: ${this.reason}. ` +
      `Is \`fastworker control-plane\` running, and is the address right?`
  }
}

/**
 * The two sides speak no version of the protocol in common. `ours` are the versions of the side that says so.
 *
 * **What to do**
 *
 * Update the older side.
 *
 * @category errors
 * @since 0.1.0
 */
export class ProtocolMismatch extends Schema.TaggedError<ProtocolMismatch>()("ProtocolMismatch", {
  ours: Schema.Array(Schema.Int),
  /** A version or several, or whatever stood in their place. */
  theirs: Schema.Unknown
}) {
  override get message() {
    // Made by a stranger: only JSON prints whatever it is.
    const versions: ReadonlyArray<unknown> = Array.isArray(this.theirs) ? this.theirs : [this.theirs]
    const theirs = versions.map((version) => JSON.stringify(version)).join(", ")
    return `The peer speaks protocol version ${theirs}, this side speaks ${this.ours.join(", ")}: update the older one`
  }
}

/**
 * A message that is not of the protocol.
 *
 * **What to do**
 *
 * A program that speaks the protocol by itself corrects its message. From ours it means that the two sides are of
 * different versions: update the older one.
 *
 * @category errors
 * @since 0.1.0
 */
export class BadRequest extends Schema.TaggedError<BadRequest>()("BadRequest", { reason: Schema.String }) {
  override get message() {
    return `The control plane did not understand the message: ${this.reason}`
  }
}

/**
 * The control plane has a secret, and this process has none, another one, or the key of a role that may not do this. Or
 * this process has one and the control plane does not prove that it knows it.
 *
 * **What to do**
 *
 * Give this process the secret of the control plane, or the key of a role that may do this: `FASTWORKER_SECRET_FILE`,
 * or the setting `secret`.
 *
 * @category errors
 * @since 0.1.0
 */
export class Unauthorized extends Schema.TaggedError<Unauthorized>()("Unauthorized", { reason: Schema.String }) {
  override get message() {
    return `Not authorized: ${this.reason}`
  }
}

/**
 * The session is not known to the control plane (it restarted, or declared the worker lost).
 *
 * **What to do**
 *
 * Nothing: our workers and clients register again by themselves. A worker of one's own does the same.
 *
 * @category errors
 * @since 0.1.0
 */
export class UnknownSession extends Schema.TaggedError<UnknownSession>()("UnknownSession", {}) {
  override get message() {
    return "The control plane does not know this session: register again"
  }
}

/**
 * No task with this id is known: it never was, or its traces were dropped.
 *
 * **What to do**
 *
 * Compare the id. What finished long ago is forgotten; without a journal so is everything when the control plane is
 * restarted.
 *
 * @category errors
 * @since 0.1.0
 */
export class TaskNotFound extends Schema.TaggedError<TaskNotFound>()("TaskNotFound", { id: Schema.String }) {
  override get message() {
    return `No task with the id "${this.id}" is known`
  }
}

/**
 * The task finished, and its result is no longer kept (bounds of the result cache: count, bytes, age).
 *
 * **What to do**
 *
 * Ask sooner, raise `--result-cache-size`, `--result-cache-bytes` or `--result-cache-ttl`, give the definition a
 * `retention`, or let the handler store what must last.
 *
 * @category errors
 * @since 0.1.0
 */
export class ResultEvicted extends Schema.TaggedError<ResultEvicted>()("ResultEvicted", {
  id: Schema.String,
  state: FinalState
}) {
  override get message() {
    return `Task "${this.id}" ${this.state}, but its result is no longer kept: ` +
      `ask sooner, or raise --result-cache-size, --result-cache-bytes or --result-cache-ttl`
  }
}

/**
 * The control plane was restarted and does not know the task any more.
 *
 * **What to do**
 *
 * Submit it again, with the same id. With a journal (`--journal`) tasks survive a restart.
 *
 * @category errors
 * @since 0.1.0
 */
export class TaskLost extends Schema.TaggedError<TaskLost>()("TaskLost", { id: Schema.String }) {
  override get message() {
    return `The control plane was restarted and does not know task "${this.id}" any more: submit it again`
  }
}

/**
 * The task was told to stop and had not within the deadline: its handler does not let itself be interrupted, or its
 * finalizers take long. It will be cancelled when it stops.
 *
 * **What to do**
 *
 * Ask for its status later. Let the handler stop: as an Effect that can be interrupted, as a promise that heeds its
 * `signal`, or in a thread, which can be ended.
 *
 * @category errors
 * @since 0.1.0
 */
export class TaskStopping extends Schema.TaggedError<TaskStopping>()("TaskStopping", {
  id: Schema.String,
  afterMillis: Schema.Int
}) {
  override get message() {
    return `Task "${this.id}" was told to stop and has not within ${this.afterMillis} ms: ` +
      `it is cancelled as soon as its handler stops`
  }
}

/**
 * The task has an outcome already, which is final.
 *
 * **What to do**
 *
 * Nothing: its outcome stands, and `result` gives it.
 *
 * @category errors
 * @since 0.1.0
 */
export class TaskFinished extends Schema.TaggedError<TaskFinished>()("TaskFinished", {
  id: Schema.String,
  state: TaskState
}) {
  override get message() {
    return `Task "${this.id}" ${this.state === "cancelled" ? "was" : "has"} ${this.state} already`
  }
}

/**
 * The task was cancelled.
 *
 * **What to do**
 *
 * Nothing, if that was meant. Otherwise submit it again, as a new task.
 *
 * @category errors
 * @since 0.1.0
 */
export class TaskCancelled extends Schema.TaggedError<TaskCancelled>()("TaskCancelled", { id: Schema.String }) {
  override get message() {
    return `Task "${this.id}" was cancelled`
  }
}

/**
 * The task had no outcome within the time that it was given (`expiresIn`).
 *
 * **What to do**
 *
 * Give it more time (`expiresIn`), or start more workers: `fastworker explain ID` says of a task that waits why it
 * does. `fastworker retry ID` runs it after all.
 *
 * @category errors
 * @since 0.1.0
 */
export class TaskExpired extends Schema.TaggedError<TaskExpired>()("TaskExpired", {
  id: Schema.String,
  task: Schema.String,
  /** Whether it had started. */
  started: Schema.Boolean
}) {
  override get message() {
    return `Task "${this.id}" (${this.task}) expired ${this.started ? "while it ran" : "before it started"}`
  }
}

/**
 * The task was given up because workers or threads were lost while they ran it.
 *
 * **What to do**
 *
 * Find what ends the process: the log of the worker, its memory, a `process.exit`. Then `fastworker retry ID`.
 *
 * @category errors
 * @since 0.1.0
 */
export class TaskCrashed extends Schema.TaggedError<TaskCrashed>()("TaskCrashed", {
  id: Schema.String,
  task: Schema.String,
  crashes: Schema.Int,
  /** What the last thread said. */
  last: Schema.optionalKey(Schema.String)
}) {
  override get message() {
    return `Task "${this.id}" (${this.task}) was given up: ${this.crashes} workers or threads were lost while they ran it` +
      (this.last === undefined ? "" : `; the last one: ${this.last}`)
  }
}

/**
 * The handler failed with something that the definition does not declare: an exception, or a result that does not fit
 * the definition's schema.
 *
 * **What to do**
 *
 * Correct the handler: `remoteStack` says where it failed. A failure that callers shall handle is declared as the
 * `error` of the definition. Then `fastworker retry ID`.
 *
 * @category errors
 * @since 0.1.0
 */
export class TaskDefect extends Schema.TaggedError<TaskDefect>()("TaskDefect", {
  id: Schema.String,
  task: Schema.String,
  /** Name of the exception's class, for example `TypeError`. */
  defect: Schema.String,
  reason: Schema.String,
  /** The stack in the worker, when there is one. */
  remoteStack: Schema.optionalKey(Schema.String)
}) {
  override get message() {
    return `Task "${this.id}" (${this.task}) failed unexpectedly: ${this.defect}: ${this.reason}`
  }
}

/**
 * The outcome arrived and does not fit the caller's definition: worker and caller have different versions of it.
 *
 * **What to do**
 *
 * Deploy worker and caller with the same definition.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidResult extends Schema.TaggedError<InvalidResult>()("InvalidResult", {
  id: Schema.String,
  task: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `The outcome of task "${this.id}" (${this.task}) does not fit the definition that this program has: ${this.reason}`
  }
}

/**
 * The secret of the settings can't be used as one.
 *
 * **What to do**
 *
 * Make one with `fastworker secret`.
 *
 * @category errors
 * @since 0.1.0
 */
export class SecretError extends Schema.TaggedError<SecretError>()("SecretError", { reason: Schema.String }) {
  override get message() {
    return `The secret can't be used: ${this.reason}`
  }
}

/**
 * A file of tasks could not be used.
 *
 * **What to do**
 *
 * Correct the file as the reason says; `fastworker tasks --tasks FILE` tries it.
 *
 * @category errors
 * @since 0.1.0
 */
export class TaskFileError extends Schema.TaggedError<TaskFileError>()("TaskFileError", {
  file: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `Task file ${this.file}: ${this.reason}`
  }
}

/**
 * An address that can't be used: malformed, taken, or not of this machine.
 *
 * **What to do**
 *
 * Correct it as the reason says. Port 0 takes any that is free; a control plane prints which.
 *
 * @category errors
 * @since 0.1.0
 */
export class AddressError extends Schema.TaggedError<AddressError>()("AddressError", {
  address: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `Address ${this.address}: ${this.reason}`
  }
}

/**
 * Another process has the journal open: a journal belongs to one control plane at a time.
 *
 * **What to do**
 *
 * Stop that one, or give this one a file of its own.
 *
 * @category errors
 * @since 0.1.0
 */
export class JournalLocked extends Schema.TaggedError<JournalLocked>()("JournalLocked", { file: Schema.String }) {
  override get message() {
    return `Another control plane uses the journal ${this.file}: stop it, or give this one a file of its own`
  }
}

/**
 * The file is damaged, or is not a journal at all.
 *
 * **What to do**
 *
 * Run `fastworker journal check FILE`, and bring the file back from a copy; or move it away, to start with an empty
 * journal.
 *
 * @category errors
 * @since 0.1.0
 */
export class JournalCorrupt extends Schema.TaggedError<JournalCorrupt>()("JournalCorrupt", {
  file: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `The journal ${this.file} can't be read: ${this.reason}. Run \`fastworker journal check ${this.file}\`, ` +
      `or move the file away to start with an empty journal`
  }
}

/**
 * The file was written by a newer version of FastWorker, in a format that this one does not know.
 *
 * **What to do**
 *
 * Update FastWorker, or use another file.
 *
 * @category errors
 * @since 0.1.0
 */
export class JournalTooNew extends Schema.TaggedError<JournalTooNew>()("JournalTooNew", {
  file: Schema.String,
  version: Schema.Int,
  /** The newest version of the format that this program knows. */
  known: Schema.Int
}) {
  override get message() {
    return `The journal ${this.file} was written by a newer version of FastWorker (its format is version ` +
      `${this.version}, this program knows ${this.known}): update FastWorker, or use another file`
  }
}

/**
 * The file can't be used as a journal: no such folder, no permission, something else's file.
 *
 * **What to do**
 *
 * Make the folder, let the user of the process write there, or name another file.
 *
 * @category errors
 * @since 0.1.0
 */
export class JournalUnusable extends Schema.TaggedError<JournalUnusable>()("JournalUnusable", {
  file: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `The journal ${this.file} can't be used: ${this.reason}`
  }
}

/**
 * The journal can't be written, for now: the disk is full, or fails. What was submitted meanwhile was not accepted.
 *
 * **What to do**
 *
 * Make room on the disk, or repair it: the control plane tries again twice a second. Submit again later, with the same
 * id.
 *
 * @category errors
 * @since 0.1.0
 */
export class JournalFailed extends Schema.TaggedError<JournalFailed>()("JournalFailed", { reason: Schema.String }) {
  override get message() {
    return `The journal can't be written: ${this.reason}. No task is accepted until it can: submit again later`
  }
}

/**
 * Why a journal can't be opened or read.
 *
 * @category models
 * @since 0.1.0
 */
export type JournalError = JournalLocked | JournalCorrupt | JournalTooNew | JournalUnusable | JournalFailed

/**
 * Why a submission can be refused. `ResultEvicted`: a task with this id has finished, and waiting for it would never end.
 *
 * @category models
 * @since 0.1.0
 */
export type SubmitError =
  | InvalidArguments
  | TooLarge
  | UnknownTask
  | QueueFull
  | OutboxFull
  | IdConflict
  | UniqueConflict
  | ResultEvicted
  | ShuttingDown
  | JournalFailed
  | CallError

/**
 * Why any call to the control plane can fail.
 *
 * @category models
 * @since 0.1.0
 */
export type CallError = Unreachable | ProtocolMismatch | BadRequest | Unauthorized

/**
 * Why a task can end without its value, besides the error that its definition declares.
 *
 * @category models
 * @since 0.1.0
 */
export type OutcomeError =
  | TaskCancelled
  | TaskExpired
  | TaskTimedOut
  | TaskCrashed
  | TaskDefect
  | TooLarge
  | UnknownTask
  | InvalidArguments
  | InvalidResult

/**
 * Why waiting for a result can fail, besides the error that the definition declares. `WouldDeadlock` only within a
 * handler.
 *
 * @category models
 * @since 0.1.0
 */
export type ResultError = OutcomeError | ResultEvicted | TaskNotFound | TaskLost | WouldDeadlock | CallError

/**
 * Schema for every error that the control plane puts into a reply.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ReplyError = Schema.Union([
  BadRequest,
  ProtocolMismatch,
  Unauthorized,
  UnknownSession,
  UnknownTask,
  QueueFull,
  OutboxFull,
  IdConflict,
  TooLarge,
  ShuttingDown,
  TaskNotFound,
  UniqueConflict,
  CountChanged,
  ScheduleNotFound,
  WorkerNotFound,
  WorkerIsLocal,
  NotRetryable,
  JournalFailed,
  TaskFinished,
  ResultEvicted
])

/**
 * An error that the control plane puts into a reply.
 *
 * @category models
 * @since 0.1.0
 */
export type ReplyError = typeof ReplyError.Type

/**
 * An attempt took longer than its definition allows. The outcome of the task when it is not retried; the input of the
 * retry's schedule otherwise.
 *
 * **What to do**
 *
 * Raise the `timeout` of the definition, make the work smaller, or `retry` it.
 *
 * @category errors
 * @since 0.1.0
 */
export class TaskTimedOut extends Schema.TaggedError<TaskTimedOut>()("TaskTimedOut", {
  id: Schema.String,
  task: Schema.String,
  /** Milliseconds. */
  timeout: Schema.Int
}) {
  override get message() {
    return `Task "${this.id}" (${this.task}) took longer than its timeout of ${this.timeout} ms`
  }
}

/**
 * A handler was about to wait for other tasks while all slots of its worker are held by handlers that wait.
 *
 * **What to do**
 *
 * Submit without waiting for the results, or raise `--concurrency`.
 *
 * @category errors
 * @since 0.1.0
 */
export class WouldDeadlock extends Schema.TaggedError<WouldDeadlock>()("WouldDeadlock", {
  id: Schema.String,
  task: Schema.String
}) {
  override get message() {
    return `Task "${this.id}" (${this.task}) can't wait for other tasks: its worker has no slot left to run them in. ` +
      `Submit them without waiting for their results, or raise --concurrency`
  }
}

/**
 * Tasks are to run in threads, and nothing says which files a thread has to load for them.
 *
 * **What to do**
 *
 * Give the tasks as files: `--tasks FILE`, or `TaskRegistryModules.layerFiles`.
 *
 * @category errors
 * @since 0.1.0
 */
export class ThreadsUnavailable extends Schema.TaggedError<ThreadsUnavailable>()("ThreadsUnavailable", {
  tasks: Schema.Array(Schema.String)
}) {
  override get message() {
    return `The isolation of ${
      this.tasks.map((name) => `"${name}"`).join(", ")
    } is "thread", but their handlers were ` +
      `given as layers, which can't cross into a thread: load them from files (--tasks FILE, TaskRegistryModules.layerFiles)`
  }
}
