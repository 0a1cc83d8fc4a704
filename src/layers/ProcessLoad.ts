/**
 * How busy this process is, for people: memory, CPU time, lag of the event loop. Owns the measurement since the last one
 * that was taken; who is told is the caller's business.
 *
 * Measured by the runtime: a timer in the event loop every 20 ms, no code of ours between two measurements.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { getHeapStatistics } from "node:v8"
import type { WorkerLoad } from "../domain/WorkerInfo.ts"

/** How often the event loop is looked at. */
const resolution = 20

/**
 * Measures until the scope closes. The result gives the measurement when `everyMillis` have passed since the last one.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeProcessLoad = Effect.gen(function*() {
  const delays = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const delays = monitorEventLoopDelay({ resolution })
      delays.enable()
      return delays
    }),
    (delays) => Effect.sync(() => delays.disable())
  )
  let takenAt = -Infinity
  let cpu = process.cpuUsage()
  let cpuAt = performance.now()

  return (everyMillis: number): WorkerLoad | undefined => {
    const now = performance.now()
    if (now - takenAt < everyMillis) return undefined
    takenAt = now
    const { system, user } = process.cpuUsage(cpu)
    const elapsed = now - cpuAt
    cpu = process.cpuUsage()
    cpuAt = now
    const heap = getHeapStatistics()
    // Nanoseconds between two looks, of which the resolution is no lag.
    const lag = delays.count === 0 ? 0 : delays.percentile(99) / 1e6 - resolution
    delays.reset()
    return {
      rss: process.memoryUsage.rss(),
      heapUsed: heap.used_heap_size,
      heapLimit: heap.heap_size_limit,
      cpu: elapsed < 1 ? 0 : Math.round((user + system) / elapsed / 10) / 100,
      loopLag: Math.max(0, Math.round(lag * 10) / 10)
    }
  }
})
