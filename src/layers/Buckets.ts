/**
 * What happened, by time: counts and histograms in buckets of a second (or whatever the finest step is) that are merged
 * into coarser ones, each kept for a fixed number of steps. To count is to add to an array. Part of the history of a
 * control plane; times come in as arguments, in milliseconds of any one clock.
 *
 * @since 0.1.0
 */
import type { Frozen, Histogram } from "./Histogram.ts"
import * as Histograms from "./Histogram.ts"
import * as Totals from "./Totals.ts"

/**
 * What is counted.
 *
 * @category constants
 * @since 0.1.0
 */
export const kinds = ["accepted", "started", "succeeded", "failed", "retried", "cancelled", "expired"] as const

/**
 * Something that is counted.
 *
 * @category models
 * @since 0.1.0
 */
export type Kind = (typeof kinds)[number]

/**
 * The place of each kind in the counts of a bucket.
 *
 * @category constants
 * @since 0.1.0
 */
export const kindIndex: Readonly<Record<Kind, number>> = {
  accepted: 0,
  started: 1,
  succeeded: 2,
  failed: 3,
  retried: 4,
  cancelled: 5,
  expired: 6
}

const width = kinds.length

/**
 * Buckets of one step: how long one is, in milliseconds, and how many are kept. The step of the next coarser tier is a
 * multiple of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface TierOptions {
  readonly step: number
  readonly size: number
}

/**
 * How much there was at the end of a bucket.
 *
 * @category models
 * @since 0.1.0
 */
export interface Levels {
  readonly waiting: number
  readonly running: number
}

/**
 * What is told of one bucket. `levels` are missing while it is not known.
 *
 * @category models
 * @since 0.1.0
 */
export interface Bucket {
  /** Number of its step since 0 of the clock. */
  readonly index: number
  readonly counts: ReadonlyArray<number>
  readonly levels: Levels | undefined
  /** Adds what was counted to histograms. */
  readonly addTo: (wait: Histogram, run: Histogram) => void
}

interface Tier {
  readonly step: number
  readonly size: number
  readonly counts: Uint32Array
  /** Missing values are negative. */
  readonly waiting: Float64Array
  readonly running: Float64Array
  readonly wait: Array<Frozen | undefined>
  readonly run: Array<Frozen | undefined>
  /** Of the bucket that is open. */
  readonly openWait: Histogram
  readonly openRun: Histogram
  /** Number of the bucket that is open. */
  index: number
}

/**
 * Counts by time.
 *
 * @category models
 * @since 0.1.0
 */
export type Buckets = ReturnType<typeof makeBuckets>

const makeTier = ({ size, step }: TierOptions, at: number, hasLevels: boolean): Tier => ({
  step,
  size,
  counts: new Uint32Array(size * width),
  waiting: new Float64Array(hasLevels ? size : 0).fill(-1),
  running: new Float64Array(hasLevels ? size : 0).fill(-1),
  wait: [],
  run: [],
  openWait: Histograms.make(),
  openRun: Histograms.make(),
  index: Math.floor(at / step)
})

/**
 * Creates empty buckets, the finest first. `levels` says how much there is now, when a bucket ends; without it nothing is
 * known of that.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeBuckets = (
  options: readonly [TierOptions, ...ReadonlyArray<TierOptions>],
  at: number,
  levels?: () => Levels
) => {
  const tiers = options.map((tier) => makeTier(tier, at, levels !== undefined))
  const finest = tiers[0] as Tier
  const { counts, openRun, openWait } = finest
  const before = Totals.make(width)
  let end = (finest.index + 1) * finest.step
  let base = (finest.index % finest.size) * width

  const clear = (tier: Tier, slot: number) => {
    tier.counts.fill(0, slot * width, (slot + 1) * width)
    tier.waiting[slot] = -1
    tier.running[slot] = -1
    tier.wait[slot] = undefined
    tier.run[slot] = undefined
  }

  /** Ends the open bucket of a tier, adds it to the next coarser one, and opens another. */
  const advance = (depth: number, at: number, current: Levels | undefined) => {
    const tier = tiers[depth]
    if (tier === undefined) return
    const index = Math.floor(at / tier.step)
    if (index <= tier.index) return
    const slot = tier.index % tier.size
    const wait = Histograms.freeze(tier.openWait)
    const run = Histograms.freeze(tier.openRun)
    tier.wait[slot] = wait
    tier.run[slot] = run
    if (current !== undefined) {
      tier.waiting[slot] = current.waiting
      tier.running[slot] = current.running
    }
    if (depth === 0) Totals.add(before, tier.counts.subarray(slot * width, (slot + 1) * width), wait, run)
    const coarser = tiers[depth + 1]
    if (coarser !== undefined) {
      const to = (coarser.index % coarser.size) * width
      for (let i = 0; i < width; i++) {
        coarser.counts[to + i] = (coarser.counts[to + i] as number) + (tier.counts[slot * width + i] as number)
      }
      if (wait !== undefined) Histograms.add(coarser.openWait, wait)
      if (run !== undefined) Histograms.add(coarser.openRun, run)
    }
    Histograms.reset(tier.openWait)
    Histograms.reset(tier.openRun)
    // Steps without a call: nothing happened in them, and it was as it is.
    const first = Math.max(tier.index + 1, index - tier.size + 1)
    for (let skipped = first; skipped <= index; skipped++) {
      clear(tier, skipped % tier.size)
      if (skipped === index || current === undefined) continue
      tier.waiting[skipped % tier.size] = current.waiting
      tier.running[skipped % tier.size] = current.running
    }
    tier.index = index
    advance(depth + 1, at, current)
  }

  const roll = (at: number) => {
    if (at < end) return
    advance(0, at, levels?.())
    end = (finest.index + 1) * finest.step
    base = (finest.index % finest.size) * width
  }

  /** What is in the buckets of finer tiers and not yet in that which is open. */
  const openCount = (depth: number, kind: number): number => {
    let sum = 0
    for (let i = 0; i <= depth; i++) {
      const tier = tiers[i] as Tier
      sum += tier.counts[(tier.index % tier.size) * width + kind] as number
    }
    return sum
  }

  const addOpen = (depth: number, wait: Histogram, run: Histogram) => {
    for (let i = 0; i <= depth; i++) {
      const { openRun, openWait } = tiers[i] as Tier
      const frozenWait = Histograms.freeze(openWait)
      const frozenRun = Histograms.freeze(openRun)
      if (frozenWait !== undefined) Histograms.add(wait, frozenWait)
      if (frozenRun !== undefined) Histograms.add(run, frozenRun)
    }
  }

  return {
    /** Ends the buckets whose time is over. To be called before what is counted, and now and then. */
    roll,

    /** Counts one of a kind, by {@link kindIndex}. */
    count(kind: number, at: number) {
      if (at >= end) roll(at)
      counts[base + kind] = (counts[base + kind] as number) + 1
    },
    /** Takes back what was counted at a time, as long as that is in the finest tier. */
    uncount(kind: number, at: number) {
      for (const { counts, index, size, step } of tiers) {
        const counted = Math.floor(at / step)
        if (counted > index || counted <= index - size) return
        const place = (counted % size) * width + kind
        const had = counts[place] as number
        counts[place] = Math.max(0, had - 1)
        // What is counted since the start only ever rises.
        if (had > 0 && counted === index && counts === finest.counts) Totals.addOne(before, kind)
        // One that is open has not been added to the coarser ones.
        if (counted === index) return
      }
    },
    /** Counts how long something waited or ran, by its bin. */
    waited: (bin: number) => Histograms.count(openWait, bin),
    ran: (bin: number) => Histograms.count(openRun, bin),

    /** What was counted since the start, what was taken back included: it never falls. */
    totals(): Totals.Totals {
      const totals = Totals.copy(before)
      Totals.add(totals, counts.subarray(base, base + width), Histograms.freeze(openWait), Histograms.freeze(openRun))
      return totals
    },

    /** The end of the open bucket of the finest tier. */
    end: () => end,

    /**
     * The buckets of a tier, oldest first, `size` of them or as many as are kept; the last one is still open when
     * `withOpen`.
     */
    *read(depth: number, size: number, withOpen = true): Generator<Bucket> {
      const tier = tiers[depth]
      if (tier === undefined) return
      const last = withOpen ? tier.index : tier.index - 1
      for (let index = Math.max(0, last - Math.min(size, tier.size - (withOpen ? 0 : 1)) + 1); index <= last; index++) {
        const slot = index % tier.size
        const isOpen = index === tier.index
        const waiting = tier.waiting[slot] ?? -1
        yield {
          index,
          counts: kinds.map((_, kind) => isOpen ? openCount(depth, kind) : tier.counts[slot * width + kind] as number),
          levels: isOpen
            ? levels?.()
            : waiting < 0
            ? undefined
            : { waiting, running: tier.running[slot] as number },
          addTo(wait, run) {
            if (isOpen) return addOpen(depth, wait, run)
            const waits = tier.wait[slot]
            const runs = tier.run[slot]
            if (waits !== undefined) Histograms.add(wait, waits)
            if (runs !== undefined) Histograms.add(run, runs)
          }
        }
      }
    }
  }
}
