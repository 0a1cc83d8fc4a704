/** What a schedule does, for people. Pure. */
import type { ScheduleRow } from "../../../domain/View.ts"
import { states } from "../../components/status.ts"
import { count, duration } from "../../format.ts"

export const catchUpWords: Readonly<Record<ScheduleRow["catchUp"], string>> = {
  skip: "Times that passed while nothing ran are left out",
  once: "Of the times that passed while nothing ran, the last is made up for",
  all: "Every time that passed while nothing ran is made up for"
}

export const overlapWords: Readonly<Record<ScheduleRow["overlap"], string>> = {
  skip: "While its task before still runs, nothing is submitted",
  allow: "It is submitted even while its task before still runs",
  replace: "Its task before is cancelled when it still runs"
}

/**
 * Due times to come. The first is when a timer fires, which is a few milliseconds beside the time that was meant; when that
 * time follows, it stands for both.
 */
export const dueTimes = (times: ReadonlyArray<number>): ReadonlyArray<number> => {
  const [first = 0, second = 0, third = Infinity] = times
  return times.length > 1 && second - first < (third - second) / 2 && second - first < 1_000 ? times.slice(1) : times
}

type Run = ScheduleRow["runs"][number]

/** How a task of a schedule ended: "Succeeded, took 1.2 s". */
export const runWords = ({ millis, state }: Run): string =>
  `${states[state].label}${millis === undefined ? "" : `, took ${duration(millis)}`}`

/** How the last tasks ended, for readers: "Last 20: 18 succeeded, 2 failed". */
export const runsWords = (runs: ReadonlyArray<Run>): string => {
  const counts = new Map<string, number>()
  for (const { state } of runs) {
    const { label } = states[state]
    counts.set(label, (counts.get(label) ?? 0) + 1)
  }
  const parts = [...counts].map(([label, number]) => `${count(number)} ${label.toLowerCase()}`)
  return runs.length === 0 ? "It has not run yet" : `Last ${count(runs.length)}: ${parts.join(", ")}`
}
