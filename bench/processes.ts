/** Starts and stops the processes of a benchmark. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createServer } from "node:net"

export interface Started {
  readonly pid: number
  readonly stop: () => Promise<void>
}

/** How long a process may take to be ready, and to stop. */
const deadlineMillis = 30_000

/** Starts a program (a script runs in Node) and waits until it says that it is ready. */
export const start = async (
  command: ReadonlyArray<string>,
  env: Readonly<Record<string, string>> = {},
  { ready = /"event":"ready"/u }: { readonly ready?: RegExp } = {}
): Promise<Started> => {
  const [first = "", ...rest] = command
  const [program, args] = /\.[jt]s$/u.test(first) ? [process.execPath, command] : [first, rest]
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "inherit"] })
  const closed = once(child, "close")
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${first} is not ready`)), deadlineMillis)
    let output = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-10_000)
      if (!ready.test(output)) return
      clearTimeout(timer)
      resolve()
    })
    child.once("close", () => reject(new Error(`${first} ended before it was ready: ${output}`)))
  })
  return {
    pid: child.pid ?? -1,
    async stop() {
      const timer = setTimeout(() => child.kill("SIGKILL"), deadlineMillis)
      child.kill("SIGTERM")
      await closed
      clearTimeout(timer)
    }
  }
}

/** A port that was free a moment ago. */
export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  server.close()
  await once(server, "close")
  if (address === null || typeof address === "string") throw new Error("no port")
  return address.port
}
