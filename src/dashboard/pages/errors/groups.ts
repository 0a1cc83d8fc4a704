/** Which groups of errors are shown, and in which order. Pure. */
import type { ErrorGroup } from "../../../domain/View.ts"
import { parseSearch } from "../../components/tokens.ts"

export type ErrorSort = "count" | "last" | "first"
export const errorSorts: Readonly<Record<ErrorSort, string>> = {
  count: "Most frequent",
  last: "Last seen",
  first: "Newest"
}
export const isErrorSort = (value: unknown): value is ErrorSort => typeof value === "string" && value in errorSorts

const keys: Readonly<Record<ErrorSort, (group: ErrorGroup) => number>> = {
  count: ({ count }) => count,
  last: ({ lastAt }) => lastAt,
  first: ({ firstAt }) => firstAt
}

export const sortedBy = (groups: ReadonlyArray<ErrorGroup>, sort: ErrorSort): ReadonlyArray<ErrorGroup> =>
  groups.toSorted((a, b) => keys[sort](b) - keys[sort](a) || b.lastAt - a.lastAt)

export const errorTokens: Readonly<Record<string, string>> = {
  type: "task type",
  worker: "where it happened",
  is: "new or rising"
}

const meets = (group: ErrorGroup, name: string | undefined, value: string): boolean => {
  const wanted = value.toLowerCase()
  if (name === "type") return group.name.toLowerCase().includes(wanted.replaceAll("*", ""))
  if (name === "worker") return group.workers.some((worker) => worker.toLowerCase().includes(wanted))
  if (name === "is") return wanted === "new" ? group.isNew : wanted === "rising" ? group.isRising : true
  return `${group.type}\n${group.message}\n${group.name}`.toLowerCase().includes(wanted)
}

/** All that is said must hold. */
export const matching = (groups: ReadonlyArray<ErrorGroup>, text: string): ReadonlyArray<ErrorGroup> => {
  const tokens = parseSearch(text, Object.keys(errorTokens))
  return groups.filter((group) => tokens.every(({ name, value }) => meets(group, name, value)))
}
