/**
 * What was counted since the start: counts of each kind, and how long things took, by octaves. Made of buckets that end,
 * so that it costs nothing while something is counted. Part of the history of a control plane.
 *
 * Whole numbers of microseconds are added up: whatever the order, the sum is the same and never falls.
 *
 * @since 0.1.0
 */
import type { Frozen } from "./Histogram.ts"
import { microsOf, octaveOf, octaves } from "./Histogram.ts"

/**
 * How long things took: how many in each octave, and the sum in microseconds, which is less than 3 % off.
 *
 * @category models
 * @since 0.1.0
 */
export interface Durations {
  readonly counts: Float64Array
  micros: number
}

/**
 * What was counted since the start.
 *
 * @category models
 * @since 0.1.0
 */
export interface Totals {
  /** Of each kind. */
  readonly counts: Float64Array
  readonly wait: Durations
  readonly run: Durations
}

const durations = (): Durations => ({ counts: new Float64Array(octaves), micros: 0 })

/**
 * Creates them for so many kinds.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (kinds: number): Totals => ({
  counts: new Float64Array(kinds),
  wait: durations(),
  run: durations()
})

const copyDurations = ({ counts, micros }: Durations): Durations => ({ counts: counts.slice(), micros })

/**
 * Returns a copy.
 *
 * @category constructors
 * @since 0.1.0
 */
export const copy = ({ counts, run, wait }: Totals): Totals => ({
  counts: counts.slice(),
  wait: copyDurations(wait),
  run: copyDurations(run)
})

/**
 * Counts one of a kind.
 *
 * @category changes
 * @since 0.1.0
 */
export const addOne = ({ counts }: Totals, kind: number) => {
  counts[kind] = (counts[kind] as number) + 1
}

const addDurations = (durations: Durations, frozen: Frozen | undefined) => {
  if (frozen === undefined) return
  const { counts } = durations
  for (let i = 0; i < frozen.length; i += 2) {
    const bin = frozen[i] as number
    const some = frozen[i + 1] as number
    const octave = octaveOf(bin)
    counts[octave] = (counts[octave] as number) + some
    durations.micros += some * microsOf(bin)
  }
}

/**
 * Adds what was counted in a bucket.
 *
 * @category changes
 * @since 0.1.0
 */
export const add = (
  { counts, run, wait }: Totals,
  some: Uint32Array,
  waits: Frozen | undefined,
  runs: Frozen | undefined
) => {
  for (let kind = 0; kind < counts.length; kind++) {
    counts[kind] = (counts[kind] as number) + (some[kind] as number)
  }
  addDurations(wait, waits)
  addDurations(run, runs)
}
