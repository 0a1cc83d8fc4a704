/**
 * What `fastworker top` shows: a sample of a control plane as JSON and as lines that fit a screen. Pure: asking and
 * drawing are `Top.ts`.
 *
 * @since 0.1.0
 */
import { priorities } from "../domain/Priority.ts"
import { formatSize } from "../domain/Settings.ts"
import type { Stats, WorkerStatus } from "../domain/Status.ts"
import type { ErrorGroup, TaskRow } from "../domain/View.ts"
import * as Output from "./Output.ts"

/** How many a second, since the sample before. */
export interface Rates {
  readonly submitted: number
  readonly succeeded: number
  readonly failed: number
  readonly retries: number
}

export interface Sample {
  readonly at: number
  /** Missing in the first sample, and in the first of a control plane that was started again. */
  readonly rates: Rates | null
  readonly stats: Stats
  readonly workers: ReadonlyArray<WorkerStatus>
  /** Tasks, those that changed last first. */
  readonly latest: ReadonlyArray<TaskRow>
  /** Failures of the last 5 minutes, those that are the same but for their numbers as one. */
  readonly errors: ReadonlyArray<ErrorGroup>
}

/** A line of the screen, in one colour. */
export interface Line {
  readonly text: string
  readonly style?: Output.Style
}

export const ratesOf = (before: Sample | undefined, at: number, now: Stats): Rates | null => {
  if (before === undefined || before.stats.epoch !== now.epoch || at <= before.at) return null
  const rate = (of: (stats: Stats) => number) =>
    Math.round((of(now) - of(before.stats)) / (at - before.at) * 10_000) / 10
  return {
    submitted: rate(({ submitted }) => submitted),
    succeeded: rate(({ succeeded }) => succeeded),
    failed: rate(({ failed }) => failed),
    retries: rate(({ retries }) => retries)
  }
}

const barWidth = 30
const bar = (value: number, max: number) => "█".repeat(max === 0 ? 0 : Math.ceil(value / max * barWidth))

const lanes = ({ waitingByPriority: waiting }: Stats): ReadonlyArray<Line> => {
  const max = Math.max(...Object.values(waiting))
  return priorities.map((priority) => ({
    text: `${priority.padEnd(9)} ${String(waiting[priority]).padStart(8)} ${bar(waiting[priority], max)}`.trimEnd()
  }))
}

/** What is wrong or was stopped, before all else. */
const warnings = ({ draining, journal, paused }: Stats): ReadonlyArray<Line> => [
  ...(draining ? [{ text: "The control plane is shutting down", style: "yellow" } as const] : []),
  ...(paused.length > 0 ? [{ text: `Paused: ${paused.join(" ")}`, style: "yellow" } as const] : []),
  ...(journal === undefined ? [] : [{ text: `The journal fails: ${journal}`, style: "red" } as const])
]

const section = (
  header: ReadonlyArray<string>,
  rows: ReadonlyArray<{ readonly cells: ReadonlyArray<string>; readonly style?: Output.Style | undefined }>,
  size: number
): ReadonlyArray<Line> => {
  if (rows.length === 0 || size < 2) return []
  const shown = rows.slice(0, rows.length < size ? rows.length : size - 2)
  const [head = "", ...lines] = Output.table(header, shown.map(({ cells }) => cells)).split("\n")
  const more = rows.length - shown.length
  return [
    { text: head, style: "bold" },
    ...lines.map((text, index): Line => ({ text, ...styled(shown[index]?.style) })),
    ...(more > 0 ? [{ text: `… and ${more} more`, style: "dim" } as const] : [])
  ]
}

const styled = (style: Output.Style | undefined) => style === undefined ? {} : { style }

const workerRows = (workers: ReadonlyArray<WorkerStatus>) =>
  workers.map(({ failed, id, load, local, running, slots, state, succeeded }) => ({
    cells: [
      id,
      local ? `${state} (local)` : state,
      `${running}/${slots}`,
      String(succeeded),
      String(failed),
      load?.cpu === undefined ? "" : `${Math.round(load.cpu * 100)}%`,
      load?.rss === undefined ? "" : formatSize(Math.round(load.rss / 1024 ** 2) * 1024 ** 2)
    ],
    style: state === "active" ? undefined : "yellow" as const
  }))

const taskStyles: { readonly [State in TaskRow["state"]]?: Output.Style } = {
  running: "cyan",
  succeeded: "green",
  failed: "red",
  expired: "yellow"
}

const took = ({ finishedAt, startedAt }: TaskRow, now: number) =>
  startedAt === undefined ? "" : `${Math.max(0, Math.round((finishedAt ?? now) - startedAt))}ms`

const taskRows = (tasks: ReadonlyArray<TaskRow>, now: number) =>
  tasks.map((task) => ({
    cells: [
      Output.timeOfDay(task.finishedAt ?? task.startedAt ?? task.submittedAt),
      task.name,
      task.id,
      task.state,
      took(task, now),
      task.worker ?? "",
      task.error ?? ""
    ],
    style: taskStyles[task.state]
  }))

const errorRows = (errors: ReadonlyArray<ErrorGroup>) =>
  errors.map(({ count, lastAt, message, name, type }) => ({
    cells: [Output.timeOfDay(lastAt), name, String(count), type, message.split("\n", 1)[0] ?? ""],
    style: "red" as const
  }))

const plural = (count: number, word: string) => `${count} ${word}${count === 1 ? "" : "s"}`

/** The lines of a sample: at most `rows` of at most `columns` characters. */
export const lines = (
  { at, errors, latest, rates, stats, workers }: Sample,
  { columns, rows }: { readonly columns: number; readonly rows: number }
): ReadonlyArray<Line> => {
  const slots = workers.reduce((sum, worker) => sum + worker.slots, 0)
  const head: ReadonlyArray<Line> = [
    {
      text: `FastWorker ${stats.version}  ${stats.namespace}  up ${Output.age(stats.upMillis)}  ` +
        `${plural(stats.workers, "worker")}  ${plural(stats.sessions, "client")}`,
      style: "bold"
    },
    ...warnings(stats),
    {
      text: rates === null
        ? `submitted ${stats.submitted}  succeeded ${stats.succeeded}  failed ${stats.failed}  retries ${stats.retries}`
        : `a second: submitted ${rates.submitted}  succeeded ${rates.succeeded}  failed ${rates.failed}  ` +
          `retries ${rates.retries}`
    },
    {
      text: `waiting ${stats.waiting}  delayed ${stats.delayed}  running ${stats.running}/${slots}  dead ${stats.dead}`
    },
    ...lanes(stats)
  ]
  const space = Math.max(0, rows - head.length)
  const workerLines = section(
    ["worker", "state", "busy", "succeeded", "failed", "cpu", "memory"],
    workerRows(workers),
    Math.floor(space / 3)
  )
  const errorLines = section(["last", "task", "count", "error", "message"], errorRows(errors), Math.floor(space / 4))
  const taskLines = section(
    ["time", "task", "id", "state", "took", "worker", "error"],
    taskRows(latest, at),
    space - workerLines.length - errorLines.length - 3
  )
  const parts = [workerLines, taskLines, errorLines].filter((part) => part.length > 0)
  return [...head, ...parts.flatMap((part): ReadonlyArray<Line> => [{ text: "" }, ...part])]
    .slice(0, rows)
    .map(({ text, ...style }) => ({ text: text.slice(0, columns), ...style }))
}
