/** bunqueue as a server of its own; its server, client and worker run under Bun. */
import { join } from "node:path"
import { freePort, here, start } from "../../processes.ts"
import type { System } from "../system.ts"
import { packageVersion, programVersion } from "../versions.ts"

const bun = here("../node_modules/.bin/bun")
const version = programVersion(bun)

export const bunqueue: System = {
  name: "bunqueue",
  version: `${packageVersion("bunqueue") ?? "?"}, Bun ${version ?? "?"}`,
  about: "TCP server in memory, SQLite and durable jobs when durable; adds and pulls in batches, as its guides say",
  client: here("systems/bunqueue/client.ts"),
  program: bun,
  missing: version === undefined
    ? "the package bun is not installed"
    : packageVersion("bunqueue") === undefined
    ? "the package bunqueue is not installed"
    : undefined,
  async start({ durable, executions, folder, hold }) {
    const port = await freePort()
    const cli = here("../node_modules/bunqueue/dist/cli/index.js")
    const ports = ["--tcp-port", String(port), "--http-port", String(await freePort())]
    const storage = durable ? ["--data-path", join(folder, "bunqueue.db")] : []
    const server = await start(
      [bun, cli, "start", "--host", "127.0.0.1", ...ports, ...storage],
      { ready: new RegExp(String(port), "u") }
    )
    const worker = hold
      ? undefined
      : await start([bun, here("systems/bunqueue/worker.ts"), String(port)], { env: { BENCH_EXECUTIONS: executions } })
    return {
      connection: { port, durable },
      hub: [server.pid],
      async stop() {
        await worker?.stop()
        await server.stop()
      }
    }
  }
}
