/**
 * Who counts as lost, with real processes that are blocked, stopped and continued: a worker that can't exchange is not
 * dead, one that does nothing at all is, and silence of the control plane's own is nobody's fault.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { connect } from "../../src/layers/NodeClient.ts"
import { hold } from "../fixtures/tasks/basic.ts"
import { block, quick } from "../fixtures/tasks/blocking.ts"
import { Cluster, eventually, fixture } from "../harness/Cluster.ts"

type Client = Effect.Success<ReturnType<typeof connect>>

/** Processes, a client, and a directory for files that only this test knows. */
const withCluster = async (
  use: (cluster: Cluster, connected: (address: string) => Promise<Client>, path: string) => Promise<void>
) => {
  await using cluster = await Cluster.make()
  const directory = mkdtempSync(join(tmpdir(), "fastworker-"))
  const clients: Array<Client> = []
  try {
    await use(
      cluster,
      async (controlPlane) => {
        const client = await Effect.runPromise(connect({ controlPlane }))
        clients.push(client)
        return client
      },
      join(directory, "file")
    )
  } finally {
    for (const client of clients) await Effect.runPromise(client.close)
    rmSync(directory, { recursive: true, force: true })
  }
}

const heartbeat = (millis: number, timeoutMillis: number) => [
  "--heartbeat",
  `${millis}ms`,
  "--heartbeat-timeout",
  `${timeoutMillis}ms`
]

const workerOf = async (client: Client, id: string) =>
  (await Effect.runPromise(client.workers)).find((worker) => worker.id === id)

/** For what must not happen within a time. */
const pass = (millis: number) => {
  const end = performance.now() + millis
  return eventually(`${millis} ms to pass`, () => performance.now() >= end)
}

const count = (text: string, words: string) => text.split(words).length - 1

describe("a worker whose event loop is blocked for longer than the heartbeat timeout", () => {
  it("is shown as unresponsive, keeps what it runs, gets nothing new, and its task runs once", () =>
    withCluster(async (cluster, connected, log) => {
      const plane = await cluster.controlPlane(heartbeat(300, 3_000))
      await cluster.worker(["--tasks", fixture("blocking.ts"), "--id", "w", "--concurrency", "2"])
      const client = await connected(plane.ready.address)
      const blocked = await Effect.runPromise(client.delay(block, { millis: 7_000, log }))

      const shown = await eventually("the worker to be shown as unresponsive", async () => {
        const worker = await workerOf(client, "w")
        return worker?.state === "unresponsive" && worker
      })
      const meanwhile = await Effect.runPromise(client.delay(quick, {}))
      const { stdout } = await cluster.run(["workers"], { FASTWORKER_ADDRESS: plane.ready.address })
      const waiting = await Effect.runPromise(meanwhile.status)
      const attempts = await Effect.runPromise(Effect.all([blocked.result, meanwhile.result]))

      assert.isAtLeast(shown.lag, 1_000)
      assert.match(stdout, /unresponsive \(\d+s behind\)/u)
      assert.strictEqual(waiting.state, "queued")
      assert.deepStrictEqual(attempts, [1, 1])
      assert.strictEqual(readFileSync(log, "utf8"), "w 1\n")
      assert.deepInclude(await Effect.runPromise(client.stats), { crashes: 0, lateReports: 0 })
      assert.deepInclude(await workerOf(client, "w"), { state: "active", lag: 0 })
      assert.deepStrictEqual([count(plane.stderr(), "does not respond"), count(plane.stderr(), "is lost")], [1, 0])
    }))
})

describe("a worker whose process is stopped", () => {
  it("is lost after the heartbeat timeout: what it ran runs elsewhere", () =>
    withCluster(async (cluster, connected, file) => {
      const plane = await cluster.controlPlane(heartbeat(300, 1_500))
      const tasks = ["--tasks", fixture("basic.ts")]
      const stopped = await cluster.worker([...tasks, "--id", "stopped"])
      const client = await connected(plane.ready.address)
      const handle = await Effect.runPromise(client.delay(hold, { until: file }))
      await eventually("the task to run", async () => (await Effect.runPromise(handle.status)).state === "running")

      stopped.signal("SIGSTOP")
      await cluster.worker([...tasks, "--id", "heir"])
      const status = await eventually("the task to run elsewhere", async () => {
        const status = await Effect.runPromise(handle.status)
        return status.worker === "heir" && status
      })
      stopped.signal("SIGCONT")
      await eventually("the worker to come back", async () => (await workerOf(client, "stopped"))?.state === "active")
      writeFileSync(file, "")
      await Effect.runPromise(handle.result)

      assert.strictEqual(status.attempt, 2)
      assert.strictEqual(count(plane.stderr(), "does not respond"), 0)
      assert.strictEqual((await workerOf(client, "stopped"))?.succeeded, 0)
    }))

  it("and continued in time does not count as unresponsive", () =>
    withCluster(async (cluster, connected) => {
      const plane = await cluster.controlPlane(heartbeat(300, 20_000))
      const worker = await cluster.worker(["--tasks", fixture("blocking.ts"), "--id", "w"])
      const client = await connected(plane.ready.address)
      // A first run says that the thread of the worker has had time to begin.
      await Effect.runPromise(client.run(quick, {}))
      await pass(1_000)

      worker.signal("SIGSTOP")
      await pass(3_000)
      worker.signal("SIGCONT")
      await Effect.runPromise(client.run(quick, {}))
      await pass(1_000)

      assert.strictEqual(plane.stderr(), "")
      assert.deepInclude(await workerOf(client, "w"), { state: "active", lag: 0 })
    }))
})

describe("a control plane whose process is stopped for longer than the heartbeat timeout", () => {
  it("loses no worker for that, and says so", () =>
    withCluster(async (cluster, connected, file) => {
      const plane = await cluster.controlPlane(heartbeat(300, 1_500))
      await cluster.worker(["--tasks", fixture("basic.ts"), "--id", "w"])
      const client = await connected(plane.ready.address)
      const handle = await Effect.runPromise(client.delay(hold, { until: file }))
      await eventually("the task to run", async () => (await Effect.runPromise(handle.status)).state === "running")

      plane.signal("SIGSTOP")
      await pass(4_000)
      plane.signal("SIGCONT")
      await eventually("a word of it", () => /was stopped or blocked for [34]\d{3} ms/u.test(plane.stderr()))
      writeFileSync(file, "")
      await Effect.runPromise(handle.result)

      assert.deepInclude(await Effect.runPromise(handle.status), { attempt: 1, worker: "w", state: "succeeded" })
      assert.deepInclude(await Effect.runPromise(client.stats), { crashes: 0, lateReports: 0, workers: 1 })
      assert.strictEqual(count(plane.stderr(), "is lost"), 0)
    }))
})
