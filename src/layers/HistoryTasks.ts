/**
 * What is shown of one task, alive or finished: a row of a list, a tuple of a frame, all that is known, and its payloads.
 * Part of the history of a control plane; reads, changes nothing.
 *
 * @since 0.1.0
 */
import * as Body from "../domain/Body.ts"
import { failureLine } from "../domain/FailureText.ts"
import type { FailureReason, Outcome } from "../domain/Outcome.ts"
import { fromLevel } from "../domain/Priority.ts"
import type { EndedAttempt, TaskRecord } from "../domain/Task.ts"
import type { AttemptView, Failure, Payload, TaskDetail, TaskRow, TaskTuple } from "../domain/View.ts"
import type { PayloadPart } from "../services/History.ts"
import type { ResultCache } from "../services/ResultCache.ts"
import type { Core } from "./ControlPlaneCore.ts"
import type { Extra, PathStep } from "./HistoryLog.ts"
import type { HistoryMemory } from "./HistoryMemory.ts"
import { textOfFailure } from "./HistoryMemory.ts"
import type { Part, SensitiveOf } from "./Redaction.ts"
import { redactedOf, shown, shownError } from "./Redaction.ts"
import { stepsAtOnce } from "./Slices.ts"

/** Bytes of a payload that are shown: the whole of it is asked for by itself. */
const maxShownBytes = 64 * 1024

/** Characters of an error in a tuple. */
const maxTupleError = 120

/** A finished task, out of the log or the result cache. */
interface Finished extends
  Pick<
    Outcome,
    "id" | "name" | "level" | "state" | "reason" | "attempt" | "options" | "history" | "worker" | "submittedAt"
  >,
  Pick<Outcome, "startedAt" | "finishedAt">,
  Partial<Pick<Extra, "path" | "retriedAs">>
{
  readonly dueAt: number
  readonly expiresAt: number
  readonly error: string | undefined
  readonly group: string | undefined
}

/**
 * What is shown of tasks.
 *
 * @category models
 * @since 0.1.0
 */
export type HistoryTasks = ReturnType<typeof makeHistoryTasks>

const noAttempts: ReadonlyArray<EndedAttempt> = []

/** The first bytes of encoded JSON, whole characters of it. */
const cut = (body: Body.Body): Payload => {
  const bytes = Body.toBytes(body)
  let end = Math.min(bytes.length, maxShownBytes)
  // What begins with the bits 10 belongs to the character before.
  if (end < bytes.length) { while (end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) end-- }
  return { text: Body.toText(bytes.subarray(0, end)), size: bytes.length, truncated: end < bytes.length }
}

/** Of an error that is not kept any more there is its line. */
const failureOfLine = (reason: FailureReason, line: string): Failure => {
  const end = line.indexOf(": ")
  return end === -1
    ? { reason, type: line, message: "" }
    : { reason, type: line.slice(0, end), message: line.slice(end + 2) }
}

/**
 * Creates them. `wall` makes milliseconds since 1970 of monotonic ones.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeHistoryTasks = ({ core, memory, now, results, sensitiveOf, wall }: {
  readonly core: Core
  readonly memory: HistoryMemory
  readonly results: ResultCache["Service"]
  readonly now: () => number
  readonly sensitiveOf: SensitiveOf
  readonly wall: (millis: number) => number
}) => {
  const { groups, log } = memory

  type Data = Pick<Finished, "id" | "name" | "options">

  const argsOf = (id: string): Body.Body | undefined => {
    const task = core.task(id)
    if (task !== undefined) return task.args
    const number = log.find(id)
    return (number === undefined ? undefined : log.args(number)) ?? core.dead.get(id)?.args
  }

  /** A part of a task as it may be seen, the first bytes of it. */
  const payloadOf = (task: Data, part: Part, body: Body.Body): Payload => {
    const sensitive = sensitiveOf(task)
    return { ...cut(shown(body, part, sensitive)), ...redactedOf(part, sensitive) }
  }

  const errorBody = (task: Data, reason: FailureReason | "lost", body: Body.Body): Body.Body => {
    const sensitive = sensitiveOf(task)
    return sensitive === undefined ? body : shownError(reason, body, sensitive, argsOf(task.id))
  }

  const lineOf = (task: Data, { body, reason }: Pick<EndedAttempt, "reason" | "body">): string =>
    failureLine(textOfFailure(reason, errorBody(task, reason, body)))

  const failureOf = (task: Data, reason: FailureReason | "lost", body: Body.Body): Failure => {
    const seen = errorBody(task, reason, body)
    return { reason, ...textOfFailure(reason, seen), ...(seen.length === 0 ? {} : { payload: cut(seen) }) }
  }

  const finishedOf = (id: string): Finished | undefined => {
    const number = log.find(id)
    if (number !== undefined) {
      const extra = log.extra(number)
      return {
        id,
        name: log.name(number),
        level: log.level(number),
        state: log.state(number),
        reason: log.reason(number),
        attempt: log.attempt(number),
        worker: log.worker(number),
        submittedAt: log.submittedAt(number),
        startedAt: log.startedAt(number),
        finishedAt: log.finishedAt(number),
        options: extra?.options,
        history: extra?.history ?? noAttempts,
        path: extra?.path,
        retriedAs: extra?.retriedAs,
        dueAt: extra?.dueAt ?? 0,
        expiresAt: extra?.expiresAt ?? Infinity,
        error: extra?.error,
        group: groups.byNumber(log.group(number))?.key
      }
    }
    const outcome = core.dead.get(id)?.outcome ?? results.peek(id, now())
    if (outcome === undefined) return undefined
    const { body, reason } = outcome
    return {
      ...outcome,
      dueAt: 0,
      expiresAt: Infinity,
      error: reason === undefined ? undefined : lineOf(outcome, { reason, body }),
      group: undefined
    }
  }

  const said = ({ options }: Pick<TaskRecord, "options">) =>
    options === undefined ? {} : {
      ...(options.tags === undefined ? {} : { tags: options.tags }),
      ...(options.tenant === undefined ? {} : { tenant: options.tenant }),
      ...(options.schedule === undefined ? {} : { schedule: options.schedule })
    }

  const rowOfTask = (task: TaskRecord): TaskRow => {
    const { attempt, detail, id, leasedAt, level, name, state, submittedAt, worker } = task
    const last = detail?.history[detail.history.length - 1]
    const startedAt = worker === undefined ? last?.startedAt : leasedAt
    return {
      id,
      name,
      priority: fromLevel(level),
      state,
      attempt,
      ...(memory.retrying.has(task) ? { retrying: true } : {}),
      ...(worker === undefined ? {} : { worker: worker.id }),
      submittedAt: wall(submittedAt),
      ...(startedAt === undefined ? {} : { startedAt: wall(startedAt) }),
      ...(state === "delayed" && detail !== undefined && detail.dueAt > 0 ? { dueAt: wall(detail.dueAt) } : {}),
      ...(last === undefined ? {} : { error: lineOf(task, last) }),
      ...said(task)
    }
  }

  const rowOfFinished = (task: Finished): TaskRow => {
    const { attempt, error, finishedAt, history, id, level, name, reason, state, submittedAt, worker } = task
    const startedAt = task.startedAt ?? history[history.length - 1]?.startedAt
    return {
      id,
      name,
      priority: fromLevel(level),
      state,
      attempt,
      ...(worker === undefined ? {} : { worker }),
      submittedAt: wall(submittedAt),
      ...(startedAt === undefined ? {} : { startedAt: wall(startedAt) }),
      finishedAt: wall(finishedAt),
      ...(reason === undefined ? {} : { reason }),
      ...(error === undefined ? {} : { error }),
      ...said(task)
    }
  }

  const rowOf = (id: string): TaskRow | undefined => {
    const task = core.task(id)
    if (task !== undefined) return rowOfTask(task)
    const finished = finishedOf(id)
    return finished === undefined ? undefined : rowOfFinished(finished)
  }

  const tupleOf = (id: string): TaskTuple | undefined => {
    const task = core.task(id)
    if (task !== undefined) {
      const { attempt, detail, leasedAt, level, name, state, submittedAt, worker } = task
      const last = detail?.history[detail.history.length - 1]
      const startedAt = worker === undefined ? last?.startedAt : leasedAt
      const error = last === undefined ? "" : lineOf(task, last).slice(0, maxTupleError)
      return [
        id,
        name,
        state,
        level,
        attempt,
        wall(submittedAt),
        startedAt === undefined ? 0 : wall(startedAt),
        0,
        worker?.id ?? "",
        error
      ]
    }
    const finished = finishedOf(id)
    if (finished === undefined) return undefined
    const { attempt, error = "", finishedAt, history, level, name, state, submittedAt, worker = "" } = finished
    const startedAt = finished.startedAt ?? history[history.length - 1]?.startedAt
    return [
      id,
      name,
      state,
      level,
      attempt,
      wall(submittedAt),
      startedAt === undefined ? 0 : wall(startedAt),
      wall(finishedAt),
      worker,
      error.slice(0, maxTupleError)
    ]
  }

  const stepView = ({ at, note, state }: PathStep) => ({ state, at: wall(at), ...(note === undefined ? {} : { note }) })

  /** The states that follow from the times of a task, when none were written down. */
  const derivePath = (
    { dueAt, history, startedAt, submittedAt, worker }: {
      readonly submittedAt: number
      readonly dueAt: number
      readonly history: ReadonlyArray<EndedAttempt>
      readonly startedAt: number | undefined
      readonly worker: string | undefined
    },
    until: number
  ): Array<PathStep> => {
    const wasDelayed = dueAt > submittedAt && history.length === 0
    const path: Array<PathStep> = [{ state: wasDelayed ? "delayed" : "queued", at: submittedAt, note: undefined }]
    if (wasDelayed && dueAt <= until) path.push({ state: "queued", at: dueAt, note: undefined })
    for (const attempt of history) {
      path.push({ state: "running", at: attempt.startedAt, note: attempt.worker })
      const isBack = attempt.reason === "lost" || attempt.reason === "crash"
      path.push({ state: isBack ? "queued" : "delayed", at: attempt.endedAt, note: attempt.reason })
    }
    if (startedAt !== undefined) path.push({ state: "running", at: startedAt, note: worker })
    return path
  }

  const endedAttempt =
    (task: Data) => ({ attempt, body, endedAt, reason, startedAt, worker }: EndedAttempt): AttemptView => ({
      attempt,
      ...(worker === "" ? {} : { worker }),
      startedAt: wall(startedAt),
      endedAt: wall(endedAt),
      state: "failed",
      failure: failureOf(task, reason, body)
    })

  const more = ({ options }: Pick<TaskRecord, "options">) =>
    options === undefined ? {} : {
      ...(options.retryOf === undefined ? {} : { retryOf: options.retryOf }),
      ...(options.parent === undefined ? {} : { parent: options.parent }),
      ...(options.unique === undefined ? {} : { uniqueKey: options.unique.key }),
      ...(options.limitKey === undefined ? {} : { limitKey: options.limitKey }),
      ...(options.fairKey === undefined ? {} : { fairKey: options.fairKey }),
      ...(options.weight === undefined ? {} : { weight: options.weight }),
      ...(options.version === undefined ? {} : { version: options.version }),
      ...(options.ignoreResult === undefined ? {} : { ignoreResult: options.ignoreResult })
    }

  const waitingOf = (task: TaskRecord, ahead: number | undefined) => {
    if (task.worker !== undefined) return {}
    const { cause, text, until } = core.whyWaiting(task, now())
    return {
      waiting: {
        cause,
        text,
        ...(until === undefined ? {} : { until: wall(until) }),
        ...(ahead === undefined ? {} : { ahead })
      }
    }
  }

  const detailOfTask = (task: TaskRecord, ahead: number | undefined): TaskDetail => {
    const { args, attempt, detail, id, leasedAt, state, submittedAt, worker } = task
    const history = detail?.history ?? noAttempts
    const path = memory.path(id) ??
      derivePath({
        submittedAt,
        dueAt: detail?.dueAt ?? 0,
        history,
        startedAt: worker === undefined ? undefined : leasedAt,
        worker: worker?.id
      }, now())
    const group = groups.byNumber(memory.retrying.get(task) ?? -1)
    const last = history[history.length - 1]
    return {
      ...rowOfTask(task),
      path: path.map(stepView),
      attempts: [
        ...history.map(endedAttempt(task)),
        ...(worker === undefined || (state !== "running" && state !== "cancelling") ? [] : [{
          attempt,
          worker: worker.id,
          startedAt: wall(leasedAt),
          state
        }])
      ],
      ...waitingOf(task, ahead),
      args: payloadOf(task, "args", args),
      ...(last === undefined ? {} : { failure: failureOf(task, last.reason, last.body) }),
      ...(detail?.progress === undefined ? {} : { progress: payloadOf(task, "progress", detail.progress) }),
      ...(detail === undefined || detail.expiresAt === Infinity ? {} : { expiresAt: wall(detail.expiresAt) }),
      ...(group === undefined ? {} : { errorGroup: group.key }),
      ...more(task),
      can: { cancel: state !== "cancelling", retry: false }
    }
  }

  const bodyOf = (id: string): Body.Body | undefined => (core.dead.get(id)?.outcome ?? results.peek(id, now()))?.body

  const finalFailure = (task: Finished): Failure | undefined => {
    const { error, id, reason, state } = task
    if (state !== "failed" || reason === undefined) return undefined
    const body = bodyOf(id)
    return body === undefined ? failureOfLine(reason, error ?? "") : failureOf(task, reason, body)
  }

  const detailOfFinished = (task: Finished): TaskDetail => {
    const { attempt, expiresAt, finishedAt, group, history, id, reason, startedAt, state, worker } = task
    const failure = finalFailure(task)
    const args = argsOf(id)
    const result = state === "succeeded" ? bodyOf(id) : undefined
    return {
      ...rowOfFinished(task),
      path: [...task.path ?? derivePath(task, finishedAt), { state, at: finishedAt, note: reason }].map(stepView),
      attempts: [
        ...history.map(endedAttempt(task)),
        ...(startedAt === undefined ? [] : [{
          attempt,
          ...(worker === undefined ? {} : { worker }),
          startedAt: wall(startedAt),
          endedAt: wall(finishedAt),
          state,
          ...(failure === undefined ? {} : { failure })
        }])
      ],
      ...(args === undefined ? {} : { args: payloadOf(task, "args", args) }),
      ...(result === undefined ? {} : { result: payloadOf(task, "result", result) }),
      ...(failure === undefined ? {} : { failure }),
      ...(expiresAt === Infinity ? {} : { expiresAt: wall(expiresAt) }),
      ...(task.retriedAs === undefined ? {} : { retriedAs: task.retriedAs }),
      ...(group === undefined ? {} : { errorGroup: group }),
      ...more(task),
      can: { cancel: false, retry: core.dead.get(id) !== undefined }
    }
  }

  /** How many tasks are served before a queued one, as far as that is a matter of priority and age. */
  function* countAhead(task: TaskRecord): Generator<void, number | undefined> {
    const { options } = task
    // Keys of fairness take turns: who is ahead is not known then.
    if (task.state !== "queued" || options?.fairKey !== undefined || options?.tenant !== undefined) return undefined
    let ahead = 0
    let steps = 0
    for (const other of core.tasks()) {
      if (
        other.state === "queued" && (other.level < task.level ||
          (other.level === task.level && other.sequence < task.sequence))
      ) ahead++
      if (++steps % stepsAtOnce === 0) yield
    }
    return ahead
  }

  return {
    rowOf,
    tupleOf,

    /** All that is known of a task. */
    *detail(id: string): Generator<void, TaskDetail | undefined> {
      const task = core.task(id)
      const ahead = task === undefined ? undefined : yield* countAhead(task)
      // It may have ended while the others were counted.
      const alive = core.task(id)
      if (alive !== undefined) return detailOfTask(alive, alive.state === "queued" ? ahead : undefined)
      const finished = finishedOf(id)
      return finished === undefined ? undefined : detailOfFinished(finished)
    },

    isKnown: (id: string): boolean => core.task(id) !== undefined || finishedOf(id) !== undefined,

    /** The line of the error that is shown of a task. */
    errorOf(task: TaskRecord | Outcome): string | undefined {
      if ("finishedAt" in task) {
        return task.reason === undefined ? undefined : lineOf(task, { reason: task.reason, body: task.body })
      }
      const last = task.detail?.history[task.detail.history.length - 1]
      return last === undefined ? undefined : lineOf(task, last)
    },

    /** A part of a task as it is shown; `undefined` when there is none, or it is not kept any more. */
    payload(id: string, part: PayloadPart): Body.Body | undefined {
      const task = core.task(id)
      const finished = task === undefined ? finishedOf(id) : undefined
      const known = task ?? finished
      if (known === undefined) return undefined
      const sensitive = sensitiveOf(known)
      if (part === "args") {
        const args = argsOf(id)
        return args === undefined ? undefined : shown(args, part, sensitive)
      }
      if (part === "progress") {
        const progress = task?.detail?.progress
        return progress === undefined ? undefined : shown(progress, part, sensitive)
      }
      if (task !== undefined) {
        const last = part === "error" ? task.detail?.history[task.detail.history.length - 1] : undefined
        return last === undefined ? undefined : errorBody(task, last.reason, last.body)
      }
      if (finished?.state !== (part === "result" ? "succeeded" : "failed")) return undefined
      const body = bodyOf(id)
      if (body === undefined) return undefined
      return part === "result" ? shown(body, part, sensitive) : errorBody(known, finished.reason ?? "error", body)
    }
  }
}
