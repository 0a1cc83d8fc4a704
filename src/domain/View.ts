/**
 * What people and tools see of a control plane over HTTP: rows, details, series and the frames of the live stream. Owns
 * the shapes; they are their own JSON form, so that the dashboard uses them as types without a decoder. Times are
 * milliseconds since 1970, durations milliseconds, sizes bytes. No list carries a payload.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Limits } from "./Message.ts"
import { Count } from "./MessageFields.ts"
import { FailureReason } from "./Outcome.ts"
import { Priority } from "./Priority.ts"
import { Sensitive } from "./Sensitive.ts"
import { ScheduleStatus, Stats } from "./Status.ts"
import { TaskState } from "./TaskState.ts"

const Time = Schema.Finite
const Millis = Schema.Finite
const maybe = Schema.optionalKey

/** The spans of time that history is asked for. @category schemas @since 0.1.0 */
export const Range = Schema.Literals(["5m", "15m", "1h", "6h", "24h"])
/** @category models @since 0.1.0 */
export type Range = typeof Range.Type

/**
 * Schema for a task in a list.
 *
 * @category schemas
 * @since 0.1.0
 */
export const TaskRow = Schema.Struct({
  id: Schema.String,
  name: Schema.String,
  priority: Priority,
  state: TaskState,
  /** Attempts that were started. */
  attempt: Count,
  /** Whether it is delayed because an attempt failed. */
  retrying: maybe(Schema.Boolean),
  worker: maybe(Schema.String),
  submittedAt: Time,
  /** Start of the last attempt. */
  startedAt: maybe(Time),
  finishedAt: maybe(Time),
  dueAt: maybe(Time),
  reason: maybe(FailureReason),
  /** First line of the error, cut off: a class and a message, never a payload. */
  error: maybe(Schema.String),
  tags: maybe(Schema.Array(Schema.String)),
  tenant: maybe(Schema.String),
  schedule: maybe(Schema.String)
})
/** @category models @since 0.1.0 */
export type TaskRow = typeof TaskRow.Type

/**
 * Schema for the newest state of a task in a frame, as short as it goes: id, name, state, level of priority (0 is
 * critical), attempt, submitted, started, finished (0: not), worker ("": none), error ("": none).
 *
 * @category schemas
 * @since 0.1.0
 */
export const TaskTuple = Schema.Tuple([
  Schema.String,
  Schema.String,
  TaskState,
  Schema.Literals([0, 1, 2, 3]),
  Count,
  Time,
  Time,
  Time,
  Schema.String,
  Schema.String
])
/** @category models @since 0.1.0 */
export type TaskTuple = typeof TaskTuple.Type

/**
 * Schema for encoded JSON as it is: `text` is at most the first 64 KiB of it, whole when `size` says no more.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Payload = Schema.Struct({
  text: Schema.String,
  size: Count,
  truncated: Schema.Boolean,
  /** Sensitive: JSON pointers (`*` is any key) to where `"<redacted>"` stands for a value. */
  redacted: maybe(Schema.Array(Schema.String))
})
/** @category models @since 0.1.0 */
export type Payload = typeof Payload.Type

/**
 * Schema for why something failed, for people. `type` is the `_tag` or the class of the error, `stack` what a defect had.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Failure = Schema.Struct({
  reason: Schema.Literals([...FailureReason.literals, "lost"]),
  type: Schema.String,
  message: Schema.String,
  stack: maybe(Schema.String),
  payload: maybe(Payload)
})
/** @category models @since 0.1.0 */
export type Failure = typeof Failure.Type

/** Schema for one attempt of a task; without `endedAt` it runs. @category schemas @since 0.1.0 */
export const AttemptView = Schema.Struct({
  attempt: Count,
  worker: maybe(Schema.String),
  startedAt: Time,
  endedAt: maybe(Time),
  state: Schema.Literals(["running", "cancelling", "succeeded", "failed", "cancelled", "expired"]),
  failure: maybe(Failure)
})
/** @category models @since 0.1.0 */
export type AttemptView = typeof AttemptView.Type

/**
 * Schema for why a task is not running. `ahead` counts the tasks that are served before it, when that is known;
 * `until` is when that ends by itself.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Waiting = Schema.Struct({
  cause: Schema.Literals([
    "paused",
    "due",
    "backoff",
    "no-worker",
    "busy",
    "limit",
    "fair",
    "probation",
    "draining",
    "journal",
    "other"
  ]),
  text: Schema.String,
  until: maybe(Time),
  ahead: maybe(Count)
})
/** @category models @since 0.1.0 */
export type Waiting = typeof Waiting.Type

/**
 * Schema for everything that is known of a task.
 *
 * @category schemas
 * @since 0.1.0
 */
export const TaskDetail = Schema.Struct({
  ...TaskRow.fields,
  /** The states that it went through, oldest first; bounded, the newest are kept. */
  path: Schema.Array(Schema.Struct({ state: TaskState, at: Time, note: maybe(Schema.String) })),
  attempts: Schema.Array(AttemptView),
  waiting: maybe(Waiting),
  /** Missing once they are not kept any more. */
  args: maybe(Payload),
  result: maybe(Payload),
  failure: maybe(Failure),
  progress: maybe(Payload),
  expiresAt: maybe(Time),
  retryOf: maybe(Schema.String),
  /** The tasks that run it again. */
  retriedAs: maybe(Schema.Array(Schema.String)),
  /** The task whose handler submitted it. */
  parent: maybe(Schema.String),
  uniqueKey: maybe(Schema.String),
  limitKey: maybe(Schema.String),
  fairKey: maybe(Schema.String),
  weight: maybe(Schema.Finite),
  version: maybe(Count),
  ignoreResult: maybe(Schema.Boolean),
  /** Group of the same errors, as in {@link ErrorGroup}. */
  errorGroup: maybe(Schema.String),
  /** What may be done with it now. */
  can: Schema.Struct({ cancel: Schema.Boolean, retry: Schema.Boolean })
})
/** @category models @since 0.1.0 */
export type TaskDetail = typeof TaskDetail.Type

/**
 * Schema for a running task in a slot: id, name, level of priority, start of the attempt.
 *
 * @category schemas
 * @since 0.1.0
 */
export const SlotTuple = Schema.Tuple([Schema.String, Schema.String, Schema.Literals([0, 1, 2, 3]), Time])

/**
 * Schema for a worker. `load` and memory are what it said last; `undefined` when it says nothing of them.
 *
 * @category schemas
 * @since 0.1.0
 */
export const WorkerRow = Schema.Struct({
  id: Schema.String,
  /** Tells apart workers with the same id, and one from its restart. */
  key: Schema.String,
  state: Schema.Literals(["active", "draining", "paused", "unresponsive", "lost"]),
  local: Schema.Boolean,
  slots: Count,
  running: Count,
  /** What runs, at most 64 of it. */
  busy: Schema.Array(SlotTuple),
  registeredAt: Time,
  lastSeenAt: Time,
  succeeded: Count,
  failed: Count,
  /** Finished tasks a minute, over the last minute. */
  perMinute: Schema.Finite,
  /** Event-loop lag, milliseconds. */
  lag: Millis,
  heapUsed: maybe(Count),
  heapLimit: maybe(Count),
  rss: maybe(Count),
  /** Cores' worth of CPU time over the last report, 1 is one core. */
  cpu: maybe(Schema.Finite),
  version: maybe(Schema.String),
  host: maybe(Schema.String),
  pid: maybe(Count),
  runtime: maybe(Schema.String),
  /** Busy slots as a share (0 to 1), one value a minute for 15 minutes, oldest first. */
  loads: Schema.Array(Schema.Finite)
})
/** @category models @since 0.1.0 */
export type WorkerRow = typeof WorkerRow.Type

/** Schema for one line of a log of events. @category schemas @since 0.1.0 */
export const EventLine = Schema.Struct({
  at: Time,
  type: Schema.String,
  text: Schema.String,
  target: maybe(Schema.String)
})
/** @category models @since 0.1.0 */
export type EventLine = typeof EventLine.Type

/** Schema for everything that is known of a worker. Series have one value each 10 seconds for 15 minutes. @category schemas @since 0.1.0 */
export const WorkerDetail = Schema.Struct({
  ...WorkerRow.fields,
  tasks: Schema.Array(Schema.String),
  /** All that runs, oldest first. */
  current: Schema.Array(TaskRow),
  series: Schema.Struct({
    from: Time,
    stepMillis: Count,
    load: Schema.Array(Schema.NullOr(Schema.Finite)),
    lag: Schema.Array(Schema.NullOr(Schema.Finite)),
    heap: Schema.Array(Schema.NullOr(Schema.Finite)),
    cpu: Schema.Array(Schema.NullOr(Schema.Finite)),
    finished: Schema.Array(Count)
  }),
  events: Schema.Array(EventLine)
})
/** @category models @since 0.1.0 */
export type WorkerDetail = typeof WorkerDetail.Type

/** Schema for a lane of waiting tasks. Rates are per second, over the last 10 seconds. @category schemas @since 0.1.0 */
export const Lane = Schema.Struct({
  priority: Priority,
  /** Ready to run; delayed tasks are not in a lane. */
  waiting: Count,
  /** How long the oldest has been ready; missing when there is none. */
  oldestMillis: maybe(Millis),
  changePerSecond: Schema.Finite
})
/** @category models @since 0.1.0 */
export type Lane = typeof Lane.Type

/**
 * Schema for how it goes, in words.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Headline = Schema.Struct({
  tone: Schema.Literals(["good", "idle", "warn", "bad"]),
  /** What it is, for tools. */
  kind: Schema.Literals([
    "draining",
    "journal",
    "paused",
    "no-worker",
    "falling-behind",
    "failing",
    "worker-lost",
    "idle",
    "well"
  ]),
  /** "Running well.", "Falling behind, one worker short." */
  title: Schema.String,
  /** The cause, in sentences; `to` is a path of the dashboard. */
  cause: Schema.Array(Schema.Struct({ text: Schema.String, to: maybe(Schema.String) }))
})
/** @category models @since 0.1.0 */
export type Headline = typeof Headline.Type

/** Schema for percentiles of a duration; missing without tasks. @category schemas @since 0.1.0 */
export const Percentiles = Schema.Struct({ p50: Millis, p95: Millis, p99: Millis, count: Count })
/** @category models @since 0.1.0 */
export type Percentiles = typeof Percentiles.Type

/** Schema for the flow, tasks per second over the last 10 seconds. @category schemas @since 0.1.0 */
export const Flow = Schema.Struct({
  arriving: Schema.Finite,
  starting: Schema.Finite,
  finishing: Schema.Finite,
  /** Finished a minute and share of failures (0 to 1), over the last minute. */
  perMinute: Schema.Finite,
  failing: Schema.Finite,
  /** Over the last 5 minutes. */
  wait: maybe(Percentiles),
  run: maybe(Percentiles)
})
/** @category models @since 0.1.0 */
export type Flow = typeof Flow.Type

/** Schema for one second, as it stands in history: start of it, accepted, started, succeeded, failed, retried, cancelled, expired. @category schemas @since 0.1.0 */
export const Second = Schema.Struct({
  at: Time,
  accepted: Count,
  started: Count,
  succeeded: Count,
  failed: Count,
  retried: Count,
  cancelled: Count,
  expired: Count,
  wait: maybe(Percentiles),
  run: maybe(Percentiles)
})
/** @category models @since 0.1.0 */
export type Second = typeof Second.Type

/** Schema for a schedule that is due soon. @category schemas @since 0.1.0 */
export const UpNext = Schema.Struct({ id: Schema.String, name: Schema.String, nextAt: Time, words: Schema.String })

/**
 * Schema for the whole state that the live stream starts with. `seq` is the number of the frame that it stands for.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Snapshot = Schema.Struct({
  seq: Count,
  at: Time,
  stats: Stats,
  headline: Headline,
  lanes: Schema.Array(Lane),
  flow: Flow,
  workers: Schema.Array(WorkerRow),
  upNext: Schema.Array(UpNext),
  /** Groups of errors that were seen in the last 15 minutes. */
  errors: Count,
  /** What was paused by somebody: `all`, `task:NAME`, `worker:ID`, `schedule:ID`. */
  paused: Schema.Array(Schema.String),
  /** Tasks that changed last, newest first, at most 30. */
  latest: Schema.Array(TaskTuple)
})
/** @category models @since 0.1.0 */
export type Snapshot = typeof Snapshot.Type

/**
 * Schema for what changed since the frame before: only what is there did. Of a task that changed often the last state;
 * `over` says that more tasks changed than a frame carries, look up those that are shown.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Frame = Schema.Struct({
  seq: Count,
  at: Time,
  stats: maybe(Stats),
  headline: maybe(Headline),
  lanes: maybe(Schema.Array(Lane)),
  flow: maybe(Flow),
  workers: maybe(Schema.Array(WorkerRow)),
  /** Keys of workers that are gone. */
  gone: maybe(Schema.Array(Schema.String)),
  upNext: maybe(Schema.Array(UpNext)),
  errors: maybe(Count),
  paused: maybe(Schema.Array(Schema.String)),
  tasks: maybe(Schema.Array(TaskTuple)),
  over: maybe(Schema.Boolean),
  /** Seconds that ended. */
  seconds: maybe(Schema.Array(Second))
})
/** @category models @since 0.1.0 */
export type Frame = typeof Frame.Type

const Numbers = Schema.Array(Schema.Finite)
const NumbersOrNone = Schema.Array(Schema.NullOr(Schema.Finite))
const PercentileSeries = Schema.Struct({ p50: NumbersOrNone, p95: NumbersOrNone, p99: NumbersOrNone })

/**
 * Schema for what happened in a range of time, one value for each step; the last step is the one that is going on.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Series = Schema.Struct({
  from: Time,
  stepMillis: Count,
  accepted: Numbers,
  started: Numbers,
  succeeded: Numbers,
  failed: Numbers,
  retried: Numbers,
  cancelled: Numbers,
  expired: Numbers,
  /** At the end of each step; null before the control plane's start. */
  waiting: NumbersOrNone,
  running: NumbersOrNone,
  wait: PercentileSeries,
  run: PercentileSeries,
  totals: Schema.Struct({
    accepted: Count,
    started: Count,
    succeeded: Count,
    failed: Count,
    retried: Count,
    cancelled: Count,
    expired: Count,
    wait: maybe(Percentiles),
    run: maybe(Percentiles)
  })
})
/** @category models @since 0.1.0 */
export type Series = typeof Series.Type

/**
 * Schema for failures that are the same but for their numbers: by task, kind and message with the numbers stripped.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ErrorGroup = Schema.Struct({
  key: Schema.String,
  name: Schema.String,
  reason: Schema.Literals([...FailureReason.literals, "lost"]),
  type: Schema.String,
  message: Schema.String,
  /** Within the range, and the attempts among them that were retried. */
  count: Count,
  retried: Count,
  /** Since the control plane's start. */
  total: Count,
  firstAt: Time,
  lastAt: Time,
  /** 30 values over the range, oldest first. */
  series: Schema.Array(Count),
  isNew: Schema.Boolean,
  isRising: Schema.Boolean,
  /** The newest task with it. */
  sample: Schema.String,
  workers: Schema.Array(Schema.String),
  /** Tasks with it that can be retried now. */
  retryable: Count
})
/** @category models @since 0.1.0 */
export type ErrorGroup = typeof ErrorGroup.Type

/** Schema for a schedule. @category schemas @since 0.1.0 */
export const ScheduleRow = Schema.Struct({
  ...ScheduleStatus.fields,
  /** "Every day at 02:00 (Europe/Berlin)", "Every 60 s". */
  words: Schema.String,
  /** Due times to come, at most 5. */
  upcoming: Schema.Array(Time),
  /** The tasks that it submitted, oldest first, at most 20. */
  runs: Schema.Array(Schema.Struct({ id: Schema.String, state: TaskState, at: Time, millis: maybe(Millis) }))
})
/** @category models @since 0.1.0 */
export type ScheduleRow = typeof ScheduleRow.Type

/** Schema for a task type. Rates and percentiles are those of the last 15 minutes. @category schemas @since 0.1.0 */
export const TypeRow = Schema.Struct({
  name: Schema.String,
  description: maybe(Schema.String),
  version: maybe(Count),
  priority: maybe(Priority),
  paused: Schema.Boolean,
  /** Workers that have a handler now. */
  workers: Count,
  waiting: Count,
  delayed: Count,
  running: Count,
  finished: Count,
  failed: Count,
  perMinute: Schema.Finite,
  wait: maybe(Percentiles),
  run: maybe(Percentiles),
  /** Finished tasks in 30 equal parts of the 15 minutes, oldest first. */
  series: Schema.Array(Count)
})
/** @category models @since 0.1.0 */
export type TypeRow = typeof TypeRow.Type

/** Schema for everything that is known of a task type. @category schemas @since 0.1.0 */
export const TypeDetail = Schema.Struct({
  ...TypeRow.fields,
  workerIds: Schema.Array(Schema.String),
  limits: maybe(Limits),
  retention: maybe(Millis),
  /** JSON Schemas, as text; missing when no worker said it or it was too long. */
  argsSchema: maybe(Schema.String),
  resultSchema: maybe(Schema.String),
  errorSchema: maybe(Schema.String),
  /** How it is retried and timed out, in words. */
  retry: maybe(Schema.String),
  timeoutMillis: maybe(Millis),
  isolation: maybe(Schema.Literals(["fiber", "thread"])),
  /** What of its tasks is not shown. */
  sensitive: maybe(Sensitive),
  errors: Schema.Array(ErrorGroup)
})
/** @category models @since 0.1.0 */
export type TypeDetail = typeof TypeDetail.Type

/** Schema for the control plane itself: settings without secrets, and what its parts hold. @category schemas @since 0.1.0 */
export const SystemView = Schema.Struct({
  version: Schema.String,
  protocolVersions: Schema.Array(Count),
  namespace: Schema.String,
  epoch: Schema.String,
  startedAt: Time,
  process: Schema.Struct({
    pid: Count,
    host: Schema.String,
    runtime: Schema.String,
    rss: Count,
    heapUsed: Count,
    heapLimit: Count,
    cpu: Schema.Finite,
    lag: Millis
  }),
  addresses: Schema.Struct({ clients: Schema.String, workers: Schema.String, discovery: Schema.String }),
  settings: Schema.Array(Schema.Struct({ name: Schema.String, value: Schema.String })),
  results: Schema.Struct({
    size: Count,
    limit: Count,
    bytes: Count,
    limitBytes: Count,
    ttlMillis: Millis,
    hits: Count,
    misses: Count
  }),
  history: Schema.Struct({ tasks: Count, limit: Count, bytes: Count, limitBytes: Count, oldestAt: maybe(Time) }),
  queue: Schema.Struct({ waiting: Count, limit: Count, bytes: Count, limitBytes: Count }),
  dead: Schema.Struct({ tasks: Count, limit: Count, bytes: Count, limitBytes: Count }),
  journal: maybe(Schema.Struct({ file: Schema.String, bytes: Count, failure: maybe(Schema.String) })),
  sessions: Count,
  dashboards: Count,
  events: Schema.Array(EventLine)
})
/** @category models @since 0.1.0 */
export type SystemView = typeof SystemView.Type
