/**
 * `npm run bench`: everything that is said about the speed of FastWorker, measured beside what people would pick instead and
 * beside what the sockets alone could do, in the same run, turn by turn. See `docs/performance.md`.
 *
 *     npm run bench -- [--only throughput,latency] [--peers bullmq,bunqueue | --peers none] [--runs 5] [--millis 3000]
 *                      [--warm-up 3000] [--quick] [--json FILE] [--list]
 */
import { writeFileSync } from "node:fs"
import { parseArgs } from "node:util"
import { machine } from "./machine.ts"
import { runMeasure } from "./measure.ts"
import { measures } from "./measures/all.ts"
import { cleanUpWhenStopped } from "./processes.ts"
import { ceilings, fastworker, peers } from "./systems/all.ts"
import { toGoals, toTable, verdict } from "./table.ts"

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    peers: { type: "string" },
    runs: { type: "string", default: "5" },
    millis: { type: "string", default: "3000" },
    "warm-up": { type: "string", default: "3000" },
    quick: { type: "boolean", default: false },
    json: { type: "string" },
    list: { type: "boolean", default: false }
  }
})

/** The named ones of a list, all of them without names; a name that is not there ends the program. */
const chosen = <A extends { readonly name: string }>(all: ReadonlyArray<A>, names: string | undefined) => {
  const wanted = names?.toLowerCase().split(",").filter((name) => name !== "" && name !== "none")
  const known = all.map(({ name }) => name.toLowerCase())
  const unknown = wanted?.filter((name) => !known.includes(name)) ?? []
  if (unknown.length > 0) {
    console.error(`There is no ${unknown.join(", ")}: choose from ${known.join(", ")}`)
    process.exit(2)
  }
  return wanted === undefined ? all : all.filter(({ name }) => wanted.includes(name.toLowerCase()))
}

const runs = Math.max(1, Number(values.runs))
const timing = { millis: Math.max(200, Number(values.millis)), warmUpMillis: Math.max(0, Number(values["warm-up"])) }
const compared = chosen(peers, values.peers)
const absent = compared.filter(({ missing }) => missing !== undefined)
const systems = [fastworker, ...compared.filter(({ missing }) => missing === undefined)]
const selected = chosen(measures({ systems, ceilings, ...timing, quick: values.quick }), values.only)

if (values.list) {
  for (const { name, title } of selected) console.log(`${name.padEnd(12)} ${title}`)
  process.exit(0)
}

console.log(`${machine.cores} cores, ${machine.cpu}, ${machine.memory}, ${machine.system}, Node ${machine.node}`)
console.log(`Medians of ${runs} runs, loads of ${timing.millis / 1_000} s; load of the machine before: ${machine.load}`)
for (const { about, name, version } of [...systems, ...ceilings]) console.log(`  ${name} ${version}: ${about}`)
for (const { missing, name } of absent) console.log(`  ${name} is left out: ${missing}`)

cleanUpWhenStopped()
const results = []
for (const measure of selected) {
  const measured = await runMeasure(measure, runs, (line) => console.error(line))
  results.push(measured)
  for (const line of toTable(measured)) console.log(line)
}
const goals = results.flatMap(({ goals }) => goals)
for (const line of toGoals(goals)) console.log(line)

if (values.json !== undefined) {
  const about = [...systems, ...ceilings].map(({ about, name, version }) => ({ name, version, about }))
  const leftOut = absent.map(({ missing, name }) => ({ name, missing }))
  const judged = goals.map((goal) => ({ ...goal, reached: verdict(goal) }))
  const report = {
    machine,
    runs,
    ...timing,
    quick: values.quick,
    systems: about,
    leftOut,
    measures: results,
    goals: judged
  }
  writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`)
}
// What a peer does wrong is shown; only what we do wrong, or could not measure, is a failure of this project.
const ours = (name: string) => ![...compared, ...ceilings].some((other) => other.name === name)
const isWrong = results.some(({ rows }) => rows.some(({ exactlyOnce, name }) => exactlyOnce === false && ours(name)))
const isIncomplete = results.some(({ failed }) => failed.some(ours))
if (isWrong || isIncomplete) process.exitCode = 1
