/** Measures that put loads on systems: fresh processes for each run, and the check that every task ran exactly once. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import type { ClientPlan, Load, LoadReport } from "./children/client.ts"
import type { Contender, Run } from "./measure.ts"
import { here, makeFolder, removeFolder, runJson } from "./processes.ts"
import type { System } from "./systems/system.ts"

export interface Loading {
  readonly loads: ReadonlyArray<Load>
  readonly durable?: boolean
  readonly hold?: boolean
}

const readCount = (file: string): number => {
  try {
    return Number(readFileSync(file, "utf8"))
  } catch {
    return 0
  }
}

/** How long a client may take: its loads, and as long again as a slow system needs for its last tasks. */
const deadlineMillis = (loads: ReadonlyArray<Load>) =>
  loads.reduce((sum, load) => sum + (load.load === "fill" ? 60_000 : 5 * (load.millis + load.warmUpMillis)), 120_000)

/** One run of one system. */
const load = async (
  system: System,
  { durable = false, hold = false, loads }: Loading,
  numbersOf: (reports: ReadonlyArray<LoadReport>) => Run["numbers"]
): Promise<Run> => {
  const folder = makeFolder()
  const executions = join(folder, "executions")
  try {
    const { connection, hub, stop } = await system.start({ durable, hold, folder, executions })
    const plan: ClientPlan = { client: system.client, connection, hub, loads }
    const program = system.program === undefined ? [] : [system.program]
    const command = [...program, here("children/client.ts"), JSON.stringify(plan)]
    const reports = await runJson<ReadonlyArray<LoadReport>>(command, deadlineMillis(loads)).finally(stop)
    const sum = (key: "submitted" | "wrong") => reports.reduce((sum, report) => sum + report[key], 0)
    const numbers = numbersOf(reports)
    return hold
      ? { numbers }
      : { numbers, submitted: sum("submitted"), wrong: sum("wrong"), executions: readCount(executions) }
  } finally {
    removeFolder(folder)
  }
}

/** Contenders of a measure, one for each system. */
export const loaded = (
  systems: ReadonlyArray<System>,
  loading: Loading,
  numbersOf: (reports: ReadonlyArray<LoadReport>) => Run["numbers"]
): ReadonlyArray<Contender> =>
  systems.map((system) => ({ name: system.name, run: () => load(system, loading, numbersOf) }))

export const rateOf = (report: LoadReport | undefined): number =>
  report === undefined ? NaN : report.tasks / report.seconds
