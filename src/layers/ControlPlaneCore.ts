/**
 * The core of a control plane: admission, leases, reports, outcomes, retries, schedules, loss of workers. Plain
 * synchronous code made of the four services; time comes in as an argument (milliseconds of the monotonic clock), what
 * follows from a step is returned or collected by the caller at the end of its tick ({@link Core.dispatch},
 * {@link Core.takeOrders}, `sessions.takeReady`). The server drives it with messages, the simulation with random schedules.
 *
 * Composes the parts, which share the life of tasks (`CoreTasks.ts`). Knows no bytes, connections or fibers.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Result from "effect/Result"
import { Buffer } from "node:buffer"
import * as Body from "../domain/Body.ts"
import {
  BadRequest,
  CountChanged,
  ScheduleNotFound,
  ShuttingDown,
  TaskFinished,
  TaskNotFound,
  TooLarge
} from "../domain/Errors.ts"
import type { PauseTarget, TaskFilter } from "../domain/Message.ts"
import type { PriorityLevel } from "../domain/Priority.ts"
import { fromLevel, toLevel } from "../domain/Priority.ts"
import type { ScheduleDeclaration } from "../domain/Schedules.ts"
import type { Settings as Values } from "../domain/Settings.ts"
import type { TaskOptions, TaskRecord } from "../domain/Task.ts"
import type { TaskState } from "../domain/TaskState.ts"
import type { TaskDetail } from "../domain/View.ts"
import type { WorkerRecord } from "../domain/WorkerInfo.ts"
import { isUnresponsive } from "../domain/WorkerInfo.ts"
import type { Dispatcher } from "../services/Dispatcher.ts"
import type { ResultCache } from "../services/ResultCache.ts"
import type { TaskQueue } from "../services/TaskQueue.ts"
import type { WorkerRegistry } from "../services/WorkerRegistry.ts"
import { makeAwaitedNames } from "./AwaitedNames.ts"
import type { Refusal } from "./CoreAdmission.ts"
import { makeAdmission, optionsOf } from "./CoreAdmission.ts"
import type { Observer as TasksObserver } from "./CoreTasks.ts"
import { makeTasks } from "./CoreTasks.ts"
import { makeWorkers } from "./CoreWorkers.ts"
import { makeDeadTasks } from "./DeadTasks.ts"
import { fingerprint } from "./Fingerprint.ts"
import { makeLimits } from "./Limits.ts"
import { makePauses } from "./Pauses.ts"
import type { ScheduleRecord } from "./ScheduleBook.ts"
import { makeScheduleBook } from "./ScheduleBook.ts"
import type { Session } from "./Sessions.ts"
import { makeSessions } from "./Sessions.ts"
import { makeUniqueKeys } from "./UniqueKeys.ts"

/**
 * What happens in the core, for events and the journal. Called synchronously; must not call back.
 *
 * @category models
 * @since 0.1.0
 */
export interface Observer extends TasksObserver {
  /** `undefined`: it was removed. */
  readonly schedule: (id: string, record: ScheduleRecord | undefined) => void
  /** A target (`all`, `task:NAME`, `worker:ID` or `schedule:ID`) was paused or resumed. */
  readonly paused: (target: string, isPaused: boolean) => void
  /** Nobody called for this long: the process was stopped, or its event loop blocked. */
  readonly stood: (millis: number) => void
  /** A schedule was due and nothing was submitted. */
  readonly skipped: (id: string, why: string) => void
}

/**
 * What the core is made of.
 *
 * @category models
 * @since 0.1.0
 */
export interface Parts {
  readonly queue: TaskQueue["Service"]
  readonly registry: WorkerRegistry["Service"]
  readonly dispatcher: Dispatcher["Service"]
  readonly results: ResultCache["Service"]
  readonly settings: Values
  /** Makes 128 random bits in 32 hexadecimal digits. */
  readonly randomId: () => string
  /** Milliseconds since 1970, now: crons follow it. */
  readonly wall: () => number
  readonly startedAt: number
  /**
   * Whether the task with this id, which was accepted, is stored: until then it waits, and nobody is told its outcome.
   * Default: nothing is stored.
   */
  readonly isStored?: ((id: string) => boolean) | undefined
  readonly observer?: Observer
}

/**
 * Changes many tasks at once: with `dryRun` they are only counted, with `expect` it is that many or none.
 *
 * @category models
 * @since 0.1.0
 */
export interface Many {
  readonly filter: TaskFilter
  readonly dryRun?: boolean
  readonly expect?: number
}

/**
 * Why a task has not started. `until`: when that ends by itself.
 *
 * @category models
 * @since 0.1.0
 */
export interface WhyWaiting {
  readonly cause: NonNullable<TaskDetail["waiting"]>["cause"]
  readonly text: string
  readonly until?: number
}

/**
 * The core of a control plane.
 *
 * @category models
 * @since 0.1.0
 */
export type Core = ReturnType<typeof makeCore>

/**
 * Returns whether a task is one of those that a filter means.
 *
 * @category rules
 * @since 0.1.0
 */
export const matches = (
  filter: TaskFilter,
  task: {
    readonly state: TaskState
    readonly name: string
    readonly submittedAt: number
    readonly options: TaskOptions | undefined
  },
  now: number
): boolean =>
  (filter.state === undefined || filter.state === task.state) &&
  (filter.name === undefined || filter.name === task.name) &&
  (filter.tenant === undefined || filter.tenant === task.options?.tenant) &&
  (filter.tag === undefined || task.options?.tags?.includes(filter.tag) === true) &&
  (filter.olderThan === undefined || now - task.submittedAt >= filter.olderThan)

/** The id of the task of one due time of a schedule: readable, and the same whenever it is made. */
const scheduledId = (schedule: string, dueAt: number): string => {
  const readable = schedule.replaceAll(/[^\x21-\x7e]+/gu, "_").slice(0, 72)
  const mark = fingerprint(schedule, "").toString(36)
  return `${readable}~${mark}@${DateTime.formatIso(DateTime.makeUnsafe(Math.round(dueAt)))}`
}

/**
 * How often {@link Core.expire} is to be called, in milliseconds.
 *
 * @category constants
 * @since 0.1.0
 */
export const sweepMillis = 100

/** A call that comes later than this says that the process did not run, so it did not hear anybody either. */
const maxLateMillis = 1_000

/**
 * Creates the core.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeCore = (parts: Parts) => {
  const { dispatcher, isStored, observer, queue, registry, results, settings, startedAt } = parts
  const sessions = makeSessions(settings)
  const limits = makeLimits()
  const uniques = makeUniqueKeys(settings, (name, key) => observer?.uniqueExpired(name, key))
  const dead = makeDeadTasks(settings)
  const pauses = makePauses()
  const schedules = makeScheduleBook((id, record) => observer?.schedule(id, record))
  let draining = false
  let expiredAt: number | undefined
  let graceFrom = startedAt
  let startGraceEnded = false
  const isDraining = () => draining

  const life = makeTasks({ queue, registry, results, sessions, uniques, dead, settings, isStored, observer })
  const { lose, ordered, setPaused, stop, ...leasing } = makeWorkers({
    life,
    queue,
    registry,
    dispatcher,
    sessions,
    limits,
    uniques,
    pauses,
    settings,
    observer,
    isDraining
  })

  const cancelTask = (task: TaskRecord, now: number) => {
    if (task.worker === undefined) life.end(task, "cancelled", now)
    else stop(task, "cancelled")
  }

  const whyNotAlive = (id: string): TaskNotFound | TaskFinished => {
    const tombstone = results.recall(id)
    return tombstone === undefined ? new TaskNotFound({ id }) : new TaskFinished({ id, state: tombstone.state })
  }

  const awaited = makeAwaitedNames(settings.unknownWaitMillis)
  const { isKnown, unknownTask, ...admission } = makeAdmission({
    life,
    registry,
    results,
    sessions,
    uniques,
    dead,
    settings,
    randomId: parts.randomId,
    isStarting: (now) => now - graceFrom < settings.startGraceMillis,
    awaited,
    isDurable: isStored !== undefined,
    isDraining,
    cancel: cancelTask,
    forgotten: (id) => observer?.forgotten(id)
  })

  const times = (now: number) => ({ now, wall: parts.wall() })

  /** Gives up what waits for a worker that does not come. */
  const failUnknown = (isMeant: (name: string) => boolean, now: number) => {
    for (const task of life.tasks.values()) {
      if (task.worker !== undefined || !isMeant(task.name)) continue
      const { known } = unknownTask(task.name)
      life.end(task, "failed", now, "unknown", Body.fromText(JSON.stringify({ known })))
    }
  }

  /** What others sent while this process stood still has not been read yet: none of that time is held against them. */
  const forgive = (millis: number, now: number) => {
    registry.forgive(millis, now)
    sessions.forgive(millis, now)
    awaited.forgive(millis)
    graceFrom = Math.min(graceFrom + millis, now)
    observer?.stood(millis)
  }

  /** Tasks whose time has come: they are queued, or expire. */
  const runTimers = (now: number) => {
    for (let task = life.due(now); task !== undefined; task = life.due(now)) {
      const isExpired = task.detail !== undefined && task.detail.expiresAt <= now
      if (isExpired && task.worker === undefined) life.end(task, "expired", now)
      else if (isExpired) stop(task, "expired")
      else life.onTime(task)
    }
    for (const { key, name } of limits.wake(now)) queue.unpark(name, key)
  }

  /** Submits what schedules ask for. The id is made of the due time: whatever happens, there is one task for it. */
  const runSchedules = (now: number) =>
    schedules.run(times(now), (record, dueAt) => {
      const { id, overlap } = record.declaration
      const last = record.lastTask === undefined ? undefined : life.tasks.get(record.lastTask)
      if (last !== undefined && overlap === "skip") return skip(record, `its last task ${last.id} has not finished`)
      const submitted = submitScheduled(record, scheduledId(id, dueAt), now)
      if (Result.isFailure(submitted)) return skip(record, submitted.failure.message)
      if (last !== undefined && overlap === "replace") cancelTask(last, now)
      record.lastTask = submitted.success
      record.lastAt = Math.round(dueAt)
    })

  const skip = (record: ScheduleRecord, why: string) => {
    record.skipped++
    observer?.skipped(record.declaration.id, why)
  }

  const submitScheduled = ({ declaration }: ScheduleRecord, id: string | undefined, now: number) => {
    const { args, expiresIn, id: schedule, name, priority } = declaration
    return admission.submit(
      {
        id,
        name,
        level: priority === undefined ? undefined : toLevel(priority),
        args: Body.fromText(args),
        watcher: undefined,
        options: optionsOf({ ...declaration, schedule }),
        expiresAt: expiresIn === undefined ? Infinity : now + expiresIn
      },
      now
    )
  }

  const targetOf = ({ schedule, task, worker }: PauseTarget): string =>
    task !== undefined
      ? `task:${task}`
      : worker !== undefined
      ? `worker:${worker}`
      : schedule !== undefined
      ? `schedule:${schedule}`
      : "all"

  /** Changes the tasks that a filter means, or only counts them. */
  const changeMany = <A>(
    all: Iterable<A>,
    isMeant: (item: A) => boolean,
    { dryRun, expect }: Many,
    change: (item: A) => void
  ): Result.Result<number, CountChanged> => {
    const meant: Array<A> = []
    for (const item of all) if (isMeant(item)) meant.push(item)
    const count = meant.length
    if (expect !== undefined && expect !== count) return Result.fail(new CountChanged({ expected: expect, count }))
    if (dryRun !== true) { for (const item of meant) change(item) }
    return Result.succeed(count)
  }

  const whyDelayed = (task: TaskRecord, now: number): WhyWaiting => {
    const dueAt = task.detail?.dueAt ?? 0
    if (life.isAwaited(task)) {
      return { cause: "other", text: "a worker ran it before the restart, and may still do so", until: dueAt }
    }
    if (dueAt <= now) return { cause: "journal", text: "it is on its way to the journal" }
    return task.attempt === 0
      ? { cause: "due", text: "its time has not come", until: dueAt }
      : { cause: "backoff", text: "it waits for its next attempt", until: dueAt }
  }

  const core = {
    ...admission,
    counts: life.counts,
    sessions,
    queue,
    registry,
    schedules,
    dead,
    pauses,
    uniques,
    detailOf: life.detailOf,
    delayed: life.delayed,
    waiting: life.waiting,
    waitingBytes: life.waitingBytes,
    ...leasing,

    /** Returns a task that has no outcome yet. */
    task: (id: string): TaskRecord | undefined => life.tasks.get(id),
    tasks: (): Iterable<TaskRecord> => life.tasks.values(),
    /** Returns a task that has ended and is not stored yet: nobody is told its outcome before. */
    untold: life.untold,

    /**
     * Cancels a task: one that waits is cancelled at once, one that runs when its worker has stopped it. Returns its
     * state, or why it can't.
     */
    cancel(id: string, now: number): Result.Result<TaskState, TaskNotFound | TaskFinished> {
      const task = life.tasks.get(id)
      if (task === undefined) return Result.fail(whyNotAlive(id))
      cancelTask(task, now)
      return Result.succeed(task.state)
    },

    /**
     * Gives a task another priority: one that waits stands last in it, one that runs has it when it waits again. Returns
     * its state, or why it can't.
     */
    prioritize(id: string, level: PriorityLevel): Result.Result<TaskState, TaskNotFound | TaskFinished> {
      const task = life.tasks.get(id)
      if (task === undefined) return Result.fail(whyNotAlive(id))
      life.prioritize(task, level)
      return Result.succeed(task.state)
    },

    /** Tells a session what the handler of a task that it watches reports, and has reported. */
    watchProgress(watcher: Session, id: string) {
      const task = life.tasks.get(id)
      if (task === undefined) return
      watcher.interests.add(id)
      if (task.detail?.progress !== undefined) sessions.progress([watcher.token], id, task.detail.progress)
    },

    /** Cancels the tasks that a filter means. Returns how many. */
    cancelAll: (many: Many, now: number): Result.Result<number, CountChanged> =>
      changeMany(
        life.tasks.values(),
        (task) => task.state !== "cancelling" && matches(many.filter, task, now),
        many,
        (task) => cancelTask(task, now)
      ),

    /** Gives the tasks that a filter means, and that have another one, this priority. Returns how many. */
    prioritizeAll: (many: Many, level: PriorityLevel, now: number): Result.Result<number, CountChanged> =>
      changeMany(
        life.tasks.values(),
        (task) => task.level !== level && task.state !== "cancelling" && matches(many.filter, task, now),
        many,
        (task) => life.prioritize(task, level)
      ),

    /** Runs the dead tasks that a filter means again. Returns how many; what is refused stays dead. */
    retryAll: (many: Many, now: number): Result.Result<number, CountChanged> =>
      changeMany(
        dead.values(),
        ({ outcome }) => matches(many.filter, outcome, now),
        many,
        ({ outcome }) => admission.retry(outcome.id, undefined, now)
      ),

    /** Forgets the dead tasks that a filter means. Returns how many. */
    purge: (many: Many, now: number): Result.Result<number, CountChanged> =>
      changeMany(
        dead.values(),
        ({ outcome }) => matches(many.filter, outcome, now),
        many,
        ({ outcome }) => core.forget(outcome.id)
      ),

    /** Forgets a dead task. Returns whether there was one. */
    forget(id: string): boolean {
      const wasDead = dead.remove(id)
      if (wasDead) observer?.forgotten(id)
      return wasDead
    },

    /** Pauses or resumes a target. Returns why it can't. */
    setPaused(target: PauseTarget, isPaused: boolean): ScheduleNotFound | BadRequest | undefined {
      const text = targetOf(target)
      if (target.schedule !== undefined && !schedules.setPaused(target.schedule, isPaused)) {
        return new ScheduleNotFound({ id: target.schedule })
      }
      if (target.schedule === undefined) {
        if (isPaused && !pauses.pause(text)) return new BadRequest({ reason: "too many names are paused" })
        if (!isPaused) pauses.resume(text)
        if (target.worker !== undefined) setPaused(target.worker, isPaused)
      }
      observer?.paused(text, isPaused)
      return undefined
    },

    /** Adds or changes a schedule. Returns why it can't. */
    setSchedule(declaration: ScheduleDeclaration, now: number): ShuttingDown | TooLarge | BadRequest | undefined {
      if (draining) return new ShuttingDown()
      const size = Buffer.byteLength(declaration.args)
      const limit = settings.maxPayloadBytes
      if (size > limit) return new TooLarge({ task: declaration.name, what: "arguments", size, limit })
      admission.expect(declaration.name)
      return schedules.set(declaration, times(now)) ? undefined : new BadRequest({ reason: "too many schedules" })
    },

    unschedule: (id: string): ScheduleNotFound | undefined =>
      schedules.remove(id) ? undefined : new ScheduleNotFound({ id }),

    /** Submits a schedule's task now, whenever it is due, with the id `as` if one is given. Returns the task's id. */
    trigger(id: string, as: string | undefined, now: number): Result.Result<string, Refusal | ScheduleNotFound> {
      const record = schedules.get(id)
      if (record === undefined) return Result.fail(new ScheduleNotFound({ id }))
      const submitted = submitScheduled(record, as, now)
      if (Result.isFailure(submitted)) return Result.fail(submitted.failure)
      record.lastTask = submitted.success
      observer?.schedule(id, record)
      return submitted
    },

    /** Does what is due at its time: delayed tasks, expiries, tokens of rate limits, schedules. */
    tick(now: number) {
      runTimers(now)
      if (!draining && schedules.size() > 0) runSchedules(now)
    },

    /**
     * Whether nothing is under way, and nothing due before so many milliseconds have passed: neither a task that waits for
     * its time nor a schedule.
     */
    isQuiet: (now: number, millis: number): boolean =>
      life.tasks.size === life.delayed() && (life.nextDue() ?? Infinity) > now + millis &&
      !schedules.isDueWithin(times(now), millis),

    /** When {@link tick} is due next because of a task or a limit; schedules are not so exact. */
    nextDue(): number | undefined {
      const task = life.nextDue()
      const token = limits.nextWake()
      return task === undefined ? token : token === undefined ? task : Math.min(task, token)
    },

    /**
     * Does what is due sooner or later, every {@link sweepMillis}; a call that comes much too late forgives everybody the
     * time that it is late. Workers that were silent too long are lost, tasks of names that nobody announced fail,
     * sessions and unique keys past their time are dropped. Returns the lost workers.
     */
    expire(now: number): ReadonlyArray<WorkerRecord> {
      const late = expiredAt === undefined ? 0 : now - expiredAt - sweepMillis
      expiredAt = now
      if (late > maxLateMillis) forgive(late, now)
      const overdue = registry.overdue(now)
      for (const worker of overdue) lose(worker, now)
      sessions.expire(now)
      uniques.expire(now)
      if (!startGraceEnded && now - graceFrom >= settings.startGraceMillis) {
        startGraceEnded = true
        failUnknown((name) => !isKnown(name) && !awaited.admit(name, graceFrom), now)
      }
      const gone = awaited.overdue(now, isKnown)
      if (gone.size > 0) failUnknown((name) => gone.has(name), now)
      return overdue
    },

    /** From now on nothing is accepted and nothing is started. */
    drain() {
      draining = true
    },

    /** Cancels everything that waits. Returns how many tasks. */
    cancelWaiting(now: number): number {
      let cancelled = 0
      for (const task of life.tasks.values()) {
        if (task.worker !== undefined) continue
        life.end(task, "cancelled", now)
        cancelled++
      }
      return cancelled
    },

    isDraining,

    /** Why a task has not started, for people and tools, and until when if that ends by itself. */
    whyWaiting(task: TaskRecord, now: number): WhyWaiting {
      const { name } = task
      if (draining) return { cause: "draining", text: "the control plane is shutting down" }
      if (task.state === "delayed") return whyDelayed(task, now)
      if (pauses.isPaused()) return { cause: "paused", text: "everything is paused" }
      if (pauses.isPaused(name)) return { cause: "paused", text: `tasks of "${name}" are paused` }
      const limited = limits.explain(name, task.options?.limitKey ?? "", now)
      if (limited !== undefined) return { cause: "limit", ...limited }
      let handlers = 0
      let paused = 0
      let blocked = 0
      for (const worker of registry.workers()) {
        if (!worker.names.has(name)) continue
        handlers++
        if (worker.paused) paused++
        if (isUnresponsive(worker)) blocked++
      }
      const until = handlers === 0 ? awaited.until(name) : undefined
      if (handlers === 0) {
        return {
          cause: "no-worker",
          text: `no connected worker has a handler for "${name}"`,
          ...(until === undefined ? {} : { until })
        }
      }
      if (paused === handlers) return { cause: "paused", text: `all ${handlers} workers that can run it are paused` }
      if (blocked === handlers) {
        return { cause: "busy", text: "no worker that can run it responds: tasks block their event loops" }
      }
      if (life.suspects.has(task)) {
        return {
          cause: "probation",
          text: "workers were lost with it: it waits for one that runs no other such task"
        }
      }
      const workers = handlers === 1 ? "worker" : "workers"
      return { cause: "busy", text: `all slots of the ${handlers} ${workers} that can run it are busy` }
    },

    /** Sizes of what is remembered of tasks without an outcome: nothing, when there are none. */
    remembered: () => ({
      ...life.remembered(),
      orders: ordered(),
      limitKeys: limits.size(),
      uniqueKeys: uniques.size()
    }),

    waitingByPriority: () => {
      const sizes = { critical: 0, high: 0, normal: 0, low: 0 }
      for (const level of [0, 1, 2, 3] as const) sizes[fromLevel(level)] = queue.sizeOf(level)
      return sizes
    }
  }
  return core
}
