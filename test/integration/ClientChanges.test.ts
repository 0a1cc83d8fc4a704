/** What a client can change in a control plane: many tasks at once, what is paused, schedules; and the events of it all. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Errors from "../../src/domain/Errors.ts"
import * as Task from "../../src/domain/TaskDefinition.ts"
import { freePort } from "../harness/Cluster.ts"
import { startClient, startControlPlane, startWorker } from "../harness/Roles.ts"
import { until } from "../harness/Until.ts"

class Broken extends Schema.TaggedError<Broken>()("Broken", {}) {}

const ping = Task.define("ping", { success: Schema.String, run: () => Effect.succeed("pong") })

/** Fails until it is repaired. */
const makeFragile = () => {
  let isBroken = true
  const task = Task.define("fragile", {
    args: { n: Schema.Int },
    success: Schema.Int,
    error: Broken,
    tags: ({ n }) => [n % 2 === 0 ? "even" : "odd"],
    run: ({ n }) => isBroken ? Effect.fail(new Broken()) : Effect.succeed(n)
  })
  return { task, repair: Effect.sync(() => (isBroken = false)) }
}

const start = Effect.fnUntraced(function*<Handlers extends Task.TaskHandler<string>>(handlers: Layer.Layer<Handlers>) {
  const plane = yield* startControlPlane({ startGraceMillis: 0 })
  yield* startWorker(plane, handlers, { id: "one", concurrency: 4 })
  return { plane, client: yield* startClient(plane, { deadlineMillis: 5_000 }) }
})

describe("retry", () => {
  it.live("runs a task that failed again, as a new one with the same arguments", () =>
    Effect.gen(function*() {
      const { repair, task } = makeFragile()
      const { client } = yield* start(task.layer)
      const { id, result } = yield* client.delay(task, { n: 7 })
      assert.instanceOf(yield* Effect.flip(result), Broken)
      yield* repair

      const again = yield* client.retry(id)

      assert.notStrictEqual(again, id)
      assert.strictEqual(yield* client.result(task, again), 7)
      assert.deepInclude(yield* client.status(again), { retryOf: id, tags: ["odd"] })
      const notDead = yield* Effect.flip(client.retry(again))
      assert.instanceOf(notDead, Errors.NotRetryable)
      assert.strictEqual(notDead.state, "succeeded")
      assert.instanceOf(yield* Effect.flip(client.retry("nobody")), Errors.TaskNotFound)
    }))

  it.live("runs those that a filter means again, or forgets them, exactly as many as were counted", () =>
    Effect.gen(function*() {
      const { repair, task } = makeFragile()
      const { client } = yield* start(task.layer)
      const handles = yield* client.delayAll(task, [1, 2, 3, 4, 5].map((n) => ({ n })))
      yield* Effect.forEach(handles, ({ result }) => Effect.flip(result), { concurrency: "unbounded" })
      yield* repair

      const odd = yield* client.retryAll({ tag: "odd" }, { dryRun: true })
      const changed = yield* Effect.flip(client.retryAll({ tag: "odd" }, { expect: 2 }))
      const retried = yield* client.retryAll({ tag: "odd", olderThan: "0 millis" }, { expect: odd })
      const old = yield* client.purge({ name: "fragile", olderThan: "1 hour" })
      const dead = yield* client.list({ dead: true })
      const purged = yield* client.purge({ name: "fragile" })

      assert.deepStrictEqual([odd, retried, old, dead.total, purged], [3, 3, 0, 2, 2])
      assert.instanceOf(changed, Errors.CountChanged)
      assert.deepInclude(changed, { expected: 2, count: 3 })
      assert.instanceOf(yield* Effect.flip(client.retry(handles[1]?.id ?? "")), Errors.NotRetryable)
      yield* until("the three are done", Effect.map(client.stats, ({ succeeded }) => succeeded === 3))
    }))
})

describe("cancelAll", () => {
  it.live("cancels what waits and what runs of a filter", () =>
    Effect.gen(function*() {
      const endless = Task.define("endless", { run: () => Effect.never })
      const { client } = yield* start(Layer.merge(endless.layer, ping.layer))
      const running = yield* client.delayAll(endless, [{}, {}])
      const waiting = yield* client.delayAll(ping, [{}, {}, {}], { in: "1 hour", tenant: "acme" })
      yield* until("both run", Effect.map(client.stats, (stats) => stats.running === 2))

      const counts = [
        yield* client.cancelAll({ tenant: "nobody" }),
        yield* client.cancelAll({ tenant: "acme" }, { expect: 3 }),
        yield* client.cancelAll({ state: "running" })
      ]

      assert.deepStrictEqual(counts, [0, 3, 2])
      for (const { result } of [...running, ...waiting]) {
        assert.instanceOf(yield* Effect.flip(result), Errors.TaskCancelled)
      }
    }))
})

describe("prioritize", () => {
  it.live("lets what waits start in the order of its new priorities, last in each", () =>
    Effect.gen(function*() {
      const started: Array<number> = []
      const note = Task.define("note", {
        args: { n: Schema.Int },
        tags: ({ n }) => [n % 2 === 0 ? "even" : "odd"],
        run: ({ n }) => Effect.sync(() => void started.push(n))
      })
      const { client } = yield* start(note.layer)
      yield* client.pause()
      const handles = yield* client.delayAll(note, [1, 2, 3, 4, 5, 6].map((n) => ({ n })))
      const told: Array<string> = []
      yield* client.events({ types: ["task.prioritized", "paused"] }).pipe(
        Stream.runForEach((event) =>
          Effect.sync(() => told.push("from" in event ? `${event.from} to ${event.priority}` : event.type))
        ),
        Effect.forkScoped
      )
      yield* until("somebody follows", Effect.map(client.pause(), () => told.length > 0))

      yield* client.prioritize(handles[4]?.id ?? "", "high")
      yield* client.prioritize(handles[0]?.id ?? "", "high")
      // It has it already, and stays where it is.
      yield* client.prioritize(handles[4]?.id ?? "", "high")
      const even = yield* client.prioritizeAll({ tag: "even" }, "low", { dryRun: true })
      const changed = yield* Effect.flip(client.prioritizeAll({ tag: "even" }, "low", { expect: 2 }))
      const low = yield* client.prioritizeAll({ tag: "even", name: "note" }, "low", { expect: even })
      const bySelection = yield* client.change({ prioritize: "critical" }, { ids: [handles[5]?.id ?? ("" as never)] })
      yield* client.resume()
      yield* Effect.forEach(handles, ({ result }) => result, { concurrency: "unbounded" })

      assert.deepStrictEqual(started, [6, 5, 1, 3, 2, 4])
      assert.deepStrictEqual([even, low, bySelection], [3, 3, { count: 1, skipped: 0 }])
      yield* until("all is told", () => told.filter((what) => what !== "paused").length === 6)
      assert.deepStrictEqual(
        told.filter((what) => what !== "paused").toSorted(),
        ["low to critical", "normal to high", "normal to high", "normal to low", "normal to low", "normal to low"]
      )
      assert.instanceOf(changed, Errors.CountChanged)
      assert.instanceOf(yield* Effect.flip(client.prioritize("nobody", "low")), Errors.TaskNotFound)
      assert.instanceOf(yield* Effect.flip(client.prioritize(handles[0]?.id ?? "", "low")), Errors.TaskFinished)
    }))
})

describe("pause and resume", () => {
  it.live("stops and starts tasks of a name, a worker, everything", () =>
    Effect.gen(function*() {
      const { client } = yield* start(ping.layer)
      for (const target of [{ task: "ping" }, { worker: "one" }, undefined]) {
        yield* client.pause(target)
        const handle = yield* client.delay(ping)
        const paused = yield* Effect.map(client.stats, (stats) => stats.paused)
        assert.deepInclude(yield* handle.status, { state: "queued" })
        assert.match((yield* handle.status).waiting ?? "", /paused/u)

        yield* client.resume(target)

        assert.strictEqual(yield* handle.result, "pong")
        assert.strictEqual(paused.length, 1)
      }
      assert.instanceOf(yield* Effect.flip(client.pause({ schedule: "nightly" })), Errors.ScheduleNotFound)
    }))
})

describe("schedules", () => {
  it.live("adds, lists, triggers, pauses and removes them", () =>
    Effect.gen(function*() {
      const { client } = yield* start(ping.layer)

      yield* client.schedule(Task.cron(ping, "0 3 * * *", { id: "nightly", timeZone: "Europe/Berlin" }))
      yield* client.schedule(Task.every(ping, "20 millis", { id: "often" }))
      yield* until(
        "it was due",
        Effect.map(client.schedules, (all) => all.some(({ lastTask }) => lastTask !== undefined))
      )
      yield* client.pause({ schedule: "often" })
      const triggered = yield* client.trigger("nightly")
      const list = yield* client.schedules
      yield* client.unschedule("nightly")

      assert.strictEqual(yield* client.result(ping, triggered), "pong")
      assert.strictEqual((yield* client.status(triggered)).schedule, "nightly")
      assert.deepStrictEqual(
        list.map(({ id, name, paused }) => ({ id, name, paused })).sort((a, b) => a.id.localeCompare(b.id)),
        [{ id: "nightly", name: "ping", paused: false }, { id: "often", name: "ping", paused: true }]
      )
      assert.deepStrictEqual((yield* client.schedules).map(({ id }) => id), ["often"])
      for (const change of [client.unschedule("nightly"), client.trigger("nightly")]) {
        assert.instanceOf(yield* Effect.flip(change), Errors.ScheduleNotFound)
      }
    }))
})

describe("events", () => {
  it.live("streams what happens from now on, to each follower what it wants", () =>
    Effect.gen(function*() {
      const { client } = yield* start(ping.layer)
      const all: Array<string> = []
      const finished: Array<string> = []
      yield* client.events().pipe(
        Stream.runForEach((event) => Effect.sync(() => all.push(event.type))),
        Effect.forkScoped
      )
      yield* client.events({ types: ["task.finished"], id: "mine" }).pipe(
        Stream.runForEach((event) => Effect.sync(() => finished.push("id" in event ? event.id : event.type))),
        Effect.forkScoped
      )
      // Nothing says when a stream begins; what happens before is not in it.
      yield* until("they follow", Effect.map(client.run(ping), () => all.length > 0))

      yield* client.run(ping, {}, { id: "other" })
      yield* client.pause({ task: "ping" })
      yield* client.resume({ task: "ping" })
      yield* client.run(ping, {}, { id: "mine" })
      yield* until("the last", () => finished.length > 0)
      yield* until("all of it", () => all.includes("resumed"))

      assert.deepStrictEqual(finished, ["mine"])
      assert.includeMembers(all, ["task.queued", "task.started", "task.finished", "paused", "resumed"])
      assert.isBelow(all.indexOf("paused"), all.indexOf("resumed"))
    }))

  it.live("says where a reader that was too slow has missed some, and how many", () =>
    Effect.gen(function*() {
      const { client } = yield* start(ping.layer)
      const taken: Array<{ readonly type: string; readonly count?: number }> = []
      let isSlow = true
      const following = yield* client.events({ types: ["task.queued"] }).pipe(
        Stream.rechunk(1),
        Stream.runForEach((event) =>
          Effect.gen(function*() {
            taken.push(event)
            yield* until("it may go on", () => !isSlow, 30_000)
          })
        ),
        Effect.forkChild
      )
      yield* until("it follows", Effect.map(client.run(ping), () => taken.length > 0))
      const { submitted: before } = yield* client.stats
      yield* client.pause()
      for (let i = 0; i < 4; i++) yield* client.delayAll(ping, Array.from({ length: 10_000 }, () => ({})))
      const first = taken.length
      isSlow = false
      const total = () => taken.reduce((sum, { count, type }) => sum + (type === "dropped" ? count ?? 0 : 1), 0)
      yield* until("all are accounted for", () => total() >= 40_000, 20_000)
      yield* Fiber.interrupt(following)

      assert.isAtLeast(before, 1)
      assert.strictEqual(first, 1)
      assert.isTrue(taken.some(({ type }) => type === "dropped"))
    }), 60_000)

  it.live("goes on after a restart of the control plane", () =>
    Effect.gen(function*() {
      const address = `tcp://127.0.0.1:${yield* Effect.promise(freePort)}`
      const first = yield* Scope.make()
      yield* Scope.provide(startControlPlane({ address }), first)
      const client = yield* startClient({ address })
      const seen: Array<string> = []
      yield* client.events({ types: ["paused"] }).pipe(
        Stream.runForEach((event) => Effect.sync(() => seen.push("target" in event ? event.target : event.type))),
        Effect.forkScoped
      )
      const pauseUntilSeen = (name: string) =>
        until(
          `the pause of ${name}`,
          Effect.map(client.pause({ task: name }), () => seen.includes(`task:${name}`))
        )
      yield* pauseUntilSeen("before")

      yield* Scope.close(first, Exit.void)
      yield* startControlPlane({ address })

      yield* pauseUntilSeen("after")
    }))

  it.live("fails when there is no control plane at first", () =>
    Effect.gen(function*() {
      const client = yield* startClient({ address: "tcp://127.0.0.1:1" }, { deadlineMillis: 100 })

      assert.instanceOf(yield* Effect.flip(Stream.runCollect(client.events())), Errors.Unreachable)
    }))
})
