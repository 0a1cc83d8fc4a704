/**
 * What the list of tasks is filtered by, in its three forms: parameters of the address (named as in the API), the text of
 * the search, and the query of a request. Pure; the clock is an argument.
 */
import type { Priority } from "../../../domain/Priority.ts"
import { queryString } from "../../api/Client.ts"
import type { TaskQuery } from "../../api/Endpoints.ts"
import { parseSearch, printSearch, type SearchToken } from "../../components/tokens.ts"

export const params = [
  "state",
  "type",
  "priority",
  "worker",
  "tag",
  "tenant",
  "schedule",
  "error",
  "id",
  "since",
  "until",
  "q"
] as const
export type Param = (typeof params)[number]

/** As it stands in the address: times as they were written, so that "the last hour" stays that. */
export type Filter = Readonly<Partial<Record<Param, string>>>

export type Sort = "newest" | "oldest" | "changed"
export const sorts: Readonly<Record<Sort, string>> = {
  newest: "Newest first",
  oldest: "Oldest first",
  changed: "Last changed first"
}
export const isSort = (value: unknown): value is Sort => typeof value === "string" && value in sorts

/** Names of states in a search; what people see beside what the API says. */
const stateNames: Readonly<Record<string, string>> = {
  waiting: "waiting",
  queued: "queued",
  delayed: "delayed",
  scheduled: "delayed",
  running: "running",
  cancelling: "cancelling",
  stopping: "cancelling",
  retrying: "retrying",
  succeeded: "succeeded",
  failed: "failed",
  dead: "dead",
  cancelled: "cancelled",
  expired: "expired"
}
export const stateValues: ReadonlyArray<string> = [...new Set(Object.values(stateNames))]
export const priorityValues: ReadonlyArray<Priority> = ["critical", "high", "normal", "low"]

/** Names of tokens, and what they mean; `q` are the plain words. */
export const tokenHints: Readonly<Record<string, string>> = {
  status: "failed, running, waiting, dead (can be retried)",
  type: "task type, * stands for anything",
  priority: "critical, high, normal, low",
  worker: "that ran it last",
  tag: "one of its tags",
  tenant: "for whom it runs",
  schedule: "that submitted it",
  error: "group of errors",
  id: "beginning of the id",
  since: "submitted in the last 1h, or since 14:00",
  until: "submitted before 30m ago, or 14:30"
}
const names = Object.keys(tokenHints)
const many: ReadonlySet<Param> = new Set(["state", "type", "priority", "worker", "error"])

const paramOf = (name: string) => (name === "status" ? "state" : name) as Param
const nameOf = (param: Param) => param === "state" ? "status" : param

/** Values of a set of names: what somebody has not typed to its end yet is left out, it would be refused. */
const known = (value: string, all: Readonly<Record<string, string>>): ReadonlyArray<string> =>
  value.split(",").flatMap((part) => {
    const word = part.trim().toLowerCase()
    const found = all[word]
    if (found !== undefined) return [found]
    return word === "" || Object.keys(all).some((name) => name.startsWith(word)) ? [] : [word]
  })
const priorityNames = Object.fromEntries(priorityValues.map((name) => [name, name]))

const valueOf = (param: Param, value: string): string =>
  param === "state"
    ? known(value, stateNames).join(",")
    : param === "priority"
    ? known(value, priorityNames).join(",")
    : value

export const filterOfText = (text: string): Filter => {
  const filter: Partial<Record<Param, string>> = {}
  for (const { name, value } of parseSearch(text, names)) {
    const param = name === undefined ? "q" : paramOf(name)
    const next = valueOf(param, value)
    const before = filter[param]
    if (next === "") continue
    filter[param] = before === undefined
      ? next
      : param === "q"
      ? `${before} ${next}`
      : many.has(param)
      ? [...new Set([...before.split(","), ...next.split(",")])].join(",")
      : next
  }
  return filter
}

const two = (value: number) => String(value).padStart(2, "0")
/** Milliseconds as people write them: 2026-11-22T14:18:22, in their time zone. */
const written = (value: string): string => {
  if (!/^\d{11,14}$/u.test(value)) return value
  const at = new Date(Number(value))
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${
    two(at.getMinutes())
  }:${two(at.getSeconds())}`
}

export const textOf = (filter: Filter): string =>
  printSearch(params.flatMap((param): ReadonlyArray<SearchToken> => {
    const value = filter[param]
    if (value === undefined) return []
    if (param === "q") return value.split(/\s+/u).map((word) => ({ name: undefined, value: word }))
    return [{ name: nameOf(param), value: param === "since" || param === "until" ? written(value) : value }]
  }))

/** From the parameters of an address, where anything may stand. */
export const filterOf = (search: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>): Filter =>
  Object.fromEntries(params.flatMap((param) => {
    const value = search[param]
    const text = typeof value === "string" ? value : value?.join(",")
    return text === undefined || text.trim() === "" ? [] : [[param, text.trim()]]
  }))

/** All parameters, so that those that are gone leave the address. */
export const paramsOf = (filter: Filter): Readonly<Record<Param, string | undefined>> =>
  Object.fromEntries(params.map((param) => [param, filter[param]])) as Record<Param, string | undefined>

/** Where the list stands that is filtered and sorted like this. */
export const addressOf = (filter: Filter, sort: Sort = "newest"): string =>
  `/tasks${queryString({ ...filter, sort: sort === "newest" ? undefined : sort })}`

export const isSame = (one: Filter, other: Filter): boolean => params.every((param) => one[param] === other[param])
export const isFiltered = (filter: Filter): boolean => params.some((param) => filter[param] !== undefined)

const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/** 1h (ago), 14:30 (the last one), 2026-11-22, 2026-11-22T14:18, or milliseconds since 1970. */
export const timeOf = (text: string, now: number): number | undefined => {
  if (/^\d{11,14}$/u.test(text)) return Number(text)
  const [, amount, unit] = /^(\d+(?:\.\d+)?)([smhdw])$/u.exec(text) ?? []
  if (amount !== undefined) return now - Number(amount) * (units[unit ?? ""] ?? 0)
  const [, hour, minute, second = "0"] = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/u.exec(text) ?? []
  if (hour !== undefined) {
    const at = new Date(now)
    at.setHours(Number(hour), Number(minute), Number(second), 0)
    if (at.getTime() > now) at.setDate(at.getDate() - 1)
    return at.getTime()
  }
  const isDay = /^\d{4}-\d\d-\d\d$/u.test(text)
  if (!isDay && !/^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?$/u.test(text)) return undefined
  const at = Date.parse(isDay ? `${text}T00:00` : text)
  return Number.isNaN(at) ? undefined : at
}

/** What is asked. A time that can't be read is left out: {@link problemOf} says so. */
export const queryOf = (filter: Filter, now: number): TaskQuery => {
  const { since, until, ...rest } = filter
  const from = since === undefined ? undefined : timeOf(since, now)
  const to = until === undefined ? undefined : timeOf(until, now)
  return {
    ...rest,
    ...from === undefined ? {} : { since: Math.round(from) },
    ...to === undefined ? {} : { until: Math.round(to) }
  }
}

export const problemOf = (filter: Filter, now: number): string | undefined => {
  const wrong = [filter.since, filter.until].find((text) => text !== undefined && timeOf(text, now) === undefined)
  return wrong === undefined
    ? undefined
    : `“${wrong}” is not a time: write 1h, 30m, 14:30, 2026-11-22 or 2026-11-22T14:18.`
}

/** What the list is of, in words: "failed tasks of webhook.deliver". */
export const wordsOf = (filter: Filter): string => {
  const { state, type, ...rest } = filter
  const others = textOf(rest)
  return `${state === undefined ? "" : `${state.replaceAll(",", " or ")} `}tasks${
    type === undefined ? "" : ` of ${type}`
  }${others === "" ? "" : ` that match ${others}`}`
}
