/**
 * Starts the real `fastworker` command in processes of their own, on free ports of the loopback, and ends every one of
 * them. Tests state scenarios; starting, waiting and killing live here.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { randomInt } from "node:crypto"
import { once } from "node:events"
import { createServer } from "node:net"
import { fileURLToPath } from "node:url"

/** The command as a file for Node. */
export const bin = fileURLToPath(new URL("../../dist/bin.js", import.meta.url))

const pollMillis = 10

/** A process takes most of a second to start on an idle machine, and twelve times that where twelve want its core. */
const startMillis = 60_000

/** Waits until there is a value, with a deadline: what tests do instead of sleeping. */
export const eventually = async <A>(
  what: string,
  condition: () => A | undefined | false | Promise<A | undefined | false>,
  deadlineMillis = 20_000
): Promise<A> => {
  const deadline = performance.now() + deadlineMillis
  while (true) {
    const value = await condition()
    if (value !== undefined && value !== false) return value
    if (performance.now() > deadline) throw new Error(`Not within ${deadlineMillis} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, pollMillis))
  }
}

/** Task files for tests. */
export const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/tasks/${name}`, import.meta.url))

export interface Ready {
  readonly event: "ready"
  readonly address: string
  readonly workerAddress: string
  readonly discovery: string
  readonly dashboard: string | null
  readonly id: string
}

export interface Running {
  readonly pid: number
  readonly stdout: () => string
  readonly stderr: () => string
  /** The first line of JSON on stdout that is this event. */
  readonly event: <A = Ready>(name: string) => Promise<A>
  readonly signal: (signal: NodeJS.Signals) => void
  /** Nobody reads its stdout any more. */
  readonly stopReading: () => void
  /** Exit code, or the name of the signal that ended it. */
  readonly exit: () => Promise<number | NodeJS.Signals>
  /** The same, or `undefined` while it runs. */
  readonly ended: () => number | NodeJS.Signals | undefined
}

export interface Output {
  readonly code: number | NodeJS.Signals
  readonly stdout: string
  readonly stderr: string
}

/** Environment without settings from outside. */
const environment = (extra: Readonly<Record<string, string>>): NodeJS.ProcessEnv => {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("FASTWORKER_"))
  return { ...Object.fromEntries(inherited), NO_COLOR: "1", ...extra }
}

const observe = (child: ChildProcess): Running => {
  let stdout = ""
  let stderr = ""
  let ended: number | NodeJS.Signals | undefined
  child.stdout?.setEncoding("utf8").on("data", (text: string) => stdout += text)
  child.stderr?.setEncoding("utf8").on("data", (text: string) => stderr += text)
  // "close" rather than "exit": everything that it printed has been read by then.
  child.once("close", (code, signal) => ended = signal ?? code ?? -1)
  const describe = () => `stdout: ${stdout}\nstderr: ${stderr}`
  return {
    pid: child.pid ?? -1,
    stdout: () => stdout,
    stderr: () => stderr,
    event: <A>(name: string) =>
      eventually(`event "${name}" of process ${child.pid}`, () => {
        for (const line of stdout.split("\n")) {
          if (!line.startsWith("{")) continue
          const value = JSON.parse(line) as { readonly event?: string }
          if (value.event === name) return value as A
        }
        if (ended !== undefined) throw new Error(`Process ended with ${ended} before "${name}"\n${describe()}`)
        return undefined
      }, startMillis).catch((error: Error) => {
        throw new Error(`${error.message}\n${describe()}`)
      }),
    signal: (signal) => void child.kill(signal),
    stopReading: () => void child.stdout?.destroy(),
    exit: () => eventually(`exit of process ${child.pid}`, () => ended, 45_000),
    ended: () => ended
  }
}

/** Ports below those that systems give out by themselves. */
const firstPort = 20_000
const lastPort = 32_000

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once("error", () => resolve(false))
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)))
  })

/**
 * A port that was free a moment ago, for addresses that must be known before their process starts, and while it is started
 * again: nobody who asks the system for any port gets it meanwhile. Another test's control plane that did would answer our
 * clients, and know nothing of their tasks.
 */
export const freePort = async (): Promise<number> => {
  for (let tries = 0; tries < 100; tries++) {
    const port = randomInt(firstPort, lastPort)
    if (await isFree(port)) return port
  }
  throw new Error("no port")
}

/** Processes of one test; what is still alive at its end is killed. */
export class Cluster implements AsyncDisposable {
  readonly #children: Array<ChildProcess> = []
  readonly discovery: string

  private constructor(discovery: string) {
    this.discovery = discovery
  }

  static async make(): Promise<Cluster> {
    return new Cluster(`tcp://127.0.0.1:${await freePort()}`)
  }

  /** Starts the command; the discovery address of this test is in its environment. */
  start(args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}): Running {
    return this.script(bin, args, env)
  }

  /** Starts a script in Node, with the same environment. */
  script(file: string, args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}): Running {
    return this.program(process.execPath, [file, ...args], env)
  }

  /** Starts any program, with the same environment. */
  program(file: string, args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}): Running {
    const child = spawn(file, args, {
      env: environment({ FASTWORKER_DISCOVERY: this.discovery, ...env }),
      stdio: ["ignore", "pipe", "pipe"]
    })
    this.#children.push(child)
    return observe(child)
  }

  /** Runs the command to its end. */
  async run(args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}): Promise<Output> {
    const running = this.start(args, env)
    const code = await running.exit()
    return { code, stdout: running.stdout(), stderr: running.stderr() }
  }

  /** Starts a control plane on free ports and waits until it is ready. */
  async controlPlane(args: ReadonlyArray<string> = [], env: Readonly<Record<string, string>> = {}) {
    const free = ["--address", "--worker-address"].flatMap((flag) =>
      args.includes(flag) ? [] : [flag, "tcp://127.0.0.1:0"]
    )
    const dashboard = args.includes("--dashboard") || args.includes("--no-dashboard") ? [] : ["--no-dashboard"]
    const running = this.start(["control-plane", "--json", ...free, ...dashboard, ...args], env)
    return { ...running, ready: await running.event("ready") }
  }

  /** Starts a worker and waits until it is registered. */
  async worker(args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) {
    const running = this.start(["worker", "--json", ...args], env)
    return { ...running, ready: await running.event("ready") }
  }

  async [Symbol.asyncDispose]() {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      const closed = once(child, "close")
      child.kill("SIGKILL")
      await closed
    }
  }
}
