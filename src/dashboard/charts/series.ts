/** Series of numbers over time, made fit for drawing. Pure. */
import type { Range, Second, Series } from "../../domain/View.ts"

export const rangeMillis: Readonly<Record<Range, number>> = {
  "5m": 300_000,
  "15m": 900_000,
  "1h": 3_600_000,
  "6h": 21_600_000,
  "24h": 86_400_000
}

export const rangeLabels: Readonly<Record<Range, string>> = {
  "5m": "5\u00a0m",
  "15m": "15\u00a0m",
  "1h": "1\u00a0h",
  "6h": "6\u00a0h",
  "24h": "24\u00a0h"
}

export const rangeWords: Readonly<Record<Range, string>> = {
  "5m": "5 min",
  "15m": "15 min",
  "1h": "hour",
  "6h": "6 hours",
  "24h": "24 hours"
}

/** Points that a chart draws at most: more than it has pixels for is noise. */
const maxPoints = 120

/** How the steps of a series become points of a chart. */
export interface Points {
  /** Steps drawn as one point. */
  readonly factor: number
  /** Steps left out at the start, so that points begin at round times and stay what they are as the series moves on. */
  readonly skip: number
  readonly from: number
  readonly stepMillis: number
  /** Points that ended before the control plane was there: nothing is known of them. */
  readonly unknown: number
  /** How long the step that is going on has been going on. */
  readonly lastMillis: number
}

export const pointsOf = (
  { accepted: { length }, from, stepMillis }: Series,
  now: number,
  startedAt: number
): Points => {
  const factor = Math.max(1, Math.ceil(length / maxPoints))
  const skip = (factor - Math.round(from / stepMillis) % factor) % factor
  const first = from + skip * stepMillis
  return {
    factor,
    skip,
    from: first,
    stepMillis: stepMillis * factor,
    unknown: Math.max(0, Math.floor((startedAt - first) / (stepMillis * factor))),
    lastMillis: Math.min(stepMillis, Math.max(0, now - (from + (length - 1) * stepMillis)))
  }
}

const chunks = <A>(values: ReadonlyArray<A>, factor: number): ReadonlyArray<ReadonlyArray<A>> =>
  Array.from(
    { length: Math.ceil(values.length / factor) },
    (_, index) => values.slice(index * factor, (index + 1) * factor)
  )

/** Below this share of its time the step that is going on says too little. */
const leastShare = 0.4

const drawn = <A>(values: ReadonlyArray<A>, { factor, lastMillis, skip, stepMillis }: Points) =>
  chunks(values.slice(skip, lastMillis < leastShare * stepMillis / factor ? -1 : undefined), factor)

/** Counts as rates a second. */
export const rates = (counts: ReadonlyArray<number>, points: Points): ReadonlyArray<number | null> => {
  const all = drawn(counts, points)
  const step = points.stepMillis / points.factor
  const hasLast = points.lastMillis >= leastShare * step
  return all.map((chunk, index) => {
    const millis = chunk.length * step - (hasLast && index === all.length - 1 ? step - points.lastMillis : 0)
    return index < points.unknown ? null : chunk.reduce((sum, value) => sum + value, 0) / (millis / 1_000)
  })
}

/** Percentiles can't be added up: of steps that are drawn as one the largest stands for all. */
export const highest = (values: ReadonlyArray<number | null>, points: Points): ReadonlyArray<number | null> =>
  drawn(values, points).map((chunk) =>
    chunk.reduce<number | null>((top, value) => value === null ? top : Math.max(top ?? 0, value), null)
  )

/** Places of the values that have no neighbour, of which a line shows nothing: what happened in one step alone. */
export const isolated = (values: ArrayLike<number | null | undefined>): Array<number> => {
  const has = (index: number) => (values[index] ?? null) !== null
  return Array.from({ length: values.length }, (_, index) => index)
    .filter((index) => has(index) && !has(index - 1) && !has(index + 1))
}

/** Sums for a sparkline of so many points. */
export const summed = (counts: ReadonlyArray<number>, points: number): ReadonlyArray<number> =>
  chunks(counts, Math.max(1, Math.ceil(counts.length / points))).map((chunk) =>
    chunk.reduce((sum, value) => sum + value, 0)
  )

const counted = ["accepted", "started", "succeeded", "failed", "retried", "cancelled", "expired"] as const

/**
 * Adds seconds that ended. A series of seconds moves on; in one of longer steps they count in the step that is going on,
 * and one that is over has to be asked for (`undefined`): only the control plane has its percentiles.
 */
export const appended = (series: Series, seconds: ReadonlyArray<Second>): Series | undefined => {
  const { stepMillis } = series
  const length = series.accepted.length
  const last = series.from + (length - 1) * stepMillis
  const fresh = seconds.filter(({ at }) => at >= last)
  if (fresh.length === 0) return series
  if (fresh.some(({ at }) => at >= last + stepMillis) && stepMillis !== 1_000) return undefined
  let next = series
  for (const second of fresh) next = stepMillis === 1_000 ? shifted(next, second) : summedUp(next, second)
  return next
}

const withTotals = (series: Series, second: Second): Series["totals"] => {
  const totals = { ...series.totals }
  for (const name of counted) totals[name] += second[name]
  return totals
}

const summedUp = (series: Series, second: Second): Series => {
  const next = { ...series, totals: withTotals(series, second) }
  for (const name of counted) {
    next[name] = [...series[name].slice(0, -1), (series[name].at(-1) ?? 0) + second[name]]
  }
  return next
}

const shifted = (series: Series, second: Second): Series => {
  const length = series.accepted.length
  const last = series.from + (length - 1) * 1_000
  // The second that was going on is over: it is put in its place, and an empty one follows.
  const place = length - 1 + Math.round((second.at - last) / 1_000)
  const gap = place + 2 - length
  const push = <A>(values: ReadonlyArray<A>, value: A, empty: A): ReadonlyArray<A> => {
    const wide = [...values, ...Array.from({ length: gap }, () => empty)]
    wide[place] = value
    return wide.slice(gap)
  }
  const next = { ...series, from: series.from + gap * 1_000, totals: withTotals(series, second) }
  for (const name of counted) next[name] = push(series[name], second[name], 0)
  next.waiting = push(series.waiting, series.waiting.at(-1) ?? null, series.waiting.at(-1) ?? null)
  next.running = push(series.running, series.running.at(-1) ?? null, series.running.at(-1) ?? null)
  for (const kind of ["wait", "run"] as const) {
    next[kind] = {
      p50: push(series[kind].p50, second[kind]?.p50 ?? null, null),
      p95: push(series[kind].p95, second[kind]?.p95 ?? null, null),
      p99: push(series[kind].p99, second[kind]?.p99 ?? null, null)
    }
  }
  return next
}
