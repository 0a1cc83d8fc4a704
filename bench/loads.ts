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

/**
 * Keeps what ends within the window. That opens after the warm-up, and not before `least` tasks have ended; it closes when
 * its time is over and as many have ended again, so that a slow system on a busy machine has a rate too.
 */
const makeRecord = ({ millis, warmUpMillis }: Window, least: number) => {
  const latencies = new Float64Array(maxLatencies)
  const warmUntil = performance.now() + warmUpMillis
  let warmedUp = 0
  let from: number | undefined
  let to: number | undefined
  let kept = 0
  let tasks = 0
  const counts = { submitted: 0, wrong: 0 }
  return {
    counts,
    isOver: () => to !== undefined,
    ended: (began: number, many: number) => {
      const now = performance.now()
      if (to !== undefined) return
      if (from === undefined) {
        warmedUp += many
        if (now >= warmUntil && warmedUp >= least) from = now
        return
      }
      tasks += many
      if (kept < maxLatencies) latencies[kept++] = now - began
      if (now - from >= millis && tasks >= least) to = now
    },
    sample(): Sample {
      const sorted = latencies.subarray(0, kept).sort()
      const seconds = ((to ?? NaN) - (from ?? NaN)) / 1_000
      return { tasks, seconds, p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99), ...counts }
    }
  }
}

/** Keeps so many tasks on their way until the time is up. */
export const closed = async (client: Client, next: NextJob, inFlight: number, window: Window): Promise<Sample> => {
  const record = makeRecord(window, inFlight)
  const lane = async () => {
    while (!record.isOver()) {
      const began = performance.now()
      const job = next()
      record.counts.submitted++
      if (await client.run(job) !== expected(job)) record.counts.wrong++
      record.ended(began, 1)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
  return record.sample()
}

/** Keeps so many batches on their way, each submitted by one call. Latencies are those of batches. */
export const bulk = async (
  { runAll }: Client,
  next: NextJob,
  { batch, batches }: { readonly batch: number; readonly batches: number },
  window: Window
): Promise<Sample> => {
  const record = makeRecord(window, batch * batches)
  const lane = async () => {
    while (!record.isOver()) {
      const began = performance.now()
      const jobs = Array.from({ length: batch }, next)
      record.counts.submitted += batch
      const results = await runAll?.(jobs) ?? []
      for (const [i, job] of jobs.entries()) if (results[i] !== expected(job)) record.counts.wrong++
      record.ended(began, batch)
    }
  }
  await Promise.all(Array.from({ length: batches }, lane))
  return record.sample()
}

/** Tasks that may be on their way in an open loop: a system that falls behind by more gets no more. */
const maxBehind = 50_000

/** Tasks that an open loop waits for at least. */
const leastOpen = 10

/**
 * Submits so many tasks a second, whatever has become of those before. The latency of each counts from when it was to be
 * submitted, so that neither a busy client nor a system that stands still hides it (coordinated omission).
 */
export const open = async (client: Client, next: NextJob, rate: number, window: Window): Promise<Sample> => {
  const record = makeRecord(window, leastOpen)
  let begin: number | undefined
  const flying = new Set<Promise<void>>()
  const over = Promise.withResolvers<void>()
  const fly = async (due: number) => {
    const job = next()
    if (await client.run(job) !== expected(job)) record.counts.wrong++
    record.ended(due, 1)
    if (record.isOver()) over.resolve()
  }
  const stop = startMetronome(() => {
    // From the first beat on: until then its thread was started, which is not the system's doing.
    begin ??= performance.now()
    // Tasks are due on the whole millisecond, several at once: what this clock can keep.
    const millis = Math.floor(performance.now() - begin)
    while (!record.isOver() && flying.size < maxBehind) {
      const due = Math.ceil(record.counts.submitted * 1_000 / rate)
      if (due > millis) return
      record.counts.submitted++
      const flight = fly(begin + due).catch(over.reject).finally(() => flying.delete(flight))
      flying.add(flight)
    }
  })
  await over.promise
  await stop()
  await Promise.all(flying)
  return record.sample()
}

/** Submits tasks in batches, some of them at a time, and waits only until they are accepted. */
export const fill = async (
  client: Client,
  next: NextJob,
  { batch, batches, count }: { readonly count: number; readonly batch: number; readonly batches: number }
): Promise<Sample> => {
  const began = performance.now()
  let left = count
  const submit = async () => {
    while (left > 0) {
      const jobs = Array.from({ length: Math.min(batch, left) }, next)
      left -= jobs.length
      await client.addAll?.(jobs)
    }
  }
  await Promise.all(Array.from({ length: batches }, submit))
  const seconds = (performance.now() - began) / 1_000
  return { tasks: count, seconds, p50: NaN, p99: NaN, submitted: count, wrong: 0 }
}
