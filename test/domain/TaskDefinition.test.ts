import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { TaskContext } from "../../src/domain/TaskContext.ts"
import * as Task from "../../src/domain/TaskDefinition.ts"

class Rejected extends Schema.TaggedError<Rejected>()("Rejected", { code: Schema.Int }) {}

class Greeting extends Context.Service<Greeting, { readonly of: (name: string) => string }>()("test/Greeting") {}

const context = Context.make(TaskContext, {
  id: "id",
  name: "t",
  attempt: 1,
  worker: "w",
  idempotencyKey: "id",
  deadline: undefined,
  progress: () => Effect.void,
  checkpoint: Effect.succeedNone,
  yieldSlot: (wait) => wait
})

/** The handler that a layer provides, as a process that executes finds it. */
const handlerOf = <Name extends string, E, R>(layer: Layer.Layer<Task.TaskHandler<Name>, E, R>, name: string) =>
  Effect.map(Layer.build(layer), (services) => {
    const handler: unknown = services.mapUnsafe.get(Task.handlerKeyPrefix + name)
    return handler as Task.RegisteredHandler
  })

/** Runs the handler of a layer as the executor does. */
const run = <Name extends string, E, R>(
  layer: Layer.Layer<Task.TaskHandler<Name>, E, R>,
  name: string,
  args: unknown = {}
) =>
  Effect.gen(function*() {
    const handler = yield* handlerOf(layer, name)
    return yield* Effect.suspend(() => handler.run(args)).pipe(
      Effect.provideContext(Context.merge(handler.services, context)),
      Effect.exit
    )
  })

describe("make", () => {
  it("needs a name only: no arguments, no value, no declared error, no priority of its own", () => {
    const task = Task.make("t")

    assert.deepStrictEqual([task.name, task.priority, task.description], ["t", undefined, undefined])
    assert.deepStrictEqual(task.args.encode({}), Result.succeed("{}"))
    assert.deepStrictEqual(task.args.decode("{}"), Result.succeed({}))
    assert.deepStrictEqual(task.success.encode(undefined), Result.succeed("null"))
    assert.isFalse(task.isError(new Rejected({ code: 1 })))
    assert.isTrue(Result.isFailure(task.error.decode("{}")))
  })

  it("takes schemas of arguments, value and error, priority and description", () => {
    const task = Task.make("t", {
      args: { at: Schema.Date },
      success: Schema.Int,
      error: Rejected,
      priority: "critical",
      description: "d"
    })

    assert.deepStrictEqual([task.priority, task.description], ["critical", "d"])
    assert.deepStrictEqual(
      task.args.encode({ at: new Date(0) }),
      Result.succeed("{\"at\":\"1970-01-01T00:00:00.000Z\"}")
    )
    assert.isTrue(Result.isFailure(task.success.encode(1.5)))
    assert.isTrue(task.isError(new Rejected({ code: 1 })))
    assert.isFalse(task.isError(new Error("Rejected")))
  })

  for (const name of ["", "x".repeat(129), "a\nb", "a\u0000", "\u007f"]) {
    it(`throws for the name ${JSON.stringify(name).slice(0, 20)}`, () => {
      assert.throws(() => Task.make(name), /name of 1 to 128 characters/u)
      assert.throws(() => Task.define(name, { run: () => Effect.void }), /name of 1 to 128 characters/u)
    })
  }

  it("takes any other name", () => {
    for (const name of ["a", "x".repeat(128), "grün und blau", "\u{1f600}", "constructor", "__proto__"]) {
      assert.strictEqual(Task.make(name).name, name)
    }
  })
})

describe("toLayer", () => {
  it.effect("provides a handler with the services of where it was built", () =>
    Effect.gen(function*() {
      const task = Task.make("greet", { args: { name: Schema.String }, success: Schema.String })
      const layer = task.toLayer(({ name }) => Effect.map(Greeting, (greeting) => greeting.of(name))).pipe(
        Layer.provide(Layer.succeed(Greeting, { of: (name) => `hello ${name}` }))
      )

      assert.deepStrictEqual(yield* run(layer, "greet", { name: "you" }), Exit.succeed("hello you"))
    }))

  it.effect("builds a handler that is made by an Effect once, however often it runs", () =>
    Effect.gen(function*() {
      let built = 0
      const task = Task.make("t", { success: Schema.Int })
      const handler = yield* handlerOf(
        task.toLayer(Effect.sync(() => {
          built++
          return () => Effect.succeed(built)
        })),
        "t"
      )

      const runs = yield* Effect.all([handler.run({}), handler.run({})]).pipe(Effect.provideContext(context))

      assert.deepStrictEqual([runs, built], [[1, 1], 1])
      assert.strictEqual(handler.definition, task as never)
    }))

  it.effect("releases what the handler was built with at the end of the layer's scope", () =>
    Effect.gen(function*() {
      const events: Array<string> = []
      const layer = Task.make("t").toLayer(Effect.gen(function*() {
        yield* Effect.addFinalizer(() => Effect.sync(() => events.push("released")))
        return () => Effect.sync(() => void events.push("run"))
      }))

      yield* Effect.scoped(run(layer, "t"))

      assert.deepStrictEqual(events, ["run", "released"])
    }))

  it.effect("gives the handler its TaskContext", () =>
    Effect.gen(function*() {
      const layer = Task.make("t", { success: Schema.String }).toLayer(() => Effect.map(TaskContext, ({ id }) => id))

      assert.deepStrictEqual(yield* run(layer, "t"), Exit.succeed("id"))
    }))
})

describe("middleware", () => {
  it.effect("gives each layer a key of its own, so that merging keeps both, in their order", () =>
    Effect.gen(function*() {
      const first: Task.Around = (run) => run
      const second: Task.Around = (run) => run
      const services = yield* Layer.build(
        Layer.mergeAll(Task.middleware(first), Task.middleware(Effect.succeed(second)))
      )

      const found = [...services.mapUnsafe].flatMap(([key, value]): ReadonlyArray<unknown> =>
        key.startsWith(Task.middlewareKeyPrefix) ? [value] : []
      )

      assert.deepStrictEqual(found, [first, second])
      assert.strictEqual(found[0], first)
    }))
})

describe("define", () => {
  it("is a definition that brings its layer", () => {
    const task = Task.define("t", { priority: "low", run: () => Effect.void })

    assert.isTrue(Task.isTaskDefinition(task))
    assert.isTrue(Task.isDefinedTask(task))
    assert.isFalse(Task.isDefinedTask(Task.make("t")))
    assert.deepStrictEqual([null, 1, {}, { layer: task.layer }].map(Task.isTaskDefinition), [
      false,
      false,
      false,
      false
    ])
    assert.strictEqual(task.priority, "low")
  })

  const outcomes = (results: {
    readonly name: string
    readonly run: () => Effect.Effect<number, Rejected, TaskContext> | Promise<number>
  }) => run(Task.define(results.name, { success: Schema.Int, error: Rejected, run: results.run }).layer, results.name)

  it.effect("runs an Effect, or a Promise", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* outcomes({ name: "t", run: () => Effect.succeed(1) }), Exit.succeed(1))
      assert.deepStrictEqual(yield* outcomes({ name: "t", run: () => Promise.resolve(2) }), Exit.succeed(2))
    }))

  it.effect("fails with the declared error, however it comes", () =>
    Effect.gen(function*() {
      const error = new Rejected({ code: 7 })

      const exits = yield* Effect.all([
        outcomes({ name: "t", run: () => Effect.fail(error) }),
        outcomes({ name: "t", run: () => Promise.reject(error) })
      ])

      for (const exit of exits) assert.deepStrictEqual(exit, Exit.fail(error))
    }))

  it.effect("takes any other rejection, and whatever is thrown, as unexpected", () =>
    Effect.gen(function*() {
      const cause = new TypeError("oops")

      const exits = yield* Effect.all([
        outcomes({ name: "t", run: () => Promise.reject(cause) }),
        outcomes({
          name: "t",
          run: () => {
            throw cause
          }
        }),
        outcomes({ name: "t", run: () => Effect.die(cause) })
      ])

      for (const exit of exits) {
        assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause) && !Cause.hasFails(exit.cause))
        assert.isTrue(Exit.isFailure(exit) && Cause.squash(exit.cause) === cause)
      }
    }))
})

describe("untyped", () => {
  it("takes any JSON value as arguments, value and error", () => {
    const task = Task.untyped("t")

    for (const codec of [task.args, task.success, task.error]) {
      assert.deepStrictEqual(codec.decode("[1,{\"a\":null}]"), Result.succeed([1, { a: null }]))
    }
  })
})
