/** A worker behind a real network interface, in a network namespace of its own, whose link goes down and comes back. */
import { assert, describe, it } from "@effect/vitest"
import { FastWorker } from "fastworker/promise"
import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { logged } from "../fixtures/tasks/crash.ts"
import { bin, Cluster, eventually, fixture } from "../harness/Cluster.ts"

const tasks = ["--tasks", fixture("crash.ts")]

const ip = (...args: ReadonlyArray<string>) => {
  const { error, status, stderr } = spawnSync("ip", args, { encoding: "utf8" })
  if (error !== undefined || status !== 0) throw new Error(`ip ${args.join(" ")}: ${error?.message ?? stderr}`)
}

/** Two machines as far as TCP can tell: this one, and a namespace behind a cable. */
const makeCable = () => {
  // What others run at the same time on this machine has other names and addresses.
  const tag = process.pid % 60_000
  const names = { namespace: `fastworker-${tag}`, here: `fwh${tag}`, there: `fwt${tag}` }
  // From the block for tests between networks (RFC 2544), four addresses for each.
  const network = `198.${18 + (tag >> 14 & 1)}.${tag >> 6 & 255}`
  const first = (tag & 63) * 4
  const address = `${network}.${first + 1}`
  const dispose = () => {
    spawnSync("ip", ["link", "del", names.here])
    spawnSync("ip", ["netns", "del", names.namespace])
  }
  try {
    ip("netns", "add", names.namespace)
    ip("link", "add", names.here, "type", "veth", "peer", "name", names.there, "netns", names.namespace)
    ip("addr", "add", `${address}/30`, "dev", names.here)
    ip("link", "set", names.here, "up")
    ip("-n", names.namespace, "addr", "add", `${network}.${first + 2}/30`, "dev", names.there)
    ip("-n", names.namespace, "link", "set", names.there, "up")
  } catch (error) {
    dispose()
    throw error
  }
  return {
    address,
    inside: (args: ReadonlyArray<string>) => ["netns", "exec", names.namespace, ...args],
    set: (state: "up" | "down") => ip("link", "set", names.here, state),
    [Symbol.dispose]: dispose
  }
}

const whyNot = (() => {
  if (process.getuid?.() !== 0) return "needs root"
  try {
    makeCable()[Symbol.dispose]()
    return undefined
  } catch (error) {
    return `needs network namespaces and ip of iproute2: ${error instanceof Error ? error.message : String(error)}`
  }
})()

describe("a worker whose link goes down for longer than the heartbeat timeout", () => {
  it.skipIf(whyNot !== undefined)(
    `is lost: its task runs elsewhere once, its late report is refused and counted, and it works again${
      whyNot === undefined ? "" : ` (skipped: ${whyNot.trim()})`
    }`,
    async () => {
      using cable = makeCable()
      const folder = mkdtempSync(join(tmpdir(), "fastworker-cable-"))
      const [log, go] = [join(folder, "log"), join(folder, "go")]
      const lines = () => existsSync(log) ? readFileSync(log, "utf8").trimEnd().split("\n") : []
      await using cluster = await Cluster.make()
      const plane = await cluster.controlPlane([
        "--worker-address",
        `tcp://${cable.address}:0`,
        "--insecure",
        "--heartbeat",
        "200ms",
        "--heartbeat-timeout",
        "1s"
      ])
      const to = ["--control-plane", plane.ready.workerAddress]
      const far = cluster.program(
        "ip",
        cable.inside([process.execPath, bin, "worker", "--json", ...tasks, "--id", "far", ...to])
      )
      await far.event("ready")
      await using client = await FastWorker.connect({ controlPlane: plane.ready.address })
      const handle = await client.delay(logged, { until: go, log })
      await eventually("it runs", () => lines().includes("start far 1"))
      const near = await cluster.worker([...tasks, "--id", "near", ...to])

      cable.set("down")
      await eventually("it runs elsewhere", () => lines().includes("start near 2"))
      writeFileSync(go, "")
      assert.strictEqual(await handle.result(), "near")
      // Its report is made, and has nowhere to go.
      await eventually("it ends where nobody sees it", () => lines().includes("end far 1"))
      cable.set("up")

      await eventually("its report is refused", async () => (await client.stats()).lateReports === 1, 40_000)
      assert.deepStrictEqual(lines().toSorted(), ["end far 1", "end near 2", "start far 1", "start near 2"])
      assert.deepInclude(await client.stats(), { submitted: 1, succeeded: 1, crashes: 1, running: 0, waiting: 0 })
      near.signal("SIGTERM")
      assert.strictEqual(await near.exit(), 0)
      assert.strictEqual(await client.run(logged, { until: go, log }), "far")
      rmSync(folder, { recursive: true })
    },
    90_000
  )
})
