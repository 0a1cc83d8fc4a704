/** `fastworker/testing`, as the tests of a program use it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as Task from "../src/domain/TaskDefinition.ts"
import { Client } from "../src/services/Client.ts"
import { layerTest, makeTestQueue, TestQueue } from "../src/testing.ts"

const sent: Array<string> = []

const sendWelcome = Task.define("test.welcome", {
  args: { to: Schema.String },
  success: Schema.String,
  run: ({ to }) =>
    Effect.sync(() => {
      sent.push(to)
      return `sent to ${to}`
    })
})

class Bounced extends Schema.TaggedError<Bounced>()("Bounced", { to: Schema.String }) {}

let attempts = 0
const flaky = Task.define("test.flaky", {
  args: { to: Schema.String },
  success: Schema.Int,
  error: Bounced,
  retry: { attempts: 3, schedule: Schedule.spaced("10 minutes") },
  run: ({ to }) => Effect.suspend(() => ++attempts < 3 ? Effect.fail(new Bounced({ to })) : Effect.succeed(attempts))
})

const slow = Task.define("test.slow", {
  args: {},
  success: Schema.String,
  run: () => Effect.as(Effect.sleep("1 hour"), "done")
})

/** The program under test: it submits and does not wait. */
const signUp = (to: string) => Effect.flatMap(Client, (client) => client.delay(sendWelcome, { to }))

describe("layerTest", () => {
  it.effect("writes down what is submitted, and runs nothing before drain", () =>
    Effect.gen(function*() {
      sent.length = 0
      const queue = yield* TestQueue
      const handle = yield* signUp("ada@example.org")
      yield* signUp("bob@example.org")

      assert.deepStrictEqual(queue.enqueued(sendWelcome).map(({ args }) => args.to), [
        "ada@example.org",
        "bob@example.org"
      ])
      assert.strictEqual(queue.enqueued(sendWelcome)[0]?.id, handle.id)
      assert.lengthOf(queue.enqueued(slow), 0)
      assert.deepStrictEqual(sent, [])

      yield* queue.drain

      assert.deepStrictEqual(sent, ["ada@example.org", "bob@example.org"])
      assert.strictEqual(yield* handle.result, "sent to ada@example.org")
    }).pipe(Effect.provide(layerTest([sendWelcome, slow]))))

  it.effect("writes down what is submitted by each way that waits", () =>
    Effect.gen(function*() {
      const client = yield* Client
      const queue = yield* TestQueue
      const to = ["x", "y", "z"].map((to) => ({ to }))

      assert.deepStrictEqual(yield* client.runAll(sendWelcome, to), ["sent to x", "sent to y", "sent to z"])
      assert.deepStrictEqual(queue.all().map(({ args }) => args), to)
    }).pipe(Effect.provide(layerTest([sendWelcome], { autorun: true }))))

  it.effect("has a queue of its own for each test", () =>
    Effect.gen(function*() {
      const queue = yield* TestQueue
      assert.lengthOf(queue.all(), 0)
    }).pipe(Effect.provide(layerTest([sendWelcome, slow]))))

  it.effect("refuses what a real control plane refuses", () =>
    Effect.gen(function*() {
      const client = yield* Client
      const queue = yield* TestQueue
      const error = yield* Effect.flip(client.delay(sendWelcome, { to: 1 as never }))
      const unknown = yield* Effect.flip(client.delay(slow, {}))

      assert.strictEqual(error._tag, "InvalidArguments")
      assert.strictEqual(unknown._tag, "UnknownTask")
      assert.lengthOf(queue.all(), 0)
    }).pipe(Effect.provide(layerTest([sendWelcome]))))

  it.effect("runs delayed tasks when the test's clock says so", () =>
    Effect.gen(function*() {
      sent.length = 0
      const client = yield* Client
      const queue = yield* TestQueue
      yield* client.delay(sendWelcome, { to: "later" }, { in: "2 hours" })

      yield* queue.drain
      assert.deepStrictEqual(sent, [])

      yield* TestClock.adjust("3 hours")
      yield* queue.drain
      assert.deepStrictEqual(sent, ["later"])
    }).pipe(Effect.provide(layerTest([sendWelcome]))))

  it.effect("retries as the definition says, by the test's clock", () =>
    Effect.gen(function*() {
      attempts = 0
      const client = yield* Client
      const queue = yield* TestQueue
      const handle = yield* client.delay(flaky, { to: "x" })
      for (let i = 0; i < 3; i++) {
        yield* queue.drain
        yield* TestClock.adjust("11 minutes")
      }
      assert.strictEqual(yield* handle.result, 3)
    }).pipe(Effect.provide(layerTest([flaky]))))

  it.effect("lets a handler sleep by the test's clock", () =>
    Effect.gen(function*() {
      const client = yield* Client
      const queue = yield* TestQueue
      const handle = yield* client.delay(slow)
      const drained = yield* Effect.forkChild(queue.drain)
      yield* TestClock.adjust("2 hours")
      yield* Effect.repeat(TestClock.adjust("1 hour"), {
        while: () => drained.pollUnsafe() === undefined,
        times: 100
      })
      yield* Fiber.join(drained)
      assert.strictEqual(yield* handle.result, "done")
    }).pipe(Effect.provide(layerTest([slow]))))

  it.effect("lets the process sleep while the test's clock stands still", () =>
    Effect.gen(function*() {
      const client = yield* Client
      const queue = yield* TestQueue
      for (let i = 0; i < 5; i++) {
        yield* client.delay(sendWelcome, { to: `${i}` })
        yield* queue.drain
      }
      // In the phase of timers: what is to run at once after it was asked for by what never sleeps.
      const isAwake = Effect.callback<boolean>((resume) => {
        setTimeout(() => resume(Effect.succeed(process.getActiveResourcesInfo().includes("Immediate"))), 5)
      })
      yield* Effect.repeat(isAwake, { while: (isAwake) => isAwake, times: 200 })
      assert.isFalse(yield* isAwake)
    }).pipe(Effect.provide(layerTest([sendWelcome]))))

  it.effect("runs tasks as they come with autorun", () =>
    Effect.gen(function*() {
      const client = yield* Client
      assert.strictEqual(yield* client.run(sendWelcome, { to: "now" }), "sent to now")
    }).pipe(Effect.provide(layerTest([sendWelcome], { autorun: true }))))
})

describe("makeTestQueue", () => {
  it("is the same for programs with promises", async () => {
    sent.length = 0
    await using queue = await makeTestQueue([sendWelcome])
    const handle = await queue.client.delay(sendWelcome, { to: "eve" }, { priority: "high" })

    assert.deepStrictEqual(
      queue.enqueued(sendWelcome),
      [
        { id: handle.id, args: { to: "eve" }, options: { priority: "high" } }
      ].map((enqueued) => ({ ...enqueued, name: "test.welcome" })) as never
    )
    assert.deepStrictEqual(sent, [])

    await queue.drain()

    assert.deepStrictEqual(sent, ["eve"])
    assert.strictEqual(await handle.result(), "sent to eve")
    queue.clear()
    assert.lengthOf(queue.all(), 0)
  })
})
