/**
 * What a control plane stores in its journal, and how it comes back from it. Every accepted task is stored before it may
 * run and before its caller is answered; every outcome before anybody is told.
 *
 * Owns the meaning of the journal's records (`JournalRecords.ts` has their shape), and who waits for a commit.
 *
 * @since 0.1.0
 */
import * as Body from "../domain/Body.ts"
import type { JournalFailed } from "../domain/Errors.ts"
import type { Outcome } from "../domain/Outcome.ts"
import type { EndedAttempt, TaskRecord } from "../domain/Task.ts"
import type { JournalContents, JournalDead, JournalOutcome, JournalStore, JournalTask } from "../services/Journal.ts"
import type { ResultCache } from "../services/ResultCache.ts"
import type { Core } from "./ControlPlaneCore.ts"
import { fingerprint } from "./Fingerprint.ts"
import type { AttemptPart, OutcomePart, StatePart, TaskPart, UniquePart } from "./JournalRecords.ts"
import { readOutcome, readSchedule, readState, readTask, readUnique } from "./JournalRecords.ts"
import type { ScheduleRecord } from "./ScheduleBook.ts"

/** The year 2255. */
const maxWallMillis = 9e12

/**
 * What the journaling of a control plane is made of.
 *
 * @category models
 * @since 0.1.0
 */
export interface Parts {
  readonly journal: JournalStore
  /** Milliseconds of the monotonic clock. */
  readonly now: () => number
  /** Milliseconds since 1970. */
  readonly wallNow: () => number
  readonly resultTtlMillis: number
}

/**
 * The journaling of a control plane.
 *
 * @category models
 * @since 0.1.0
 */
export type Journaling = ReturnType<typeof makeJournaling>

interface Waiter {
  readonly position: number
  readonly run: () => void
}

/** A submission whose tasks are on their way to the disk. */
interface Submission {
  left: number
  readonly refused: Map<string, JournalFailed>
  readonly run: (refused: ReadonlyMap<string, JournalFailed>) => void
}

const uniqueKeyOf = (name: string, key: string) => JSON.stringify([name, key])

/**
 * Creates the journaling of a control plane.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeJournaling = ({ journal, now, resultTtlMillis, wallNow }: Parts) => {
  let waiters: Array<Waiter> = []
  /** Accepted tasks that are not stored yet, in the order of their entries. */
  let accepted: Array<{ readonly position: number; readonly task: TaskRecord }> = []
  const unstored = new Map<string, { readonly task: TaskRecord; readonly submissions: Array<Submission> }>()

  const toWall = (at: number) => Math.round(at - now() + wallNow())
  const fromWall = (at: number) => at - wallNow() + now()
  /** Of what has happened: it is counted by time, second by second until then. */
  const fromPast = (at: number) => {
    if (!(Math.abs(at) < maxWallMillis)) throw new RangeError("a time that can't be")
    return fromWall(at)
  }
  const orNull = (at: number | undefined) => at === undefined || at === Infinity ? null : toWall(at)

  const storeAttempt = ({ body, endedAt, startedAt, ...fields }: EndedAttempt): AttemptPart => ({
    ...fields,
    startedAt: toWall(startedAt),
    endedAt: toWall(endedAt),
    error: Body.toText(body)
  })

  const loadAttempt = ({ endedAt, error, startedAt, ...fields }: AttemptPart): EndedAttempt => ({
    ...fields,
    startedAt: fromPast(startedAt),
    endedAt: fromPast(endedAt),
    body: Body.fromText(error)
  })

  const taskPart = ({ level, name, options, submittedAt }: TaskRecord): string => {
    const part: TaskPart = { name, level, options, submittedAt: toWall(submittedAt) }
    return JSON.stringify(part)
  }

  const statePart = ({ attempt, crashes, detail, level, losses, worker }: TaskRecord): string => {
    const part: StatePart = {
      attempt,
      crashes,
      losses,
      level,
      leased: worker !== undefined,
      ...(detail === undefined ? {} : {
        detail: {
          // One that was never delayed must not be when the clock is set back.
          dueAt: detail.dueAt === 0 ? 0 : toWall(detail.dueAt),
          expiresAt: orNull(detail.expiresAt),
          failures: detail.failures,
          firstStartedAt: orNull(detail.firstStartedAt),
          stop: detail.stop ?? null,
          history: detail.history.map(storeAttempt)
        }
      })
    }
    return JSON.stringify(part)
  }

  const outcomePart = (whole: Outcome, { args, name }: TaskRecord): string => {
    const { body: _, id: __, ...outcome } = whole
    const part: OutcomePart = {
      ...outcome,
      submittedAt: toWall(outcome.submittedAt),
      startedAt: outcome.startedAt === undefined ? undefined : toWall(outcome.startedAt),
      finishedAt: toWall(outcome.finishedAt),
      history: outcome.history.map(storeAttempt),
      fingerprint: fingerprint(name, args)
    }
    return JSON.stringify(part)
  }

  const loadOutcome = (id: string, text: string, body: Body.Body): { outcome: Outcome; fingerprint: number } => {
    const { fingerprint, ...part } = readOutcome(text)
    const outcome: Outcome = {
      ...part,
      id,
      body,
      reason: part.reason,
      worker: part.worker,
      options: part.options,
      submittedAt: fromPast(part.submittedAt),
      startedAt: part.startedAt === undefined ? undefined : fromPast(part.startedAt),
      finishedAt: fromPast(part.finishedAt),
      history: part.history.map(loadAttempt)
    }
    return { outcome, fingerprint }
  }

  const changed = (task: TaskRecord) => journal.append({ type: "changed", id: task.id, state: statePart(task) })

  const resolve = (task: TaskRecord, failure: JournalFailed | undefined) => {
    const waiting = unstored.get(task.id)?.submissions ?? []
    unstored.delete(task.id)
    for (const submission of waiting) {
      if (failure !== undefined) submission.refused.set(task.id, failure)
      if (--submission.left === 0) submission.run(submission.refused)
    }
  }

  /** The part of the core's observer that stores. */
  const observer = {
    accepted(task: TaskRecord) {
      const { args, id, name, options } = task
      journal.append({ type: "accepted", id, args, record: taskPart(task), state: statePart(task) })
      accepted.push({ position: journal.position(), task })
      unstored.set(id, { task, submissions: [] })
      if (options?.unique?.while === "period") {
        const { key, period = 0 } = options.unique
        const value: UniquePart = { name, key, id, until: wallNow() + period }
        journal.append({ type: "put", kind: "unique", key: uniqueKeyOf(name, key), value: JSON.stringify(value) })
      }
    },
    started: changed,
    retrying: changed,
    requeued: changed,
    prioritized: changed,
    cancelling: changed,
    progress: (task: TaskRecord, body: Body.Body) => journal.append({ type: "checkpoint", id: task.id, body }),
    finished(outcome: Outcome, task: TaskRecord, keepMillis: number) {
      const { body, id, state } = outcome
      journal.append({
        type: "finished",
        id,
        record: outcomePart(outcome, task),
        body,
        keepUntil: wallNow() + Math.max(0, Math.min(keepMillis, resultTtlMillis)),
        isDead: state === "failed" || state === "expired"
      })
    },
    forgotten: (id: string) => journal.append({ type: "forgotten", id }),
    schedule(id: string, record: ScheduleRecord | undefined, core: Core) {
      const value = record === undefined
        ? undefined
        : JSON.stringify(core.schedules.store(record, { now: now(), wall: wallNow() }))
      journal.append({ type: "put", kind: "schedule", key: id, value })
    },
    paused(target: string, isPaused: boolean) {
      if (target.startsWith("schedule:")) return
      journal.append({ type: "put", kind: "pause", key: target, value: isPaused ? "true" : undefined })
    },
    uniqueExpired: (name: string, key: string) =>
      journal.append({ type: "put", kind: "unique", key: uniqueKeyOf(name, key), value: undefined })
  }

  const restoreTask = (core: Core, { args, checkpoint, id, record, state }: JournalTask) => {
    const { level: first, name, options, submittedAt } = readTask(record)
    const { attempt, crashes, detail, leased, level = first, losses } = readState(state)
    const task = core.restore(
      {
        id,
        name,
        level,
        args,
        options,
        submittedAt: fromPast(submittedAt),
        attempt,
        crashes,
        losses,
        isLeased: leased,
        detail: detail === undefined && checkpoint === undefined ? undefined : {
          dueAt: detail === undefined || detail.dueAt === 0 ? 0 : fromWall(detail.dueAt),
          expiresAt: typeof detail?.expiresAt === "number" ? fromWall(detail.expiresAt) : Infinity,
          failures: detail?.failures ?? 0,
          firstStartedAt: typeof detail?.firstStartedAt === "number" ? fromWall(detail.firstStartedAt) : undefined,
          history: (detail?.history ?? []).map(loadAttempt),
          progress: checkpoint,
          stop: undefined
        }
      },
      now()
    )
    // Somebody wanted it to stop, and was told that it will. What has expired does so again by itself.
    if (detail?.stop === "cancelled") core.cancel(task.id, now())
  }

  return {
    observer,

    /** Takes notice of commits; the core goes on with the tasks that are stored. */
    attach(core: Core, schedule: () => void) {
      journal.observe({
        committed(position) {
          let count = 0
          for (const { position: at, task } of accepted) {
            if (at > position) break
            count++
            core.stored(task, now())
            resolve(task, undefined)
          }
          if (count > 0) accepted = accepted.slice(count)
          const due = waiters.findIndex((waiter) => waiter.position > position)
          const ready = due === -1 ? waiters : waiters.slice(0, due)
          waiters = due === -1 ? [] : waiters.slice(due)
          for (const { run } of ready) run()
          schedule()
        },
        refused(ids, error) {
          const refused = new Set(ids)
          const affected = accepted.filter(({ task }) => refused.has(task.id))
          accepted = accepted.filter(({ task }) => !refused.has(task.id))
          for (const { task } of affected) {
            core.refused(task)
            const unique = task.options?.unique
            // The entry of its key is kept, and must not hold it for a task that is not there.
            if (unique?.while === "period" && core.uniques.find(task.name, unique.key, now()) === undefined) {
              observer.uniqueExpired(task.name, unique.key)
            }
            resolve(task, error)
          }
        }
      })
    },

    /** Brings back what was stored. */
    restore(core: Core, results: ResultCache["Service"], contents: JournalContents) {
      const wall = wallNow()
      const times = { now: now(), wall }
      const loaded = ({ body, id, keepUntil, record }: JournalOutcome) => {
        const { fingerprint, outcome } = loadOutcome(id, record, body)
        results.put(outcome, fingerprint, times.now, keepUntil - wall)
      }
      // An id that was forgotten may live again, while the outcome of its first life is still there: the clock was set
      // back, and its time is not over any more.
      const ended = new Set(contents.outcomes.map(({ id }) => id))
      for (const { id } of contents.tasks) ended.delete(id)
      for (const outcome of contents.outcomes.toReversed()) if (ended.has(outcome.id)) loaded(outcome)
      const buried = ({ args, body, id, outcome }: JournalDead) =>
        core.dead.put({ outcome: loadOutcome(id, outcome, body).outcome, args })
      for (const dead of contents.dead) buried(dead)
      for (const [target] of contents.values.pause) core.pauses.pause(target)
      for (const [, value] of contents.values.schedule) {
        const stored = readSchedule(value)
        core.expect(stored.declaration.name)
        core.schedules.restore(stored, times)
      }
      for (const [, value] of contents.values.unique) {
        const { id, key, name, until } = readUnique(value)
        if (until > wall) core.uniques.restore(name, key, id, fromWall(until))
        else observer.uniqueExpired(name, key)
      }
      for (const task of contents.tasks) restoreTask(core, task)
    },

    /** Whether a task that was accepted is stored. */
    isStored: (id: string) => !unstored.has(id),

    /** Why nothing can be stored now. */
    failure: () => journal.failure(),

    /** Runs it when everything that has happened so far is stored. */
    whenCommitted(run: () => void) {
      const position = journal.position()
      if (journal.committed() >= position) run()
      else waiters.push({ position, run })
    },

    /** Runs it when those of these tasks that are on their way to the disk are stored or refused, which it is told. */
    whenStored(ids: Iterable<string | null>, run: Submission["run"]) {
      const waiting = [...new Set(ids)].flatMap((id) => unstored.get(id ?? "") ?? [])
      if (waiting.length === 0) return run(new Map())
      const submission: Submission = { left: waiting.length, refused: new Map(), run }
      for (const { submissions } of waiting) submissions.push(submission)
    }
  }
}
