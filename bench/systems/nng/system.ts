/** A ceiling: round trips of node-nng between two processes, one for each task, without a queue. */
import { here, start } from "../../processes.ts"
import type { System } from "../system.ts"
import { packageVersion } from "../versions.ts"

export const nng: System = {
  name: "node-nng",
  version: packageVersion("node-nng") ?? "of this folder",
  about: "no queue: a request and its reply for each task, between client and worker",
  client: here("systems/nng/client.ts"),
  async start({ executions }) {
    const worker = await start([here("systems/nng/worker.ts")], { env: { BENCH_EXECUTIONS: executions } })
    return { connection: { address: /tcp:\S+/u.exec(worker.output)?.[0] }, hub: [], stop: worker.stop }
  }
}
