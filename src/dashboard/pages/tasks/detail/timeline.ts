/** The attempts of a task on one axis of time: when each waited and when it ran. Pure. */
import type { AttemptView, TaskDetail } from "../../../../domain/View.ts"

/** Shares of the axis, 0 to 1. */
export interface Bar {
  readonly from: number
  readonly size: number
}

export interface AttemptBars {
  readonly attempt: AttemptView
  /** Ready to run, but without a slot; what is left between two attempts is the pause before the next one. */
  readonly wait: Bar | undefined
  readonly waitMillis: number
  readonly run: Bar
  readonly runMillis: number
}

export interface Timeline {
  readonly rows: ReadonlyArray<AttemptBars>
  readonly ticks: ReadonlyArray<{ readonly at: number; readonly millis: number }>
  readonly millis: number
}

const maxTicks = 6
const dayMillis = 86_400_000
const steps = [
  1,
  2,
  5,
  10,
  20,
  50,
  100,
  200,
  500,
  ...[1, 2, 5, 10, 15, 30].map((step) => step * 1_000),
  ...[1, 2, 5, 10, 15, 30].map((step) => step * 60_000),
  ...[1, 2, 3, 6, 12].map((step) => step * 3_600_000)
]

/** A round step: 200 ms, 5 s, 30 s, 10 min, 6 h. */
export const stepOf = (millis: number): number =>
  steps.find((step) => millis / step < maxTicks) ?? Math.ceil(millis / dayMillis / (maxTicks - 1)) * dayMillis

/** When an attempt became ready to run: when it was queued last before it started. */
const readyOf = (task: Pick<TaskDetail, "path" | "submittedAt">, attempt: AttemptView, before: number | undefined) => {
  const queued = task.path.findLast(({ at, state }) =>
    state === "queued" && at <= attempt.startedAt && (before === undefined || at >= before)
  )
  return queued?.at ?? (before === undefined ? task.submittedAt : attempt.startedAt)
}

/** Of a task without attempts nothing is shown. `now` ends what still runs. */
export const timelineOf = (
  task: Pick<TaskDetail, "path" | "submittedAt" | "attempts">,
  now: number
): Timeline | undefined => {
  const spans = task.attempts.map((attempt, index) => {
    const before = task.attempts[index - 1]
    const end = Math.max(attempt.startedAt, attempt.endedAt ?? now)
    return { attempt, ready: readyOf(task, attempt, before?.endedAt ?? before?.startedAt), end }
  })
  const first = spans[0]
  if (first === undefined) return undefined
  const start = Math.min(...spans.map(({ ready }) => ready))
  const millis = Math.max(1, Math.max(...spans.map(({ end }) => end)) - start)
  const share = (from: number, to: number): Bar => ({ from: (from - start) / millis, size: (to - from) / millis })
  const step = stepOf(millis)
  return {
    millis,
    rows: spans.map(({ attempt, end, ready }) => ({
      attempt,
      wait: ready < attempt.startedAt ? share(ready, attempt.startedAt) : undefined,
      waitMillis: attempt.startedAt - ready,
      run: share(attempt.startedAt, end),
      runMillis: end - attempt.startedAt
    })),
    ticks: Array.from({ length: Math.floor(millis / step) + 1 }, (_, index) => ({
      at: index * step / millis,
      millis: index * step
    }))
  }
}
