/** BullMQ on a local Redis. */
import { freePort, here, start } from "../../processes.ts"
import type { System } from "../system.ts"
import { packageVersion, programVersion } from "../versions.ts"

const redis = programVersion("redis-server")

export const bullmq: System = {
  name: "BullMQ",
  version: `${packageVersion("bullmq") ?? "?"}, Redis ${redis ?? "?"}`,
  about:
    "one queue, concurrency of the worker as its guide says, jobs removed when complete, results by queue events;" +
    " Redis without persistence, appendfsync always when durable",
  client: here("systems/bullmq/client.ts"),
  missing: redis === undefined
    ? "redis-server is not installed"
    : packageVersion("bullmq") === undefined
    ? "the package bullmq is not installed"
    : undefined,
  async start({ durable, executions, folder, hold }) {
    const port = await freePort()
    const persistence = durable ? ["--appendonly", "yes", "--appendfsync", "always"] : []
    const server = await start(
      ["redis-server", "--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder, ...persistence],
      { ready: /Ready to accept connections/u }
    )
    const worker = hold
      ? undefined
      : await start([here("systems/bullmq/worker.ts"), String(port)], { env: { BENCH_EXECUTIONS: executions } })
    return {
      connection: { port },
      hub: [server.pid],
      async stop() {
        await worker?.stop()
        await server.stop()
      }
    }
  }
}
