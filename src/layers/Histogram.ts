/**
 * Histograms of durations on a logarithmic scale: a fixed array of counts, so that to count a duration allocates nothing,
 * and any of them can be added up. Part of the history of a control plane; knows nothing of tasks.
 *
 * Twelve bins an octave: what a percentile says differs from a counted duration by less than 3 %, from 16 microseconds to
 * 12 days; what is shorter or longer counts as that.
 *
 * @since 0.1.0
 */
import type { Percentiles } from "../domain/View.ts"

const binsPerOctave = 12
const lowestOctave = -6

/**
 * Octaves of the scale.
 *
 * @category constants
 * @since 0.1.0
 */
export const octaves = 36

/**
 * Bins of a histogram.
 *
 * @category constants
 * @since 0.1.0
 */
export const bins = binsPerOctave * octaves

const scale = binsPerOctave / Math.LN2

/**
 * A histogram that counts.
 *
 * @category models
 * @since 0.1.0
 */
export interface Histogram {
  readonly counts: Uint32Array
  total: number
}

/**
 * A histogram that counts no more: its bins that are not empty, each as its number and its count.
 *
 * @category models
 * @since 0.1.0
 */
export type Frozen = Uint32Array

/**
 * Creates an empty histogram.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): Histogram => ({ counts: new Uint32Array(bins), total: 0 })

/**
 * Returns the bin of a duration in milliseconds.
 *
 * @category rules
 * @since 0.1.0
 */
export const binOf = (millis: number): number => {
  // Not above 0 is also what is not a number.
  if (!(millis > 0)) return 0
  const bin = Math.floor(Math.log(millis) * scale) - lowestOctave * binsPerOctave
  return bin < 0 ? 0 : bin >= bins ? bins - 1 : bin
}

/**
 * Returns the octave of a bin.
 *
 * @category rules
 * @since 0.1.0
 */
export const octaveOf = (bin: number): number => Math.floor(bin / binsPerOctave)

/**
 * Returns where an octave ends, in milliseconds: a power of two.
 *
 * @category rules
 * @since 0.1.0
 */
export const endOf = (octave: number): number => 2 ** (octave + 1 + lowestOctave)

/**
 * Returns the middle of a bin in whole microseconds, which can be added up without an error.
 *
 * @category rules
 * @since 0.1.0
 */
export const microsOf = (bin: number): number => Math.round(1_000 * middleOf(bin))

/** The middle of a bin, in milliseconds. */
const middleOf = (bin: number): number => 2 ** ((bin + 0.5) / binsPerOctave + lowestOctave)

/**
 * Counts a duration, by its bin.
 *
 * @category changes
 * @since 0.1.0
 */
export const count = (histogram: Histogram, bin: number) => {
  histogram.counts[bin] = (histogram.counts[bin] as number) + 1
  histogram.total++
}

/**
 * Adds what another histogram has counted.
 *
 * @category changes
 * @since 0.1.0
 */
export const add = (histogram: Histogram, frozen: Frozen) => {
  const { counts } = histogram
  for (let i = 0; i < frozen.length; i += 2) {
    const bin = frozen[i] as number
    const some = frozen[i + 1] as number
    counts[bin] = (counts[bin] as number) + some
    histogram.total += some
  }
}

/**
 * Empties a histogram.
 *
 * @category changes
 * @since 0.1.0
 */
export const reset = (histogram: Histogram) => {
  if (histogram.total === 0) return
  histogram.counts.fill(0)
  histogram.total = 0
}

/**
 * Returns what a histogram has counted; `undefined` when that is nothing.
 *
 * @category getters
 * @since 0.1.0
 */
export const freeze = ({ counts, total }: Histogram): Frozen | undefined => {
  if (total === 0) return undefined
  let used = 0
  for (let bin = 0; bin < bins; bin++) if (counts[bin] !== 0) used++
  const frozen = new Uint32Array(2 * used)
  for (let bin = 0, i = 0; bin < bins; bin++) {
    if (counts[bin] === 0) continue
    frozen[i++] = bin
    frozen[i++] = counts[bin] as number
  }
  return frozen
}

/** Three significant digits are more than a bin knows. */
const rounded = (millis: number): number => Number(millis.toPrecision(3))

/**
 * Returns percentiles, by the nearest rank; `undefined` when nothing was counted.
 *
 * @category getters
 * @since 0.1.0
 */
export const percentiles = ({ counts, total }: Histogram): Percentiles | undefined => {
  if (total === 0) return undefined
  const ranks = [Math.ceil(0.5 * total), Math.ceil(0.95 * total), Math.ceil(0.99 * total)]
  const found: Array<number> = []
  let seen = 0
  for (let bin = 0; bin < bins && found.length < 3; bin++) {
    seen += counts[bin] as number
    while (found.length < 3 && seen >= (ranks[found.length] as number)) found.push(rounded(middleOf(bin)))
  }
  const [p50 = 0, p95 = 0, p99 = 0] = found
  return { p50, p95, p99, count: total }
}
