import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as Task from "../../src/domain/TaskDefinition.ts"
import * as TaskRegistryModules from "../../src/layers/TaskRegistryModules.ts"
import { TaskRegistry } from "../../src/services/TaskRegistry.ts"
import { until } from "../harness/Until.ts"

const fixtures = "test/fixtures/tasks"
const tick = Task.define("tick", { run: () => Effect.void })

const load = (...files: ReadonlyArray<string>) =>
  Effect.provideServiceEffect(
    TaskRegistry,
    TaskRegistry,
    Effect.map(
      TaskRegistryModules.makeFromFiles(files.map((file) => `${fixtures}/${file}`)),
      ({ registry }) => registry
    )
  )

const names = ({ handlers }: TaskRegistry["Service"]) => handlers.map(({ definition }) => definition.name)

describe("makeFromFiles", () => {
  it.effect("collects handlers, schedules and middleware, each once", () =>
    Effect.gen(function*() {
      const registry = yield* load("schedules.ts", "schedules-only.ts")

      assert.deepStrictEqual(names(registry), ["tick"])
      assert.deepStrictEqual(registry.schedules.map(({ id }) => id).sort(), [
        "tick:cron:0 9 * * 1-5 Europe/Berlin",
        "tick:every:1d",
        "tick:every:1h",
        "tick:every:1m"
      ])
      assert.lengthOf(registry.middleware, 2)
      assert.deepStrictEqual(registry.files, [`${fixtures}/schedules.ts`, `${fixtures}/schedules-only.ts`])
    }))

  it.effect("orders middleware by files, then by the names of the exports", () =>
    Effect.gen(function*() {
      const { middleware } = yield* load("threads.ts", "schedules.ts")
      const run = Effect.succeed(1)

      const [, first, second] = middleware

      assert.lengthOf(middleware, 3)
      assert.notStrictEqual(first?.(run, null as never), run)
      assert.strictEqual(second?.(run, null as never), run)
    }))

  it.effect("refuses two schedules with one id", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(load("schedules.ts", "bad/same-schedule.ts"))

      assert.strictEqual(
        error.message,
        "Task file test/fixtures/tasks/bad/same-schedule.ts: it declares the schedule \"tick:every:1h\", " +
          "which is declared before: give one of them another id"
      )
    }))

  it.effect("says what is missing in a file without anything", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(load("bad/nothing.ts"))

      assert.match(error.message, /it exports no tasks: export what Task\.define or \.toLayer\(handler\) returns/u)
    }))

  it.effect("gives up a file that awaits something that never comes", () =>
    Effect.gen(function*() {
      const loading = yield* Effect.forkChild(Effect.flip(load("bad/never.js")))
      yield* TestClock.withLive(until("the file to begin", () => "neverLoads" in globalThis))
      assert.isUndefined(loading.pollUnsafe())
      yield* TestClock.adjust("1 minute")

      assert.strictEqual(
        (yield* Fiber.join(loading)).message,
        "Task file test/fixtures/tasks/bad/never.js: it has not loaded within 60 s: does it await something that never comes?"
      )
    }))

  for (
    const [file, reason] of [
      ["getters.js", "what it exports can't be read: Error: not you"],
      ["odd-throw.js", "it throws when it is loaded: a value that is no Error"],
      [
        "no-setting.js",
        `one of its layers fails: ConfigError: SchemaError(Expected string at ["FASTWORKER_TEST_THAT_NOBODY_SETS"])`
      ],
      ["odd-layer.js", "it exports definitions without handlers"]
    ] as const
  ) {
    it.effect(`says in a sentence what is wrong with ${file}`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(load(`bad/${file}`))

        assert.include(error.message, `Task file test/fixtures/tasks/bad/${file}: ${reason}`)
      }))
  }
})

describe("layer", () => {
  const build = (schedules: ReadonlyArray<ReturnType<typeof Task.every>>) =>
    Layer.build(
      TaskRegistryModules.layer(Layer.mergeAll(tick.layer, Task.middleware((run) => run)), { schedules })
    ).pipe(Effect.flatMap((context) => Effect.provideContext(TaskRegistry, context)))

  it.effect("takes handlers, middleware and schedules", () =>
    Effect.gen(function*() {
      const schedule = Task.every(tick, "1 hour")

      const registry = yield* build([schedule])

      assert.deepStrictEqual(names(registry), ["tick"])
      assert.lengthOf(registry.middleware, 1)
      assert.deepStrictEqual([registry.schedules, registry.files], [[schedule], []])
      assert.strictEqual(registry.get("tick"), registry.handlers[0])
    }))

  it.effect("dies of two schedules with one id", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(build([Task.every(tick, "1 hour"), Task.every(tick, "1 hour")]))

      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
      assert.match(
        String(Exit.isFailure(exit) && Cause.squash(exit.cause)),
        /"tick:every:1h", which is declared before/u
      )
    }))
})
