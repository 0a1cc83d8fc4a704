/** How far something is, by what a handler says: a share, a percentage, or so many of so many. Pure. */
import type { Payload } from "../../../../domain/View.ts"

const partNames = ["done", "current", "completed", "processed", "value", "step", "index"]
const wholeNames = ["total", "of", "count", "max", "steps"]
const percentNames = ["percent", "percentage"]
const shareNames = ["progress", "share", "fraction", "ratio"]

const clamp = (value: number) => Math.min(1, Math.max(0, value))

/** 0 to 1; `undefined` when it says nothing of the kind. */
export const shareOf = ({ text, truncated }: Pick<Payload, "text" | "truncated">): number | undefined => {
  if (truncated) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value === "number") return value < 0 || value > 100 ? undefined : value <= 1 ? value : value / 100
  if (typeof value !== "object" || value === null) return undefined
  const numbers = new Map(
    Object.entries(value).filter((entry): entry is [string, number] => typeof entry[1] === "number")
  )
  const first = (names: ReadonlyArray<string>) =>
    names.map((name) => numbers.get(name)).find((found) => found !== undefined)
  const whole = first(wholeNames)
  const part = first(partNames)
  if (whole !== undefined && part !== undefined && whole > 0) return clamp(part / whole)
  const percent = first(percentNames)
  if (percent !== undefined) return clamp(percent / 100)
  const share = first(shareNames)
  return share === undefined ? undefined : clamp(share > 1 ? share / 100 : share)
}
