/** Many tasks at once, and tasks that wait for other tasks, against a control plane and a worker over sockets. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Errors from "../../src/domain/Errors.ts"
import * as Task from "../../src/domain/TaskDefinition.ts"
import type { ConnectedClient } from "../../src/layers/NodeClient.ts"
import * as Handles from "../../src/services/Handles.ts"
import { startClient, startControlPlane, startWorker } from "../harness/Roles.ts"
import { until } from "../harness/Until.ts"

class Odd extends Schema.TaggedError<Odd>()("Odd", { n: Schema.Int }) {}

/** Each ends when its turn has come: fails when its number is odd. */
const makeTurns = () => {
  const turns = new Map<number, Latch.Latch>()
  const turn = (n: number) => {
    const latch = turns.get(n) ?? Latch.makeUnsafe(false)
    turns.set(n, latch)
    return latch
  }
  const task = Task.define("turn", {
    args: { n: Schema.Int },
    success: Schema.Int,
    error: Odd,
    run: ({ n }) => turn(n).await.pipe(Effect.andThen(n % 2 === 0 ? Effect.succeed(n) : Effect.fail(new Odd({ n }))))
  })
  return { task, end: (n: number) => turn(n).open }
}

const ping = Task.define("ping", { success: Schema.String, run: () => Effect.succeed("pong") })

const start = Effect.fnUntraced(function*<Handlers extends Task.TaskHandler<string>>(
  handlers: Layer.Layer<Handlers>,
  concurrency = 8
) {
  const plane = yield* startControlPlane({ startGraceMillis: 0 })
  yield* startWorker(plane, handlers, { id: "one", concurrency })
  return { plane, client: yield* startClient(plane, { deadlineMillis: 5_000 }) }
})

describe("Handles.all", () => {
  it.live("gives the values in order, each with its own type", () =>
    Effect.gen(function*() {
      const { end, task } = makeTurns()
      const { client } = yield* start(Layer.merge(task.layer, ping.layer))
      const two = yield* client.delay(task, { n: 2 })
      const pong = yield* client.delay(ping)
      const four = yield* client.delay(task, { n: 4 })
      yield* Effect.andThen(end(4), end(2))

      const values: [number, string, number] = yield* Handles.all([two, pong, four])

      assert.deepStrictEqual(values, [2, "pong", 4])
      assert.deepStrictEqual(yield* Handles.all([]), [])
    }))

  it.live("fails as soon as one of them fails; the others run on", () =>
    Effect.gen(function*() {
      const { end, task } = makeTurns()
      const { client } = yield* start(task.layer)
      const handles = yield* client.delayAll(task, [{ n: 2 }, { n: 3 }])
      yield* end(3)

      const error = yield* Effect.flip(Handles.all(handles))

      assert.deepStrictEqual(error, new Odd({ n: 3 }))
      yield* end(2)
      assert.strictEqual(yield* (handles[0]?.result ?? Effect.never), 2)
    }))
})

describe("Handles.asCompleted", () => {
  it.live("has the tasks in the order in which they end, however they do", () =>
    Effect.gen(function*() {
      const { end, task } = makeTurns()
      const { client } = yield* start(task.layer)
      const handles = yield* client.delayAll(task, [{ n: 0 }, { n: 1 }, { n: 2 }, { n: 4 }])
      const order = [2, 1, 4, 0]
      let seen = 0

      yield* end(2)
      const completed = yield* Handles.asCompleted(handles).pipe(
        // The next may end when the one before was seen.
        Stream.tap(() => Effect.forEach(order.slice(++seen, seen + 1), end)),
        Stream.runCollect
      )

      assert.deepStrictEqual(completed.map(({ index }) => index), [2, 1, 3, 0])
      assert.deepStrictEqual(completed.map(({ handle }) => handle), [2, 1, 3, 0].map((index) => handles[index]))
      assert.deepStrictEqual(completed.map(({ exit }) => Exit.isSuccess(exit)), [true, false, true, true])
      assert.deepStrictEqual(completed[1]?.exit, Exit.fail(new Odd({ n: 1 })))
    }))

  it.live("waits for ten thousand", () =>
    Effect.gen(function*() {
      const { client } = yield* start(ping.layer, 1_000)
      const handles = yield* client.delayAll(ping, Array.from({ length: 10_000 }, () => ({})))

      const count = yield* Stream.runCount(Handles.asCompleted(handles))

      assert.strictEqual(count, 10_000)
    }))
})

describe("client.runAll", () => {
  it.live("gives the values in the order of the arguments", () =>
    Effect.gen(function*() {
      const { end, task } = makeTurns()
      const { client } = yield* start(task.layer)
      const running = yield* Effect.forkChild(client.runAll(task, [0, 2, 4].map((n) => ({ n }))))
      for (const n of [4, 0, 2]) yield* end(n)

      assert.deepStrictEqual(yield* Fiber.join(running), [0, 2, 4])
      assert.deepStrictEqual(yield* client.runAll(task, []), [])
    }))

  it.live("runs ten thousand", () =>
    Effect.gen(function*() {
      const { client } = yield* start(ping.layer, 1_000)

      const values = yield* client.runAll(ping, Array.from({ length: 10_000 }, () => ({})))

      assert.lengthOf(values, 10_000)
      assert.isTrue(values.every((value) => value === "pong"))
      assert.strictEqual((yield* client.stats).submitted, 10_000)
    }))

  it.live("fails as soon as one of them fails; the others run on", () =>
    Effect.gen(function*() {
      const { end, task } = makeTurns()
      const { client } = yield* start(task.layer)
      yield* end(3)

      const error = yield* Effect.flip(client.runAll(task, [{ n: 2 }, { n: 3 }, { n: 5 }]))

      assert.deepStrictEqual(error, new Odd({ n: 3 }))
      yield* Effect.andThen(end(2), end(5))
      yield* until("the others ended", Effect.map(client.stats, ({ failed, succeeded }) => failed + succeeded === 3))
    }))

  it.live("fails with what is refused, and submits nothing when arguments are invalid", () =>
    Effect.gen(function*() {
      const { task } = makeTurns()
      const { client } = yield* start(ping.layer)

      assert.instanceOf(yield* Effect.flip(client.runAll(task, [{ n: 0 }, { n: 2 }])), Errors.UnknownTask)
      assert.instanceOf(yield* Effect.flip(client.runAll(task, [{ n: 0 }, { n: 0.5 }])), Errors.InvalidArguments)
      assert.strictEqual((yield* client.stats).submitted, 0)
    }))

  it.live("gives the value of the task that is there to each whose unique key that holds", () =>
    Effect.gen(function*() {
      const once = Task.define("once", {
        args: { key: Schema.String },
        success: Schema.String,
        unique: { key: ({ key }) => key, while: "1 hour", onConflict: "existing" },
        run: ({ key }) => Effect.succeed(key)
      })
      const { client } = yield* start(once.layer)

      const values = yield* client.runAll(once, ["a", "b", "a", "a"].map((key) => ({ key })))

      assert.deepStrictEqual(values, ["a", "b", "a", "a"])
      assert.strictEqual((yield* client.stats).submitted, 2)
    }))

  it.live("can be left, and waits for the same again later", () =>
    Effect.gen(function*() {
      const { end, task } = makeTurns()
      const { client } = yield* start(task.layer)
      const left = yield* Effect.forkChild(client.runAll(task, [{ n: 0 }, { n: 2 }]))
      yield* until("both run", Effect.map(client.stats, ({ running }) => running === 2))
      yield* Fiber.interrupt(left)
      yield* Effect.andThen(end(0), end(2))

      assert.deepStrictEqual(yield* client.runAll(task, [{ n: 0 }, { n: 2 }]), [0, 2])
    }))
})

describe("Handles.first", () => {
  it.live("gives the first that succeeds, and leaves the others alone", () =>
    Effect.gen(function*() {
      const { end, task } = makeTurns()
      const { client } = yield* start(task.layer)
      const handles = yield* client.delayAll(task, [{ n: 0 }, { n: 1 }, { n: 2 }])
      yield* end(1)
      yield* until("one failed", Effect.map(client.stats, ({ failed }) => failed === 1))
      yield* end(2)

      const { handle, index, value } = yield* Handles.first(handles)

      assert.deepStrictEqual([index, value], [2, 2])
      assert.strictEqual(handle, handles[2])
      assert.strictEqual((yield* handles[0]?.status ?? Effect.never).state, "running")
    }))

  it.live("cancels the others when it is asked to, and waits until they have stopped", () =>
    Effect.gen(function*() {
      const { end, task } = makeTurns()
      const { client } = yield* start(task.layer)
      const handles = yield* client.delayAll(task, [{ n: 0 }, { n: 1 }, { n: 2 }])
      yield* end(1)
      yield* end(2)

      yield* Handles.first(handles, { cancelOthers: true })

      const states = yield* Effect.forEach(handles, ({ status }) => Effect.map(status, ({ state }) => state))
      assert.deepStrictEqual(states, ["cancelled", "failed", "succeeded"])
    }))

  it.live("fails when all have failed, with the last failure", () =>
    Effect.gen(function*() {
      const { end, task } = makeTurns()
      const { client } = yield* start(task.layer)
      const handles = yield* client.delayAll(task, [{ n: 1 }, { n: 3 }])
      const first = yield* Effect.forkChild(Effect.flip(Handles.first(handles)), { startImmediately: true })
      yield* end(3)
      yield* until("one failed", Effect.map(client.stats, ({ failed }) => failed === 1))
      yield* end(1)

      assert.deepStrictEqual(yield* Fiber.join(first), new Odd({ n: 1 }))
      assert.throws(() => Handles.first([]), RangeError, /at least one/u)
    }))
})

describe("a handler that waits for other tasks", () => {
  /** A task whose handler uses the client of the test. */
  const makeParent = Effect.gen(function*() {
    const connected = yield* Deferred.make<ConnectedClient>()
    const parent = (name: string, run: (client: ConnectedClient) => Effect.Effect<number, Error>) =>
      Task.define(name, {
        success: Schema.Int,
        run: () => Effect.orDie(Effect.flatMap(Deferred.await(connected), run))
      })
    return { parent, connect: (client: ConnectedClient) => Deferred.succeed(connected, client) }
  })

  it.live("frees its slot while it waits, in every way to wait", () =>
    Effect.gen(function*() {
      const { connect, parent } = yield* makeParent
      const two = Task.make("two", { success: Schema.Int, progress: Schema.Int })
      const handler = two.toLayer(() => Effect.as(two.progress(2), 2))
      const many = (client: ConnectedClient) => client.delayAll(two, [{}, {}])
      const ways = [
        parent("run", (client) => client.run(two)),
        parent("result", (client) => Effect.flatMap(client.delay(two), ({ result }) => result)),
        parent("all", (client) => Effect.map(Effect.flatMap(many(client), Handles.all), ([n = 0]) => n)),
        parent("run all", (client) => Effect.map(client.runAll(two, [{}, {}]), ([n = 0]) => n)),
        parent("first", (client) => Effect.map(Effect.flatMap(many(client), Handles.first), ({ value }) => value)),
        parent("completed", (client) =>
          Effect.flatMap(many(client), (handles) => Stream.runCount(Handles.asCompleted(handles)))),
        parent("progress", (client) =>
          Effect.flatMap(client.delay(two), ({ progress }) =>
            Effect.as(Stream.runDrain(progress), 2)))
      ]
      const { client } = yield* start(
        Layer.mergeAll(
          handler,
          ...ways.map(({ layer }) =>
            layer
          )
        ),
        1
      )
      yield* connect(client)

      for (const way of ways) assert.strictEqual(yield* client.run(way), 2, way.name)
    }))

  it.live("fails to wait when its worker holds too many that do", () =>
    Effect.gen(function*() {
      const { connect, parent } = yield* makeParent
      const { end, task } = makeTurns()
      const waits = parent("waits", (client) => client.run(task, { n: 2 }))
      const { client } = yield* start(Layer.merge(waits.layer, task.layer), 1)
      yield* connect(client)

      const handles = yield* client.delayAll(waits, Array.from({ length: 12 }, () => ({})))
      const refused = yield* Handles.asCompleted(handles).pipe(
        Stream.filter(({ exit }) => Exit.isFailure(exit)),
        Stream.runHead,
        Effect.flatMap(Effect.fromOption),
        Effect.flatMap(({ exit }) => Effect.flip(exit))
      )
      yield* end(2)

      assert.instanceOf(refused, Errors.TaskDefect)
      assert.strictEqual(refused.defect, "WouldDeadlock")
    }))
})
