/**
 * `npm run bench`: tasks per second and latency of FastWorker and, when Redis is installed, of BullMQ beside it: the same
 * work, in the same run, turn by turn. Three processes each (client, control plane or Redis, worker) on the loopback.
 *
 *     npm run bench -- [--json] [--runs 5] [--millis 3000] [--warm-up 1000] [--only fastworker|bullmq]
 */
import { spawn, spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { cpus, tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import type { ClientReport } from "./drive.ts"
import { freePort, start, type Started } from "./processes.ts"

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    runs: { type: "string", default: "5" },
    millis: { type: "string", default: "3000" },
    "warm-up": { type: "string", default: "1000" }
  }
})
const runs = Math.max(1, Number(values.runs))
const timing = { millis: Math.max(200, Number(values.millis)), warmUpMillis: Number(values["warm-up"]) }
const inFlight = [1, 64, 1_024]

/** Slots of the worker, the same for each system. */
const slots = 1_024

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), "fastworker-bench-"))

interface System {
  readonly name: string
  readonly start: (executions: string) => Promise<{
    readonly clientArgs: object
    readonly processes: ReadonlyArray<Started>
  }>
  readonly client: string
}

const fastworker: System = {
  name: "FastWorker",
  client: here("fastworker/client.ts"),
  async start(executions) {
    const bin = here("../dist/bin.js")
    const discovery = `tcp://127.0.0.1:${await freePort()}`
    const plane = await start([
      bin,
      "control-plane",
      "--json",
      "--address",
      "tcp://127.0.0.1:0",
      "--worker-address",
      "tcp://127.0.0.1:0",
      "--discovery",
      discovery,
      "--dashboard",
      "127.0.0.1:0"
    ])
    const worker = await start(
      [bin, "worker", "--json", "--discovery", discovery, "--concurrency", String(slots), "--tasks", here("task.ts")],
      { BENCH_EXECUTIONS: executions }
    )
    return { clientArgs: { discovery, planePid: plane.pid }, processes: [worker, plane] }
  }
}

const bullmq: System = {
  name: "BullMQ",
  client: here("bullmq/client.ts"),
  async start(executions) {
    const port = await freePort()
    const redis = await start(["redis-server", "--port", String(port), "--bind", "127.0.0.1", "--save", ""], {}, {
      ready: /Ready to accept connections/u
    })
    const worker = await start([here("bullmq/worker.ts"), JSON.stringify({ port, slots })], {
      BENCH_EXECUTIONS: executions
    })
    return { clientArgs: { port }, processes: [worker, redis] }
  }
}

/** One run of one system: fresh processes, each number of tasks in flight in turn, the exact-delivery check. */
const measure = async (system: System, run: number): Promise<ClientReport & { readonly executions: number }> => {
  const file = join(folder, `${system.name}-${run}`)
  const { clientArgs, processes } = await system.start(file)
  const report = await new Promise<ClientReport>((resolve, reject) => {
    const child = spawn(process.execPath, [system.client, JSON.stringify({ ...clientArgs, inFlight, ...timing })], {
      stdio: ["ignore", "pipe", "inherit"]
    })
    let output = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => output += text)
    child.once(
      "close",
      (code) =>
        code === 0
          ? resolve(JSON.parse(output) as ClientReport)
          : reject(new Error(`the client of ${system.name} failed`))
    )
  })
  for (const { stop } of processes) await stop()
  return { ...report, executions: Number(readFileSync(file, "utf8")) }
}

const median = (numbers: ReadonlyArray<number>): number => {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

const hasRedis = spawnSync("redis-server", ["--version"]).error === undefined
const systems = (hasRedis ? [fastworker, bullmq] : [fastworker]).filter(({ name }) =>
  values.only === "" || name.toLowerCase() === values.only.toLowerCase()
)
if (!hasRedis) console.error("redis-server is not installed: BullMQ is left out")

const reports = new Map<System, Array<ClientReport & { readonly executions: number }>>()
for (let run = 1; run <= runs; run++) {
  for (const system of systems) {
    console.error(`run ${run} of ${runs}: ${system.name}`)
    reports.set(system, [...(reports.get(system) ?? []), await measure(system, run)])
  }
}
rmSync(folder, { recursive: true })

const results = systems.map((system) => {
  const all = reports.get(system) ?? []
  return {
    system: system.name,
    exactlyOnce: all.every(({ executions, samples, submitted }) =>
      executions === submitted && samples.every(({ wrong }) => wrong === 0)
    ),
    submitted: all.reduce((sum, { submitted }) => sum + submitted, 0),
    executions: all.reduce((sum, { executions }) => sum + executions, 0),
    measures: inFlight.map((count) => {
      const samples = all.flatMap(({ samples }) => samples.filter((sample) => sample.inFlight === count))
      const micros = samples.flatMap(({ controlPlaneMicros }) =>
        controlPlaneMicros === null ? [] : [controlPlaneMicros]
      )
      return {
        inFlight: count,
        tasksPerSecond: Math.round(median(samples.map(({ seconds, tasks }) => tasks / seconds))),
        p50Millis: median(samples.map(({ p50 }) => p50)),
        p99Millis: median(samples.map(({ p99 }) => p99)),
        controlPlaneMicrosPerTask: micros.length === 0 ? null : median(micros)
      }
    })
  }
})
const machine = { cpu: cpus()[0]?.model ?? "unknown", cores: cpus().length, node: process.version }

if (values.json) console.log(JSON.stringify({ machine, runs, ...timing, slots, results }))
else {
  console.log(`\nMedians of ${runs} runs of ${timing.millis / 1000} s, three processes on loopback, ${slots} slots`)
  console.log(`${machine.cores} cores, ${machine.cpu}, Node ${machine.node}\n`)
  const row = (cells: ReadonlyArray<string>) =>
    console.log(cells.map((cell, i) => i === 0 ? cell.padEnd(12) : cell.padStart(11)).join(""))
  row(["system", "in flight", "tasks/s", "p50 ms", "p99 ms", "plane µs"])
  for (const { measures, system } of results) {
    for (const measure of measures) {
      row([
        system,
        String(measure.inFlight),
        String(measure.tasksPerSecond),
        measure.p50Millis.toFixed(3),
        measure.p99Millis.toFixed(3),
        measure.controlPlaneMicrosPerTask === null ? "-" : measure.controlPlaneMicrosPerTask.toFixed(1)
      ])
    }
  }
  const [ours, theirs] = results
  if (ours !== undefined && theirs !== undefined) {
    const our = ours.measures
    const ratio = (pick: (measure: (typeof our)[number]) => number) =>
      our.map((measure, i) => {
        const other = theirs.measures[i]
        return other === undefined ? "-" : (pick(measure) / pick(other)).toFixed(2)
      }).join(", ")
    console.log(`\n${ours.system} : ${theirs.system} at ${inFlight.join(", ")} in flight`)
    console.log(
      `  tasks/s ${ratio(({ tasksPerSecond }) => tasksPerSecond)}   p50 ${ratio(({ p50Millis }) => p50Millis)}`
    )
  }
  for (const { exactlyOnce, executions, submitted, system } of results) {
    const verdict = exactlyOnce ? "yes" : `NO, the handler ran ${executions} times`
    console.log(`${system}: ${submitted} tasks, each ran once and gave its own result: ${verdict}`)
  }
}
// The peers' results are shown; only ours is a failure of this project.
if (results.some(({ exactlyOnce, system }) => system === fastworker.name && !exactlyOnce)) process.exitCode = 1
