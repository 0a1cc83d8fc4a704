/** Starts and stops the processes of a benchmark, and says what they use. */
import type { ChildProcess } from "node:child_process"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

export interface Started {
  readonly pid: number
  readonly output: string
  readonly stop: () => Promise<void>
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>
  /** What it prints, on stdout or stderr, when it is ready. */
  readonly ready?: RegExp
  readonly signal?: NodeJS.Signals
  readonly uid?: number
  readonly gid?: number
}

/** How long a process may take to be ready, and to stop. */
const deadlineMillis = 30_000

export const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** What was started and has not ended, and what was not removed: when the benchmark itself is stopped, it goes with it. */
const running = new Set<ChildProcess>()
const folders = new Set<string>()

/** Ends and removes everything when this program is told to stop. */
export const cleanUpWhenStopped = () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      for (const child of running) child.kill("SIGKILL")
      for (const folder of folders) removeFolder(folder)
      process.exit(130)
    })
  }
}

export const makeFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "fastworker-bench-"))
  folders.add(folder)
  return folder
}

export const removeFolder = (folder: string) => {
  folders.delete(folder)
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}

const launch = (command: ReadonlyArray<string>, { env, gid, uid }: StartOptions) => {
  const [first = "", ...rest] = command
  const [program, args] = /\.[jt]s$/u.test(first) ? [process.execPath, command] : [first, rest]
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid })
  })
  running.add(child)
  child.once("close", () => running.delete(child))
  return child
}

/** Starts a program (a script runs in Node) and waits until it says that it is ready. */
export const start = async (command: ReadonlyArray<string>, options: StartOptions = {}): Promise<Started> => {
  const { ready = /"event":"ready".*\n/u, signal = "SIGTERM" } = options
  const child = launch(command, options)
  const closed = once(child, "close")
  let output = ""
  await new Promise<void>((resolve, reject) => {
    const name = command.slice(0, 3).join(" ")
    const fail = (reason: string) => {
      clearTimeout(timer)
      child.kill("SIGKILL")
      reject(new Error(`${name} ${reason}: ${output}`))
    }
    const timer = setTimeout(() => fail(`was not ready within ${deadlineMillis / 1_000} s`), deadlineMillis)
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output = (output + text).slice(-10_000)
        if (!ready.test(output)) return
        clearTimeout(timer)
        resolve()
      })
    }
    child.once("error", (error) => fail(`could not be started: ${error.message}`))
    child.once("close", () => fail("ended before it was ready"))
  })
  return {
    pid: child.pid ?? -1,
    output,
    async stop() {
      const timer = setTimeout(() => child.kill("SIGKILL"), deadlineMillis)
      child.kill(signal)
      await closed
      clearTimeout(timer)
    }
  }
}

/** Runs a program to its end, within a time, and returns the last line that it printed, as JSON. */
export const runJson = async <A>(command: ReadonlyArray<string>, deadlineMillis: number): Promise<A> => {
  const child = launch(command, {})
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    child.kill("SIGKILL")
  }, deadlineMillis)
  let output = ""
  let errors = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => output += text)
  child.stderr.setEncoding("utf8").on("data", (text: string) => errors = (errors + text).slice(-5_000))
  const [code] = await once(child, "close") as [number | null]
  clearTimeout(timer)
  if (isLate) throw new Error(`it did not end within ${deadlineMillis / 1_000} s: ${errors}`)
  if (code !== 0) throw new Error(`it ended with ${code ?? "a signal"}: ${errors}`)
  return JSON.parse(output.trim().split("\n").at(-1) ?? "") as A
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

const read = (path: string): string => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}

/** Ticks of /proc/PID/stat per second; 100 on every Linux that Node runs on. */
const ticksPerSecond = 100

/** A process and those it started. */
const family = (pid: number): ReadonlyArray<number> => [
  pid,
  ...read(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean).flatMap((child) => family(Number(child)))
]

/** CPU time of processes and all that they started, in microseconds; NaN where there is no /proc. */
export const cpuMicros = (pids: ReadonlyArray<number>): number => {
  let ticks = 0
  for (const pid of pids.flatMap(family)) {
    const stat = read(`/proc/${pid}/stat`)
    // The fields after the command, which may contain spaces. The 12th to 15th of them: user and system time, its own
    // and that of children which have ended.
    for (const field of stat.slice(stat.lastIndexOf(")") + 2).split(" ").slice(11, 15)) ticks += Number(field)
  }
  return pids.some((pid) => read(`/proc/${pid}/stat`) !== "") ? ticks * (1_000_000 / ticksPerSecond) : NaN
}

/**
 * CPU time of the threads of a process, in microseconds, without the rounding to ticks: for one that does next to nothing,
 * and neither starts nor ends threads meanwhile.
 */
export const exactCpuMicros = (pid: number): number =>
  readdirSync(`/proc/${pid}/task`).reduce(
    (sum, thread) => sum + Number(read(`/proc/${pid}/task/${thread}/schedstat`).split(" ")[0]) / 1_000,
    0
  )

const sumOf = (text: string, field: RegExp) =>
  [...text.matchAll(field)].reduce((sum, [, kilobytes]) => sum + 1_024 * Number(kilobytes), 0)

/**
 * Bytes that processes and all that they started have for themselves: without the pages of programs and libraries, which
 * are shared with whoever else runs them. What several of them share counts in proportion.
 */
export const ownBytes = (pids: ReadonlyArray<number>): number =>
  pids.flatMap(family).reduce(
    (sum, pid) => sum + sumOf(read(`/proc/${pid}/smaps_rollup`), /^Pss_(?:Anon|Shmem):\s+(\d+) kB/gmu),
    0
  )

/** Bytes of a process that are in RAM, as `ps` and `top` show them. */
export const residentBytes = (pid: number): number => sumOf(read(`/proc/${pid}/status`), /^VmRSS:\s+(\d+) kB/gmu)
