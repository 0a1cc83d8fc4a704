/** A ceiling: bare `node:net` from client to relay to worker and back, in three processes, without a queue. */
import { here, start } from "../../processes.ts"
import type { System } from "../system.ts"

const portOf = (output: string) => Number(/\d+/u.exec(output)?.[0])

export const relay: System = {
  name: "node:net",
  version: process.versions.node,
  about: "no queue: frames between client and worker, through a process that passes on what it reads",
  client: here("systems/relay/client.ts"),
  async start({ executions }) {
    const worker = await start([here("systems/relay/worker.ts")], { env: { BENCH_EXECUTIONS: executions } })
    const hub = await start([here("systems/relay/relay.ts"), String(portOf(worker.output))])
    return {
      connection: { port: portOf(hub.output) },
      hub: [hub.pid],
      async stop() {
        await worker.stop()
        await hub.stop()
      }
    }
  }
}
