/** The client of `fastworker/promise`, against a control plane over real sockets. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Errors from "../src/domain/Errors.ts"
import { TaskContext } from "../src/domain/TaskContext.ts"
import * as Task from "../src/domain/TaskDefinition.ts"
import { FastWorker, serveWorker } from "../src/promise.ts"
import { eventually } from "./harness/Cluster.ts"
import { startControlPlane } from "./harness/Roles.ts"
import { until } from "./harness/Until.ts"

class Odd extends Schema.TaggedError<Odd>()("Odd", { n: Schema.Int }) {}

const half = Task.define("half", {
  args: { n: Schema.Int },
  success: Schema.Int,
  error: Odd,
  run: ({ n }) => n % 2 === 0 ? Promise.resolve(n / 2) : Promise.reject(new Odd({ n }))
})

/** Runs until the test lets it end. */
const makeGate = () => {
  let open = () => {}
  let hasStarted = false
  const opened = new Promise<void>((resolve) => (open = resolve))
  const task = Task.define("gate", {
    success: Schema.String,
    run: async () => {
      hasStarted = true
      await opened
      return "through"
    }
  })
  return { task, open: () => open(), hasStarted: () => hasStarted }
}

const connect = (address: string) =>
  Effect.acquireRelease(
    Effect.promise(() => FastWorker.connect({ controlPlane: address, deadlineMillis: 5_000 })),
    (fw) => Effect.promise(fw.close)
  )

const serve = (tasks: Parameters<typeof serveWorker>[0], workerAddress: string) =>
  Effect.acquireRelease(
    Effect.promise(() => serveWorker(tasks, { controlPlane: workerAddress, id: "promised", concurrency: 1 })),
    (worker) => Effect.promise(worker.close)
  )

/** What a promise rejects with. */
const rejection = (promise: Promise<unknown>) => {
  // Attached at once: it may reject before anybody waits for it.
  const cause = promise.then((value) => assert.fail(`resolved with ${String(value)}`), (cause: unknown) => cause)
  return Effect.promise(() => cause)
}

describe("FastWorker", () => {
  it.live("submits, waits and asks by promises", () =>
    Effect.gen(function*() {
      const { address, workerAddress } = yield* startControlPlane()
      yield* serve([half], workerAddress)
      const fw = yield* connect(address)

      yield* Effect.promise(async () => {
        assert.strictEqual(await fw.run(half, { n: 4 }), 2)
        const handle = await fw.delay(half, { n: 6 }, { id: "mine", priority: "critical" })
        assert.strictEqual(handle.id, "mine")
        assert.strictEqual(await handle.result(), 3)
        const { priority, state, worker } = await handle.status()
        assert.deepStrictEqual({ priority, state, worker }, {
          priority: "critical",
          state: "succeeded",
          worker: "promised"
        })
        assert.strictEqual(await fw.result(half, "mine"), 3)
        assert.strictEqual((await fw.status("mine")).id, "mine")
        const handles = await fw.delayAll(half, [{ n: 2 }, { n: 4 }, { n: 6 }])
        assert.deepStrictEqual(await Promise.all(handles.map(({ result }) => result())), [1, 2, 3])
        assert.deepStrictEqual(await fw.runAll(half, [{ n: 8 }, { n: 2 }]), [4, 1])
        assert.strictEqual((await fw.list({ state: "succeeded", limit: 2 })).tasks.length, 2)
        assert.deepStrictEqual((await fw.workers()).map(({ id, slots }) => ({ id, slots })), [
          { id: "promised", slots: 1 }
        ])
        assert.deepStrictEqual((await fw.tasks()).map(({ name }) => name), ["half"])
        assert.strictEqual((await fw.stats()).succeeded, 7)
      })
    }))

  it.live("rejects with the error instances that the Effect would fail with", () =>
    Effect.gen(function*() {
      const { address, workerAddress } = yield* startControlPlane({ startGraceMillis: 0 })
      yield* serve([half], workerAddress)
      const fw = yield* connect(address)

      const odd = yield* rejection(fw.run(half, { n: 3 }))
      assert.instanceOf(odd, Odd)
      assert.strictEqual(odd.n, 3)
      const handle = yield* Effect.promise(() => fw.delay(half, { n: 5 }))
      assert.instanceOf(yield* rejection(handle.result()), Odd)
      assert.instanceOf(yield* rejection(fw.run(half, { n: 0.5 })), Errors.InvalidArguments)
      assert.instanceOf(yield* rejection(fw.delay(Task.make("nobody"))), Errors.UnknownTask)
      assert.instanceOf(yield* rejection(fw.status("nobody")), Errors.TaskNotFound)
      assert.instanceOf(yield* rejection(handle.cancel()), Errors.TaskFinished)
    }))

  it.live("stops waiting when the signal aborts, with its reason, and the task goes on", () =>
    Effect.gen(function*() {
      const { address, workerAddress } = yield* startControlPlane()
      const gate = makeGate()
      yield* serve([gate.task], workerAddress)
      const fw = yield* connect(address)
      const handle = yield* Effect.promise(() => fw.delay(gate.task))
      const abort = new AbortController()

      const waiting = rejection(handle.result({ signal: abort.signal }))
      yield* until("the start of the task", gate.hasStarted)
      abort.abort("no patience")

      assert.strictEqual(yield* waiting, "no patience")
      assert.strictEqual(yield* rejection(fw.list({ limit: 1, signal: abort.signal })), "no patience")
      gate.open()
      assert.strictEqual(yield* Effect.promise(() => handle.result()), "through")
    }))

  it.live("cancels a task that waits", () =>
    Effect.gen(function*() {
      const { address, workerAddress } = yield* startControlPlane()
      const gate = makeGate()
      yield* serve([gate.task], workerAddress)
      const fw = yield* connect(address)
      const [running, waiting] = yield* Effect.promise(() => fw.delayAll(gate.task, [{}, {}]))
      yield* until("the start of the first", gate.hasStarted)

      yield* Effect.promise(() => waiting?.cancel() ?? assert.fail("there is no second task"))

      assert.instanceOf(yield* rejection(waiting?.result() ?? Promise.resolve()), Errors.TaskCancelled)
      gate.open()
      assert.strictEqual(yield* Effect.promise(() => running?.result() ?? Promise.resolve("")), "through")
    }))

  it.live("delays, follows progress, retries, pauses, schedules and follows events", () =>
    Effect.gen(function*() {
      const { address, workerAddress } = yield* startControlPlane({ startGraceMillis: 0 })
      const steps = Task.define("steps", {
        args: { isBroken: Schema.Boolean },
        progress: Schema.Int,
        error: Odd,
        run: ({ isBroken }) =>
          TaskContext.use(({ progress }) => progress(1)).pipe(
            Effect.andThen(isBroken ? Effect.fail(new Odd({ n: 1 })) : Effect.sleep(50))
          )
      })
      yield* serve([steps, half], workerAddress)
      const fw = yield* connect(address)

      yield* Effect.promise(async () => {
        const seen: Array<string> = []
        const abort = new AbortController()
        const following = (async () => {
          for await (const event of fw.events({ types: ["task.delayed", "paused"], signal: abort.signal })) {
            seen.push(event.type)
          }
        })()
        const ended = following.then(() => "ended", (cause: unknown) => cause)
        await eventually("events are followed", async () => {
          await fw.pause({ task: "nothing" })
          return seen.length > 0
        })

        const later = await fw.delay(half, { n: 8 }, { in: "100 millis", tags: ["later"] })
        assert.strictEqual((await fw.list({ tag: "later" })).tasks[0]?.state, "delayed")
        assert.strictEqual(await later.result(), 4)
        await eventually("the event", () => seen.includes("task.delayed"))
        abort.abort("enough")
        assert.strictEqual(await ended, "enough")

        const values: Array<number> = []
        const handle = await fw.delay(steps, { isBroken: false })
        for await (const value of handle.progress()) values.push(value)
        assert.deepStrictEqual(values, [1])
        for await (const value of fw.progress(steps, handle.id)) values.push(value)
        assert.deepStrictEqual(values, [1])

        const broken = await fw.delay(steps, { isBroken: true })
        assert.instanceOf(await broken.result().catch((cause: unknown) => cause), Odd)
        const again = await fw.retry(broken.id)
        assert.instanceOf(await fw.result(steps, again).catch((cause: unknown) => cause), Odd)
        assert.strictEqual(await fw.retryAll({ name: "steps" }, { dryRun: true }), 1)
        assert.strictEqual(await fw.purge({ name: "steps" }, { expect: 1 }), 1)

        await fw.pause()
        const paused = await fw.delayAll(half, [{ n: 2 }, { n: 4 }])
        await fw.prioritize(paused[0]?.id ?? "", "high")
        assert.strictEqual(await fw.prioritizeAll({ name: "half" }, "high"), 1)
        assert.strictEqual((await fw.status(paused[1]?.id ?? "")).priority, "high")
        assert.strictEqual(await fw.cancelAll({ name: "half" }), 2)
        assert.instanceOf(await paused[0]?.result().catch((cause: unknown) => cause), Errors.TaskCancelled)
        await fw.resume()

        await fw.schedule(Task.every(half, "1 hour", { id: "hourly", args: { n: 10 } }))
        assert.deepStrictEqual((await fw.schedules()).map(({ id }) => id), ["hourly"])
        assert.strictEqual(await fw.result(half, await fw.trigger("hourly")), 5)
        await fw.unschedule("hourly")
        assert.deepStrictEqual(await fw.schedules(), [])
      })
    }))

  it.live("rejects whoever waits when it is closed, also by disposal", () =>
    Effect.gen(function*() {
      const { address, workerAddress } = yield* startControlPlane()
      const gate = makeGate()
      yield* serve([gate.task], workerAddress)
      const fw = yield* connect(address)
      const waiting = rejection(fw.run(gate.task))
      yield* until("the start of the task", gate.hasStarted)

      yield* Effect.promise(() => fw[Symbol.asyncDispose]())

      assert.instanceOf(yield* waiting, Errors.Unreachable)
      gate.open()
    }))
})

describe("serveWorker", () => {
  it.live("lets a running task finish when it is closed, and is gone afterwards", () =>
    Effect.gen(function*() {
      const { address, stats, workerAddress } = yield* startControlPlane()
      const gate = makeGate()
      const worker = yield* serve([half, gate.task], workerAddress)
      const fw = yield* connect(address)
      const handle = yield* Effect.promise(() => fw.delay(gate.task))
      yield* until("the start of the task", gate.hasStarted)

      const closed = worker.close()
      gate.open()
      yield* Effect.promise(() => closed)

      assert.strictEqual(yield* Effect.promise(() => handle.result()), "through")
      yield* until("no worker", Effect.map(stats, ({ workers }) => workers === 0))
    }))

  it.live("rejects when the address of announcements can't be used", () =>
    Effect.gen(function*() {
      assert.instanceOf(
        yield* rejection(serveWorker([half], { discovery: "tcp://nowhere" })),
        Errors.AddressError
      )
    }))
})
