/** graphile-worker on a local PostgreSQL, whose files are removed after the run. */
import { spawnSync } from "node:child_process"
import { chownSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { freePort, here, makeFolder, removeFolder, start } from "../../processes.ts"
import type { System } from "../system.ts"
import { packageVersion, programVersion } from "../versions.ts"

/** Where Debian and its like have PostgreSQL's own programs, newest first; else they are on the path. */
const binFolder = (): string => {
  const root = "/usr/lib/postgresql"
  try {
    const newest = readdirSync(root).map(Number).filter(Boolean).sort((a, b) => b - a)[0]
    return newest === undefined ? "" : `${root}/${newest}/bin/`
  } catch {
    return ""
  }
}
const bin = binFolder()
const postgres = programVersion(`${bin}postgres`)

/** PostgreSQL refuses to run as root. Returns whom it can run as, `{}` for whoever runs this. */
const owner = (): { readonly uid?: number; readonly gid?: number } | undefined => {
  if (process.getuid?.() !== 0) return {}
  for (const user of ["postgres", "nobody"]) {
    const [uid, gid] = ["-u", "-g"].map((flag) => Number(spawnSync("id", [flag, user], { encoding: "utf8" }).stdout))
    if (uid !== undefined && gid !== undefined && uid > 0 && gid > 0) return { uid, gid }
  }
  return undefined
}

/** PostgreSQL's own "non-durable settings": what its manual recommends for speed when losing data is allowed. */
const notDurable = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"].flatMap((setting) => ["-c", setting])

const check = (command: ReadonlyArray<string>, options: object) => {
  const [program = "", ...args] = command
  const { error, status, stderr } = spawnSync(program, args, { ...options, encoding: "utf8" })
  if (status !== 0) throw new Error(`${program} failed: ${error?.message ?? stderr}`)
}

export const graphile: System = {
  name: "graphile-worker",
  version: `${packageVersion("graphile-worker") ?? "?"}, PostgreSQL ${postgres ?? "?"}`,
  about:
    "the configuration of its performance page (24 jobs at once, local queue of 500, completions in batches, pool of" +
    " 25), results by NOTIFY in batches; PostgreSQL with the non-durable settings of its manual, its defaults when durable",
  client: here("systems/graphile/client.ts"),
  missing: postgres === undefined
    ? "PostgreSQL is not installed"
    : packageVersion("graphile-worker") === undefined
    ? "the package graphile-worker is not installed"
    : owner() === undefined
    ? "PostgreSQL does not run as root, and there is no user postgres or nobody"
    : undefined,
  async start({ durable, executions, hold }) {
    const user = owner() ?? {}
    // A folder of its own: the user that PostgreSQL runs as can't enter the one of this run.
    const folder = makeFolder()
    if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid)
    const data = join(folder, "data")
    check([`${bin}initdb`, "-D", data, "-A", "trust", "-U", "bench", "--no-sync"], user)
    const port = await freePort()
    // No connection by Unix socket: its folder may not be ours.
    writeFileSync(join(data, "postgresql.auto.conf"), "unix_socket_directories = ''\nlisten_addresses = '127.0.0.1'\n")
    const server = await start(
      [`${bin}postgres`, "-D", data, "-p", String(port), ...(durable ? [] : notDurable)],
      { ready: /ready to accept connections/u, signal: "SIGINT", ...user }
    )
    const connectionString = `postgres://bench@127.0.0.1:${port}/postgres`
    const command = [here("systems/graphile/worker.ts"), connectionString, ...(hold ? ["hold"] : [])]
    const worker = await start(command, { env: { BENCH_EXECUTIONS: executions } })
    return {
      connection: { connectionString },
      hub: [server.pid],
      async stop() {
        await worker.stop()
        await server.stop()
        removeFolder(folder)
      }
    }
  }
}
