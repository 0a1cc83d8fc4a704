/**
 * The commands that ask a running control plane: `status`, `result`, `cancel`, `list`, `workers`, `stats`.
 *
 * @since 0.1.0
 */
import { Argument, Command, Flag } from "effect/cli"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { Stats, TaskStatus, WorkerStatus } from "../domain/Message.ts"
import { formatDuration, formatSize } from "../domain/Settings.ts"
import * as Task from "../domain/TaskDefinition.ts"
import { TaskState } from "../domain/TaskState.ts"
import { layerClient, layerSettings } from "../layers/Node.ts"
import { Client } from "../services/Client.ts"
import * as Flags from "./Flags.ts"
import * as Output from "./Output.ts"
import { killedExitCode } from "./Stop.ts"

/** Who stops a command that waits for an answer must not take it for one. */
const notDone = Effect.sync(() => {
  process.exitCode = killedExitCode
})

/** Runs a command's body with a client, as the flags say. */
export const withClient = <A, E>(
  flags: {
    readonly controlPlane: Option.Option<string>
    readonly discovery: string
    readonly namespace: string
    readonly timeout: number
  },
  body: Effect.Effect<A, E, Client>
) =>
  Effect.gen(function*() {
    const { json } = yield* Flags.root
    const layers = layerClient(Flags.asProperty("controlPlane", flags.controlPlane)).pipe(
      Layer.provide([layerSettings(Flags.clientSettings(flags)), Output.layerLogger(json)])
    )
    const context = yield* Layer.build(layers).pipe(Effect.catch((error) => Output.fail(json, error)))
    return yield* Effect.provideContext(body, context)
  }).pipe(Effect.scoped, Effect.onInterrupt(() => notDone))

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
      const state = error._tag === "TaskCancelled" ? "cancelled" : "failed"
      return yield* Output.fail(json, error, isOutcome(error) ? { id, state } : { id })
    }
    // The error that the definition declares, as its JSON: this program does not have the definition.
    if (json) yield* Output.json({ id, state: "failed", error })
    else yield* Console.error(`fastworker: task ${id} failed: ${JSON.stringify(error)}`)
    return yield* new Output.Exited({ code: 1 })
  })

const isOurs = (error: unknown): error is { readonly _tag: string; readonly message: string } => error instanceof Error

const isOutcome = ({ _tag }: { readonly _tag: string }) =>
  ["TaskCancelled", "TaskCrashed", "TaskDefect", "TooLarge", "UnknownTask", "InvalidArguments"].includes(_tag)

const id = Argument.String("id").pipe(Argument.withDescription("Id of the task"))

const age = (millis: number) => {
  const seconds = Math.max(0, Math.round(millis / 1000))
  if (seconds < 120) return `${seconds}s`
  const minutes = Math.round(seconds / 60)
  return minutes < 120 ? `${minutes}m` : `${Math.round(minutes / 60)}h`
}

const took = ({ finishedAt, startedAt }: TaskStatus) =>
  startedAt === undefined || finishedAt === undefined ? "" : `${Math.round(finishedAt - startedAt)}ms`

const describe = (task: TaskStatus): string => {
  const rows: Array<readonly [string, string | undefined]> = [
    ["id", task.id],
    ["task", task.name],
    ["state", task.reason === undefined ? task.state : `${task.state} (${task.reason})`],
    ["waiting", task.waiting],
    ["priority", task.priority],
    ["attempt", String(task.attempt)],
    ["worker", task.worker],
    ["submitted", Output.timeOfDay(task.submittedAt)],
    ["started", task.startedAt === undefined ? undefined : Output.timeOfDay(task.startedAt)],
    ["finished", task.finishedAt === undefined ? undefined : `${Output.timeOfDay(task.finishedAt)} (${took(task)})`]
  ]
  return rows.flatMap(([name, value]) => value === undefined ? [] : [`${name.padEnd(10)} ${value}`]).join("\n")
}

export const status = Command.make(
  "status",
  { id, ...Flags.target },
  Effect.fnUntraced(function*(flags) {
    const { json } = yield* Flags.root
    return yield* withClient(
      flags,
      Effect.gen(function*() {
        const client = yield* Client
        const task = yield* client.status(flags.id).pipe(Effect.catch((error) => Output.fail(json, error)))
        yield* json ? Output.json(task) : Console.log(describe(task))
      })
    )
  })
).pipe(Command.withDescription("Print the state of a task"))

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

export const cancel = Command.make(
  "cancel",
  { id, ...Flags.target },
  Effect.fnUntraced(function*(flags) {
    const { json } = yield* Flags.root
    return yield* withClient(
      flags,
      Effect.gen(function*() {
        const client = yield* Client
        yield* client.cancel(flags.id).pipe(Effect.catch((error) => Output.fail(json, error)))
        yield* json ? Output.json({ id: flags.id, state: "cancelled" }) : Console.log(`Cancelled ${flags.id}`)
      })
    )
  })
).pipe(Command.withDescription("Cancel a task that waits"))

export const list = Command.make(
  "list",
  {
    state: Flag.Literals("state", TaskState.literals).pipe(
      Flag.optional,
      Flag.withDescription(`Only tasks in this state: ${TaskState.literals.join(", ")}`)
    ),
    limit: Flag.Int("limit").pipe(
      Flag.filter((limit) => limit >= 1 && limit <= 10_000, () => "a number from 1 to 10000"),
      Flag.withDefault(50),
      Flag.withDescription("Tasks to print, at most (default: 50)")
    ),
    ...Flags.target
  },
  Effect.fnUntraced(function*(flags) {
    const { json } = yield* Flags.root
    return yield* withClient(
      flags,
      Effect.gen(function*() {
        const client = yield* Client
        const { tasks, total } = yield* client.list({ limit: flags.limit, ...Flags.asProperty("state", flags.state) })
          .pipe(
            Effect.catch((error) => Output.fail(json, error))
          )
        if (json) return yield* Output.json({ tasks, total })
        const rows = tasks.map((task) => [
          task.id,
          task.name,
          task.reason === undefined ? task.state : `${task.state} (${task.reason})`,
          task.priority,
          Output.timeOfDay(task.submittedAt),
          took(task),
          task.worker ?? ""
        ])
        yield* Console.log(Output.table(["id", "task", "state", "priority", "submitted", "took", "worker"], rows))
        if (total > tasks.length) yield* Console.log(`${tasks.length} of ${total}: more with --limit`)
      })
    )
  })
).pipe(Command.withDescription("List tasks that wait or run, and outcomes that are kept"))

const describeState = ({ lag, state }: WorkerStatus) =>
  state === "unresponsive" ? `${state} (${age(lag)} behind)` : state

export const workers = Command.make(
  "workers",
  Flags.target,
  Effect.fnUntraced(function*(flags) {
    const { json } = yield* Flags.root
    return yield* withClient(
      flags,
      Effect.gen(function*() {
        const client = yield* Client
        const workers = yield* client.workers.pipe(Effect.catch((error) => Output.fail(json, error)))
        if (json) return yield* Output.json({ workers })
        const rows = workers.map((worker) => [
          worker.id,
          worker.local ? `${worker.state} (local)` : describeState(worker),
          `${worker.running}/${worker.slots}`,
          String(worker.succeeded),
          String(worker.failed),
          worker.tasks.join(" ")
        ])
        yield* Console.log(
          workers.length === 0
            ? "No workers are connected"
            : Output.table(["worker", "state", "busy", "succeeded", "failed", "tasks"], rows)
        )
      })
    )
  })
).pipe(Command.withDescription("List the connected workers"))

const describeStats = (stats: Stats): string => {
  const { critical, high, low, normal } = stats.waitingByPriority
  const rows: ReadonlyArray<readonly [string, string]> = [
    ["up", `${age(stats.upMillis)}${stats.draining ? ", shutting down" : ""}`],
    ["submitted", String(stats.submitted)],
    ["waiting", `${stats.waiting} (critical ${critical}, high ${high}, normal ${normal}, low ${low})`],
    ["running", String(stats.running)],
    ["succeeded", String(stats.succeeded)],
    ["failed", String(stats.failed)],
    ["cancelled", String(stats.cancelled)],
    ["crashes", String(stats.crashes)],
    ["workers", String(stats.workers)],
    ["clients", String(stats.sessions)],
    ["results", `${stats.results} kept, ${formatSize(stats.resultBytes)}`]
  ]
  return rows.map(([name, value]) => `${name.padEnd(10)} ${value}`).join("\n")
}

export const stats = Command.make(
  "stats",
  Flags.target,
  Effect.fnUntraced(function*(flags) {
    const { json } = yield* Flags.root
    return yield* withClient(
      flags,
      Effect.gen(function*() {
        const client = yield* Client
        const stats = yield* client.stats.pipe(Effect.catch((error) => Output.fail(json, error)))
        yield* json ? Output.json(stats) : Console.log(describeStats(stats))
      })
    )
  })
).pipe(Command.withDescription("Print the counts of the control plane"))
