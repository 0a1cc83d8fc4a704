/** What a waiting task takes in the control plane's memory, garbage excluded. Run with --expose-gc. */
import { runHeadless, submitWaiting } from "../headless.ts"

const [count = 0, bytes = 0] = process.argv.slice(2).map(Number)
const { gc } = globalThis
if (gc === undefined) throw new Error("run this with --expose-gc")

const used = () => {
  gc()
  const { external, heapUsed } = process.memoryUsage()
  return heapUsed + external
}

const perTask = await runHeadless(async (plane) => {
  // Code and structures that are there once.
  await submitWaiting(plane, 1_000, "x".repeat(bytes))
  const before = used()
  await submitWaiting(plane, count, "x".repeat(bytes))
  return (used() - before) / count
})
console.log(JSON.stringify({ perTask }))
