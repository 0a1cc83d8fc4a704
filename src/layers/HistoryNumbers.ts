/**
 * The numbers of a control plane by time: series for charts, the flow of the last seconds, the lanes, and how it goes in
 * words. Part of the history of a control plane; reads, and is told when a second has passed.
 *
 * @since 0.1.0
 */
import { filled } from "../domain/Filled.ts"
import type { Situation } from "../domain/Headline.ts"
import { headline } from "../domain/Headline.ts"
import { fromLevel } from "../domain/Priority.ts"
import { readyAt } from "../domain/Task.ts"
import type { Flow, Headline, Lane, Percentiles, Range, Second, Series } from "../domain/View.ts"
import { isUnresponsive } from "../domain/WorkerInfo.ts"
import type { Bucket, Buckets, Kind } from "./Buckets.ts"
import { kindIndex, kinds } from "./Buckets.ts"
import type { Core } from "./ControlPlaneCore.ts"
import { rangeMillis } from "./ErrorGroups.ts"
import type { Histogram } from "./Histogram.ts"
import * as Histograms from "./Histogram.ts"
import type { HistoryMemory } from "./HistoryMemory.ts"
import { tiers } from "./HistoryMemory.ts"
import { typeTiers } from "./TypeRates.ts"
import type { WorkerTracks } from "./WorkerTrack.ts"

/** Which buckets a range is made of, and how many of them are one step. */
const sources: Readonly<Record<Range, { readonly depth: number; readonly merge: number }>> = {
  "5m": { depth: 0, merge: 1 },
  "15m": { depth: 0, merge: 5 },
  "1h": { depth: 1, merge: 1 },
  "6h": { depth: 2, merge: 1 },
  "24h": { depth: 2, merge: 5 }
}
const typeSources: typeof sources = {
  "5m": { depth: 0, merge: 1 },
  "15m": { depth: 0, merge: 1 },
  "1h": { depth: 1, merge: 1 },
  "6h": { depth: 1, merge: 1 },
  "24h": { depth: 2, merge: 1 }
}

/** Seconds over which rates are taken, and those that are looked at to see whether what waits grows. */
const flowSeconds = 10
const growthSeconds = 60
const latencySeconds = 300
const minuteSeconds = 60

/** Lanes are looked through for their oldest task this often at most: each key that waits is looked at. */
const lanesMillis = 200

const levels = [0, 1, 2, 3] as const

const { accepted, cancelled, expired, failed, started, succeeded } = kindIndex

const finishedIn = ({ counts }: Bucket): number =>
  (counts[succeeded] as number) + (counts[failed] as number) + (counts[cancelled] as number) +
  (counts[expired] as number)

const merged = (buckets: Iterable<Bucket>): { readonly wait: Histogram; readonly run: Histogram } => {
  const wait = Histograms.make()
  const run = Histograms.make()
  for (const bucket of buckets) bucket.addTo(wait, run)
  return { wait, run }
}

const latency = (wait: Percentiles | undefined, run: Percentiles | undefined) => ({
  ...(wait === undefined ? {} : { wait }),
  ...(run === undefined ? {} : { run })
})

const round = (value: number): number => Math.round(value * 100) / 100

/**
 * The numbers of a control plane by time.
 *
 * @category models
 * @since 0.1.0
 */
export type HistoryNumbers = ReturnType<typeof makeHistoryNumbers>

/**
 * Creates them. `wall` makes milliseconds since 1970 of monotonic ones.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeHistoryNumbers = ({ core, journalFailure, memory, now, tracks, wall }: {
  readonly core: Core
  readonly memory: HistoryMemory
  readonly tracks: WorkerTracks
  readonly journalFailure: () => string | undefined
  readonly now: () => number
  readonly wall: (millis: number) => number
}) => {
  const { all, offset } = memory
  /** Tasks that were ready, of each priority and of all, a value a second, the newest last. */
  let readies: Array<readonly [number, number, number, number]> = []
  let flowAt = -1
  let flowOf: Flow = { arriving: 0, starting: 0, finishing: 0, perMinute: 0, failing: 0 }
  let finishedLately = 0
  let failedLately = 0
  let lanesAt = -Infinity
  let lanesOf: ReadonlyArray<Lane> = []

  const timeOf = (index: number, step: number) => wall(index * step - offset)

  const readyNow = (): readonly [number, number, number, number] => [
    core.queue.sizeOf(0),
    core.queue.sizeOf(1),
    core.queue.sizeOf(2),
    core.queue.sizeOf(3)
  ]

  const sumOf = (values: readonly [number, number, number, number]) => values[0] + values[1] + values[2] + values[3]

  const flow = (): Flow => {
    memory.roll(now())
    if (flowAt === all.end()) return flowOf
    flowAt = all.end()
    const seconds = [...all.read(0, flowSeconds, false)]
    const minute = [...all.read(0, minuteSeconds, false)]
    const rate = (kind: number) =>
      round(seconds.reduce((sum, { counts }) => sum + (counts[kind] as number), 0) / flowSeconds)
    finishedLately = minute.reduce((sum, bucket) => sum + finishedIn(bucket), 0)
    failedLately = minute.reduce((sum, { counts }) => sum + (counts[failed] as number), 0)
    const { run, wait } = merged(all.read(0, latencySeconds, false))
    flowOf = {
      arriving: rate(accepted),
      starting: rate(started),
      finishing: round(seconds.reduce((sum, bucket) => sum + finishedIn(bucket), 0) / flowSeconds),
      perMinute: finishedLately,
      failing: finishedLately === 0 ? 0 : failedLately / finishedLately,
      ...latency(Histograms.percentiles(wait), Histograms.percentiles(run))
    }
    return flowOf
  }

  const changeOf = (level: 0 | 1 | 2 | 3): number => {
    const before = readies[readies.length - 1 - flowSeconds] ?? readies[0]
    const latest = readies[readies.length - 1]
    if (before === undefined || latest === undefined) return 0
    return round((latest[level] - before[level]) / Math.max(1, Math.min(flowSeconds, readies.length - 1)))
  }

  const lanes = (): ReadonlyArray<Lane> => {
    const time = now()
    if (time - lanesAt < lanesMillis) return lanesOf
    lanesAt = time
    lanesOf = levels.map((level) => {
      const oldest = core.queue.oldestOf(level)
      return {
        priority: fromLevel(level),
        waiting: core.queue.sizeOf(level),
        ...(oldest === undefined ? {} : { oldestMillis: Math.max(0, Math.round(time - readyAt(oldest))) }),
        changePerSecond: changeOf(level)
      }
    })
    return lanesOf
  }

  /** Whether there was more in each third of the last minute than in the one before it. */
  const growth = (): Situation["growth"] => {
    if (readies.length < growthSeconds) return undefined
    const third = growthSeconds / 3
    const averages = [0, 1, 2].map((part) => {
      const from = readies.length - growthSeconds + part * third
      return readies.slice(from, from + third).reduce((sum, ready) => sum + sumOf(ready), 0) / third
    })
    const [first = 0, second = 0, last = 0] = averages
    if (!(first < second && second < last)) return undefined
    const oldest = readies[readies.length - growthSeconds]
    const newest = readies[readies.length - 1]
    if (oldest === undefined || newest === undefined) return undefined
    let most: (typeof levels)[number] = 2
    for (const level of levels) if (newest[level] - oldest[level] > newest[most] - oldest[most]) most = level
    return {
      perSecond: round((last - first) / (2 * third)),
      priority: fromLevel(most),
      change: round((newest[most] - oldest[most]) / growthSeconds)
    }
  }

  const situation = (): Situation => {
    const { arriving, finishing } = flow()
    const time = now()
    let workers = 0
    let slots = 0
    for (const worker of core.registry.workers()) {
      if (worker.state !== "active" || worker.paused || isUnresponsive(worker)) continue
      workers++
      slots += worker.slots
    }
    const failing = [...memory.groups.values()].at(-1)
    return {
      isDraining: core.isDraining(),
      journal: journalFailure(),
      paused: core.pauses.targets(),
      ready: core.waiting() - core.delayed(),
      running: core.counts.running,
      workers,
      slots,
      growth: growth(),
      arriving,
      finishing,
      finished: finishedLately,
      failed: failedLately,
      failingMost: failing === undefined || time - failing.lastAt > 60_000 ? undefined : failing.name,
      lost: tracks.lostOnes().map(({ lostAt = time + offset, worker: { id, key } }) => ({
        id,
        key,
        millis: time + offset - lostAt
      }))
    }
  }

  const seriesOf = (
    buckets: Buckets | undefined,
    { depth, merge }: (typeof sources)[Range],
    step: number,
    range: Range,
    hasLevels: boolean
  ): Series => {
    const count = rangeMillis[range] / (step * merge)
    const stepMillis = step * merge
    const last = Math.floor((now() + offset) / stepMillis)
    const first = last - count + 1
    const series: Record<Kind, Array<number>> = Object.fromEntries(
      kinds.map((kind) => [kind, filled(count, 0)])
    ) as never
    const waiting = filled<number | null>(count, null)
    const running = filled<number | null>(count, null)
    const waits = { p50: [...waiting], p95: [...waiting], p99: [...waiting] }
    const runs = { p50: [...waiting], p95: [...waiting], p99: [...waiting] }
    const whole = { wait: Histograms.make(), run: Histograms.make() }
    const part = { wait: Histograms.make(), run: Histograms.make() }
    let at = -1
    const endPart = () => {
      for (const [values, histogram] of [[waits, part.wait], [runs, part.run]] as const) {
        const found = at < 0 ? undefined : Histograms.percentiles(histogram)
        if (found !== undefined) {
          values.p50[at] = found.p50
          values.p95[at] = found.p95
          values.p99[at] = found.p99
        }
        const frozen = Histograms.freeze(histogram)
        if (frozen !== undefined && at >= 0) Histograms.add(histogram === part.wait ? whole.wait : whole.run, frozen)
        Histograms.reset(histogram)
      }
    }
    for (const bucket of buckets?.read(depth, count * merge + merge) ?? []) {
      const place = Math.floor(bucket.index / merge) - first
      if (place !== at) endPart()
      at = place
      if (place < 0) continue
      for (const kind of kinds) {
        series[kind][place] = (series[kind][place] as number) + (bucket.counts[kindIndex[kind]] as number)
      }
      if (hasLevels && bucket.levels !== undefined) {
        waiting[place] = bucket.levels.waiting
        running[place] = bucket.levels.running
      }
      bucket.addTo(part.wait, part.run)
    }
    endPart()
    const total = (kind: Kind) => series[kind].reduce((sum, value) => sum + value, 0)
    return {
      from: timeOf(first, stepMillis),
      stepMillis,
      ...series,
      waiting,
      running,
      wait: waits,
      run: runs,
      totals: {
        accepted: total("accepted"),
        started: total("started"),
        succeeded: total("succeeded"),
        failed: total("failed"),
        retried: total("retried"),
        cancelled: total("cancelled"),
        expired: total("expired"),
        ...latency(Histograms.percentiles(whole.wait), Histograms.percentiles(whole.run))
      }
    }
  }

  return {
    flow,
    lanes,
    timeOf,
    headline: (): Headline => headline(situation()),

    /** A second has passed. */
    sample() {
      readies.push(readyNow())
      if (readies.length > 2 * growthSeconds) readies = readies.slice(-growthSeconds - 1)
    },

    /** The buckets of a range, of all tasks or of those of a type. */
    series(range: Range, name?: string): Series {
      const time = now()
      if (name === undefined) {
        memory.roll(time)
        const source = sources[range]
        return seriesOf(all, source, (tiers[source.depth] ?? tiers[0]).step, range, true)
      }
      const type = memory.types.find(name)
      type?.buckets.roll(time + offset)
      const source = typeSources[range]
      return seriesOf(type?.buckets, source, (typeTiers[source.depth] ?? typeTiers[0]).step, range, false)
    },

    /** Seconds that ended and began after a time, oldest first. */
    seconds(after: number, most: number): ReadonlyArray<Second> {
      memory.roll(now())
      const seconds: Array<Second> = []
      for (const bucket of all.read(0, most, false)) {
        const at = timeOf(bucket.index, 1_000)
        if (at <= after || bucket.levels === undefined) continue
        const { run, wait } = merged([bucket])
        const counts = Object.fromEntries(kinds.map((kind) => [kind, bucket.counts[kindIndex[kind]]])) as Record<
          Kind,
          number
        >
        seconds.push({ at, ...counts, ...latency(Histograms.percentiles(wait), Histograms.percentiles(run)) })
      }
      return seconds
    }
  }
}
