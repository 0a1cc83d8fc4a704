/**
 * `npm run bounds`: what is bounded, at its bounds, with real processes: a million waiting tasks, 10,000 connections, 100
 * MB of arguments. Ends with 1 when a bound does not hold.
 *
 *     npm run bounds -- [--tasks 1000000] [--connections 10000]
 */
import { parseArgs } from "node:util"
import {
  keptResults,
  largeArguments,
  maxOpenFiles,
  silentConnections,
  uncollectedOutcomes,
  waitingTasks
} from "./Bounds.ts"

const { values } = parseArgs({
  options: {
    tasks: { type: "string", default: "1000000" },
    connections: { type: "string", default: "10000" }
  }
})
// Both ends need a descriptor, in a process each.
const connections = Math.min(Number(values.connections), maxOpenFiles() - 200)
if (connections < Number(values.connections)) {
  console.log(`${connections} connections only: ulimit -n is ${maxOpenFiles()}`)
}

for (
  const check of [
    () => waitingTasks(Number(values.tasks)),
    () => keptResults(100, 500_000),
    () => silentConnections(connections),
    () => largeArguments(100_000_000, 5),
    () => uncollectedOutcomes(12, 10_000)
  ]
) {
  try {
    console.log(`ok     ${await check()}`)
  } catch (error) {
    console.log(`WRONG  ${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = 1
  }
}
