/**
 * Preloaded into a process of the soak (`node --import`): on SIGUSR2 it collects its garbage and writes its memory and its
 * open handles into the file of `SOAK_SAMPLES`, a line each time.
 */
import { appendFileSync } from "node:fs"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

setFlagsFromString("--expose-gc")
const collectGarbage = runInNewContext("gc") as () => void

export interface Sample {
  readonly heapBytes: number
  readonly residentBytes: number
  readonly handles: number
}

/** Memory after a garbage collection, and what keeps the event loop busy: sockets, timers, threads. */
export const takeSample = (): Sample => {
  // The second one takes what the first one's finalizers let go of.
  collectGarbage()
  collectGarbage()
  const { external, heapUsed, rss } = process.memoryUsage()
  return { heapBytes: heapUsed + external, residentBytes: rss, handles: process.getActiveResourcesInfo().length }
}

const file = process.env["SOAK_SAMPLES"]
if (file !== undefined) {
  process.on("SIGUSR2", () => appendFileSync(`${file}.${process.pid}`, `${JSON.stringify(takeSample())}\n`))
}
