/**
 * Every message of the wire protocol, version 1: the headers as schemas. Owns what may stand in a header; bytes and
 * framing are `layers/Envelope.ts`, the meaning is documented in `docs/protocol.md`.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaJITCompiler from "effect/schema/SchemaJITCompiler"
import { batch, maxBatch } from "./Batch.ts"
import { BadRequest, ProtocolMismatch, ReplyError } from "./Errors.ts"
import { Event } from "./Event.ts"
import * as JsonCodec from "./JsonCodec.ts"
import { Count, Token } from "./MessageFields.ts"
import { FailureReason } from "./Outcome.ts"
import { Priority } from "./Priority.ts"
import { ScheduleDeclaration } from "./Schedules.ts"
import { Sensitive } from "./Sensitive.ts"
import { ScheduleStatus, Stats, TaskStatus, WorkerStatus } from "./Status.ts"
import { isTaskIdText, TaskId, TaskKey, TaskName, TraceParent, Unique } from "./Task.ts"
import { maxMillis } from "./TaskPolicy.ts"
import { FinalState, TaskState } from "./TaskState.ts"
import { WorkerAbout, WorkerId, WorkerLoad } from "./WorkerInfo.ts"

/**
 * The version of the protocol that this code speaks.
 *
 * @category constants
 * @since 0.1.0
 */
export const protocolVersion = 1

/**
 * All versions of the protocol that this code speaks, the newest first: announcements and refusals carry them, so that a
 * peer can choose.
 *
 * @category constants
 * @since 0.1.0
 */
export const protocolVersions: ReadonlyArray<number> = [protocolVersion]

/**
 * Most handlers of one worker.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxHandlers = 1_000

/**
 * Longest time in milliseconds that a call may ask the control plane to wait for news.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxWaitMillis = 60_000

/**
 * Most tags of a task.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxTags = 16

/**
 * Longest JSON Schema that a worker may announce, in characters: of the arguments, the result or the error of a handler.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxSchemaLength = 16_384

const Wait = Count.check(Schema.isLessThanOrEqualTo(maxWaitMillis))
const Delay = Count.check(Schema.isLessThanOrEqualTo(maxMillis))

/** The ids of a group: checked in one go, since each check of a schema costs as much as all of these. */
const Ids = batch(Schema.String).check(
  Schema.makeFilter((ids) => ids.every(isTaskIdText) || "must be ids of tasks")
)

/** Schema for a group of items that have these fields besides their ids and sizes. */
const groupOf = <const F extends Schema.Struct.Fields>(fields: F) =>
  Schema.Struct({ ids: Ids, sizes: batch(Count), ...fields })

const request = <const Op extends string, const F extends Schema.Struct.Fields>(op: Op, fields: F) =>
  Schema.Struct({ v: Schema.Literal(protocolVersion), op: Schema.Literal(op), ...fields })

const submitted = {
  name: TaskName,
  priority: Schema.optionalKey(Priority),
  watch: Schema.optionalKey(Schema.Boolean),
  /** Milliseconds from now. */
  in: Schema.optionalKey(Delay),
  /** Milliseconds since 1970; `in` wins. */
  at: Schema.optionalKey(Schema.Finite),
  /** Milliseconds from now after which it is given up, wherever it stands. */
  expiresIn: Schema.optionalKey(Delay.check(Schema.isGreaterThanOrEqualTo(1))),
  unique: Schema.optionalKey(Unique),
  limitKey: Schema.optionalKey(TaskKey),
  fairKey: Schema.optionalKey(TaskKey),
  weight: Schema.optionalKey(Schema.Finite.check(Schema.isBetween({ minimum: 0.001, maximum: 1000 }))),
  tags: Schema.optionalKey(Schema.Array(TaskKey).check(Schema.isMaxLength(maxTags))),
  tenant: Schema.optionalKey(TaskKey),
  ignoreResult: Schema.optionalKey(Schema.Boolean),
  /** Version of the definition that the arguments were made with. */
  version: Schema.optionalKey(Count),
  /** The task whose handler submits it. */
  parent: Schema.optionalKey(TaskId),
  /** The span that submits it. */
  trace: Schema.optionalKey(TraceParent),
  /** What of it is not shown. */
  sensitive: Schema.optionalKey(Sensitive)
}

/**
 * Schema for one task of a submission. `size` is the number of bytes of its arguments in the body; the last task may
 * leave it out and gets the rest.
 *
 * @category schemas
 * @since 0.1.0
 */
export const SubmitTask = Schema.Struct({
  id: Schema.optionalKey(TaskId),
  size: Schema.optionalKey(Count),
  ...submitted
})

/**
 * Schema for which tasks are meant; all that is said must hold.
 *
 * @category schemas
 * @since 0.1.0
 */
export const TaskFilter = Schema.Struct({
  state: Schema.optionalKey(TaskState),
  name: Schema.optionalKey(TaskName),
  tag: Schema.optionalKey(TaskKey),
  tenant: Schema.optionalKey(TaskKey),
  /** Submitted at least so many milliseconds ago. */
  olderThan: Schema.optionalKey(Count)
})

/**
 * Which tasks are meant.
 *
 * @category models
 * @since 0.1.0
 */
export type TaskFilter = typeof TaskFilter.Type

/**
 * Schema for what can be paused: one of the three, or everything when none is named.
 *
 * @category schemas
 * @since 0.1.0
 */
export const PauseTarget = Schema.Struct({
  task: Schema.optionalKey(TaskName),
  worker: Schema.optionalKey(WorkerId),
  schedule: Schema.optionalKey(TaskKey)
})

/**
 * What can be paused.
 *
 * @category models
 * @since 0.1.0
 */
export type PauseTarget = typeof PauseTarget.Type

/** Fields of a request that changes many tasks: with `dryRun` it counts only, with `expect` it changes exactly that many or none. */
const many = {
  filter: TaskFilter,
  dryRun: Schema.optionalKey(Schema.Boolean),
  expect: Schema.optionalKey(Count)
}

/** @category schemas @since 0.1.0 */
export const Submit = request("submit", {
  session: Schema.optionalKey(Token),
  /** Number of the message in its session: a copy has the same, and gets the same answer. */
  seq: Schema.optionalKey(Count),
  tasks: Schema.optionalKey(batch(SubmitTask)),
  /** Tasks too, after those of `tasks`. */
  groups: Schema.optionalKey(batch(groupOf(submitted)))
}).check(
  Schema.makeFilter(({ groups, tasks }) =>
    tasks !== undefined || groups !== undefined || { path: ["tasks"], issue: "is missing, and so is groups" }
  )
)
/** @category schemas @since 0.1.0 */
export const Watch = request("watch", {
  session: Token,
  ids: batch(TaskId),
  /** Whether what the handlers report is wanted too. */
  progress: Schema.optionalKey(Schema.Boolean)
})
/** @category schemas @since 0.1.0 */
export const Collect = request("collect", {
  session: Token,
  ack: Count,
  epoch: Schema.optionalKey(Token),
  wait: Schema.optionalKey(Wait),
  /** Whether the outcomes may come in groups. */
  grouped: Schema.optionalKey(Schema.Boolean)
})
/** @category schemas @since 0.1.0 */
export const ResultOf = request("result", { id: TaskId, wait: Schema.optionalKey(Wait) })
/** @category schemas @since 0.1.0 */
export const Status = request("status", { ids: batch(TaskId) })
/** @category schemas @since 0.1.0 */
export const Cancel = request("cancel", {
  id: TaskId,
  /** How long to wait until a running task has stopped. */
  wait: Schema.optionalKey(Wait)
})
/** @category schemas @since 0.1.0 */
export const CancelAll = request("cancelAll", many)
/** @category schemas @since 0.1.0 */
export const Prioritize = request("prioritize", { id: TaskId, to: Priority })
/** @category schemas @since 0.1.0 */
export const PrioritizeAll = request("prioritizeAll", { ...many, to: Priority })
/** @category schemas @since 0.1.0 */
export const Retry = request("retry", {
  id: TaskId,
  /** The id of the new task, chosen by the caller: asking again has the effect of once. */
  as: Schema.optionalKey(TaskId)
})
/** @category schemas @since 0.1.0 */
export const RetryAll = request("retryAll", many)
/** @category schemas @since 0.1.0 */
export const Purge = request("purge", many)
/** @category schemas @since 0.1.0 */
export const Pause = request("pause", { target: PauseTarget })
/** @category schemas @since 0.1.0 */
export const Resume = request("resume", { target: PauseTarget })
/** @category schemas @since 0.1.0 */
export const SetSchedule = request("schedule", { schedule: ScheduleDeclaration })
/** @category schemas @since 0.1.0 */
export const Unschedule = request("unschedule", { id: TaskKey })
/** @category schemas @since 0.1.0 */
export const Trigger = request("trigger", { id: TaskKey, as: Schema.optionalKey(TaskId) })
/** @category schemas @since 0.1.0 */
export const SchedulesOf = request("schedules", {})
/** @category schemas @since 0.1.0 */
export const Events = request("events", {
  session: Token,
  /** Event types that are wanted. Default: all. */
  types: Schema.optionalKey(Schema.Array(Schema.String.check(Schema.isMaxLength(64))).check(Schema.isMaxLength(32))),
  /** Only what concerns tasks of this name. */
  name: Schema.optionalKey(TaskName),
  /** Only what concerns this task. */
  id: Schema.optionalKey(TaskId),
  wait: Schema.optionalKey(Wait)
})
/** @category schemas @since 0.1.0 */
export const List = request("list", {
  ...TaskFilter.fields,
  /** The tasks that can be retried: failed or expired. */
  dead: Schema.optionalKey(Schema.Boolean),
  limit: Schema.optionalKey(Count.check(Schema.isBetween({ minimum: 1, maximum: maxBatch })))
})
/** @category schemas @since 0.1.0 */
export const Workers = request("workers", {})
/** @category schemas @since 0.1.0 */
export const DrainWorker = request("drainWorker", {
  /** The id of a worker, of which there may be several, or the key of one. */
  worker: WorkerId
})
/** @category schemas @since 0.1.0 */
export const Tasks = request("tasks", {
  /** Only this one, with its JSON Schemas. */
  name: Schema.optionalKey(TaskName)
})
/** @category schemas @since 0.1.0 */
export const StatsOf = request("stats", {})
/** @category schemas @since 0.1.0 */
export const ViewOf = request("view", {
  /** What the HTTP API has under this name, for the same questions. */
  of: Schema.Literals(["snapshot", "series", "errors", "system", "tasks", "counts", "task", "worker", "type"]),
  query: Schema.optionalKey(Schema.Record(Schema.String, Schema.Unknown))
})
/** @category schemas @since 0.1.0 */
export const Change = request("change", {
  do: Schema.Literals(["cancel", "prioritize", "retry", "purge"]),
  /** As in the body of the HTTP API. */
  selection: Schema.Record(Schema.String, Schema.Unknown),
  /** With `prioritize`: the new one. */
  to: Schema.optionalKey(Priority)
})

const Lease = Schema.Struct({ id: TaskId, attempt: Count })

const SpanId = Schema.String.check(Schema.isPattern(/^[0-9a-f]{16}$/u, { expected: "16 hexadecimal digits" }))

const Rate = Schema.Struct({
  limit: Count.check(Schema.isGreaterThanOrEqualTo(1)),
  /** Milliseconds. */
  per: Count.check(Schema.isBetween({ minimum: 1, maximum: maxMillis }))
})

/**
 * Schema for the limits of a task type: how many run at once and how many start in a time, altogether and for each limit
 * key.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Limits = Schema.Struct({
  concurrency: Schema.optionalKey(Count.check(Schema.isGreaterThanOrEqualTo(1))),
  keyConcurrency: Schema.optionalKey(Count.check(Schema.isGreaterThanOrEqualTo(1))),
  rate: Schema.optionalKey(Rate),
  keyRate: Schema.optionalKey(Rate)
})

/**
 * The limits of a task type.
 *
 * @category models
 * @since 0.1.0
 */
export type Limits = typeof Limits.Type

const JsonSchemaText = Schema.String.check(Schema.isMaxLength(maxSchemaLength))

/**
 * Schema for a handler as a worker announces it.
 *
 * @category schemas
 * @since 0.1.0
 */
export const TaskType = Schema.Struct({
  name: TaskName,
  description: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(1024))),
  priority: Schema.optionalKey(Priority),
  limits: Schema.optionalKey(Limits),
  /** How long its outcomes are kept, in milliseconds; at most the control plane's own bound. */
  retention: Schema.optionalKey(Count),
  version: Schema.optionalKey(Count),
  /** How it is retried, in words. */
  retry: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(256))),
  /** Milliseconds that an attempt may take. */
  timeout: Schema.optionalKey(Delay),
  isolation: Schema.optionalKey(Schema.Literals(["fiber", "thread"])),
  /** JSON Schemas of the encoded arguments, result and error, as text. */
  argsSchema: Schema.optionalKey(JsonSchemaText),
  resultSchema: Schema.optionalKey(JsonSchemaText),
  errorSchema: Schema.optionalKey(JsonSchemaText),
  /** What of its tasks is not shown. */
  sensitive: Schema.optionalKey(Sensitive)
})

/**
 * A handler as a worker announces it.
 *
 * @category models
 * @since 0.1.0
 */
export type TaskType = typeof TaskType.Type

/**
 * Returns a handler without its JSON Schemas, as it stands in lists.
 *
 * @category getters
 * @since 0.1.0
 */
export const withoutSchemas = (
  { argsSchema: _args, errorSchema: _error, resultSchema: _result, ...type }: TaskType
): TaskType => type

/** @category schemas @since 0.1.0 */
export const Register = request("register", {
  session: Token,
  worker: WorkerId,
  slots: Count.check(Schema.isBetween({ minimum: 1, maximum: 100_000 })),
  tasks: Schema.Array(TaskType).check(Schema.isMaxLength(maxHandlers)),
  schedules: Schema.optionalKey(Schema.Array(ScheduleDeclaration).check(Schema.isMaxLength(maxHandlers))),
  held: Schema.optionalKey(batch(Lease)),
  seq: Schema.optionalKey(Count),
  about: Schema.optionalKey(WorkerAbout)
})

const reported = {
  attempt: Count,
  state: Schema.Literals(["succeeded", "failed", "returned", "stopped", "crashed"]),
  reason: Schema.optionalKey(FailureReason),
  retryIn: Schema.optionalKey(Delay),
  /** The span of the attempt, in the trace of the task: for the next attempt to be linked with it. */
  span: Schema.optionalKey(SpanId)
}

/**
 * Schema for what a worker says of one lease: how it ended, or that it hands it back unstarted (`returned`). `stopped`:
 * it was told to stop it, and has. `crashed`: the thread that ran it died. A failure with `retryIn` milliseconds is not
 * the last word: the task is to run again then.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Report = Schema.Struct({ id: TaskId, size: Schema.optionalKey(Count), ...reported })

/**
 * What a worker says of one lease.
 *
 * @category models
 * @since 0.1.0
 */
export type Report = typeof Report.Type

const Progress = Schema.Struct({ id: TaskId, attempt: Count, size: Count })

/** @category schemas @since 0.1.0 */
export const Exchange = request("exchange", {
  session: Token,
  seq: Count.check(Schema.isGreaterThanOrEqualTo(1)),
  settled: Schema.optionalKey(Count),
  abandoned: Schema.optionalKey(batch(Count)),
  free: Count,
  draining: Schema.optionalKey(Schema.Boolean),
  held: Schema.optionalKey(batch(Lease)),
  /** Leases whose handlers wait for other tasks: their slots are free meanwhile. */
  waiting: Schema.optionalKey(Count),
  reports: Schema.optionalKey(batch(Report)),
  /** Reports too, after those of `reports`. */
  groups: Schema.optionalKey(batch(groupOf(reported))),
  /** Whether the leases may come in groups. */
  grouped: Schema.optionalKey(Schema.Boolean),
  /** What handlers reported since the last exchange, the newest of each; the bodies follow those of the reports. */
  progress: Schema.optionalKey(batch(Progress)),
  /** How busy its process is, at most once in a heartbeat. */
  load: Schema.optionalKey(WorkerLoad)
})
/** @category schemas @since 0.1.0 */
export const Beat = request("beat", { session: Token, lag: Count })
/** @category schemas @since 0.1.0 */
export const Leave = request("leave", { session: Token, reports: Schema.optionalKey(batch(Report)) })

const clientRequests = [
  Submit,
  Watch,
  Collect,
  ResultOf,
  Status,
  Cancel,
  CancelAll,
  Prioritize,
  PrioritizeAll,
  Retry,
  RetryAll,
  Purge,
  Pause,
  Resume,
  SetSchedule,
  Unschedule,
  Trigger,
  SchedulesOf,
  Events,
  List,
  Workers,
  DrainWorker,
  Tasks,
  StatsOf,
  ViewOf,
  Change
] as const
const workerRequests = [Register, Exchange, Beat, Leave] as const

/**
 * A request of a client.
 *
 * @category models
 * @since 0.1.0
 */
export type ClientRequest = (typeof clientRequests)[number]["Type"]

/**
 * A request of a worker.
 *
 * @category models
 * @since 0.1.0
 */
export type WorkerRequest = (typeof workerRequests)[number]["Type"]

/** What is repeated of a value that a stranger sent: it may be long, or nested deeper than the stack. */
const echo = (value: unknown): string | number | boolean | null => {
  if (typeof value === "string") return value.slice(0, 64)
  if (typeof value === "number" || typeof value === "boolean") return value
  return typeof value === "object" && value !== null ? Array.isArray(value) ? "an array" : "an object" : null
}

const decoderByOp = <T extends { readonly op: string }>(
  schemas: ReadonlyArray<Schema.ConstraintDecoder<T> & { readonly fields: { readonly op: Schema.Literal<string> } }>
) => {
  const decoders = new Map(schemas.map((schema) => {
    SchemaJITCompiler.enable(schema.ast)
    return [schema.fields.op.literal, Schema.decodeUnknownResult(schema)] as const
  }))
  const ops = [...decoders.keys()].join(", ")
  return (header: unknown): Result.Result<T, BadRequest | ProtocolMismatch> => {
    if (typeof header !== "object" || header === null || Array.isArray(header)) {
      return Result.fail(new BadRequest({ reason: "the header is not a JSON object" }))
    }
    const { op, v } = header as { readonly op?: unknown; readonly v?: unknown }
    if (v !== protocolVersion) return Result.fail(new ProtocolMismatch({ ours: protocolVersions, theirs: echo(v) }))
    const decode = typeof op === "string" ? decoders.get(op) : undefined
    if (decode === undefined) {
      return Result.fail(
        new BadRequest({ reason: `unknown op ${JSON.stringify(echo(op))}, this address takes: ${ops}` })
      )
    }
    const decoded = decode(header)
    return Result.isSuccess(decoded)
      ? Result.succeed(decoded.success)
      : Result.fail(new BadRequest({ reason: `op "${op}": ${JsonCodec.format(JsonCodec.issues(decoded.failure))}` }))
  }
}

/**
 * Decodes the header of a client's request.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decodeClientRequest = decoderByOp<ClientRequest>(clientRequests)

/**
 * Decodes the header of a worker's request.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decodeWorkerRequest = decoderByOp<WorkerRequest>(workerRequests)

const reply = <const F extends Schema.Struct.Fields>(fields: F) =>
  Schema.Struct({ v: Schema.Literal(protocolVersion), ...fields })

const Refused = Schema.Array(Schema.Struct({ index: Count, error: ReplyError }))

const ended = {
  name: TaskName,
  state: FinalState,
  reason: Schema.optionalKey(FailureReason),
  attempt: Count,
  started: Schema.optionalKey(Schema.Boolean)
}

/**
 * Schema for the header of an outcome; `size` bytes of the body belong to it. `reason` stands with `failed`. `started`
 * stands with `expired`: whether it had.
 *
 * @category schemas
 * @since 0.1.0
 */
export const OutcomeHeader = Schema.Struct({ id: TaskId, size: Count, ...ended })

/**
 * The header of an outcome.
 *
 * @category models
 * @since 0.1.0
 */
export type OutcomeHeader = typeof OutcomeHeader.Type

/**
 * Schema for the header of a refusal. It is read in every version: one of them is that there is none in common.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ErrorReply = Schema.Struct({ v: Schema.Int, error: ReplyError })
/** @category schemas @since 0.1.0 */
export const SubmitReply = reply({
  epoch: Token,
  /** One for each task, when any was made here; null for a task that was refused and came without one. */
  ids: Schema.optionalKey(Schema.Array(Schema.NullOr(TaskId))),
  refused: Schema.optionalKey(Refused)
})
/** @category schemas @since 0.1.0 */
export const CountReply = reply({ count: Count })
/** @category schemas @since 0.1.0 */
export const RetryReply = reply({ id: TaskId })
/** @category schemas @since 0.1.0 */
export const DoneReply = reply({})
/** @category schemas @since 0.1.0 */
export const SchedulesReply = reply({ schedules: Schema.Array(ScheduleStatus) })
/** @category schemas @since 0.1.0 */
export const EventsReply = reply({
  events: Schema.Array(Event),
  /** Events that were lost since the last reply, because this follower was too slow. */
  dropped: Count
})
/** @category schemas @since 0.1.0 */
export const WatchReply = reply({ epoch: Token, refused: Schema.optionalKey(Refused) })
/** @category schemas @since 0.1.0 */
export const CollectReply = reply({
  epoch: Token,
  /** Number of the last outcome in this reply; what the next collect acknowledges. */
  last: Count,
  outcomes: Schema.optionalKey(Schema.Array(OutcomeHeader)),
  /** Outcomes too, after those of `outcomes`; only for who asked for groups. */
  groups: Schema.optionalKey(Schema.Array(groupOf(ended))),
  /** What handlers reported, the newest of each task; the bodies follow those of the outcomes. */
  progress: Schema.optionalKey(Schema.Array(Schema.Struct({ id: TaskId, size: Count })))
})
/** @category schemas @since 0.1.0 */
export const ResultReply = reply({ state: TaskState, outcome: Schema.optionalKey(OutcomeHeader) })
/** @category schemas @since 0.1.0 */
export const StatusReply = reply({ tasks: Schema.Array(Schema.NullOr(TaskStatus)) })
/** @category schemas @since 0.1.0 */
export const StateReply = reply({ state: TaskState })
/** @category schemas @since 0.1.0 */
export const ListReply = reply({ tasks: Schema.Array(TaskStatus), total: Count })
/** @category schemas @since 0.1.0 */
export const WorkersReply = reply({ workers: Schema.Array(WorkerStatus) })
/** @category schemas @since 0.1.0 */
export const TasksReply = reply({
  tasks: Schema.Array(Schema.Struct({ ...TaskType.fields, workers: Schema.Array(WorkerId) }))
})
/** @category schemas @since 0.1.0 */
export const StatsReply = reply({ stats: Stats })
/** @category schemas @since 0.1.0 */
export const ViewReply = reply({ view: Schema.Unknown })
/** @category schemas @since 0.1.0 */
export const ChangeReply = reply({
  count: Count,
  /** Those that had changed meanwhile, or were refused. */
  skipped: Count
})
/** @category schemas @since 0.1.0 */
export const RegisterReply = reply({
  epoch: Token,
  heartbeat: Count,
  heartbeatTimeout: Count,
  abandon: Schema.Array(TaskId),
  /** Leases that it holds and must stop, as in the reply to an exchange. */
  cancel: Schema.optionalKey(Schema.Array(TaskId))
})
/**
 * The header of the reply to `register`.
 *
 * @category models
 * @since 0.1.0
 */
export type RegisterReplyHeader = typeof RegisterReply.Type

/**
 * Schema for an earlier attempt as the worker of the next one is told of it: how long ago it ended and how long it took,
 * in milliseconds; `error` is the encoded error.
 *
 * @category schemas
 * @since 0.1.0
 */
export const EarlierAttempt = Schema.Struct({
  attempt: Count,
  ago: Count,
  took: Count,
  reason: Schema.Literals([...FailureReason.literals, "lost"]),
  error: Schema.optionalKey(Schema.String),
  span: Schema.optionalKey(SpanId)
})

const leased = {
  attempt: Count,
  name: TaskName,
  /** How many workers were lost with this task; a worker then sends its next exchange before it starts it. */
  losses: Schema.optionalKey(Count),
  version: Schema.optionalKey(Count),
  /** The span that submitted the task. */
  trace: Schema.optionalKey(TraceParent),
  /** Milliseconds until the task expires. */
  expiresIn: Schema.optionalKey(Count),
  /** Attempts that ended with a failure that is retried. */
  failures: Schema.optionalKey(Count),
  /** Those attempts, oldest first; the newest of them when there are many. */
  history: Schema.optionalKey(Schema.Array(EarlierAttempt)),
  /** Bytes in the body after the arguments: what an earlier attempt reported last. */
  checkpoint: Schema.optionalKey(Count)
}

/**
 * Schema for a lease: what its worker is to run.
 *
 * @category schemas
 * @since 0.1.0
 */
export const LeaseHeader = Schema.Struct({ id: TaskId, size: Count, ...leased })

/**
 * A lease: what its worker is to run.
 *
 * @category models
 * @since 0.1.0
 */
export type LeaseHeader = typeof LeaseHeader.Type

/** @category schemas @since 0.1.0 */
export const ExchangeReply = reply({
  seq: Count,
  leases: Schema.optionalKey(Schema.Array(LeaseHeader)),
  /** Leases too, after those of `leases`; only for who asked for groups. */
  groups: Schema.optionalKey(Schema.Array(groupOf(leased))),
  /** Leases that the worker must stop, and report as `stopped`. */
  cancel: Schema.optionalKey(Schema.Array(TaskId)),
  /** Leases that the worker holds and must stop: they are not its any more. */
  abandon: Schema.optionalKey(Schema.Array(TaskId)),
  /** Reports that came after their lease had ended: nothing to do, they are counted. */
  late: Schema.optionalKey(Schema.Array(TaskId)),
  /** The worker is to finish what it runs, leave, and not come back. */
  drain: Schema.optionalKey(Schema.Boolean)
})
/** @category schemas @since 0.1.0 */
export const BeatReply = reply({})
/** @category schemas @since 0.1.0 */
export const LeaveReply = reply({})

/**
 * Schema for what every announcement says, in whatever version the rest of it is. `versions` are all that the control
 * plane speaks, by default `v` alone.
 *
 * @category schemas
 * @since 0.1.0
 */
export const AnnouncedVersions = Schema.Struct({
  v: Schema.Int,
  versions: Schema.optionalKey(Schema.Array(Schema.Int).check(Schema.isMaxLength(100)))
})

/**
 * Schema for an announcement of a control plane on the discovery address.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Announcement = Schema.Struct({
  ...AnnouncedVersions.fields,
  namespace: Schema.String.check(Schema.isMaxLength(128)),
  epoch: Token,
  address: Schema.String.check(Schema.isMaxLength(256)),
  workerAddress: Schema.String.check(Schema.isMaxLength(256)),
  dashboard: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(256)))
})

/**
 * An announcement of a control plane.
 *
 * @category models
 * @since 0.1.0
 */
export type Announcement = typeof Announcement.Type

const encodeError = Schema.encodeSync(ReplyError)

/**
 * Returns an error as it stands in a reply: its fields, its `_tag` and, for people and other languages, its `message`.
 *
 * @category encoding
 * @since 0.1.0
 */
export const errorToWire = (error: ReplyError) => ({ ...encodeError(error), message: error.message })
