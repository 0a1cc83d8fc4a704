/**
 * The commands that look closer: `show`, `errors`, `worker-info`, `task-info`, `system`.
 *
 * @since 0.1.0
 */
import { Argument, Flag } from "effect/cli"
import type * as Effect from "effect/Effect"
import { formatDuration, formatSize } from "../domain/Settings.ts"
import type {
  AttemptView,
  ErrorGroup,
  Failure,
  Payload,
  Percentiles,
  TaskDetail,
  TypeDetail,
  WorkerDetail
} from "../domain/View.ts"
import { Range } from "../domain/View.ts"
import type { Client } from "../services/Client.ts"
import { asking } from "./Asking.ts"
import * as Flags from "./Flags.ts"
import * as Output from "./Output.ts"

const date = (millis: number | undefined) => millis === undefined ? undefined : Output.dateAndTime(millis)
const took = (from: number, to: number | undefined) => to === undefined ? "" : ` ${Math.round(to - from)}ms`

const payload = (part: Payload | undefined) =>
  part === undefined ? undefined : part.truncated ? `${part.text}… (${formatSize(part.size)})` : part.text

const describeFailure = ({ message, reason, type }: Failure) => `${reason} ${type}: ${message}`

const describeAttempt = ({ attempt, endedAt, failure, startedAt, state, worker }: AttemptView) =>
  [
    `attempt ${attempt}`,
    `${Output.dateAndTime(startedAt)} ${state}${took(startedAt, endedAt)}${
      worker === undefined ? "" : ` on ${worker}`
    }` +
    (failure === undefined ? "" : `: ${describeFailure(failure)}`)
  ] as const

const describeTask = (task: TaskDetail): string => {
  const text = Output.fields([
    ["id", task.id],
    ["task", task.name],
    ["state", task.state],
    ["waiting", task.waiting?.text],
    ["priority", task.priority],
    ["submitted", date(task.submittedAt)],
    ["due", date(task.dueAt)],
    ["expires", date(task.expiresAt)],
    ["finished", date(task.finishedAt)],
    ["tags", task.tags?.join(" ")],
    ["tenant", task.tenant],
    ["schedule", task.schedule],
    ["parent", task.parent],
    ["retry of", task.retryOf],
    ["retried as", task.retriedAs?.join(" ")],
    ["unique", task.uniqueKey],
    ...task.path.map(({ at, note, state }) =>
      ["then", `${Output.dateAndTime(at)} ${state}${note === undefined ? "" : ` (${note})`}`] as const
    ),
    ...task.attempts.map(describeAttempt),
    ["args", payload(task.args)],
    ["progress", payload(task.progress)],
    ["result", payload(task.result)],
    ["error", task.failure === undefined ? undefined : describeFailure(task.failure)],
    ["group", task.errorGroup]
  ])
  const stack = task.failure?.stack
  return stack === undefined ? text : `${text}\n${stack}`
}

const name = (description: string) => Argument.String("name").pipe(Argument.withDescription(description))

export const show = asking(
  "show",
  "Print everything that is known of a task: its states, attempts, arguments, result and error",
  { id: Argument.String("id").pipe(Argument.withDescription("Id of the task")) },
  { ask: (client, { id }) => client.describe(id), text: describeTask }
)

const errorRows = (groups: ReadonlyArray<ErrorGroup>) =>
  groups.map(({ count, key, lastAt, message, name, retryable, type }) => [
    key,
    name,
    type,
    String(count),
    String(retryable),
    Output.timeOfDay(lastAt),
    message.split("\n", 1)[0] ?? ""
  ])

export const errors = asking(
  "errors",
  "List failures, those that are the same but for their numbers as one",
  {
    range: Flag.Literals("range", Range.literals).pipe(
      Flag.optional,
      Flag.withDescription(`Of the last ${Range.literals.join(", ")} (default: 15m)`)
    ),
    name: Flags.filter.name
  },
  {
    ask: (client, { name, range }) =>
      client.errors({ ...Flags.asProperty("range", range), ...Flags.asProperty("type", name) }),
    text: ({ groups }) =>
      groups.length === 0
        ? "No errors"
        : Output.table(["key", "task", "error", "count", "retryable", "last", "message"], errorRows(groups))
  }
)

const describeWorker = (worker: WorkerDetail): string =>
  Output.fields([
    ["worker", worker.id],
    ["key", worker.key],
    ["state", worker.local ? `${worker.state} (local)` : worker.state],
    ["busy", `${worker.running}/${worker.slots}`],
    ["since", date(worker.registeredAt)],
    ["last seen", date(worker.lastSeenAt)],
    ["done", `${worker.succeeded} succeeded, ${worker.failed} failed, ${Math.round(worker.perMinute)} a minute`],
    ["lag", `${Math.round(worker.lag)}ms`],
    ["heap", worker.heapUsed === undefined ? undefined : memory(worker.heapUsed, worker.heapLimit)],
    ["memory", worker.rss === undefined ? undefined : memory(worker.rss, undefined)],
    ["cpu", worker.cpu === undefined ? undefined : `${Math.round(worker.cpu * 100)} %`],
    ["host", worker.host],
    ["process", worker.pid === undefined ? undefined : String(worker.pid)],
    ["version", worker.version],
    ["runtime", worker.runtime],
    ["tasks", worker.tasks.join(" ")],
    ...worker.current.map(({ id, name, startedAt }) =>
      ["running", `${id} ${name} since ${date(startedAt) ?? ""}`] as const
    )
  ])

const memory = (bytes: number, limit: number | undefined) => {
  const text = (bytes: number) => `${Math.round(bytes / 1024 ** 2)}MiB`
  return limit === undefined ? text(bytes) : `${text(bytes)} of ${text(limit)}`
}

export const workerInfo = asking(
  "worker-info",
  "Print everything that is known of a worker",
  { name: name("Id or key of the worker") },
  { ask: (client, { name }) => client.describeWorker(name), text: describeWorker }
)

const describePercentiles = (percentiles: Percentiles | undefined) =>
  percentiles === undefined
    ? undefined
    : `50 % ${Math.round(percentiles.p50)}ms, 95 % ${Math.round(percentiles.p95)}ms, 99 % ${
      Math.round(percentiles.p99)
    }ms`

const describeType = (type: TypeDetail): string =>
  Output.fields([
    ["task", type.name],
    ["about", type.description],
    ["priority", type.priority],
    ["paused", type.paused ? "yes" : undefined],
    ["workers", type.workerIds.join(" ")],
    ["now", `${type.waiting} waiting, ${type.delayed} delayed, ${type.running} running`],
    ["finished", `${type.finished}, ${type.failed} failed, ${Math.round(type.perMinute)} a minute`],
    ["wait", describePercentiles(type.wait)],
    ["run", describePercentiles(type.run)],
    ["retry", type.retry],
    ["timeout", type.timeoutMillis === undefined ? undefined : formatDuration(type.timeoutMillis)],
    ["isolation", type.isolation],
    ["args", type.argsSchema],
    ["result", type.resultSchema],
    ["error", type.errorSchema]
  ])

export const taskInfo = asking(
  "task-info",
  "Print everything that is known of a task name, with the JSON Schemas of its arguments, result and error",
  { name: name("Name of the task") },
  { ask: (client, { name }) => client.describeType(name), text: describeType }
)

const describeSystem = (system: Effect.Success<Client["Service"]["system"]>): string => {
  const { addresses, dead, history, journal, process, queue, results } = system
  const part = (
    { bytes, limit, limitBytes, size }: { size: number; limit: number; bytes: number; limitBytes: number }
  ) => `${size} of ${limit}, ${formatSize(bytes)} of ${formatSize(limitBytes)}`
  return Output.fields([
    ["version", system.version],
    ["namespace", system.namespace],
    ["since", date(system.startedAt)],
    ["clients", addresses.clients],
    ["workers", addresses.workers],
    ["discovery", addresses.discovery],
    ["process", `${process.pid} on ${process.host}, ${process.runtime}`],
    ["heap", memory(process.heapUsed, process.heapLimit)],
    ["memory", memory(process.rss, undefined)],
    ["waiting", part({ ...queue, size: queue.waiting })],
    ["results", part(results)],
    ["dead", part({ ...dead, size: dead.tasks })],
    ["history", part({ ...history, size: history.tasks })],
    [
      "journal",
      journal === undefined ? undefined : `${journal.file} ${formatSize(journal.bytes)} ${journal.failure ?? ""}`
    ],
    ...system.settings.map(({ name, value }) => ["setting", `${name} ${value}`] as const),
    ...system.events.map(({ at, text }) => ["event", `${Output.dateAndTime(at)} ${text}`] as const)
  ])
}

export const system = asking(
  "system",
  "Print the control plane's settings, what its parts hold, and its last events",
  {},
  {
    ask: (client) => client.system,
    text: describeSystem
  }
)
