import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import type { Settings } from "../../src/domain/Settings.ts"
import { TaskContext } from "../../src/domain/TaskContext.ts"
import * as Task from "../../src/domain/TaskDefinition.ts"
import * as ExecutorFiber from "../../src/layers/ExecutorFiber.ts"
import { layerSettings } from "../../src/layers/NodeClient.ts"
import * as TaskRegistryModules from "../../src/layers/TaskRegistryModules.ts"
import type { AttemptResult, EarlierAttempt } from "../../src/services/Executor.ts"
import { Executor } from "../../src/services/Executor.ts"
import { startAttempt } from "./attempts.ts"

class Rejected extends Schema.TaggedError<Rejected>()("Rejected", { code: Schema.Int }) {}

const makeExecutor = <Tasks extends Task.TaskHandler<string> | Task.TaskMiddleware>(
  tasks: Layer.Layer<Tasks>,
  settings: Partial<Settings> = {}
) =>
  Layer.build(
    ExecutorFiber.layer.pipe(Layer.provide(TaskRegistryModules.layer(tasks)), Layer.provide(layerSettings(settings)))
  ).pipe(Effect.flatMap((context) => Effect.provideContext(Executor, context)))

const failed = (result: AttemptResult | undefined) => {
  if (result?.state !== "failed") throw new Error(`not failed: ${JSON.stringify(result)}`)
  return result
}

describe("a plain attempt", () => {
  const tasks = Layer.mergeAll(
    Task.define("double", {
      args: { x: Schema.Int },
      success: Schema.Int,
      error: Rejected,
      run: ({ x }) => x < 0 ? Effect.fail(new Rejected({ code: x })) : Effect.succeed(x * 2)
    }).layer,
    Task.define("break", {
      run: () => {
        throw new TypeError("oops")
      }
    }).layer,
    Task.define("quit", { run: () => Effect.interrupt }).layer,
    Task.define("long", { success: Schema.String, run: () => Effect.succeed("x".repeat(100)) }).layer
  )

  it.effect("succeeds, fails as declared, or in another way: in the same turn when it does not wait", () =>
    Effect.gen(function*() {
      const executor = yield* makeExecutor(tasks, { maxPayloadBytes: 60 })
      const run = (name: string, args: unknown = {}) => startAttempt(executor, name, args)

      assert.deepStrictEqual(run("double", { x: 2 }).results, [{ state: "succeeded", body: "4" }])
      assert.deepStrictEqual(run("double", { x: 2 }).events, ["succeeded", "end"])
      assert.deepStrictEqual(run("double", { x: -2 }).results, [
        { state: "failed", reason: "error", body: "{\"_tag\":\"Rejected\",\"code\":-2}" }
      ])
      assert.deepStrictEqual(run("double", { x: "2" }).results.map((result) => failed(result).reason), ["arguments"])
      assert.deepStrictEqual(run("long").results, [
        { state: "failed", reason: "size", body: JSON.stringify({ size: 102, limit: 60 }) }
      ])
      assert.deepStrictEqual(run("nobody").events, ["failed", "end"])
      assert.deepStrictEqual(run("nobody").results.map((result) => failed(result).reason), ["unknown"])
      const thrown = failed(run("break").results[0])
      assert.deepStrictEqual([thrown.reason, JSON.parse(thrown.body).name], ["defect", "TypeError"])
      assert.match(failed(run("quit").results[0]).body, /interrupted itself/u)
    }))
})

describe("timeout", () => {
  const finalized: Array<string> = []
  const hang = Task.define("hang", {
    timeout: "10 seconds",
    run: () => Effect.ensuring(Effect.never, Effect.sync(() => finalized.push("hang")))
  })

  it.effect("interrupts the handler, waits for its finalizers and fails the attempt", () =>
    Effect.gen(function*() {
      const executor = yield* makeExecutor(
        Task.define("hang", {
          timeout: "10 seconds",
          run: () => Effect.ensuring(Effect.never, Effect.sleep("2 seconds"))
        }).layer
      )
      const attempt = startAttempt(executor, "hang")

      yield* TestClock.adjust("11999 millis")
      assert.deepStrictEqual(attempt.events, [])
      yield* TestClock.adjust("1 millis")

      assert.deepStrictEqual(attempt.results, [{ state: "failed", reason: "timeout", body: "{\"timeout\":10000}" }])
      assert.deepStrictEqual(attempt.events, ["failed", "end"])
    }))

  it.effect("does not touch an attempt that ends in time", () =>
    Effect.gen(function*() {
      const executor = yield* makeExecutor(
        Task.define("nap", { timeout: "10 seconds", run: () => Effect.sleep("9 seconds") }).layer
      )
      const attempt = startAttempt(executor, "nap")

      yield* TestClock.adjust("1 minute")

      assert.deepStrictEqual(attempt.events, ["succeeded", "end"])
    }))

  it.effect("is retried when the definition says so, without asking `while`", () =>
    Effect.gen(function*() {
      const executor = yield* makeExecutor(
        Task.define("hang", {
          timeout: 10,
          error: Rejected,
          retry: { attempts: 2, schedule: Schedule.spaced("3 seconds"), while: () => false },
          run: () => Effect.never
        }).layer
      )
      const first = startAttempt(executor, "hang")
      const second = startAttempt(executor, "hang", {}, { failures: 1 })

      yield* TestClock.adjust(10)

      assert.strictEqual(failed(first.results[0]).retryInMillis, 3_000)
      assert.notProperty(second.results[0], "retryInMillis")
    }))

  it.effect("gives way to a stop that is told while the handler is being interrupted", () =>
    Effect.gen(function*() {
      const executor = yield* makeExecutor(
        Task.define("hang", {
          timeout: 10,
          retry: {},
          run: () => Effect.ensuring(Effect.never, Effect.sleep("2 seconds"))
        }).layer
      )
      const attempt = startAttempt(executor, "hang")

      yield* TestClock.adjust(10)
      attempt.interrupt()
      yield* TestClock.adjust("2 seconds")

      assert.deepStrictEqual(attempt.results, [{ state: "stopped" }])
    }))

  it.effect("ends with the interruption of the attempt", () =>
    Effect.gen(function*() {
      const executor = yield* makeExecutor(hang.layer)
      const attempt = startAttempt(executor, "hang")

      attempt.interrupt()
      yield* TestClock.adjust("1 minute")

      assert.deepStrictEqual(attempt.events, ["stopped", "end"])
      assert.deepStrictEqual(finalized, ["hang"])
    }))
})

describe("a handler that does not stop", () => {
  const stubborn = (latch: Latch.Latch) =>
    Task.define("stubborn", { timeout: "1 minute", retry: {}, run: () => Effect.uninterruptible(latch.await) }).layer

  const warnings = () => {
    const lines: Array<unknown> = []
    return { lines, layer: Logger.layer([Logger.make(({ message }) => void lines.push(message))]) }
  }

  it.effect("is given up after a grace, with a warning; its slot is free when it ends", () =>
    Effect.gen(function*() {
      const latch = yield* Latch.make()
      const { layer, lines } = warnings()
      const executor = yield* Effect.provide(makeExecutor(stubborn(latch), { stopGraceMillis: 500 }), layer)
      const told = startAttempt(executor, "stubborn")
      const late = startAttempt(executor, "stubborn")

      told.interrupt()
      yield* TestClock.adjust(499)
      assert.deepStrictEqual(told.events, [])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(told.results, [{ state: "stopped" }])
      assert.deepStrictEqual(told.events, ["stopped"])
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(late.events, ["failed"])
      assert.strictEqual(failed(late.results[0]).reason, "timeout")
      assert.isNumber(failed(late.results[0]).retryInMillis)
      yield* latch.open
      yield* TestClock.adjust(0)

      assert.deepStrictEqual([told.events, late.events], [["stopped", "end"], ["failed", "end"]])
      assert.lengthOf(lines, 2)
      assert.match(JSON.stringify(lines[0]), /has not stopped 500 ms after.*"id":"id","task":"stubborn"/u)
    }))
})

describe("retry", () => {
  const flaky = (
    retry: Task.Options<{ readonly code: Schema.Int }, Schema.Void, typeof Rejected, Schema.Never>["retry"]
  ) =>
    Task.define("flaky", {
      args: { code: Schema.Int },
      error: Rejected,
      ...(retry === undefined ? {} : { retry }),
      run: ({ code }) => code === 0 ? Effect.die("defect") : Effect.fail(new Rejected({ code }))
    }).layer

  const retryIn = (
    retry: Parameters<typeof flaky>[0],
    attempt: { readonly code?: number; readonly failures?: number; readonly history?: ReadonlyArray<EarlierAttempt> } =
      {}
  ) =>
    Effect.map(
      makeExecutor(flaky(retry)),
      (executor) => {
        const { code = 1, failures = 0, history = [] } = attempt
        return failed(startAttempt(executor, "flaky", { code }, { failures, history }).results[0]).retryInMillis
      }
    )

  const earlier = (code: number, ago: number): EarlierAttempt => ({
    attempt: 1,
    ago,
    took: 1,
    reason: "error",
    error: JSON.stringify({ _tag: "Rejected", code })
  })

  it.effect("is not the default", () =>
    Effect.gen(function*() {
      assert.isUndefined(yield* retryIn(undefined))
    }))

  it.effect("makes three attempts by default, 200 and 400 ms apart, give or take a fifth", () =>
    Effect.gen(function*() {
      const waits = yield* Effect.forEach([0, 1, 2], (failures) => retryIn({}, { failures }))

      assert.isTrue((waits[0] ?? 0) >= 160 && (waits[0] ?? 0) <= 240)
      assert.isTrue((waits[1] ?? 0) >= 320 && (waits[1] ?? 0) <= 480)
      assert.isUndefined(waits[2])
    }))

  it.effect("waits no longer than about a minute by default, however often it failed", () =>
    Effect.gen(function*() {
      const wait = (yield* retryIn({ attempts: 1_000 }, { failures: 998 })) ?? 0

      assert.isTrue(wait >= 48_000 && wait <= 72_000)
    }))

  it.effect("counts attempts by the failures, the first included", () =>
    Effect.gen(function*() {
      assert.isUndefined(yield* retryIn({ attempts: 1 }))
      assert.isNumber(yield* retryIn({ attempts: 2 }))
      assert.isUndefined(yield* retryIn({ attempts: 2 }, { failures: 1 }))
      // What was lost with its worker stands in the history, but did not fail.
      const lost: EarlierAttempt = { attempt: 1, ago: 5, took: 1, reason: "lost" }
      assert.isNumber(yield* retryIn({ attempts: 2 }, { history: [lost, lost] }))
    }))

  it.effect("goes on as long as a schedule of its own does", () =>
    Effect.gen(function*() {
      const schedule = Schedule.spaced("1 second").pipe(Schedule.upTo({ times: 10 }))

      assert.strictEqual(yield* retryIn({ schedule }, { failures: 9 }), 1_000)
      assert.isUndefined(yield* retryIn({ schedule }, { failures: 10 }))
    }))

  it.effect("steps the schedule through the failures before, with their errors and their times", () =>
    Effect.gen(function*() {
      const seen: Array<readonly [number, unknown]> = []
      const schedule = Schedule.fromStep(Effect.succeed((now: number, input: unknown) => {
        seen.push([now, input])
        return Effect.succeed([undefined, Duration.millis(seen.length)] as [undefined, Duration.Duration])
      }))
      yield* TestClock.adjust(100_000)
      const timeout: EarlierAttempt = { attempt: 2, ago: 3_000, took: 1, reason: "timeout" }
      const cutOff: EarlierAttempt = { ...earlier(6, 2_000), error: "{\"_tag\":\"Rej" }
      const history = [earlier(5, 5_000), { ...timeout, reason: "lost" }, timeout, cutOff]

      const wait = yield* retryIn({ schedule }, { code: 7, failures: 4, history })

      assert.strictEqual(wait, 5)
      assert.deepStrictEqual(seen.map(([now]) => now), [95_000, 95_000, 97_000, 98_000, 100_000])
      const errors = seen.map(([, input]) => input as Rejected | { readonly _tag: "TaskTimedOut" })
      assert.deepStrictEqual(errors.map((error) => "code" in error ? error.code : error._tag), [
        // The history lacks one of the four failures.
        7,
        5,
        "TaskTimedOut",
        7,
        7
      ])
    }))

  it.effect("asks `while` about the declared error only, and never retries a defect", () =>
    Effect.gen(function*() {
      const retry = { while: ({ code }: Rejected) => code === 1 }

      assert.isNumber(yield* retryIn(retry, { code: 1 }))
      assert.isUndefined(yield* retryIn(retry, { code: 2 }))
      assert.isUndefined(yield* retryIn({}, { code: 0 }))
    }))

  it.effect("leaves the failure as it is when `while` or the schedule throw, with a warning", () =>
    Effect.gen(function*() {
      const lines: Array<unknown> = []
      const logger = Logger.layer([Logger.make(({ message }) => void lines.push(message))])
      const broken = (): never => {
        throw new Error("broken policy")
      }
      const schedule = Schedule.fromStep<unknown, unknown, never, never, never, never>(Effect.succeed(broken))

      assert.isUndefined(yield* Effect.provide(retryIn({ while: broken }), logger))
      assert.isUndefined(yield* Effect.provide(retryIn({ schedule }), logger))

      assert.lengthOf(lines, 2)
      assert.match(JSON.stringify(lines), /retry policy of a task threw/u)
    }))

  it.effect("does not retry an error that is too large, or an attempt that was told to stop", () =>
    Effect.gen(function*() {
      class Long extends Schema.TaggedError<Long>()("Long", { text: Schema.String }) {}
      const task = Task.define("long", {
        error: Long,
        retry: {},
        args: { length: Schema.Int },
        run: ({ length }) =>
          length > 0
            ? Effect.fail(new Long({ text: "x".repeat(length) }))
            : Effect.onInterrupt(Effect.never, () => Effect.fail(new Long({ text: "interrupted" })))
      })
      const executor = yield* makeExecutor(task.layer, { maxPayloadBytes: 100 })
      const stopped = startAttempt(executor, "long", { length: 0 })
      stopped.interrupt()

      const tooLong = failed(startAttempt(executor, "long", { length: 200 }).results[0])

      assert.deepStrictEqual([tooLong.reason, tooLong.retryInMillis], ["size", undefined])
      assert.notProperty(stopped.results[0], "retryInMillis")
    }))
})

describe("versions", () => {
  const args = { name: Schema.String }
  const success = Schema.String
  const run = ({ name }: { readonly name: string }) => Effect.succeed(name)
  const issues = (result: AttemptResult | undefined) => {
    const { body, reason } = failed(result)
    assert.strictEqual(reason, "arguments")
    return JSON.stringify(JSON.parse(body))
  }

  it.effect("upgrades the arguments of older ones; those without a version are of the first", () =>
    Effect.gen(function*() {
      const task = Task.define("greet", {
        args,
        success,
        version: 3,
        upgrade: (old, from) => ({ name: `${from} ${JSON.stringify(old)}` }),
        run
      })
      const executor = yield* makeExecutor(task.layer)
      const given = (version: number | undefined) => startAttempt(executor, "greet", { name: "a" }, { version }).results

      assert.deepStrictEqual(given(3), [{ state: "succeeded", body: "\"a\"" }])
      assert.deepStrictEqual(given(2), [{ state: "succeeded", body: JSON.stringify("2 {\"name\":\"a\"}") }])
      assert.deepStrictEqual(given(undefined), [{ state: "succeeded", body: JSON.stringify("1 {\"name\":\"a\"}") }])
    }))

  it.effect("decodes older arguments as they are without an upgrade, and says which versions do not fit", () =>
    Effect.gen(function*() {
      const executor = yield* makeExecutor(Task.define("greet", { args, success, version: 2, run }).layer)

      assert.deepStrictEqual(startAttempt(executor, "greet", { name: "a" }).results, [
        { state: "succeeded", body: "\"a\"" }
      ])
      assert.match(
        issues(startAttempt(executor, "greet", { who: "a" }).results[0]),
        /of version 1, this worker's definition is of version 2.*"field":"name"/u
      )
    }))

  it.effect("refuses the arguments of newer ones, and an upgrade that throws", () =>
    Effect.gen(function*() {
      const upgrade = () => {
        throw new RangeError("secret")
      }
      const executor = yield* makeExecutor(Task.define("greet", { args, success, version: 2, upgrade, run }).layer)

      const newer = issues(startAttempt(executor, "greet", { name: "a" }, { version: 3 }).results[0])
      const broken = issues(startAttempt(executor, "greet", { name: "a" }, { version: 1 }).results[0])

      assert.match(newer, /of version 3, this worker's definition is of version 2: update it/u)
      assert.match(broken, /the upgrade of the definition threw RangeError/u)
      assert.notMatch(broken, /secret/u)
    }))
})

describe("TaskContext", () => {
  it.effect("knows the deadline: the earlier of the timeout and the expiry", () =>
    Effect.gen(function*() {
      const deadline = TaskContext.useSync(({ deadline }) => deadline ?? 0)
      const executor = yield* makeExecutor(Layer.mergeAll(
        Task.define("timed", { timeout: "1 minute", success: Schema.Int, run: () => deadline }).layer,
        Task.define("plain", { success: Schema.Int, run: () => deadline }).layer
      ))
      yield* TestClock.adjust(1_000)
      const deadlines = (name: string) =>
        [undefined, 5_000, 100_000].map((expiresInMillis) =>
          (startAttempt(executor, name, {}, { expiresInMillis }).results[0] as { readonly body: string }).body
        )

      assert.deepStrictEqual(deadlines("timed"), ["61000", "6000", "61000"])
      assert.deepStrictEqual(deadlines("plain"), ["0", "6000", "101000"])
    }))

  const definition = Task.make("counting", {
    progress: Schema.Struct({ done: Schema.Int }),
    args: { value: Schema.Unknown },
    success: Schema.Int
  })
  const counting = definition.toLayer(({ value }) =>
    Effect.gen(function*() {
      const checkpoint = yield* definition.checkpoint
      yield* definition.progress(value as { readonly done: number })
      return Option.match(checkpoint, { onNone: () => -1, onSome: ({ done }) => done })
    })
  )

  it.effect("takes progress that fits the definition, and finds the last of an earlier attempt", () =>
    Effect.gen(function*() {
      const executor = yield* makeExecutor(counting, { maxProgressBytes: 20 })
      const given = (checkpoint?: string) => startAttempt(executor, "counting", { value: { done: 3 } }, { checkpoint })

      assert.deepStrictEqual(given().events, ["progress {\"done\":3}", "succeeded", "end"])
      assert.deepStrictEqual(given().results, [{ state: "succeeded", body: "-1" }])
      assert.deepStrictEqual(given("{\"done\":2}").results, [{ state: "succeeded", body: "2" }])
      // Of another version of the definition: the work starts from its beginning.
      assert.deepStrictEqual(given("{\"count\":2}").results, [{ state: "succeeded", body: "-1" }])
    }))

  it.effect("fails a handler that reports what does not fit, or is too large", () =>
    Effect.gen(function*() {
      const executor = yield* makeExecutor(counting, { maxProgressBytes: 10 })
      const given = (value: unknown) => failed(startAttempt(executor, "counting", { value }).results[0])

      assert.match(given({ done: "x" }).body, /TypeError.*progress does not fit its schema: done:/u)
      assert.match(given({ done: 1e9 }).body, /RangeError.*progress has 19 bytes encoded; the limit is 10/u)
    }))

  it.effect("takes any JSON as progress when the definition does not say", () =>
    Effect.gen(function*() {
      const task = Task.define("any", {
        success: Schema.Unknown,
        run: () =>
          Effect.gen(function*() {
            const { checkpoint, progress } = yield* TaskContext
            yield* progress([1, { a: null }])
            return Option.getOrNull(yield* checkpoint)
          })
      })
      const executor = yield* makeExecutor(task.layer)

      const attempt = startAttempt(executor, "any", {}, { checkpoint: "{\"b\":1}" })

      assert.deepStrictEqual(attempt.events, ["progress [1,{\"a\":null}]", "succeeded", "end"])
      assert.deepStrictEqual(attempt.results, [{ state: "succeeded", body: "{\"b\":1}" }])
    }))

  it.effect("is deaf after the attempt", () =>
    Effect.gen(function*() {
      let leaked: Effect.Effect<void> = Effect.die("not run")
      const task = Task.define("leak", {
        run: () => TaskContext.useSync(({ progress }) => void (leaked = progress(1)))
      })
      const attempt = startAttempt(yield* makeExecutor(task.layer), "leak")

      yield* leaked

      assert.deepStrictEqual(attempt.events, ["succeeded", "end"])
    }))

  it.effect("is there for `run` of a definition as plain values", () =>
    Effect.gen(function*() {
      const runs: Array<Task.Run<number>> = []
      const task = Task.define("plain", {
        progress: Schema.Int,
        run: (_, task) => {
          runs.push(task)
          task.progress(1)
          return new Promise<void>(() => {})
        }
      })
      const executor = yield* makeExecutor(task.layer)

      const attempt = startAttempt(executor, "plain", {}, { attempt: 3, checkpoint: "7" })
      const [run] = runs
      assert.deepStrictEqual([run?.id, run?.name, run?.attempt, run?.checkpoint], ["id", "plain", 3, 7])
      assert.isFalse(run?.signal.aborted)
      attempt.interrupt()

      assert.isTrue(run?.signal.aborted)
      assert.strictEqual(run?.signal, runs[0]?.signal)
      assert.deepStrictEqual(attempt.events, ["progress 1", "stopped", "end"])
      assert.throws(() => run?.progress(1.5), /does not fit its schema/u)
    }))

  it.effect("leaves the signal alone when the handler ends by itself", () =>
    Effect.gen(function*() {
      let signal: AbortSignal | undefined
      const task = Task.define("plain", { run: (_, task) => Effect.sync(() => void (signal = task.signal)) })

      const attempt = startAttempt(yield* makeExecutor(task.layer), "plain")

      assert.deepStrictEqual(attempt.events, ["succeeded", "end"])
      assert.isFalse(signal?.aborted)
    }))

  it.effect("gives the slot away while the handler waits: once for waits that are nested or concurrent", () =>
    Effect.gen(function*() {
      const task = Task.define("wait", {
        run: () =>
          Effect.gen(function*() {
            const { yieldSlot } = yield* TaskContext
            yield* Effect.all([yieldSlot(Effect.sleep(10)), yieldSlot(yieldSlot(Effect.sleep(20)))], {
              concurrency: "unbounded"
            })
            yield* Effect.sleep(10)
            yield* Effect.ignore(yieldSlot(Effect.fail("x")))
            yield* yieldSlot(Effect.never)
          }).pipe(Effect.orDie)
      })
      const attempt = startAttempt(yield* makeExecutor(task.layer), "wait")

      assert.deepStrictEqual(attempt.events, ["waits"])
      yield* TestClock.adjust(19)
      assert.deepStrictEqual(attempt.events, ["waits"])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(attempt.events, ["waits", "goes on"])
      yield* TestClock.adjust(10)
      assert.deepStrictEqual(attempt.events, ["waits", "goes on", "waits", "goes on", "waits"])
      attempt.interrupt()

      assert.deepStrictEqual(attempt.events.slice(5), ["goes on", "stopped", "end"])
    }))

  it.effect("does not wait when the worker can't free the slot", () =>
    Effect.gen(function*() {
      const asked: Array<boolean> = []
      const task = Task.define("wait", {
        success: Schema.String,
        run: () =>
          TaskContext.use(({ yieldSlot }) => yieldSlot(Effect.never)).pipe(
            Effect.catchTag("WouldDeadlock", (error) => Effect.succeed(error.message))
          )
      })
      const executor = yield* makeExecutor(task.layer)

      const { results } = startAttempt(executor, "wait", {}, {
        setWaiting: (isWaiting) => {
          asked.push(isWaiting)
          return false
        }
      })

      assert.match(JSON.stringify(results), /wait\) can't wait for other tasks.*raise --concurrency/u)
      assert.deepStrictEqual(asked, [true])
    }))
})

describe("middleware", () => {
  it.effect("runs around each attempt: that of all tasks first, in the order of the layers, then the definition's", () =>
    Effect.gen(function*() {
      const events: Array<string> = []
      const noting = (label: string): Task.Around => (run, { attempt, id, name }) =>
        Effect.ensuring(
          Effect.andThen(Effect.sync(() => events.push(`${label} ${name} ${id} ${attempt}`)), run),
          Effect.sync(() => events.push(`end ${label}`))
        )
      const task = Task.make("t", { error: Rejected })
      const layers = Layer.mergeAll(
        task.toLayer(() => Effect.fail(new Rejected({ code: 1 })), { around: noting("own") }),
        Task.middleware(noting("outer")),
        Task.middleware(Effect.map(Clock.currentTimeMillis, (now) => noting(`inner ${now}`)))
      )

      const { results } = startAttempt(yield* makeExecutor(layers), "t")

      assert.deepStrictEqual(events, [
        "outer t id 1",
        "inner 0 t id 1",
        "own t id 1",
        "end own",
        "end inner 0",
        "end outer"
      ])
      assert.deepStrictEqual(results.map((result) => failed(result).reason), ["error"])
    }))

  it.effect("fails the attempt unexpectedly when it throws", () =>
    Effect.gen(function*() {
      const layers = Layer.mergeAll(
        Task.define("t", { run: () => Effect.void }).layer,
        Task.middleware(() => {
          throw new TypeError("broken middleware")
        })
      )

      const { results } = startAttempt(yield* makeExecutor(layers), "t")

      assert.match(failed(results[0]).body, /TypeError.*broken middleware/u)
    }))

  it.effect("may take its time, within the timeout of the attempt", () =>
    Effect.gen(function*() {
      const layers = Layer.mergeAll(
        Task.define("t", { timeout: 10, run: () => Effect.void }).layer,
        Task.middleware((run) => Effect.andThen(Effect.sleep(20), run))
      )
      const attempt = startAttempt(yield* makeExecutor(layers), "t")

      yield* TestClock.adjust(10)

      assert.deepStrictEqual(attempt.results.map((result) => failed(result).reason), ["timeout"])
    }))
})
