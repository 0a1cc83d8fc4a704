/** What is left when real processes are killed, frozen, and told to stop. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Event } from "../../src/domain/Event.ts"
import * as Schedules from "../../src/domain/Schedules.ts"
import type { ConnectedClient } from "../../src/layers/NodeClient.ts"
import { connect } from "../../src/layers/NodeClient.ts"
import { add, die, hold, single, slow, tick } from "../fixtures/tasks/crash.ts"
import { Cluster, eventually, fixture, freePort } from "../harness/Cluster.ts"
import { trace } from "../harness/Journals.ts"
import { makeRandom } from "../harness/random.ts"

const tasks = ["--tasks", fixture("crash.ts")]
const run = Effect.runPromise
const tagOf = (error: unknown) => (error as { readonly _tag?: string })._tag

/** A cluster, a client in this process and a folder for files, all gone at the end. */
const within = async (
  use: (the: {
    readonly cluster: Cluster
    readonly client: ConnectedClient
    readonly file: (name: string) => string
    /** Ports that stay the same when the control plane is started again. */
    readonly ports: ReadonlyArray<string>
  }) => Promise<void>
) => {
  const folder = mkdtempSync(join(tmpdir(), "fastworker-crash-"))
  const [clientPort, workerPort] = [await freePort(), await freePort()]
  const address = `tcp://127.0.0.1:${clientPort}`
  const ports = ["--address", address, "--worker-address", `tcp://127.0.0.1:${workerPort}`]
  const client = await run(connect({ controlPlane: address, resendMillis: 300 }))
  try {
    await using cluster = await Cluster.make()
    await use({ cluster, client, file: (name) => join(folder, name), ports })
  } finally {
    await run(client.close)
    rmSync(folder, { recursive: true })
  }
}

/** Follows the events of a control plane into an array, from when it is there. */
const follow = async (client: ConnectedClient): Promise<ReadonlyArray<Event>> => {
  const events: Array<Event> = []
  Effect.runFork(Stream.runForEach(client.events(), (event) =>
    Effect.sync(() => {
      if (event.type !== "dropped") events.push(event)
    })))
  // What is followed begins with what is seen.
  await eventually("events come", async () => {
    await run(client.run(tick))
    return events.length > 0
  })
  return events
}

describe("a worker", () => {
  it("that is killed: what it ran runs elsewhere within seconds, in this order", () =>
    within(async ({ client, cluster, ports }) => {
      await cluster.controlPlane(ports)
      const victim = await cluster.worker([...tasks, "--id", "victim"])
      const events = await follow(client)
      const result = run(client.run(slow, { millis: 60_000 }, { id: "t" }).pipe(Effect.timeoutOption(15_000)))
      await eventually("it runs", async () => (await run(client.stats)).running === 1)
      await cluster.worker([...tasks, "--id", "heir"])

      victim.signal("SIGKILL")
      const killedAt = Date.now()
      const again = await eventually(
        "it runs elsewhere",
        () => events.find((event) => event.type === "task.started" && event.id === "t" && event.attempt === 2)
      )

      assert.isBelow(again.at - killedAt, 3_000)
      const told = events.flatMap((event) => {
        if ("id" in event && event.id !== "t") return []
        return event.type === "task.started" || event.type === "worker.lost"
          ? [`${event.type} ${event.worker}`]
          : event.type === "task.requeued"
          ? [event.type]
          : []
      })
      assert.deepStrictEqual(told.filter((line) => line !== "worker.lost victim"), [
        "task.started victim",
        "task.requeued",
        "task.started heir"
      ])
      assert.include(told, "worker.lost victim")
      await run(client.cancel("t"))
      await result.catch(() => {})
    }))

  it(
    "that a task kills again and again: the task is given up, innocents beside it succeed",
    () =>
      within(async ({ client, cluster, ports }) => {
        await cluster.controlPlane(ports)
        const ids = ["a", "b", "c", "d", "e"]
        await Promise.all(ids.map((id) => cluster.worker([...tasks, "--id", id])))
        // They end: tasks on their last chance take turns, and what never ends would keep the others waiting.
        const innocents = Array.from({ length: 15 }, () => run(client.run(slow, { millis: 1_000 })))
        await eventually("they run", async () => (await run(client.stats)).running === 15)

        const error = await run(Effect.flip(client.run(die)))

        assert.strictEqual(tagOf(error), "TaskCrashed")
        for (const innocent of innocents) assert.isString((await innocent).worker)
        assert.deepInclude(await run(client.stats), { submitted: 16, succeeded: 15, failed: 1, running: 0, waiting: 0 })
      }),
    90_000
  )

  it("that is frozen: is lost after the timeout; what it reports when it thaws is refused, counted and shown", () =>
    within(async ({ client, cluster, file, ports }) => {
      await cluster.controlPlane([...ports, "--heartbeat", "500ms", "--heartbeat-timeout", "3s"])
      const frozen = await cluster.worker([...tasks, "--id", "frozen"])
      const result = run(client.run(hold, { until: file("go") }, { id: "t" }))
      await eventually("it runs", async () => (await run(client.stats)).running === 1)
      await cluster.worker([...tasks, "--id", "heir"])

      frozen.signal("SIGSTOP")
      await eventually("it runs elsewhere", async () => (await run(client.status("t"))).worker === "heir")
      writeFileSync(file("go"), "")
      assert.isUndefined(await result)
      frozen.signal("SIGCONT")

      // The first thing that the thawed handler sees is that it may end: so it reports, to nobody.
      await eventually("its report is refused", async () => (await run(client.stats)).lateReports === 1)
      await eventually(
        "it is back",
        async () => (await run(client.workers)).some(({ id, state }) => id === "frozen" && state === "active")
      )
      await eventually("it says so", () => frozen.stderr().includes("Reports came too late"))
      assert.deepInclude(await run(client.stats), { submitted: 1, succeeded: 1, crashes: 1, running: 0, waiting: 0 })
      assert.deepInclude(await run(client.status("t")), { state: "succeeded", attempt: 2, worker: "heir" })
    }))

  it("ends at once on a second SIGTERM, and what it ran runs elsewhere", () =>
    within(async ({ client, cluster, ports }) => {
      await cluster.controlPlane(ports)
      const leaving = await cluster.worker([...tasks, "--id", "leaving"])
      const result = run(Effect.result(client.run(slow, { millis: 30_000 }, { id: "t" })))
      await eventually("it runs", async () => (await run(client.stats)).running === 1)
      leaving.signal("SIGTERM")
      await eventually("it drains", async () => (await run(client.workers)).some(({ state }) => state === "draining"))

      leaving.signal("SIGTERM")

      assert.strictEqual(await leaving.exit(), 130)
      await cluster.worker([...tasks, "--id", "next"])
      await eventually("it runs elsewhere", async () => (await run(client.status("t"))).worker === "next")
      await run(client.cancel("t"))
      await result
    }))
})

describe("a control plane with a journal", () => {
  it(
    "that is killed again and again under load: every accepted task has its one outcome",
    () =>
      within(async ({ client, cluster, file, ports }) => {
        const random = makeRandom(5)
        const journal = [...ports, "--journal", file("journal.db")]
        let plane = await cluster.controlPlane(journal)
        for (const id of ["a", "b"]) await cluster.worker([...tasks, "--id", id])
        /** The control planes so far: whoever answers is one of them. */
        const epochs = [(await run(client.stats)).epoch]
        const results: Array<Promise<number>> = []
        const lost: Array<{ readonly id: string; readonly why: string }> = []
        const pursue = async (id: string, result: Promise<number>, accepted: number) => {
          try {
            return await result
          } catch (error) {
            lost.push({ id, why: `${tagOf(error)}; accepted by control plane ${accepted}, lost at ${epochs.length}` })
            return NaN
          }
        }
        const enough = new AbortController()
        const loading = (async () => {
          for (let x = 0; !enough.signal.aborted; x++) {
            // Nothing else than the same submission again until it is accepted: an id makes it one task.
            const id = `add-${x}`
            const handle = await run(client.delay(add, { x, y: 1 }, { id }))
            results.push(pursue(id, run(handle.result), epochs.length))
            await new Promise((resolve) => setTimeout(resolve, 5))
          }
        })()

        for (let i = 0; i < 5 && lost.length === 0; i++) {
          const before = results.length
          const enough = 20 + Math.floor(random() * 60)
          await eventually("some are accepted", () => results.length >= before + enough)
          plane.signal("SIGKILL")
          await plane.exit()
          plane = await cluster.controlPlane(journal)
          epochs.push((await run(client.stats)).epoch)
        }
        enough.abort()
        await loading
        const values = await Promise.all(results)
        if (lost.length > 0) {
          const { epoch } = await run(client.stats)
          plane.signal("SIGKILL")
          await plane.exit()
          const rows = trace(file("journal.db"), lost.map(({ id }) => id))
          assert.fail([
            ...lost.map(({ id, why }) => `${id}: ${why}`),
            `epochs ${epochs.join(" ")}, now ${epoch}`,
            rows,
            plane.stderr()
          ].join("\n"))
        }

        assert.isAbove(results.length, 100)
        assert.deepStrictEqual(values, results.map((_, x) => x + 1))
        const { total } = await run(client.list({ name: "add", state: "succeeded", limit: 1 }))
        assert.strictEqual(total, results.length)
        assert.deepInclude(await run(client.stats), { waiting: 0, running: 0 })
      }),
    240_000
  )

  it("that is killed: delayed tasks, unique keys, schedules and pauses are still there", () =>
    within(async ({ client, cluster, file, ports }) => {
      const journal = [...ports, "--journal", file("journal.db")]
      const first = await cluster.controlPlane(journal)
      await cluster.worker([...tasks, "--id", "steady"])
      await run(client.pause({ task: "single" }))
      const unique = await run(client.delay(single, { key: "k" }))
      const delayed = await run(client.delay(add, { x: 40, y: 2 }, { in: "4 seconds" }))
      await run(client.schedule(Schedules.every(tick, "1 hour", { id: "hourly" })))
      const { dueAt } = await run(delayed.status)

      first.signal("SIGKILL")
      await first.exit()
      await cluster.controlPlane(journal)

      const status = await run(delayed.status)
      assert.strictEqual(status.state, "delayed")
      assert.approximately(status.dueAt ?? 0, dueAt ?? 0, 50)
      assert.deepStrictEqual((await run(client.stats)).paused, ["task:single"])
      const conflict = await run(Effect.flip(client.delay(single, { key: "k" })))
      assert.deepInclude(conflict, { _tag: "UniqueConflict", key: "k", id: unique.id })
      assert.deepStrictEqual((await run(client.schedules)).map(({ id, paused }) => ({ id, paused })), [
        { id: "hourly", paused: false }
      ])
      assert.strictEqual(await run(delayed.result), 42)
      assert.isAtLeast((await run(delayed.status)).startedAt ?? 0, (dueAt ?? 0) - 50)
      await run(client.resume({ task: "single" }))
      assert.strictEqual(await run(unique.result), "k")
      assert.isString((await run(client.delay(single, { key: "k" }))).id)
    }))

  it("that is told to stop: what runs finishes, what waits is kept and goes on with the next one", () =>
    within(async ({ client, cluster, file, ports }) => {
      const journal = [...ports, "--journal", file("journal.db")]
      const first = await cluster.controlPlane(journal)
      await cluster.worker([...tasks, "--id", "steady", "--concurrency", "1"])
      const running = run(client.run(hold, { until: file("go") }))
      await eventually("it runs", async () => (await run(client.stats)).running === 1)
      const waiting = await run(client.delay(add, { x: 1, y: 1 }))

      first.signal("SIGTERM")
      await eventually("it drains", async () => (await run(client.stats)).draining)
      writeFileSync(file("go"), "")

      assert.isUndefined(await running)
      assert.strictEqual(await first.exit(), 0)
      assert.deepInclude(await first.event<object>("stopped"), { kept: 1, cancelled: 0, abandoned: 0 })
      await cluster.controlPlane(journal)
      assert.strictEqual(await run(waiting.result), 2)
    }))
})

describe("a control plane without a journal", () => {
  it("that is told to stop says how many waiting tasks end with it", () =>
    within(async ({ client, cluster, ports }) => {
      const plane = cluster.start(["control-plane", ...ports, "--no-dashboard", ...tasks, "--concurrency", "1"])
      await eventually("it is ready", () => plane.stdout().includes("ready"))
      await run(client.pause())
      const handles = await run(client.delayAll(add, [{ x: 1, y: 1 }, { x: 2, y: 2 }, { x: 3, y: 3 }]))
      const results = handles.map(({ result }) => run(Effect.flip(result)))
      await eventually("they wait", async () => (await run(client.stats)).waiting === 3)

      plane.signal("SIGTERM")

      assert.strictEqual(await plane.exit(), 0)
      assert.include(plane.stdout(), "3 waiting tasks cancelled")
      for (const result of results) assert.strictEqual(tagOf(await result), "TaskCancelled")
    }))
})

describe("a client", () => {
  it("that is told to stop ends at once; its task goes on and has its outcome", () =>
    within(async ({ client, cluster, file, ports }) => {
      await cluster.controlPlane(ports)
      await cluster.worker([...tasks, "--id", "steady"])
      const args = JSON.stringify({ until: file("go") })
      const submitting = cluster.start(["submit", "hold", args, "--id", "t", "--control-plane", ports[1] ?? ""])
      await eventually("it runs", async () => (await run(client.stats)).running === 1)

      submitting.signal("SIGTERM")

      assert.strictEqual(await submitting.exit(), 130)
      writeFileSync(file("go"), "")
      assert.isUndefined(await run(client.result(hold, "t")))
    }))
})
