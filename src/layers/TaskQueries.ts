/**
 * Which tasks a query means: read once, then asked of every task, alive, finished or dead. Part of the history of a control
 * plane; knows the columns of the finished ones, so that most are passed over by a look at a number.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import { BadRequest } from "../domain/Errors.ts"
import type { Outcome } from "../domain/Outcome.ts"
import type { PriorityLevel } from "../domain/Priority.ts"
import { priorities } from "../domain/Priority.ts"
import type { TaskOptions, TaskRecord } from "../domain/Task.ts"
import type { FinalState, TaskState } from "../domain/TaskState.ts"
import { isFinal, TaskState as TaskStates } from "../domain/TaskState.ts"
import type { TaskQuery } from "../services/History.ts"
import type { Chain } from "./HistoryLog.ts"
import type { HistoryMemory } from "./HistoryMemory.ts"

/**
 * What has to do with the time and the tasks that can be retried.
 *
 * @category models
 * @since 0.1.0
 */
export interface Context {
  readonly memory: HistoryMemory
  readonly isDead: (id: string) => boolean
  /** Monotonic milliseconds of a time since 1970, as it is shown. */
  readonly fromWall: (wall: number) => number
  /** The line of the error that is shown of a task. */
  readonly errorOf: (task: TaskRecord | Outcome) => string | undefined
}

/**
 * What a query means.
 *
 * @category models
 * @since 0.1.0
 */
export interface Wanted {
  /** Whether it may mean a task that is alive, a finished one. */
  readonly alive: boolean
  readonly finished: boolean
  /** Whether it means all tasks of its states. */
  readonly isPlain: boolean
  readonly states: ReadonlySet<Pseudo> | undefined
  /** Means tasks that were submitted at this time or later. */
  readonly since: number
  readonly isAlive: (task: TaskRecord, anyState?: boolean) => boolean
  /** Asked of the number of a task of the log. */
  readonly isFinished: (number: number, anyState?: boolean) => boolean
  readonly isOutcome: (outcome: Outcome) => boolean
  /** Chains of the log that lead to all that is meant, of those the shortest; `undefined`: there is none. */
  readonly chain: (anyState?: boolean) => { readonly chain: Chain; readonly value: string | number } | undefined
}

/** A state as it stands in a query. */
type Pseudo = TaskState | "retrying" | "dead"

const listOf = (text: string | undefined): ReadonlyArray<string> | undefined => {
  const items = text?.split(",").map((item) => item.trim()).filter((item) => item !== "")
  return items === undefined || items.length === 0 ? undefined : items
}

const stateNames: ReadonlySet<string> = new Set([...TaskStates.literals, "retrying", "waiting", "dead"])

const unknown = (what: string, value: string, known: ReadonlyArray<string>) =>
  Result.fail(new BadRequest({ reason: `"${value}" is not a ${what}: write ${known.join(", ")}` }))

/** Says of names whether they meet a pattern; each name is looked at once. */
const namesLike = (patterns: ReadonlyArray<string>) => {
  const exact = new Set(patterns.filter((pattern) => !pattern.includes("*")))
  const globs = patterns.filter((pattern) => pattern.includes("*")).map((pattern) =>
    // Several stars in a row say no more than one, and would be tried one by one.
    pattern.replaceAll(/\*+/gu, "*").split("*")
  )
  const known = new Map<string, boolean>()
  const matches = (name: string) => {
    const is = exact.has(name) || globs.some((parts) => meets(name, parts))
    if (known.size > 10_000) known.clear()
    known.set(name, is)
    return is
  }
  return {
    only: exact.size === 1 && globs.length === 0 ? patterns.find((pattern) => exact.has(pattern)) : undefined,
    matches: (name: string) => known.get(name) ?? matches(name)
  }
}

/** Whether a name consists of these parts, with anything between them. */
const meets = (name: string, parts: ReadonlyArray<string>): boolean => {
  const first = parts[0] as string
  const last = parts[parts.length - 1] as string
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length) return false
  let at = first.length
  const end = name.length - last.length
  for (const part of parts.slice(1, -1)) {
    const found = name.indexOf(part, at)
    if (found === -1 || found + part.length > end) return false
    at = found + part.length
  }
  return true
}

const only = <A>(items: ReadonlySet<A> | undefined): A | undefined => {
  if (items?.size !== 1) return undefined
  for (const item of items) return item
  return undefined
}

/**
 * Reads a query. Fails with what can't be read.
 *
 * @category decoding
 * @since 0.1.0
 */
export const makeWanted = (query: TaskQuery, context: Context): Result.Result<Wanted, BadRequest> => {
  const { errorOf, fromWall, isDead, memory: { groups, log, retrying } } = context
  const stateList = listOf(query.state)
  for (const state of stateList ?? []) {
    if (!stateNames.has(state)) return unknown("state", state, [...stateNames])
  }
  const states = stateList === undefined
    ? undefined
    : new Set(stateList.flatMap((state) => (state === "waiting" ? ["delayed", "queued"] : [state]) as Array<Pseudo>))
  const priorityList = listOf(query.priority)
  for (const priority of priorityList ?? []) {
    if (!(priorities as ReadonlyArray<string>).includes(priority)) return unknown("priority", priority, priorities)
  }
  const levels = priorityList === undefined
    ? undefined
    : priorities.map((priority) => priorityList.includes(priority))
  const typeList = listOf(query.type)
  const types = typeList === undefined ? undefined : namesLike(typeList)
  const workerList = listOf(query.worker)
  const workers = workerList === undefined ? undefined : new Set(workerList)
  const errorList = listOf(query.error)
  // One that is not known any more has no tasks.
  const errors = errorList === undefined
    ? undefined
    : new Set(errorList.map((key) => groups.find(key)?.number ?? -2))
  const { id: prefix, schedule, tag, tenant } = query
  const words = query.q?.toLowerCase().split(/\s+/u).filter((word) => word !== "") ?? []
  const since = query.since === undefined ? -Infinity : fromWall(query.since)
  const until = query.until === undefined ? Infinity : fromWall(query.until)
  const hasOptions = tag !== undefined || tenant !== undefined || schedule !== undefined

  const meetsOptions = (options: TaskOptions | undefined) =>
    !hasOptions ||
    (options !== undefined && (tenant === undefined || options.tenant === tenant) &&
      (schedule === undefined || options.schedule === schedule) &&
      (tag === undefined || options.tags?.includes(tag) === true))

  const meetsRest = (id: string, name: string, level: PriorityLevel, submittedAt: number) =>
    submittedAt >= since && submittedAt < until &&
    (levels === undefined || levels[level] === true) &&
    (types === undefined || types.matches(name)) &&
    (prefix === undefined || id.startsWith(prefix))

  const meetsWords = (id: string, name: string, error: () => string | undefined) => {
    if (words.length === 0) return true
    const text = `${id}\n${name}\n${error() ?? ""}`.toLowerCase()
    return words.every((word) => text.includes(word))
  }

  const finals = states === undefined
    ? undefined
    : new Set([...states].filter((state): state is FinalState => state in finalStates))
  const wantsDead = states?.has("dead") === true
  const isFinalMeant = (state: FinalState, id: string) =>
    finals === undefined || finals.has(state) || (wantsDead && isDead(id))

  return Result.succeed({
    alive: states === undefined || [...states].some((state) => state !== "dead" && !(state in finalStates)),
    finished: states === undefined || wantsDead || (finals?.size ?? 0) > 0,
    isPlain: levels === undefined && types === undefined && workers === undefined && errors === undefined &&
      prefix === undefined && !hasOptions && words.length === 0 && since === -Infinity && until === Infinity,
    states,
    since,
    isAlive: (task, anyState = false) =>
      (anyState || states === undefined || states.has(task.state) ||
        (states.has("retrying") && retrying.has(task))) &&
      meetsRest(task.id, task.name, task.level, task.submittedAt) &&
      meetsOptions(task.options) &&
      (workers === undefined || (task.worker !== undefined && workers.has(task.worker.id))) &&
      (errors === undefined || errors.has(retrying.get(task) ?? -1)) &&
      meetsWords(task.id, task.name, () => errorOf(task)),
    isFinished: (number, anyState = false) =>
      log.has(number) &&
      (anyState || isFinalMeant(log.state(number), log.id(number))) &&
      meetsRest(log.id(number), log.name(number), log.level(number), log.submittedAt(number)) &&
      (!hasOptions || meetsOptions(log.extra(number)?.options)) &&
      (workers === undefined || workers.has(log.worker(number) ?? "")) &&
      (errors === undefined || errors.has(log.group(number))) &&
      meetsWords(log.id(number), log.name(number), () => log.extra(number)?.error),
    isOutcome(outcome) {
      const { id, level, name, options, state, submittedAt, worker } = outcome
      const number = log.find(id)
      return isFinalMeant(state, id) && meetsRest(id, name, level, submittedAt) && meetsOptions(options) &&
        (workers === undefined || workers.has(worker ?? "")) &&
        (errors === undefined || (number !== undefined && errors.has(log.group(number)))) &&
        meetsWords(id, name, () => errorOf(outcome))
    },
    chain(anyState = false) {
      const worker = only(workers)
      const group = only(errors)
      const state = anyState || wantsDead ? undefined : only(finals)
      // The tasks of a group are few, and it is not known how many.
      if (group !== undefined) return { chain: "group", value: group }
      const chains = [
        ...(types?.only === undefined ? [] : [{ chain: "name" as const, value: types.only }]),
        ...(worker === undefined ? [] : [{ chain: "worker" as const, value: worker }]),
        ...(state === undefined ? [] : [{ chain: "state" as const, value: state }])
      ]
      let shortest: (typeof chains)[number] | undefined
      for (const chain of chains) {
        if (
          shortest === undefined || log.sizeOf(chain.chain, chain.value) < log.sizeOf(shortest.chain, shortest.value)
        ) {
          shortest = chain
        }
      }
      return shortest
    }
  })
}

const finalStates = Object.fromEntries(TaskStates.literals.filter(isFinal).map((state) => [state, true]))
