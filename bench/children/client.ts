/**
 * The process of a client: connects to a system, puts loads on it one after the other, and prints what they say. Runs in
 * Node, or in Bun for what needs that.
 */
import type { NextJob, Sample } from "../loads.ts"
import { bulk, closed, fill, open } from "../loads.ts"
import { cpuMicros, ownBytes } from "../processes.ts"
import type { ClientModule } from "../systems/system.ts"
import { makeAdd, makeSize } from "../work.ts"

interface Timed {
  readonly millis: number
  readonly warmUpMillis: number
}

/** `bytes`: of the arguments; without it the task is `add`. */
export type Load =
  | Timed & { readonly load: "closed"; readonly inFlight: number; readonly bytes?: number }
  | Timed & { readonly load: "bulk"; readonly batch: number; readonly batches: number }
  /** At this share of the rate of the load before. */
  | Timed & { readonly load: "open"; readonly share: number }
  | {
    readonly load: "fill"
    readonly count: number
    readonly batch: number
    readonly batches: number
    readonly bytes: number
  }

export interface ClientPlan {
  /** Path of the system's client. */
  readonly client: string
  readonly connection: object
  readonly hub: ReadonlyArray<number>
  readonly loads: ReadonlyArray<Load>
}

/** With what the processes between client and worker used: CPU for each task, and what their memory grew by. */
export interface LoadReport extends Sample {
  readonly hubMicros: number
  readonly hubBytes: number
}

const { client: path, connection, hub, loads } = JSON.parse(process.argv[2] ?? "{}") as ClientPlan
const client = await (await import(path) as ClientModule).connect(connection)

let last = 0
const jobs = (bytes?: number): NextJob => {
  const make = bytes === undefined ? makeAdd : makeSize(bytes)
  return () => make(last++)
}

const put = (load: Load, before: Sample | undefined): Promise<Sample> => {
  if (load.load === "closed") return closed(client, jobs(load.bytes), load.inFlight, load)
  if (load.load === "bulk") return bulk(client, jobs(), load, load)
  if (load.load === "fill") return fill(client, jobs(load.bytes), load)
  const rate = before === undefined ? NaN : before.tasks / before.seconds
  return open(client, jobs(), load.share * rate, load)
}

const reports: Array<LoadReport> = []
for (const load of loads) {
  const bytes = ownBytes(hub)
  const cpu = cpuMicros(hub)
  const sample = await put(load, reports.at(-1))
  const hubMicros = (cpuMicros(hub) - cpu) / sample.submitted
  reports.push({ ...sample, hubMicros, hubBytes: ownBytes(hub) - bytes })
}
console.log(JSON.stringify(reports))
// What holds a load never gets its results, so closing in order would wait for them.
if (loads.some(({ load }) => load === "fill")) process.exit(0)
await client.close()
process.exit(0)
