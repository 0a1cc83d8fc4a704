/** Prints measures for people. */
import type { Goal, Measured } from "./measure.ts"

const format = (value: number, digits: number): string =>
  Number.isFinite(value)
    ? value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })
    : "-"

const isReached = ({ need, value }: Goal, bound: number) => need === "at least" ? value >= bound : value <= bound

/** Whether a goal is reached, and how far: its aim, its floor, or neither. */
export const verdict = (goal: Goal): "aim" | "yes" | "no" =>
  isReached(goal, goal.aim) ? "aim" : isReached(goal, goal.floor) ? "yes" : "no"

const significant = (value: number) => Number(value.toPrecision(3)).toLocaleString("en-US")

/** Lines of columns that are as wide as they need to be; the first is text. */
const columns = (lines: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => {
  const widths = (lines[0] ?? []).map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)))
  return lines.map((line) =>
    line.map((cell, i) => i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart((widths[i] ?? 0) + 3)).join("")
  )
}

export const toTable = (measured: Measured): ReadonlyArray<string> => [
  "",
  measured.title,
  ...columns([
    ["", ...measured.columns.map(({ label }) => label), "exactly once"],
    ...measured.rows.map(({ exactlyOnce, name, numbers }) => [
      name,
      ...measured.columns.map(({ digits, key }) => format(numbers[key] ?? NaN, digits)),
      exactlyOnce === undefined ? "-" : exactlyOnce ? "yes" : "NO"
    ])
  ]).map((line) => `  ${line}`),
  ...measured.notes.map((note) => `  ${note}`)
]

export const toGoals = (goals: ReadonlyArray<Goal>): ReadonlyArray<string> =>
  goals.length === 0 ? [] : [
    "",
    "Goals",
    ...columns([
      ["", "measured", "wanted", "aim", "reached"],
      ...goals.map((goal) => [
        goal.what,
        `${significant(goal.value)} ${goal.unit}`,
        `${goal.need} ${significant(goal.floor)}`,
        significant(goal.aim),
        verdict(goal)
      ])
    ]).map((line) => `  ${line}`)
  ]
