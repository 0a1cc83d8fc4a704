/**
 * One chaos run: a control plane, workers and clients as real processes, a network that can be cut between them, and a
 * script of what goes wrong. At the end all faults stop, everything drains, and the books are audited.
 */
import { FastWorker } from "fastworker/promise"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { Cluster, eventually, freePort, type Running } from "../harness/Cluster.ts"
import { audit, overlaps, readBook, readExecutions, type Summary } from "./Books.ts"
import type { ClientOptions } from "./client.ts"
import { type Link, openLink } from "./Proxy.ts"
import { type Fault, makeScript, type Mode } from "./Script.ts"

export interface RunOptions {
  readonly seed: number
  readonly seconds: number
  readonly mode: Mode
  /** Tasks in a second, of each client. */
  readonly perSecond?: number
  /** Where what happens is told while it happens. */
  readonly log?: (line: string) => void
}

export interface Report extends Summary {
  readonly seed: number
  readonly mode: Mode
  readonly kills: number
  readonly stops: number
  readonly cuts: number
  readonly retries: number
  readonly lateReports: number
}

const workers = ["worker-1", "worker-2", "worker-3", "worker-4"]
const clients = ["client-1", "client-2", "client-3"]

const clientProgram = fileURLToPath(new URL("client.ts", import.meta.url))
const taskFile = fileURLToPath(new URL("tasks.ts", import.meta.url))

const words = (flags: string) => flags.split(" ")

/** Jobs of each client, on a machine so slow that the time is over before the client is there. */
const atLeast = 40

/** Seen from the outside, everything must be over by then: deadlines, retries and all. */
const drainMillis = 90_000
const sampleMillis = 200

/** A process that can be ended and started again, and its links. */
interface Actor {
  readonly name: string
  readonly links: ReadonlyArray<Link>
  readonly spawn: () => Running
  running: Running
  isUp: boolean
}

/** The sum over the lives of a control plane: what each of them said last. */
type Counted = Awaited<ReturnType<FastWorker["stats"]>>

/** Runs a script of faults and returns what came of it. */
export const run = async ({ log = () => {}, mode, perSecond = 40, seconds, seed }: RunOptions): Promise<Report> => {
  const folder = mkdtempSync(join(tmpdir(), "fastworker-chaos-"))
  const file = (name: string) => join(folder, name)
  const links: Array<Link> = []
  try {
    await using cluster = await Cluster.make()
    const [clientPort, workerPort] = [await freePort(), await freePort()]
    const link = async (port: number) => {
      const opened = await openLink(port)
      links.push(opened)
      return opened
    }
    const actor = (name: string, links: ReadonlyArray<Link>, spawn: () => Running): Actor => ({
      name,
      links,
      spawn,
      running: spawn(),
      isUp: true
    })

    // All links, also those that are opened later: its cable is everybody's.
    const plane = actor("plane", links, () =>
      cluster.start([
        "control-plane",
        "--json",
        "--no-dashboard",
        ...words(`--address tcp://127.0.0.1:${clientPort} --worker-address tcp://127.0.0.1:${workerPort}`),
        ...words("--heartbeat 500ms --heartbeat-timeout 1500ms --drain-timeout 2s"),
        ...words("--result-cache-size 1000000 --result-cache-bytes 1GiB"),
        ...(mode === "journal" ? ["--journal", file("journal.db")] : [])
      ]))
    await plane.running.event("ready")

    const cast = new Map([[plane.name, plane]])
    for (const name of workers) {
      const own = await link(workerPort)
      const spawn = () =>
        cluster.start(
          [
            "worker",
            "--json",
            "--id",
            name,
            "--control-plane",
            own.address,
            "--drain-timeout",
            "2s",
            "--tasks",
            taskFile
          ],
          { CHAOS_EXECUTIONS: file(`${name}.executions`) }
        )
      cast.set(name, actor(name, [own], spawn))
    }
    for (const name of workers) await cast.get(name)?.running.event("ready")
    for (const [i, name] of clients.entries()) {
      const own = await link(clientPort)
      const options: ClientOptions = {
        seed,
        client: i + 1,
        address: own.address,
        book: file(`${name}.book`),
        stopFile: file("stop"),
        perSecond,
        atLeast
      }
      cast.set(name, actor(name, [own], () => cluster.script(clientProgram, [JSON.stringify(options)])))
    }

    // The harness' own eyes: connected without a proxy.
    const eyes = await FastWorker.connect({
      controlPlane: `tcp://127.0.0.1:${clientPort}`,
      deadlineMillis: 5_000,
      resendMillis: 500
    })
    const lives = new Map<string, Counted>()
    const look = async () => {
      const stats = await eyes.stats().catch(() => undefined)
      if (stats !== undefined) lives.set(stats.epoch, stats)
      return stats
    }
    const over = new AbortController()
    const looking = (async () => {
      while (!over.signal.aborted) {
        await look()
        await sleep(sampleMillis)
      }
    })()

    const script = makeScript({ seed, seconds, mode, workers, clients })
    const violations: Array<string> = []
    // Only who is at work can be disturbed.
    const isAtWork = (name: string) => [...readBook(file(`${name}.book`)).values()].some(({ accepted }) => accepted)
    await eventually("all clients are at work", () => clients.every(isAtWork), drainMillis)
    const startedAt = performance.now()
    const until = (at: number) => sleep(Math.max(0, startedAt + at - performance.now()))
    // One thing after the other for each target, also when the one before takes longer than was planned.
    const before = new Map<string, Promise<void>>()
    const suffer = (fault: Fault): Promise<void> => {
      const mine = Promise.all([before.get(fault.target), until(fault.at)]).then(() => happen(fault))
      before.set(fault.target, mine)
      return mine
    }
    const happen = async (fault: Fault) => {
      const { kind, millis, reset, target } = fault
      const actor = cast.get(target)
      if (actor === undefined) throw new Error(`nobody is called ${target}`)
      log(`${String(fault.at).padStart(6)} ms  ${kind} ${target} for ${millis} ms`)
      switch (kind) {
        case "kill":
        case "restart": {
          actor.running.signal(kind === "kill" ? "SIGKILL" : "SIGTERM")
          const code = await actor.running.exit()
          actor.isUp = false
          // 130: the command's own code for an end by a signal. One that was still loading has nothing to drain.
          const wasReady = actor.running.stdout().includes(`"event":"ready"`)
          if (kind === "restart" && code !== 0 && code !== 130 && !(code === "SIGTERM" && !wasReady)) {
            violations.push(`${target} ended with ${code} after SIGTERM: ${actor.running.stderr().slice(-500)}`)
          }
          await sleep(millis)
          actor.running = actor.spawn()
          actor.isUp = true
          return
        }
        case "stop":
          actor.running.signal("SIGSTOP")
          await sleep(millis)
          actor.running.signal("SIGCONT")
          return
        case "cut":
          for (const link of actor.links) link.cut()
          await sleep(millis)
          for (const link of actor.links) link.heal()
          return
        case "stall":
          for (const link of actor.links) link.stall()
          await sleep(millis)
          for (const link of actor.links) link.heal({ reset })
          return
      }
    }
    await Promise.all([...script.map(suffer), until(seconds * 1_000)])

    // --- The faults are over: everything drains ---

    for (const link of links) link.heal()
    log("the faults are over")
    writeFileSync(file("stop"), "")
    for (const name of clients) {
      const running = cast.get(name)?.running
      const code = await eventually(`the end of ${name}`, () => running?.ended(), drainMillis).catch(() => "not")
      if (code !== 0) violations.push(`${name} ended with ${code}: ${running?.stderr().slice(-500)}`)
    }
    log("the clients are done")
    for (const { isUp, name, running } of cast.values()) {
      const ended = running.ended()
      if (isUp && ended !== undefined && !clients.includes(name)) violations.push(`${name} ended by itself: ${ended}`)
    }
    over.abort()
    await looking
    const idle = await eventually("nothing waits or runs", async () => {
      const stats = await look()
      return stats !== undefined && stats.waiting + stats.running === 0
    }, drainMillis).catch(() => false)
    const last = await look()
    const listed = await Promise.all(
      (["succeeded", "failed", "cancelled"] as const).map(async (state) =>
        [state, (await eyes.list({ state, limit: 1 })).total] as const
      )
    )
    const uniques = (await eyes.list({ name: "unique", limit: 10_000 })).tasks
    await eyes.close()

    const summary = audit({
      seed,
      mode,
      executions: workers.flatMap((name) => readExecutions(file(`${name}.executions`))),
      books: new Map(clients.map((name, i) => [i + 1, readBook(file(`${name}.book`))]))
    })
    if (last === undefined) violations.push("the control plane does not answer")
    else if (!idle) {
      violations.push(`${last.waiting} tasks wait and ${last.running} run, and nobody waits for them`)
    }
    if (last !== undefined && mode !== "memory, killed") {
      for (const [state, count] of listed) {
        const ours = summary.outcomes[state] + (state === "succeeded" ? summary.strays : 0)
        if (count !== ours) violations.push(`the control plane has ${count} ${state}, the clients ${ours}`)
      }
    }
    if (mode !== "memory, killed") violations.push(...overlaps(seed, uniques))
    if (last !== undefined && mode === "memory" && last.submitted !== summary.accepted + summary.strays) {
      violations.push(
        `the control plane counts ${last.submitted} submitted, the clients ${summary.accepted + summary.strays}`
      )
    }
    for (const life of lives.values()) {
      const { cancelled, expired, failed, running, submitted, succeeded, waiting } = life
      const sum = waiting + running + succeeded + failed + cancelled + expired
      if (sum !== submitted) violations.push(`${submitted} submitted, and ${sum} somewhere`)
    }
    const sum = (count: (stats: Counted) => number) => [...lives.values()].reduce((sum, life) => sum + count(life), 0)
    const faults = (...kinds: ReadonlyArray<string>) => script.filter(({ kind }) => kinds.includes(kind)).length
    return {
      ...summary,
      seed,
      mode,
      kills: faults("kill", "restart"),
      stops: faults("stop"),
      cuts: faults("cut", "stall"),
      retries: sum(({ retries }) => retries),
      lateReports: sum(({ lateReports }) => lateReports),
      violations: [...violations, ...summary.violations]
    }
  } finally {
    for (const link of links) await link.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
