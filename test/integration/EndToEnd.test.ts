/**
 * The main job with real processes: control plane, workers and clients, started, killed, restarted and stopped.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { connect } from "../../src/layers/NodeClient.ts"
import { add, slow } from "../fixtures/tasks/basic.ts"
import { Cluster, eventually, fixture, freePort } from "../harness/Cluster.ts"

const tasks = ["--tasks", fixture("basic.ts")]

/** A client in this process that finds the control plane by announcements. */
const withClient = async <A>(
  discovery: string,
  use: (client: Effect.Success<ReturnType<typeof connect>>) => Promise<A>
): Promise<A> => {
  const client = await Effect.runPromise(connect({ discovery }))
  try {
    return await use(client)
  } finally {
    await Effect.runPromise(client.close)
  }
}

describe("end to end", () => {
  it("runs a task on a worker that a discovered control plane gave it to", async () => {
    await using cluster = await Cluster.make()
    await cluster.controlPlane()
    await cluster.worker([...tasks, "--id", "one"])
    await withClient(cluster.discovery, async (client) => {
      const handle = await Effect.runPromise(client.delay(slow, { millis: 1 }))

      assert.deepStrictEqual(await Effect.runPromise(handle.result), { worker: "one", attempt: 1 })
      assert.strictEqual(await Effect.runPromise(client.run(add, { x: 1, y: 2 })), 3)
      const status = await Effect.runPromise(handle.status)
      assert.deepInclude(status, { name: "slow", state: "succeeded", worker: "one", priority: "high" })
    })
  })

  it("shares the work between two workers, and forgets neither", async () => {
    await using cluster = await Cluster.make()
    await cluster.controlPlane()
    await cluster.worker([...tasks, "--id", "one", "--concurrency", "4"])
    await cluster.worker([...tasks, "--id", "two", "--concurrency", "4"])
    await withClient(cluster.discovery, async (client) => {
      const results = await Effect.runPromise(
        Effect.forEach(Array.from({ length: 80 }), () => client.run(slow, { millis: 20 }), { concurrency: 80 })
      )

      const one = results.filter(({ worker }) => worker === "one").length
      assert.isAtLeast(one, 30)
      assert.isAtMost(one, 50)
    })
  })

  it("runs the tasks of a worker that was killed elsewhere, with the attempt counted", async () => {
    await using cluster = await Cluster.make()
    await cluster.controlPlane()
    const victim = await cluster.worker([...tasks, "--id", "victim"])
    await withClient(cluster.discovery, async (client) => {
      const running = Array.from({ length: 5 }, () => client.run(slow, { millis: 4_000 }))
      const results = Effect.runPromise(Effect.all(running, { concurrency: "unbounded" }))
      await eventually("five tasks run", async () => (await Effect.runPromise(client.stats)).running === 5)

      await cluster.worker([...tasks, "--id", "heir"])
      victim.signal("SIGKILL")

      for (const result of await results) assert.deepStrictEqual(result, { worker: "heir", attempt: 2 })
      const stats = await Effect.runPromise(client.stats)
      assert.deepInclude(stats, { submitted: 5, succeeded: 5, crashes: 5, running: 0, waiting: 0, workers: 1 })
    })
  })

  it("gives a task up that kills one worker after the other", async () => {
    await using cluster = await Cluster.make()
    await cluster.controlPlane()
    const workers = ["a", "b", "c", "d", "e"].map((id) => cluster.worker([...tasks, "--id", id]))
    await Promise.all(workers)

    const { code, stdout } = await cluster.run(["submit", "die", "--json"])

    assert.strictEqual(code, 1)
    const { error, state } = JSON.parse(stdout) as { state: string; error: { _tag: string; crashes: number } }
    assert.deepInclude(error, { _tag: "TaskCrashed", crashes: 3 })
    assert.strictEqual(state, "failed")
    // The first loss may have been an accident, the three after it are counted. One worker is left and works.
    assert.strictEqual((await cluster.run(["submit", "add", "{\"x\":1,\"y\":1}"])).stdout, "2\n")
  })

  it("is found again by workers and clients after a restart, on other ports", async () => {
    await using cluster = await Cluster.make()
    const first = await cluster.controlPlane()
    await cluster.worker([...tasks, "--id", "steady"])
    await withClient(cluster.discovery, async (client) => {
      assert.strictEqual(await Effect.runPromise(client.run(add, { x: 1, y: 1 })), 2)
      first.signal("SIGKILL")
      await first.exit()

      const second = await cluster.controlPlane()

      assert.notStrictEqual(second.ready.address, first.ready.address)
      assert.strictEqual(await Effect.runPromise(client.run(add, { x: 2, y: 2 })), 4)
      assert.strictEqual((await cluster.run(["submit", "add", "{\"x\":3,\"y\":3}"])).stdout, "6\n")
    })
  })

  it("is found again after a restart on the same ports; a result that it lost is said to be lost", async () => {
    await using cluster = await Cluster.make()
    const ports = [
      "--address",
      `tcp://127.0.0.1:${await freePort()}`,
      "--worker-address",
      `tcp://127.0.0.1:${await freePort()}`
    ]
    const first = await cluster.controlPlane(ports)
    await cluster.worker([...tasks, "--id", "steady", "--concurrency", "1"])
    await withClient(cluster.discovery, async (client) => {
      const waiting = Effect.runPromise(Effect.flip(client.run(slow, { millis: 60_000 })))
      await eventually("it runs", async () => (await Effect.runPromise(client.stats)).running === 1)
      first.signal("SIGKILL")
      await first.exit()

      await cluster.controlPlane(ports)

      const error = await waiting
      assert.strictEqual((error as { readonly _tag: string })._tag, "TaskLost")
      // The worker was told to stop what nobody waits for any more: its only slot is free.
      assert.strictEqual(await Effect.runPromise(client.run(add, { x: 2, y: 2 })), 4)
    })
  })

  it("lets a client and a worker start before the control plane", async () => {
    await using cluster = await Cluster.make()
    await withClient(cluster.discovery, async (client) => {
      const early = Effect.runPromise(client.run(add, { x: 20, y: 22 }))
      const worker = cluster.start(["worker", "--json", ...tasks, "--id", "early"])

      await cluster.controlPlane()

      assert.strictEqual(await early, 42)
      assert.strictEqual((await worker.event("ready")).id, "early")
    })
  })

  it("runs tasks itself while it is alone, and leaves them to a worker that comes", async () => {
    await using cluster = await Cluster.make()
    await cluster.controlPlane(tasks)
    await withClient(cluster.discovery, async (client) => {
      assert.strictEqual((await Effect.runPromise(client.run(slow, { millis: 1 }))).worker, "control-plane")

      const worker = await cluster.worker([...tasks, "--id", "helper"])

      assert.strictEqual((await Effect.runPromise(client.run(slow, { millis: 1 }))).worker, "helper")
      worker.signal("SIGKILL")
      assert.strictEqual((await Effect.runPromise(client.run(slow, { millis: 1 }))).worker, "control-plane")
    })
  })

  it("drains a worker: running tasks finish, waiting ones stay, it exits with 0", async () => {
    await using cluster = await Cluster.make()
    await cluster.controlPlane()
    const worker = await cluster.worker([...tasks, "--id", "leaving", "--concurrency", "2"])
    await withClient(cluster.discovery, async (client) => {
      const first = Effect.runPromise(
        Effect.all([client.run(slow, { millis: 800 }), client.run(slow, { millis: 800 })], { concurrency: 2 })
      )
      await eventually("both run", async () => (await Effect.runPromise(client.stats)).running === 2)
      const second = Effect.runPromise(client.run(slow, { millis: 1 }))
      await eventually("one waits", async () => (await Effect.runPromise(client.stats)).waiting === 1)

      worker.signal("SIGTERM")

      assert.deepStrictEqual((await first).map(({ worker }) => worker), ["leaving", "leaving"])
      assert.strictEqual(await worker.exit(), 0)
      assert.deepInclude(await Effect.runPromise(client.stats), { waiting: 1, workers: 0, crashes: 0 })
      await cluster.worker([...tasks, "--id", "next"])
      assert.deepStrictEqual(await second, { worker: "next", attempt: 1 })
    })
  })

  it("interrupts at the drain deadline what still runs, which then runs elsewhere", async () => {
    const folder = mkdtempSync(join(tmpdir(), "fastworker-"))
    const log = join(folder, "log")
    await using cluster = await Cluster.make()
    await cluster.controlPlane()
    const worker = await cluster.worker([...tasks, "--id", "leaving", "--drain-timeout", "200ms"])
    await withClient(cluster.discovery, async (client) => {
      const result = Effect.runPromise(client.run(slow, { millis: 2_000, log }))
      await eventually("it runs", () => existsSync(log))

      worker.signal("SIGTERM")

      assert.strictEqual(await worker.exit(), 0)
      assert.match(readFileSync(log, "utf8"), /^start \S+ leaving 1\ninterrupted \S+ leaving 1\n$/u)
      await cluster.worker([...tasks, "--id", "next"])
      assert.deepStrictEqual(await result, { worker: "next", attempt: 2 })
    })
    rmSync(folder, { recursive: true })
  })

  it("drains a control plane: what runs finishes, what waits is cancelled, callers are told, it exits with 0", async () => {
    await using cluster = await Cluster.make()
    const plane = await cluster.controlPlane([...tasks, "--concurrency", "1"])
    await withClient(cluster.discovery, async (client) => {
      const running = Effect.runPromise(client.run(slow, { millis: 700 }))
      await eventually("it runs", async () => (await Effect.runPromise(client.stats)).running === 1)
      const waiting = Effect.runPromise(Effect.flip(client.run(slow, { millis: 1 })))
      await eventually("it waits", async () => (await Effect.runPromise(client.stats)).waiting === 1)

      plane.signal("SIGTERM")

      assert.deepStrictEqual(await running, { worker: "control-plane", attempt: 1 })
      assert.strictEqual(((await waiting) as { readonly _tag: string })._tag, "TaskCancelled")
      assert.strictEqual(await plane.exit(), 0)
      assert.deepInclude(await plane.event<{ cancelled: number; abandoned: number }>("stopped"), {
        cancelled: 1,
        abandoned: 0
      })
      // No complaints while it stopped: the original logged megabytes.
      assert.isBelow(plane.stderr().length, 2_000)
    })
  })

  it("ends at once on a second signal", async () => {
    await using cluster = await Cluster.make()
    const plane = await cluster.controlPlane(tasks)
    await withClient(cluster.discovery, async (client) => {
      Effect.runFork(client.run(slow, { millis: 60_000 }))
      await eventually("it runs", async () => (await Effect.runPromise(client.stats)).running === 1)
      plane.signal("SIGINT")
      await eventually("it drains", async () => (await Effect.runPromise(client.stats)).draining)

      plane.signal("SIGINT")

      assert.strictEqual(await plane.exit(), 130)
    })
  })

  it("takes no tasks for a dead worker: they go to the live one at once", async () => {
    await using cluster = await Cluster.make()
    await cluster.controlPlane()
    const dead = await cluster.worker([...tasks, "--id", "dead"])
    await cluster.worker([...tasks, "--id", "live"])
    await withClient(cluster.discovery, async (client) => {
      dead.signal("SIGKILL")
      await dead.exit()
      await eventually(
        "the loss is seen",
        async () =>
          (await Effect.runPromise(client.workers)).every(({ id, state }) => id === "live" || state === "lost")
      )

      const results = await Effect.runPromise(
        Effect.forEach(Array.from({ length: 10 }), () => client.run(slow, { millis: 1 }), { concurrency: 10 })
      )

      for (const result of results) assert.deepStrictEqual(result, { worker: "live", attempt: 1 })
      await eventually("it is forgotten", async () => (await Effect.runPromise(client.workers)).length === 1)
    })
  })

  it("rotates among idle workers instead of always taking the first", async () => {
    await using cluster = await Cluster.make()
    await cluster.controlPlane()
    for (const id of ["a", "b", "c"]) await cluster.worker([...tasks, "--id", id])
    await withClient(cluster.discovery, async (client) => {
      const seen: Array<string> = []
      for (let i = 0; i < 9; i++) seen.push((await Effect.runPromise(client.run(slow, { millis: 1 }))).worker)

      assert.deepStrictEqual([...new Set(seen)].sort(), ["a", "b", "c"])
    })
  })

  it("runs a task once however often its submission is repeated", async () => {
    const folder = mkdtempSync(join(tmpdir(), "fastworker-"))
    const log = join(folder, "log")
    await using cluster = await Cluster.make()
    await cluster.controlPlane(tasks)
    const args = JSON.stringify({ millis: 50, log })

    const outputs = await Promise.all(
      Array.from({ length: 4 }, () => cluster.run(["submit", "slow", args, "--id", "order-1", "--json"]))
    )
    const again = await cluster.run(["submit", "slow", args, "--id", "order-1", "--json"])
    const conflict = await cluster.run(["submit", "slow", "{\"millis\":1}", "--id", "order-1", "--json"])

    for (const { code, stdout } of [...outputs, again]) {
      assert.strictEqual(code, 0)
      assert.deepInclude(JSON.parse(stdout), { id: "order-1", state: "succeeded" })
    }
    assert.strictEqual(conflict.code, 1)
    assert.strictEqual((JSON.parse(conflict.stdout) as { error: { _tag: string } }).error._tag, "IdConflict")
    assert.strictEqual(readFileSync(log, "utf8").match(/^start/gmu)?.length, 1)
    rmSync(folder, { recursive: true })
  })
})
