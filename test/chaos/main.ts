/**
 * `npm run chaos`: real processes that are killed, stopped and cut off at random, and the check that every accepted task
 * had its one outcome. Ends with 1 when a check fails; the same seed makes the same script of faults.
 *
 *     npm run chaos -- [--runs 10] [--seconds 60] [--seed 1] [--mode journal|memory|memory,killed] [--verbose]
 */
import { parseArgs } from "node:util"
import { run } from "./Run.ts"
import type { Mode } from "./Script.ts"

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "10" },
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    mode: { type: "string", default: "" },
    verbose: { type: "boolean", default: false }
  }
})
const firstSeed = Number(values.seed)
const count = Number(values.runs)
const seconds = Number(values.seconds)
if (!Number.isSafeInteger(firstSeed) || !(count >= 1) || !(seconds >= 2)) {
  console.error("--seed is a whole number, --runs at least 1, --seconds at least 2")
  process.exit(2)
}

/** Every second run has a journal; of the others every second kills the control plane, which then forgets. */
const modes: ReadonlyArray<Mode> = ["journal", "memory", "journal", "memory, killed"]
const only = modes.find((mode) => mode.replace(" ", "") === values.mode.replace(" ", ""))

const columns = [
  ["run", 4],
  ["seed", 8],
  ["mode", 16],
  ["accepted", 10],
  ["succeeded", 11],
  ["failed", 8],
  ["cancelled", 11],
  ["lost", 6],
  ["retries", 9],
  ["kills", 7],
  ["stops", 7],
  ["cuts", 6],
  ["repeated", 10],
  ["late", 6],
  ["verdict", 9]
] as const
const row = (cells: ReadonlyArray<string | number>) =>
  console.log(cells.map((cell, i) => String(cell).padStart(columns[i]?.[1] ?? 0)).join(""))

console.log(`${count} runs of ${seconds} s: 4 workers, 3 clients, a control plane, all through a network that fails`)
row(columns.map(([name]) => name))
let isWell = true
for (let i = 0; i < count; i++) {
  const seed = firstSeed + i
  const mode = only ?? modes[i % modes.length] ?? "journal"
  const report = await run({ seed, seconds, mode, ...(values.verbose ? { log: (line) => console.error(line) } : {}) })
  const { outcomes, violations } = report
  isWell &&= violations.length === 0
  row([
    i + 1,
    seed,
    mode,
    report.accepted,
    outcomes.succeeded,
    outcomes.failed,
    outcomes.cancelled,
    report.lost,
    report.retries,
    report.kills,
    report.stops,
    report.cuts,
    report.repeated,
    report.lateReports,
    violations.length === 0 ? "ok" : "WRONG"
  ])
  for (const violation of violations.slice(0, 20)) console.log(`     ${violation}`)
  if (violations.length > 20) console.log(`     and ${violations.length - 20} more`)
}
console.log(
  "\nrepeated: executions beyond the first and beyond retries (delivery is at least once); " +
    "late: reports refused because the lease had ended; lost: tasks that ended with a control plane without a journal"
)
process.exitCode = isWell ? 0 : 1
