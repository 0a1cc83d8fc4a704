/** The loads that a client puts on a system. Each checks every result, and waits for the last of them. */
import { startMetronome } from "./metronome.ts"
import type { Client } from "./systems/system.ts"
import type { Job } from "./work.ts"
import { expected } from "./work.ts"

/** What one load of one system says. Latencies in milliseconds, until the checked result. */
export interface Sample {
  readonly tasks: number
  readonly seconds: number
  readonly p50: number
  readonly p99: number
  readonly submitted: number
  readonly wrong: number
}

export interface Window {
  readonly millis: number
  readonly warmUpMillis: number
}

/** Jobs that differ, so that a result that belongs to another is seen. */
export type NextJob = () => Job

/** Latencies that are kept: enough for a p99, and bounded. */
const maxLatencies = 4_000_000

const percentile = (sorted: Float64Array, share: number) =>
  sorted.length === 0 ? NaN : sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN

/** Keeps what ended within the window. */
const makeRecord = ({ millis, warmUpMillis }: Window) => {
  const latencies = new Float64Array(maxLatencies)
  const from = performance.now() + warmUpMillis
  const until = from + millis
  let kept = 0
  let tasks = 0
  const counts = { submitted: 0, wrong: 0 }
  return {
    counts,
    until,
    ended(began: number, many: number) {
      const now = performance.now()
      if (now < from || now > until) return
      tasks += many
      if (kept < maxLatencies) latencies[kept++] = now - began
    },
    sample(): Sample {
      const sorted = latencies.subarray(0, kept).sort()
      return { tasks, seconds: millis / 1_000, p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99), ...counts }
    }
  }
}

/** Keeps so many tasks on their way until the time is up. */
export const closed = async (client: Client, next: NextJob, inFlight: number, window: Window): Promise<Sample> => {
  const { counts, ended, sample, until } = makeRecord(window)
  const lane = async () => {
    for (let began = performance.now(); began < until; began = performance.now()) {
      const job = next()
      counts.submitted++
      if (await client.run(job) !== expected(job)) counts.wrong++
      ended(began, 1)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
  return sample()
}

/** Keeps so many batches on their way, each submitted by one call. Latencies are those of batches. */
export const bulk = async (
  { runAll }: Client,
  next: NextJob,
  { batch, batches }: { readonly batch: number; readonly batches: number },
  window: Window
): Promise<Sample> => {
  const { counts, ended, sample, until } = makeRecord(window)
  const lane = async () => {
    for (let began = performance.now(); began < until; began = performance.now()) {
      const jobs = Array.from({ length: batch }, next)
      counts.submitted += batch
      const results = await runAll?.(jobs).results() ?? []
      for (const [i, job] of jobs.entries()) if (results[i] !== expected(job)) counts.wrong++
      ended(began, batch)
    }
  }
  await Promise.all(Array.from({ length: batches }, lane))
  return sample()
}

/** Tasks that may be on their way in an open loop: a system that falls behind by more gets no more. */
const maxBehind = 50_000

/**
 * Submits so many tasks a second, whatever has become of those before. The latency of each counts from when it was to be
 * submitted, so that neither a busy client nor a system that stands still hides it (coordinated omission).
 */
export const open = async (client: Client, next: NextJob, rate: number, window: Window): Promise<Sample> => {
  const { counts, ended, sample } = makeRecord(window)
  const begin = performance.now()
  const total = Math.floor(rate * (window.millis + window.warmUpMillis) / 1_000)
  const flying = new Set<Promise<void>>()
  const fly = async (due: number) => {
    const job = next()
    if (await client.run(job) !== expected(job)) counts.wrong++
    ended(due, 1)
  }
  const submitted = Promise.withResolvers<void>()
  const stop = startMetronome(() => {
    // Tasks are due on the whole millisecond, several at once: what this clock can keep.
    const millis = Math.floor(performance.now() - begin)
    while (counts.submitted < total) {
      const due = Math.ceil(counts.submitted * 1_000 / rate)
      if (due > millis) return
      if (flying.size >= maxBehind) break
      counts.submitted++
      const flight = fly(begin + due).finally(() => flying.delete(flight))
      flying.add(flight)
    }
    submitted.resolve()
  })
  await submitted.promise
  await stop()
  await Promise.all(flying)
  return sample()
}

/** Submits tasks in batches, one after the other, and waits only until they are accepted. */
export const fill = async (client: Client, next: NextJob, count: number, batch: number): Promise<Sample> => {
  const began = performance.now()
  for (let left = count; left > 0; left -= batch) {
    await client.runAll?.(Array.from({ length: Math.min(batch, left) }, next)).accepted
  }
  const seconds = (performance.now() - began) / 1_000
  return { tasks: count, seconds, p50: NaN, p99: NaN, submitted: count, wrong: 0 }
}
