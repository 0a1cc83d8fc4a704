/** FastWorker: a control plane with its dashboard, and a worker. */
import { join } from "node:path"
import { freePort, here, start } from "../../processes.ts"
import type { System } from "../system.ts"
import { slots } from "../system.ts"
import { packageVersion } from "../versions.ts"

export const bin = here("../dist/bin.js")

/** Starts a control plane on free ports; returns it with where it announces itself. */
export const startControlPlane = async (flags: ReadonlyArray<string> = []) => {
  const discovery = `tcp://127.0.0.1:${await freePort()}`
  const loopback = "tcp://127.0.0.1:0"
  const addresses = ["--address", loopback, "--worker-address", loopback, "--discovery", discovery]
  const plane = await start([bin, "control-plane", "--json", ...addresses, "--dashboard", "127.0.0.1:0", ...flags])
  const { address, dashboard, workerAddress } = JSON.parse(
    /\{.*"event":"ready".*\}/u.exec(plane.output)?.[0] ?? ""
  ) as {
    readonly address: string
    readonly workerAddress: string
    readonly dashboard: string
  }
  return { ...plane, discovery, address, workerAddress, dashboard }
}

export const workerCommand = (discovery: string, concurrency: number = slots): ReadonlyArray<string> => {
  const tasks = here("systems/fastworker/tasks.ts")
  return [bin, "worker", "--json", "--discovery", discovery, "--concurrency", String(concurrency), "--tasks", tasks]
}

export const fastworker: System = {
  name: "FastWorker",
  version: packageVersion("fastworker") ?? "of this folder",
  about: "control plane with dashboard and history, one worker; journal (SQLite) when durable",
  client: here("systems/fastworker/client.ts"),
  async start({ durable, executions, folder, hold }) {
    const plane = await startControlPlane(durable ? ["--journal", join(folder, "journal")] : [])
    const worker = await start(workerCommand(plane.discovery), { env: { BENCH_EXECUTIONS: executions } })
    return {
      connection: { discovery: plane.discovery, durable, hold },
      hub: [plane.pid],
      async stop() {
        await worker.stop()
        await plane.stop()
      }
    }
  }
}
