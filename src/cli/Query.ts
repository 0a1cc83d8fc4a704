/**
 * The commands that only ask: `status`, `result`, `list`, `dead`, `workers`, `schedules`, `stats`.
 *
 * @since 0.1.0
 */
import { Argument, Command, Flag } from "effect/cli"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { CallError } from "../domain/Errors.ts"
import { formatDuration, formatSize } from "../domain/Settings.ts"
import type { ScheduleStatus, Stats, TaskStatus, WorkerStatus } from "../domain/Status.ts"
import * as Task from "../domain/TaskDefinition.ts"
import { Client } from "../services/Client.ts"
import { asking, withClient } from "./Asking.ts"
import * as Flags from "./Flags.ts"
import * as Output from "./Output.ts"

/** Waits for the outcome of a task and prints it: the value, or why there is none. */
export const printOutcome = (
  json: boolean,
  id: string,
  timeoutMillis: number,
  result: Effect.Effect<unknown, unknown>
) =>
  Effect.gen(function*() {
    const outcome = yield* result.pipe(Effect.result, Effect.timeoutOption(timeoutMillis))
    if (Option.isNone(outcome)) {
      const message = `task ${id} has no outcome after ${formatDuration(timeoutMillis)}, it goes on: ` +
        `ask later with fastworker result ${id}`
      return yield* Output.fail(json, new Output.NoOutcome({ message }), { id })
    }
    if (Result.isSuccess(outcome.value)) {
      const value = outcome.value.success ?? null
      return yield* json
        ? Output.json({ id, state: "succeeded", result: value })
        : Console.log(typeof value === "string" ? value : JSON.stringify(value, null, 2))
    }
    const error = outcome.value.failure
    if (isOurs(error)) {
      const state = outcomes.get(error._tag)
      return yield* Output.fail(json, error, state === undefined ? { id } : { id, state })
    }
    // The error that the definition declares, as its JSON: this program does not have the definition.
    if (json) yield* Output.json({ id, state: "failed", error })
    else yield* Console.error(`fastworker: task ${id} failed: ${JSON.stringify(error)}`)
    return yield* new Output.Exited({ code: 1 })
  })

const isOurs = (error: unknown): error is { readonly _tag: string; readonly message: string } => error instanceof Error

/** Errors that are the outcome of a task, and the state that it then has. Others say why the outcome is not known. */
const outcomes: ReadonlyMap<string, string> = new Map([
  ["TaskCancelled", "cancelled"],
  ["TaskExpired", "expired"],
  ["TaskTimedOut", "failed"],
  ["TaskCrashed", "failed"],
  ["TaskDefect", "failed"],
  ["TooLarge", "failed"],
  ["UnknownTask", "failed"],
  ["InvalidArguments", "failed"]
])

const id = Argument.String("id").pipe(Argument.withDescription("Id of the task"))

const took = ({ finishedAt, startedAt }: Pick<TaskStatus, "finishedAt" | "startedAt">) =>
  startedAt === undefined || finishedAt === undefined ? "" : `${Math.round(finishedAt - startedAt)}ms`

const stateOf = ({ reason, state }: Pick<TaskStatus, "reason" | "state">) =>
  reason === undefined ? state : `${state} (${reason})`

const moment = (millis: number | undefined) => millis === undefined ? undefined : Output.timeOfDay(millis)
const date = (millis: number | undefined) => millis === undefined ? undefined : Output.dateAndTime(millis)

const describeEarlier = (
  { attempt, endedAt, error = "", reason, startedAt, worker }: NonNullable<TaskStatus["history"]>[number]
) => `attempt ${attempt} on ${worker}: ${reason} after ${Math.round(endedAt - startedAt)}ms ${error}`.trimEnd()

const describe = (task: TaskStatus): string =>
  Output.fields([
    ["id", task.id],
    ["task", task.name],
    ["state", stateOf(task)],
    ["waiting", task.waiting],
    ["due", date(task.dueAt)],
    ["expires", date(task.expiresAt)],
    ["priority", task.priority],
    ["tags", task.tags?.join(" ")],
    ["tenant", task.tenant],
    ["schedule", task.schedule],
    ["retry of", task.retryOf],
    ["parent", task.parent],
    ["attempt", String(task.attempt)],
    ["worker", task.worker],
    ["submitted", moment(task.submittedAt)],
    ["started", moment(task.startedAt)],
    ["finished", task.finishedAt === undefined ? undefined : `${moment(task.finishedAt)} (${took(task)})`],
    ...(task.history ?? []).map((earlier) => ["earlier", describeEarlier(earlier)] as const)
  ])

export const status = asking("status", "Print the state of a task", { id }, {
  ask: (client, { id }) => client.status(id),
  text: describe
})

export const result = Command.make(
  "result",
  { id, ...Flags.target },
  Effect.fnUntraced(function*(flags) {
    const { json } = yield* Flags.root
    return yield* withClient(
      flags,
      Effect.gen(function*() {
        const client = yield* Client
        yield* printOutcome(json, flags.id, flags.timeout, client.result(Task.untyped("unknown"), flags.id))
      })
    )
  })
).pipe(Command.withDescription("Wait for the outcome of a task and print it"))

const limit = Flag.Int("limit").pipe(
  Flag.filter((limit) => limit >= 1 && limit <= 10_000, () => "a number from 1 to 10000"),
  Flag.withDefault(50),
  Flag.withDescription("Tasks to print, at most (default: 50)")
)

/** What is shown of a task in a list, whichever way it was asked for. */
type Listed =
  & Pick<TaskStatus, "name" | "state" | "priority" | "submittedAt" | "startedAt" | "finishedAt" | "reason">
  & { readonly id: string; readonly worker?: string | undefined }

interface List {
  readonly tasks: ReadonlyArray<Listed>
  readonly total: number
}

const describeList = ({ tasks, total }: List) => {
  const rows = tasks.map((task) => [
    task.id,
    task.name,
    stateOf(task),
    task.priority,
    Output.timeOfDay(task.submittedAt),
    took(task),
    task.worker ?? ""
  ])
  const table = Output.table(["id", "task", "state", "priority", "submitted", "took", "worker"], rows)
  return total > tasks.length ? `${table}\n${tasks.length} of ${total}: more with --limit` : table
}

/** Tasks of one page of the history, at most. */
const maxPage = 1_000

/** Lists tasks: as the control plane has them, or by what only its history can tell. */
const listTasks = (
  client: Client["Service"],
  flags: Command.Command.Config.InferValue<typeof Flags.filter>,
  { dead, limit }: { readonly dead: boolean; readonly limit: number }
) =>
  Effect.gen(function*() {
    const filter = Flags.toFilter(flags)
    if (filter !== undefined) return yield* client.list({ ...filter, dead, limit })
    const query = { ...Flags.toQuery(flags, yield* Clock.currentTimeMillis), ...(dead ? { state: "dead" } : {}) }
    const { total } = yield* client.count(query)
    const tasks: Array<Listed> = []
    let cursor: string | undefined
    do {
      const page = yield* client.find({ ...query, cursor, limit: Math.min(maxPage, limit - tasks.length) })
      tasks.push(...page.tasks)
      cursor = page.next ?? undefined
    } while (cursor !== undefined && tasks.length < limit)
    return { tasks, total }
  })

export const list = asking(
  "list",
  "List tasks that wait or run, and outcomes that are kept",
  {
    filter: Flags.filter,
    dead: Flag.Boolean("dead").pipe(
      Flag.withDefault(false),
      Flag.withDescription("Only tasks that failed or expired and can be retried")
    ),
    limit
  },
  {
    ask: (client, { dead, filter, limit }): Effect.Effect<List, CallError> =>
      listTasks(client, filter, { dead, limit }),
    text: describeList
  }
)

export const dead = asking(
  "dead",
  "List tasks that failed or expired and can be retried",
  { filter: Flags.filter, limit },
  {
    ask: (client, { filter, limit }): Effect.Effect<List, CallError> =>
      listTasks(client, filter, { dead: true, limit }),
    text: (answer) => answer.total === 0 ? "No tasks can be retried" : describeList(answer)
  }
)

const describeWorker = ({ lag, local, state }: WorkerStatus) =>
  local ? `${state} (local)` : state === "unresponsive" ? `${state} (${Output.age(lag)} behind)` : state

export const workers = asking("workers", "List the connected workers", {}, {
  ask: (client) => client.workers,
  json: (workers) => ({ workers }),
  text: (workers) =>
    workers.length === 0
      ? "No workers are connected"
      : Output.table(
        ["worker", "state", "busy", "succeeded", "failed", "tasks"],
        workers.map((worker) => [
          worker.id,
          describeWorker(worker),
          `${worker.running}/${worker.slots}`,
          String(worker.succeeded),
          String(worker.failed),
          worker.tasks.join(" ")
        ])
      )
})

const describeTimes = ({ kind }: ScheduleStatus) =>
  "every" in kind
    ? `every ${formatDuration(kind.every)}`
    : kind.timeZone === undefined
    ? kind.cron
    : `${kind.cron} ${kind.timeZone}`

export const schedules = asking("schedules", "List the schedules, with when they are due next", {}, {
  ask: (client) => client.schedules,
  json: (schedules) => ({ schedules }),
  text: (schedules) =>
    schedules.length === 0
      ? "No schedules: no worker has declared any, and nobody has added one"
      : Output.table(
        ["schedule", "task", "times", "next", "last", "skipped"],
        schedules.map((schedule) => [
          schedule.id,
          schedule.name,
          describeTimes(schedule),
          schedule.paused ? "paused" : date(schedule.nextAt) ?? "never",
          date(schedule.lastAt) ?? "",
          String(schedule.skipped)
        ])
      )
})

const describeStats = (stats: Stats): string => {
  const { critical, high, low, normal } = stats.waitingByPriority
  return Output.fields([
    ["up", `${Output.age(stats.upMillis)}${stats.draining ? ", shutting down" : ""}`],
    ["paused", stats.paused.length === 0 ? undefined : stats.paused.join(" ")],
    ["journal", stats.journal],
    ["submitted", String(stats.submitted)],
    ["waiting", `${stats.waiting} (critical ${critical}, high ${high}, normal ${normal}, low ${low})`],
    ["delayed", String(stats.delayed)],
    ["running", stats.cancelling === 0 ? String(stats.running) : `${stats.running} (${stats.cancelling} to stop)`],
    ["succeeded", String(stats.succeeded)],
    ["failed", String(stats.failed)],
    ["cancelled", String(stats.cancelled)],
    ["expired", String(stats.expired)],
    ["retries", String(stats.retries)],
    ["crashes", String(stats.crashes)],
    ["late", stats.lateReports === 0 ? undefined : `${stats.lateReports} reports refused: their leases had ended`],
    ["dead", `${stats.dead} that can be retried`],
    ["schedules", String(stats.schedules)],
    ["workers", String(stats.workers)],
    ["clients", String(stats.sessions)],
    ["results", `${stats.results} kept, ${formatSize(stats.resultBytes)}`]
  ])
}

export const stats = asking("stats", "Print the counts of the control plane", {}, {
  ask: (client) => client.stats,
  text: describeStats
})
