/**
 * Starts `fastworker` commands as processes of their own and stops them again, as one would do by hand in two terminals.
 * All addresses get a free port.
 */
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

const bin = fileURLToPath(new URL("../../dist/bin.js", import.meta.url))
const tied = new URL("tied.ts", import.meta.url).href
const stopMillis = 10_000

/** A process that said that it is ready. */
export interface Started<Ready> {
  readonly ready: Ready
  readonly pid: number
  /** Resolves with how it ended, in words. */
  readonly ended: Promise<string>
  /** Lets it finish what it runs, and waits until it is gone. */
  readonly stop: () => Promise<void>
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>
}

interface Line<Ready> {
  readonly event?: "ready"
  readonly error?: { readonly message: string }
  readonly ready: Ready
}

const start = <Ready>(args: ReadonlyArray<string>, { env = {} }: StartOptions): Promise<Started<Ready>> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--import", tied, bin, ...args, "--json"], {
      // A group of its own: Ctrl-C reaches the program that started it, which then stops it in order.
      detached: true,
      env: { ...process.env, ...env },
      stdio: ["pipe", "pipe", "pipe"]
    })
    let said = ""
    child.stderr.on("data", (chunk: Buffer) => (said = (said + chunk.toString("utf8")).slice(-2_000)))
    child.stdin.on("error", () => {})
    const ended = new Promise<string>((resolve) => {
      child.once("error", ({ message }) => resolve(message))
      child.once("close", (code, signal) => resolve(`ended with ${signal ?? `code ${code}`} ${said}`.trim()))
    })
    const stop = async () => {
      child.kill("SIGTERM")
      const timer = setTimeout(() => child.kill("SIGKILL"), stopMillis)
      await ended
      clearTimeout(timer)
    }
    createInterface(child.stdout).on("line", (text) => {
      const { error, event, ...ready } = JSON.parse(text) as Line<Ready>
      if (error !== undefined) reject(new Error(error.message))
      if (event === "ready") resolve({ ready: ready as Ready, pid: child.pid as number, ended, stop })
    })
    void ended.then((how) => reject(new Error(`fastworker ${args[0]} ${how}`)))
  })

/** Where a control plane can be reached; `dashboard` is null when there is none. */
export interface ControlPlaneReady {
  readonly address: string
  readonly workerAddress: string
  readonly discovery: string
  readonly dashboard: string | null
}

/** `fastworker control-plane`; without a dashboard unless the arguments say where. */
export const startControlPlane = (args: ReadonlyArray<string>, options: StartOptions = {}) => {
  const ports = ["--address", "--worker-address", "--discovery"].flatMap((flag) => [flag, "tcp://127.0.0.1:0"])
  const dashboard = args.includes("--dashboard") ? [] : ["--no-dashboard"]
  return start<ControlPlaneReady>(["control-plane", ...ports, ...dashboard, ...args], options)
}

/** What a worker runs. */
export interface WorkerReady {
  readonly id: string
  readonly tasks: ReadonlyArray<string>
}

/** `fastworker worker`. */
export const startWorker = (args: ReadonlyArray<string>, options: StartOptions = {}) =>
  start<WorkerReady>(["worker", ...args], options)
