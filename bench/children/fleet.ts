/**
 * A fleet of workers on the core alone, in virtual time: all of them exchange in turn, each with as many reports as it has
 * slots. Then all slots fill at once, a tenth of the fleet vanishes, and what it held runs elsewhere.
 */
import type { Worker } from "../core.ts"
import { makeBareCore, offer, randomId, register, reportAll, submit } from "../core.ts"
import { cpuMicros } from "../headless.ts"
import { median } from "../measure.ts"

export interface FleetReport {
  readonly steadyMicros: number
  readonly sweepMicros: number
  readonly burstMicros: number
  readonly mostLoaded: number
  readonly lossMicros: number
  readonly bytesPerWorker: number
  readonly submitted: number
  readonly executions: number
}

const [count = 1, rounds = 1] = process.argv.slice(2).map(Number)
const slots = 16
/** Exchanges that come in one turn of the event loop: as many for a small fleet, which then has fewer workers than that. */
const perTurn = 64

const { gc } = globalThis
if (gc === undefined) throw new Error("run this with --expose-gc")

const used = () => {
  gc()
  return process.memoryUsage().heapUsed
}

const core = makeBareCore({ maxWorkers: count })
let now = 0
let submitted = 0
let executions = 0
const makeIds = (many: number) => Array.from({ length: many }, randomId)
const submitAll = (ids: ReadonlyArray<string>) => {
  submitted += ids.length
  for (const id of ids) submit(core, id, now)
}
const timed = (run: () => void): number => {
  const from = cpuMicros()
  run()
  return cpuMicros() - from
}

const empty = used()
const fleet: Array<Worker> = Array.from({ length: count }, (_, i) => register(core, `w${i}`, slots, now))
const bytesPerWorker = (used() - empty) / count

const exchange = (worker: Worker) => {
  executions += reportAll(core, worker, now)
  offer(core, worker, now)
}

// The slots fill at once. `mostLoaded`: a fair dispatcher gives nobody two before everybody has one.
submitAll(makeIds(count))
core.dispatch(now)
const mostLoaded = Math.max(...fleet.map(({ leases }) => leases.size))
for (const worker of fleet) exchange(worker)
submitAll(makeIds(count * slots))
const burstMicros = timed(() => core.dispatch(now)) / (count * slots)

// The steady state: in every turn some report all that they hold, and get as much again.
const steady: Array<number> = []
let next = 0
for (let round = 0; round < rounds; round++) {
  now++
  const ids = Array.from({ length: perTurn }, () => makeIds(slots))
  const took = timed(() => {
    for (const batch of ids) {
      exchange(fleet[next++ % count] as Worker)
      submitAll(batch)
      // The same worker comes again: it has to have got something to report.
      if (count < perTurn) core.dispatch(now)
    }
    core.dispatch(now)
  })
  if (round >= rounds / 4) steady.push(took / (perTurn * slots))
}

// The sweep that finds silent workers, ten times a second.
const sweeps = Array.from({ length: 50 }, () => timed(() => core.expire(now)))

// A tenth is gone: after the grace its tasks wait again, and run on the others.
const gone = fleet.splice(0, Math.ceil(count / 10))
for (const worker of gone) core.disconnected(worker, now)
now += 900
core.expire(now)
now += 900
core.expire(now)
now += 900
let lost = 0
const lossMicros = timed(() => lost = core.expire(now).length)
if (lost !== gone.length) throw new Error(`${lost} workers were lost, not ${gone.length}`)
if (fleet.length === 0) fleet.push(register(core, "heir", slots, now))
for (let turns = 0; core.waiting() + core.counts.running > 0; turns++) {
  now++
  for (const worker of fleet) exchange(worker)
  core.dispatch(now)
  if (turns > 10_000) throw new Error(`${submitted - executions} tasks were never done`)
}

const report: FleetReport = {
  steadyMicros: median(steady),
  sweepMicros: median(sweeps),
  burstMicros,
  mostLoaded,
  lossMicros,
  bytesPerWorker,
  submitted,
  executions
}
console.log(JSON.stringify(report))
