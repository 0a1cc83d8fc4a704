/**
 * `fastworker bench`: a small load on a running control plane, and what became of it: tasks per second and latencies.
 * Without `--task` this process runs the tasks itself, so that nothing of the application's is started. It never begins
 * unasked: a queue with real work is loaded by it.
 *
 * @since 0.1.0
 */
import { Command, Flag, Prompt } from "effect/cli"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import { TaskName } from "../domain/Task.ts"
import * as Task from "../domain/TaskDefinition.ts"
import { layerWorker } from "../layers/Node.ts"
import { layerSettings } from "../layers/NodeClient.ts"
import * as TaskRegistryModules from "../layers/TaskRegistryModules.ts"
import { Client } from "../services/Client.ts"
import { Worker } from "../services/Worker.ts"
import { withClient } from "./Asking.ts"
import * as Flags from "./Flags.ts"
import * as Output from "./Output.ts"

/** The task that does nothing. Its name is always the same: control planes remember the names that they have seen. */
const nothing = Task.define("fastworker.bench", {
  description: "Does nothing, for fastworker bench",
  run: () => Effect.void
})

const amount = (name: string, fallback: number, max: number, description: string) =>
  Flag.Int(name).pipe(
    Flag.filter((value) => value >= 1 && value <= max, () => `a number from 1 to ${max}`),
    Flag.withDefault(fallback),
    Flag.withDescription(`${description} (default: ${fallback})`)
  )

interface Report {
  readonly task: string
  readonly count: number
  readonly inFlight: number
  readonly succeeded: number
  readonly failed: number
  readonly millis: number
  readonly perSecond: number
  /** From the submission to the outcome, of those that succeeded. */
  readonly latency: { readonly p50: number; readonly p95: number; readonly p99: number; readonly max: number } | null
  /** How many failed with which error. */
  readonly errors: Readonly<Record<string, number>>
}

const round = (value: number) => Math.round(value * 100) / 100

const percentiles = (millis: ReadonlyArray<number>): Report["latency"] => {
  const sorted = millis.toSorted((one, other) => one - other)
  const at = (share: number) => round(sorted[Math.ceil(share * sorted.length) - 1] ?? 0)
  return sorted.length === 0 ? null : { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) }
}

const describe = ({ count, errors, failed, inFlight, latency, millis, perSecond, task }: Report): string =>
  Output.fields([
    ["task", task],
    ["tasks", `${count} in ${Math.round(millis)}ms, ${inFlight} at once`],
    ["rate", `${Math.round(perSecond)} a second`],
    [
      "latency",
      latency === null
        ? undefined
        : `50 % ${latency.p50}ms, 95 % ${latency.p95}ms, 99 % ${latency.p99}ms, most ${latency.max}ms`
    ],
    ["failed", failed === 0 ? undefined : String(failed)],
    ...Object.entries(errors).map(([error, count]) => ["error", `${count} × ${Output.plain(error)}`] as const)
  ])

const nameOf = (error: unknown) =>
  typeof error === "object" && error !== null && "_tag" in error ? String(error._tag) : "Error"

const nowMillis = Effect.map(Clock.currentTimeNanos, (nanos) => Number(nanos) / 1e6)

/** Submits the tasks and waits for each. What is left of them when it is stopped is cancelled, nobody would run it. */
const measure = Effect.fnUntraced(function*(
  client: Client["Service"],
  task: string,
  args: unknown,
  { count, inFlight, timeout }: { readonly count: number; readonly inFlight: number; readonly timeout: number }
) {
  const definition = Task.untyped(task)
  const tag = `bench-${yield* Random.nextIntBetween(0, 2 ** 32)}`
  const latencies: Array<number> = []
  const errors = new Map<string, number>()
  const one = Effect.gen(function*() {
    const start = yield* nowMillis
    // Results that somebody may still ask for are not to be pushed out of the cache by these.
    const outcome = yield* client.run(definition, args, { tags: [tag], ignoreResult: true }).pipe(
      Effect.result,
      Effect.timeoutOption(timeout)
    )
    if (Option.isSome(outcome) && Result.isSuccess(outcome.value)) {
      latencies.push((yield* nowMillis) - start)
      return
    }
    const name = Option.isSome(outcome) && Result.isFailure(outcome.value) ? nameOf(outcome.value.failure) : "NoOutcome"
    errors.set(name, (errors.get(name) ?? 0) + 1)
  })
  const start = yield* nowMillis
  yield* Effect.forEach(Array.from({ length: count }), () => one, { concurrency: inFlight, discard: true }).pipe(
    Effect.ensuring(
      Effect.suspend(() => latencies.length === count ? Effect.void : Effect.ignore(client.cancelAll({ tag })))
    )
  )
  const millis = (yield* nowMillis) - start
  const report: Report = {
    task,
    count,
    inFlight,
    succeeded: latencies.length,
    failed: count - latencies.length,
    millis: round(millis),
    perSecond: round(latencies.length / millis * 1000),
    latency: percentiles(latencies),
    errors: Object.fromEntries(errors)
  }
  return report
})

/** Where workers connect, seen from here: a control plane that listens everywhere does not know its name. */
const workerAddress = (clients: string, workers: string): string => {
  const [, host] = /^[a-z+]+:\/\/(.*):\d+$/u.exec(clients) ?? []
  return host === undefined ? workers : workers.replace(/^([a-z+]+:\/\/).*(:\d+)$/u, `$1${host}$2`)
}

/** Whether it may begin: somebody has said so, or says so now. */
const agreed = Effect.fnUntraced(function*(json: boolean, count: number, task: string) {
  if (json || !(yield* Output.canAsk)) {
    return yield* Output.usage(
      json,
      `${Output.tasks(count)} "${task}" would be submitted to a running control plane: say --yes to do so`
    )
  }
  const message = `Submit ${Output.tasks(count)} "${task}" to the running control plane?`
  return yield* Prompt.run(Prompt.Confirm({ message })).pipe(Effect.orElseSucceed(() => false))
})

export const bench = Command.make(
  "bench",
  {
    task: Flag.String("task").pipe(
      Flag.withMetavar("NAME"),
      Flag.withSchema(TaskName),
      Flag.optional,
      Flag.withDescription(
        "Submit this task, which the workers then really run (default: one that does nothing, run here)"
      )
    ),
    args: Flag.String("args").pipe(
      Flag.withMetavar("JSON"),
      Flag.withDefault("{}"),
      Flag.withDescription("Arguments of the task (default: {})")
    ),
    count: amount("count", 1_000, 1_000_000, "Tasks to submit"),
    inFlight: amount("in-flight", 64, 4_096, "Tasks that are waited for at once"),
    yes: Flag.Boolean("yes").pipe(
      Flag.withDefault(false),
      Flag.withDescription("Do not ask; needed where there is no terminal to ask on")
    ),
    target: Flags.target
  },
  Effect.fnUntraced(function*(flags) {
    const { json } = yield* Flags.root
    const { count, inFlight, target } = flags
    const task = Option.getOrElse(flags.task, () => nothing.name)
    const args = Output.parseJson(flags.args)
    if (Result.isFailure(args)) return yield* Output.usage(json, `the arguments are not JSON: ${flags.args}`)
    if (!flags.yes && !(yield* agreed(json, count, task))) return yield* Console.log("Nothing was submitted")

    /** Runs the tasks here, beside the client and as long as it. */
    const startWorker = Effect.fnUntraced(function*(client: Client["Service"]) {
      const { addresses } = yield* client.system
      const controlPlane = Option.map(target.controlPlane, (address) => workerAddress(address, addresses.workers))
      const layers = layerWorker({ concurrency: inFlight, ...Flags.asProperty("controlPlane", controlPlane) }).pipe(
        Layer.provide(TaskRegistryModules.layer(nothing.layer)),
        Layer.provide([layerSettings(Flags.clientSettings(target)), Output.layerLogger(json)])
      )
      const { drain, ready } = yield* Effect.provideContext(Worker, yield* Layer.build(layers))
      // One that goes without a word is missed, and said to be lost.
      yield* Effect.addFinalizer(() => drain)
      yield* ready
    })

    yield* withClient(
      target,
      Effect.gen(function*() {
        const client = yield* Client
        if (Option.isNone(flags.task)) yield* startWorker(client)
        const { timeout } = target
        const report = yield* measure(client, task, args.success, { count, inFlight, timeout })
        yield* json ? Output.json(report) : Console.log(describe(report))
        if (report.failed > 0) return yield* new Output.Exited({ code: 1 })
      }).pipe(
        Effect.scoped,
        Effect.catchIf((error) => error._tag !== "Exited", (error) => Output.fail(json, error))
      )
    )
  })
).pipe(Command.withDescription("Load a running control plane a little: prints tasks per second and latencies"))
