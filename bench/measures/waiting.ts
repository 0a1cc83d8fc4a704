/** Whether a million waiting tasks make anything slower: for who uses a control plane, and in its core alone. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import type { OperationsReport } from "../children/operations.ts"
import type { Contender, Measure, Run } from "../measure.ts"
import { here, makeFolder, removeFolder, runJson, start } from "../processes.ts"
import { startControlPlane, workerCommand } from "../systems/fastworker/system.ts"
import type { Options } from "./options.ts"

const operations = ["offer", "take", "cancel", "prioritize"] as const
const columns = operations.map((key) => ({ key, label: key, digits: 2 }))
const many = (quick: boolean) => quick ? 100_000 : 1_000_000
const names = (quick: boolean) => ["nothing waits", `${many(quick).toLocaleString("en-US")} wait`] as const

const throughClient = (name: string, waiting: number, rounds: number): Contender => ({
  name,
  async run() {
    const folder = makeFolder()
    const counted = join(folder, "executions")
    const plane = await startControlPlane(["--max-waiting", String(waiting + 100_000)])
    try {
      const worker = await start(workerCommand(plane.discovery), { env: { BENCH_EXECUTIONS: counted } })
      const { submitted, ...numbers } = await runJson<OperationsReport>(
        [here("children/operations.ts"), plane.discovery, String(plane.pid), String(waiting), String(rounds)],
        300_000
      ).finally(worker.stop)
      return { numbers, submitted, executions: Number(readFileSync(counted, "utf8")) }
    } finally {
      await plane.stop()
      removeFolder(folder)
    }
  }
})

export const waiting = ({ quick }: Options): Measure => {
  const [empty, full] = names(quick)
  const rounds = quick ? 4 : 10
  return {
    name: "waiting",
    title:
      "CPU of the control plane, µs each: offered by the thousand, run by a worker, cancelled and prioritized one by one",
    columns,
    contenders: [throughClient(empty, 0, rounds), throughClient(full, many(quick), rounds)],
    goals: (number) =>
      operations.map((key) => ({
        what: `${key} with ${full} : empty`,
        value: number(full, key) / number(empty, key),
        unit: "×",
        need: "at most" as const,
        floor: 1.5,
        aim: 1.1
      })),
    notes: ["Three processes. take: until the task has run, with its report and its outcome."]
  }
}

const inCore = (name: string, waiting: number, rounds: number): Contender => ({
  name,
  async run() {
    const { executions, submitted, ...numbers } = await runJson<Run["numbers"]>(
      [here("children/waiting.ts"), String(waiting), String(rounds)],
      120_000
    )
    return { numbers, ...(submitted === undefined || executions === undefined ? {} : { submitted, executions }) }
  }
})

export const waitingCore = ({ quick }: Options): Measure => {
  const [empty, full] = names(quick)
  const rounds = quick ? 100 : 300
  return {
    name: "waiting-core",
    title: "The same in the core alone, CPU µs each: the part that memory makes slower",
    columns: [...columns, { key: "all", label: "all four, mean", digits: 2 }],
    contenders: [inCore(empty, 0, rounds), inCore(full, many(quick), rounds)],
    goals: () => []
  }
}
