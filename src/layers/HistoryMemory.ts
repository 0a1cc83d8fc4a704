/**
 * The history of a control plane, in memory: it is told what happens in the core, as the journal is, and remembers the
 * finished tasks, the numbers of the last day, the failures and what changed last. What is alive stands in the core and is
 * not written down again here.
 *
 * Called for every transition of every task, so it allocates nothing for a plain one, and reads no clock: the records have
 * the time. Nothing survives a crash; what a journal brings back is taken in by {@link HistoryMemory.restore}.
 *
 * @since 0.1.0
 */
import * as Body from "../domain/Body.ts"
import type { FailureText } from "../domain/FailureText.ts"
import { failureLine, failureText } from "../domain/FailureText.ts"
import { filled } from "../domain/Filled.ts"
import type { FailureReason, Outcome } from "../domain/Outcome.ts"
import { fromLevel } from "../domain/Priority.ts"
import type { Settings as Values } from "../domain/Settings.ts"
import type { EndedAttempt, TaskRecord } from "../domain/Task.ts"
import { readyAt } from "../domain/Task.ts"
import type { TaskState } from "../domain/TaskState.ts"
import type { EventLine } from "../domain/View.ts"
import type { Levels } from "./Buckets.ts"
import { kindIndex, makeBuckets } from "./Buckets.ts"
import type { RequeueCause } from "./CoreTasks.ts"
import { makeErrorGroups } from "./ErrorGroups.ts"
import * as Histogram from "./Histogram.ts"
import type { Extra, PathStep } from "./HistoryLog.ts"
import { makeHistoryLog } from "./HistoryLog.ts"
import type { SensitiveOf } from "./Redaction.ts"
import { shownError } from "./Redaction.ts"
import { makeTypeRates } from "./TypeRates.ts"

/**
 * The history of a control plane.
 *
 * @category models
 * @since 0.1.0
 */
export type HistoryMemory = ReturnType<typeof makeHistoryMemory>

/**
 * The buckets of all tasks: 1 s for 15 minutes, 10 s for 6 hours, a minute for a day.
 *
 * @category constants
 * @since 0.1.0
 */
export const tiers = [
  { step: 1_000, size: 900 },
  { step: 10_000, size: 2_160 },
  { step: 60_000, size: 1_440 }
] as const

/** Changes of which the ids are remembered; a power of two. */
const maxChanges = 4_096

/** Tasks that are told as changed, at most. */
const maxChanged = 500

/** States of one task that are remembered, and tasks whose states are remembered one by one while they are alive. */
const maxSteps = 40
const maxPaths = 50_000

/** Tasks of a schedule that are remembered. */
const maxRuns = 20

const maxEvents = 200

/** Bytes of an error that are read. */
const maxErrorBytes = 16_384

const { accepted, cancelled, expired, failed, retried, started, succeeded } = kindIndex
const kindOf: Readonly<Record<Outcome["state"], number>> = { succeeded, failed, cancelled, expired }

const textOf = (body: Body.Body): string =>
  Body.toText(body.length > maxErrorBytes ? body.slice(0, maxErrorBytes) : body)

/**
 * Returns what an attempt or an outcome failed with.
 *
 * @category getters
 * @since 0.1.0
 */
export const textOfFailure = (reason: FailureReason | "lost", body: Body.Body): FailureText =>
  failureText(reason, textOf(body))

const ofSubmission: SensitiveOf = ({ options }) => options?.sensitive

/**
 * Creates an empty history. `offset` is what the wall clock is ahead of the monotonic one, so that buckets begin with its
 * seconds; `levels` says how much waits and runs now.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeHistoryMemory = ({ levels, now, offset, sensitiveOf = ofSubmission, settings }: {
  readonly settings: Pick<Values, "maxHistory" | "maxHistoryBytes">
  readonly now: () => number
  readonly offset: number
  readonly levels: () => Levels
  /** Default: what submissions say. */
  readonly sensitiveOf?: SensitiveOf
}) => {
  const isKept = settings.maxHistory > 0 && settings.maxHistoryBytes > 0
  const log = makeHistoryLog({
    maxTasks: isKept ? settings.maxHistory : 0,
    maxBytes: settings.maxHistoryBytes
  })
  const groups = makeErrorGroups()
  const all = makeBuckets(tiers, now() + offset, levels)
  const types = makeTypeRates()
  /** States of tasks that are alive and to which more happened than to run once. */
  const paths = new Map<string, Array<PathStep>>()
  const retrying = new Map<TaskRecord, number>()
  /** Attempts that failed since the start, of each reason. */
  const failures = new Map<FailureReason | "lost", number>()
  const runs = new Map<string, Array<string>>()
  const changes = filled(maxChanges, "")
  let changed = 0
  let events: Array<EventLine> = []

  const touch = (id: string) => {
    changes[changed++ & (maxChanges - 1)] = id
  }

  const count = (kind: number, name: string, at: number) => {
    const time = at + offset
    all.count(kind, time)
    const type = types.touch(name, time)
    type.buckets.count(kind, time)
    return type
  }

  /** Adds a state to the path of a task, which is begun when there is none. */
  const step = (task: TaskRecord, state: TaskState, at: number, note?: string) => {
    let path = paths.get(task.id)
    if (path === undefined) {
      if (paths.size >= maxPaths) return
      const wasDelayed = task.attempt === 0 && (task.detail?.dueAt ?? 0) > task.submittedAt
      path = [{ state: wasDelayed ? "delayed" : "queued", at: task.submittedAt, note: undefined }]
      const began = task.detail?.history[task.detail.history.length - 1]?.startedAt ?? task.leasedAt
      if (began > 0) path.push({ state: "running", at: began, note: undefined })
      paths.set(task.id, path)
    }
    path.push({ state, at, note })
    // The first says when it was submitted.
    if (path.length > maxSteps) path.splice(1, 1)
  }

  const fail = (
    task: TaskRecord | Outcome,
    args: Body.Body | undefined,
    { body, endedAt, reason, worker }: Omit<EndedAttempt, "attempt" | "startedAt" | "worker"> & {
      readonly worker: string | undefined
    },
    isRetried: boolean
  ) => {
    const { id, name } = task
    const text = textOfFailure(reason, shownError(reason, body, sensitiveOf(task), args))
    return { text, group: groups.add({ id, name, reason, text, worker, at: endedAt, isRetried }) }
  }

  const countFailure = (reason: FailureReason | "lost") => void failures.set(reason, (failures.get(reason) ?? 0) + 1)

  const lastAttempt = ({ detail }: TaskRecord) => detail?.history[detail.history.length - 1]

  /** What is kept of a finished task besides the numbers; most have none of it. */
  const extraOf = (
    outcome: Outcome,
    task: TaskRecord | undefined,
    error: FailureText | undefined
  ): Extra | undefined => {
    const { history, options } = outcome
    const detail = task?.detail
    const path = paths.size === 0 ? undefined : paths.get(outcome.id)
    if (path !== undefined) paths.delete(outcome.id)
    if (options === undefined && detail === undefined && history.length === 0 && error === undefined) return undefined
    return {
      options,
      history,
      path,
      dueAt: detail?.dueAt ?? 0,
      expiresAt: detail?.expiresAt ?? Infinity,
      error: error === undefined ? undefined : failureLine(error),
      retriedAs: undefined
    }
  }

  const keep = (outcome: Outcome, task: TaskRecord | undefined, args: Body.Body | undefined) => {
    const failure = outcome.reason === undefined
      ? undefined
      : fail(
        outcome,
        args,
        { reason: outcome.reason, body: outcome.body, endedAt: outcome.finishedAt, worker: outcome.worker },
        false
      )
    if (isKept) log.add(outcome, args, failure?.group.number ?? -1, extraOf(outcome, task, failure?.text))
    else paths.delete(outcome.id)
  }

  /** Who submitted a task may be asked for the tasks that it submitted. */
  const relate = ({ id, options }: TaskRecord) => {
    if (options?.retryOf !== undefined) log.retried(options.retryOf, id)
    if (options?.schedule === undefined) return
    const ids = runs.get(options.schedule)
    if (ids === undefined) runs.set(options.schedule, [id])
    else if (ids.push(id) > maxRuns) ids.shift()
  }

  return {
    log,
    groups,
    all,
    types,
    offset,
    /** Attempts that failed since the start, of each reason. */
    failures: failures as ReadonlyMap<FailureReason | "lost", number>,
    /** Tasks that wait for another attempt, and the number of the group of what their last one failed with. */
    retrying: retrying as ReadonlyMap<TaskRecord, number>,

    /** The part of the core's observer that remembers. */
    observer: {
      accepted(task: TaskRecord) {
        count(accepted, task.name, task.submittedAt)
        if (task.options !== undefined) relate(task)
        touch(task.id)
      },
      retracted({ id, name, submittedAt }: TaskRecord) {
        const time = submittedAt + offset
        all.uncount(accepted, time)
        types.find(name)?.buckets.uncount(accepted, time)
        paths.delete(id)
        touch(id)
      },
      delayed(task: TaskRecord) {
        if ((task.detail?.failures ?? 0) > 0) retrying.set(task, -1)
        touch(task.id)
      },
      queued(task: TaskRecord) {
        const { detail, id, submittedAt } = task
        touch(id)
        if (detail === undefined) return
        if (retrying.size > 0) retrying.delete(task)
        if (detail.dueAt > submittedAt) step(task, "queued", detail.dueAt)
      },
      started(task: TaskRecord) {
        const { id, leasedAt, name } = task
        const type = count(started, name, leasedAt)
        const waited = leasedAt - readyAt(task)
        // One that was taken over after a restart of the control plane had not waited.
        if (waited >= 0) {
          const bin = Histogram.binOf(waited)
          all.waited(bin)
          type.buckets.waited(bin)
        }
        touch(id)
        if (retrying.size > 0) retrying.delete(task)
        if (paths.size > 0 && paths.has(id)) step(task, "running", leasedAt, task.worker?.id)
      },
      retrying(task: TaskRecord) {
        const attempt = lastAttempt(task)
        if (attempt === undefined) return
        const type = count(retried, task.name, attempt.endedAt)
        countFailure(attempt.reason)
        const bin = Histogram.binOf(attempt.endedAt - attempt.startedAt)
        all.ran(bin)
        type.buckets.ran(bin)
        retrying.set(task, fail(task, task.args, attempt, true).group.number)
        step(task, "delayed", attempt.endedAt, `attempt ${attempt.attempt} failed`)
        touch(task.id)
      },
      requeued(task: TaskRecord, cause: RequeueCause) {
        const attempt = lastAttempt(task)
        if (cause !== "handed back" && attempt !== undefined) {
          countFailure(attempt.reason)
          fail(task, task.args, attempt, true)
        }
        step(task, "queued", now(), cause)
        touch(task.id)
      },
      prioritized(task: TaskRecord) {
        step(task, task.state, now(), `priority ${fromLevel(task.level)}`)
        touch(task.id)
      },
      cancelling(task: TaskRecord, stop: "cancelled" | "expired") {
        step(task, "cancelling", now(), stop)
        touch(task.id)
      },
      finished(outcome: Outcome, task: TaskRecord) {
        const { finishedAt, id, startedAt, state } = outcome
        const type = count(kindOf[state], outcome.name, finishedAt)
        type.finished++
        if (state === "failed") type.failed++
        if (startedAt !== undefined && (state === "succeeded" || state === "failed")) {
          const bin = Histogram.binOf(finishedAt - startedAt)
          all.ran(bin)
          type.buckets.ran(bin)
        }
        if (outcome.reason !== undefined) countFailure(outcome.reason)
        if (retrying.size > 0) retrying.delete(task)
        keep(outcome, task, task.args)
        touch(id)
      },
      /** `undefined`: it was removed. */
      schedule(id: string, record: unknown) {
        if (record === undefined) runs.delete(id)
      }
    },

    /** Takes in a task that a journal brought back: it was accepted before. */
    restoredTask: relate,

    /** Takes in outcomes that a journal brought back, in the order in which they finished. */
    restore(finished: Iterable<{ readonly outcome: Outcome; readonly args?: Body.Body | undefined }>) {
      for (const { args, outcome } of finished) keep(outcome, undefined, args)
    },

    /** Ends the buckets whose time is over. Now and then. */
    roll: (at: number) => all.roll(at + offset),

    /** The states that a task went through; `undefined` where they follow from its record. */
    path: (id: string): ReadonlyArray<PathStep> | undefined => paths.get(id),

    /** The tasks that a schedule submitted last, oldest first. */
    runs: (schedule: string): ReadonlyArray<string> => runs.get(schedule) ?? [],

    /** Sizes of what is remembered of tasks without an outcome: nothing, when there are none. */
    remembered: () => ({ paths: paths.size, retrying: retrying.size }),

    /** How many changes there were. */
    changed: () => changed,

    /**
     * The ids of tasks that changed since there were so many changes, the newest first, each once; and whether there were
     * more.
     */
    changedSince(since: number, limit = maxChanged): { readonly ids: ReadonlyArray<string>; readonly over: boolean } {
      const ids = new Set<string>()
      const first = Math.max(since, changed - maxChanges, 0)
      let at = changed - 1
      for (; at >= first && ids.size < limit; at--) ids.add(changes[at & (maxChanges - 1)] as string)
      return { ids: [...ids], over: at >= first || first > since }
    },

    /** Notes something for people. */
    note(event: EventLine) {
      // In large steps: to take the oldest away one by one would move all others each time.
      if (events.length >= 2 * maxEvents) events = events.slice(-maxEvents)
      events.push(event)
    },
    /** What was noted, newest first. */
    events: (): ReadonlyArray<EventLine> => events.slice(-maxEvents).toReversed()
  }
}
