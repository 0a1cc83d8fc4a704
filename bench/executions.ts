/** A worker tells how often it ran a task when it is stopped: each task must have run exactly once. */
import { writeFileSync } from "node:fs"

const file = process.env["BENCH_EXECUTIONS"]

/** Counts executions, and writes their number when the process ends. */
export const makeExecutions = () => {
  let count = 0
  if (file !== undefined) process.on("exit", () => writeFileSync(file, String(count)))
  return () => void count++
}

/** For workers that are programs of the benchmark: says that it is ready, and ends when it is told to. */
export const serveUntilStopped = () => {
  process.once("SIGTERM", () => process.exit(0))
  console.log(JSON.stringify({ event: "ready" }))
}
