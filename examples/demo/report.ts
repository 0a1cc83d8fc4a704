/** What the demo prints: progress while it runs, and a table of how it went. */
import { SingleBar } from "cli-progress"
import { styleText } from "node:util"

/** One task that has ended. */
export interface Measured {
  readonly task: string
  readonly priority: string
  readonly failed: boolean
  /** From the submission to the result. */
  readonly millis: number
}

export const bold = (text: string) => styleText("bold", text)
export const dim = (text: string) => styleText("dim", text)

/** Reports progress: a bar on a terminal, else a line for each quarter. */
export interface Progress {
  readonly done: () => void
  readonly stop: () => void
}

export const progress = (total: number): Progress => process.stdout.isTTY ? bar(total) : lines(total)

const bar = (total: number): Progress => {
  const bar = new SingleBar({
    format: "  {bar} {percentage} %  {value} of {total} tasks",
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: 40,
    hideCursor: true,
    stream: process.stdout
  })
  bar.start(total, 0)
  return { done: () => bar.increment(), stop: () => bar.stop() }
}

const lines = (total: number): Progress => {
  let done = 0
  let quarter = 0
  return {
    done() {
      done++
      while (done * 4 >= (quarter + 1) * total && quarter < 4) {
        quarter++
        if (done * 4 < (quarter + 1) * total) console.log(`  ${done} of ${total} tasks`)
      }
    },
    stop() {}
  }
}

/** The value that this share of the values does not exceed (nearest rank). */
const percentile = (sorted: ReadonlyArray<number>, share: number) =>
  sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0

const rank = ({ priority }: Measured) => ["critical", "high", "normal", "low"].indexOf(priority)

/** One line for each task type and priority, the most urgent first. Two columns of text, the others are numbers. */
export const table = (measured: ReadonlyArray<Measured>): string => {
  const ranked = [...measured].sort((a, b) => rank(a) - rank(b))
  const groups = Map.groupBy(ranked, ({ priority, task }) => `${task} ${priority}`)
  const rows = [...groups.values()].map((group) => {
    const { priority = "", task = "" } = group[0] ?? {}
    const failed = group.filter(({ failed }) => failed).length
    const sorted = group.map(({ millis }) => millis).sort((a, b) => a - b)
    const numbers = [group.length, group.length - failed, failed, percentile(sorted, 0.5), percentile(sorted, 0.99)]
    return [task, priority, ...numbers.map((number) => String(Math.round(number)))]
  })
  const header = ["task", "priority", "count", "ok", "failed", "p50 ms", "p99 ms"]
  const widths = header.map((name, column) => Math.max(name.length, ...rows.map((row) => (row[column] ?? "").length)))
  const line = (row: ReadonlyArray<string>) =>
    `  ${
      row.map((cell, column) => column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))
        .join("   ")
    }`
  return [bold(line(header)), ...rows.map(line)].join("\n")
}
