/**
 * The life of every task in the core of a control plane: the tasks that have no outcome yet, their states, times and
 * counts. Part of the core: synchronous, with the time as an argument.
 *
 * The only place where a task changes its state. Who runs a task is `CoreWorkers.ts`, who may submit one `CoreAdmission.ts`.
 *
 * @since 0.1.0
 */
import * as Body from "../domain/Body.ts"
import { IdMap } from "../domain/IdMap.ts"
import type { FailureReason, Outcome } from "../domain/Outcome.ts"
import type { PriorityLevel } from "../domain/Priority.ts"
import type { Settings as Values } from "../domain/Settings.ts"
import type { EndedAttempt, TaskDetail, TaskRecord } from "../domain/Task.ts"
import type { FinalState, TaskState } from "../domain/TaskState.ts"
import { transition } from "../domain/TaskState.ts"
import type { WorkerRecord } from "../domain/WorkerInfo.ts"
import type { ResultCache } from "../services/ResultCache.ts"
import type { TaskQueue } from "../services/TaskQueue.ts"
import type { WorkerRegistry } from "../services/WorkerRegistry.ts"
import type { DeadTasks } from "./DeadTasks.ts"
import { fingerprint } from "./Fingerprint.ts"
import type { Sessions } from "./Sessions.ts"
import type { Timer } from "./Timers.ts"
import { makeTimers } from "./Timers.ts"
import type { UniqueKeys } from "./UniqueKeys.ts"

/**
 * Why a running task waits again without having failed.
 *
 * @category models
 * @since 0.1.0
 */
export type RequeueCause = "worker lost" | "crashed" | "handed back"

/**
 * What happens in the core, for events and the journal. Called synchronously; must not call back.
 *
 * @category models
 * @since 0.1.0
 */
export interface Observer {
  /** A task was accepted. */
  readonly accepted: (task: TaskRecord) => void
  /** One that was accepted could not be stored: as if it had never been submitted. */
  readonly retracted: (task: TaskRecord) => void
  /** It waits for its time. */
  readonly delayed: (task: TaskRecord) => void
  /** It waits for a free slot, for the first time or because it is due. */
  readonly queued: (task: TaskRecord) => void
  readonly started: (task: TaskRecord, worker: WorkerRecord) => void
  readonly retrying: (task: TaskRecord, reason: FailureReason) => void
  readonly requeued: (task: TaskRecord, cause: RequeueCause) => void
  /** It has another priority than before. */
  readonly prioritized: (task: TaskRecord, from: PriorityLevel) => void
  readonly cancelling: (task: TaskRecord, stop: "cancelled" | "expired") => void
  /** `keepMillis`: how long its type wants the outcome to be kept. */
  readonly finished: (outcome: Outcome, task: TaskRecord, keepMillis: number) => void
  /** Who waits for it may know it now: the task is stored. */
  readonly told: (outcome: Outcome) => void
  /** The event loop of a worker is blocked, or runs again. */
  readonly unresponsive: (worker: WorkerRecord) => void
  readonly responsive: (worker: WorkerRecord) => void
  /** What a handler reported. */
  readonly progress: (task: TaskRecord, body: Body.Body) => void
  /** A unique key that was held for a period is free again. */
  readonly uniqueExpired: (name: string, key: string) => void
  /** A task that can be retried was forgotten: it was, or there are too many. */
  readonly forgotten: (id: string) => void
}

/**
 * Counts since the start. `submitted` is at any time the tasks that are waiting or running plus the outcomes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Counts {
  submitted: number
  running: number
  cancelling: number
  succeeded: number
  failed: number
  cancelled: number
  expired: number
  retries: number
  crashes: number
  lateReports: number
}

/**
 * What the life of tasks is made of.
 *
 * @category models
 * @since 0.1.0
 */
export interface Parts {
  readonly queue: TaskQueue["Service"]
  readonly registry: WorkerRegistry["Service"]
  readonly results: ResultCache["Service"]
  readonly sessions: Sessions
  readonly uniques: UniqueKeys
  readonly dead: DeadTasks
  readonly settings: Values
  /** Whether the task with this id is stored, where tasks are. */
  readonly isStored: ((id: string) => boolean) | undefined
  readonly observer: Observer | undefined
}

/**
 * The life of tasks.
 *
 * @category models
 * @since 0.1.0
 */
export type CoreTasks = ReturnType<typeof makeTasks>

/** Attempts of a task that are remembered; of more, the newest. */
const maxHistory = 20

/** Bytes of an attempt's error that are remembered. */
const maxErrorBytes = 4096

const noHistory: ReadonlyArray<EndedAttempt> = []

/**
 * Creates the life of tasks.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeTasks = (parts: Parts) => {
  const { dead, isStored, observer, queue, registry, results, sessions, settings, uniques } = parts
  const tasks = new IdMap<TaskRecord>()
  const timers = makeTimers<TaskRecord>()
  const timerOf = new Map<TaskRecord, Timer<TaskRecord>>()
  /** Tasks on their last chance: each is run apart from the others, so they do not stand in the queue. */
  const suspects = new Set<TaskRecord>()
  /** Tasks that a journal brought back and that a worker may still run. */
  const awaited = new Set<TaskRecord>()
  /** Tasks that ended on their way to the disk: nobody is told before they are there, for they may be refused. */
  const untold = new Map<string, { readonly task: TaskRecord; readonly outcome: Outcome }>()
  const counts: Counts = {
    submitted: 0,
    running: 0,
    cancelling: 0,
    succeeded: 0,
    failed: 0,
    cancelled: 0,
    expired: 0,
    retries: 0,
    crashes: 0,
    lateReports: 0
  }
  let delayed = 0
  let delayedBytes = 0
  let suspectBytes = 0
  let sequence = 0

  const step = (task: TaskRecord, to: TaskState) => {
    const from = task.state
    const next = transition(from, to)
    if (next === undefined) throw new Error(`Task ${task.id} can't go from ${from} to ${to}`)
    enter(task, from, -1)
    enter(task, next, 1)
    task.state = next
  }

  const enter = (task: TaskRecord, state: TaskState, by: 1 | -1) => {
    if (state === "running" || state === "cancelling") {
      counts.running += by
      if (state === "cancelling") counts.cancelling += by
    } else if (state === "delayed") {
      delayed += by
      delayedBytes += by * task.args.length
    }
  }

  const detailOf = (task: TaskRecord): TaskDetail =>
    task.detail ??= {
      dueAt: 0,
      expiresAt: Infinity,
      history: noHistory,
      failures: 0,
      firstStartedAt: undefined,
      progress: undefined,
      stop: undefined
    }

  /** Sets the one timer of a task: for when it is due or expires, whichever is first. */
  const setTimer = (task: TaskRecord) => {
    const { detail } = task
    const at = detail === undefined
      ? Infinity
      : task.state === "delayed"
      ? Math.min(detail.dueAt, detail.expiresAt)
      : detail.stop === undefined
      ? detail.expiresAt
      : Infinity
    const timer = timerOf.get(task)
    if (at === Infinity) {
      if (timer === undefined) return
      timers.clear(timer)
      timerOf.delete(task)
    } else if (timer === undefined) timerOf.set(task, timers.add(task, at))
    else timers.set(timer, at)
  }

  /** Takes a waiting task from where it waits. */
  const unwait = (task: TaskRecord) => {
    if (task.state === "queued" && !life.takeSuspect(task)) queue.remove(task)
  }

  const addSuspect = (task: TaskRecord) => {
    suspects.add(task)
    suspectBytes += task.args.length
  }

  const finish = (
    task: TaskRecord,
    state: FinalState,
    now: number,
    reason?: FailureReason,
    body: Body.Body = Body.empty
  ) => {
    const { detail, options } = task
    const started = task.worker !== undefined
    const outcome: Outcome = {
      id: task.id,
      name: task.name,
      level: task.level,
      state,
      reason,
      attempt: task.attempt,
      options,
      history: detail?.history ?? noHistory,
      worker: task.worker?.id,
      submittedAt: task.submittedAt,
      startedAt: started ? task.leasedAt : undefined,
      finishedAt: now,
      body
    }
    step(task, state)
    counts[state]++
    tasks.delete(task.id)
    task.worker = undefined
    if (detail !== undefined) {
      const timer = timerOf.get(task)
      if (timer !== undefined) {
        timers.clear(timer)
        timerOf.delete(task)
      }
    }
    awaited.delete(task)
    if (options?.unique !== undefined && options.unique.while !== "period") uniques.release(task)
    const keepMillis = keepMillisOf(task)
    results.put(outcome, fingerprint(task.name, task.args), now, keepMillis)
    if (state === "failed" || state === "expired") bury(outcome, task)
    const isTold = isStored === undefined || isStored(task.id)
    if (isTold) sessions.deliver(task.watchers, outcome)
    else untold.set(task.id, { task, outcome })
    observer?.finished(outcome, task, keepMillis)
    if (isTold) observer?.told(outcome)
  }

  /** How long an outcome is kept, in milliseconds: 0 when nobody will ask for it. */
  const keepMillisOf = (task: TaskRecord): number =>
    task.options?.ignoreResult === true
      ? 0
      : Math.min(registry.type(task.name)?.retention ?? Infinity, settings.resultCacheTtlMillis)

  const bury = (outcome: Outcome, task: TaskRecord) => {
    for (const id of dead.put({ outcome, args: task.args })) observer?.forgotten(id)
  }

  /** Remembers an attempt that ends now without the outcome. */
  const remember = (
    task: TaskRecord,
    now: number,
    reason: EndedAttempt["reason"],
    body: Body.Body = Body.empty,
    span?: string
  ) => {
    const detail = detailOf(task)
    const ended: EndedAttempt = {
      attempt: task.attempt,
      worker: task.worker?.id ?? "",
      startedAt: task.leasedAt,
      endedAt: now,
      reason,
      body: body.length > maxErrorBytes ? body.slice(0, maxErrorBytes) : body,
      ...(span === undefined ? {} : { span })
    }
    detail.history = [...detail.history.slice(1 - maxHistory), ended]
  }

  const enqueue = (task: TaskRecord) => {
    if (isSuspect(task)) addSuspect(task)
    else queue.append(task)
  }

  const isSuspect = ({ crashes }: TaskRecord): boolean => crashes > 0 && crashes >= settings.maxCrashes - 1

  const life = {
    tasks,
    counts,
    suspects,
    step,
    finish,
    detailOf,
    setTimer,
    remember,
    isSuspect,
    /** Takes a task on its last chance from where it waits. Returns whether it was there. */
    takeSuspect(task: TaskRecord): boolean {
      const isTaken = suspects.delete(task)
      if (isTaken) suspectBytes -= task.args.length
      return isTaken
    },
    /** Says that a worker may still run a task that waits, and will say so. */
    await: (task: TaskRecord) => void awaited.add(task),
    isAwaited: (task: TaskRecord) => awaited.has(task),
    /** The task with this id, which ended on its way to the disk. */
    untold: (id: string): TaskRecord | undefined => untold.get(id)?.task,
    /** A task that ended on its way to the disk is stored, or refused: its outcome is told, or forgotten. */
    arrived(task: TaskRecord, isRefused: boolean) {
      const ended = untold.get(task.id)
      if (ended?.task !== task) return
      untold.delete(task.id)
      if (isRefused) return
      sessions.deliver(task.watchers, ended.outcome)
      observer?.told(ended.outcome)
    },
    delayed: () => delayed,
    /** Tasks that wait, for their time or for a slot, and the bytes of their arguments. */
    waiting: () => queue.size() + suspects.size + delayed,
    waitingBytes: () => queue.bytes() + suspectBytes + delayedBytes,
    nextSequence: () => sequence++,
    remembered: () => ({
      tasks: tasks.size,
      timers: timers.size(),
      timedTasks: timerOf.size,
      suspects: suspects.size,
      awaitedTasks: awaited.size,
      untold: untold.size
    }),

    /** Adds an accepted task: it waits for its time, or in the queue. */
    admit(task: TaskRecord) {
      tasks.set(task)
      counts.submitted++
      enter(task, task.state, 1)
      observer?.accepted(task)
    },

    /** Lets an admitted task wait for what it has to wait for. */
    settle(task: TaskRecord, now: number) {
      const dueAt = task.detail?.dueAt ?? 0
      if (task.state === "delayed") {
        if (dueAt > now) observer?.delayed(task)
        else {
          step(task, "queued")
          // While it was on its way to the disk others may have become due, and stand in the queue already.
          task.sequence = sequence++
          enqueue(task)
          observer?.queued(task)
        }
      } else {
        enqueue(task)
        observer?.queued(task)
      }
      if (task.detail !== undefined) setTimer(task)
    },

    /** Removes a task that was accepted and could not be stored: as if it had never been submitted. */
    retract(task: TaskRecord) {
      unwait(task)
      enter(task, task.state, -1)
      counts.submitted--
      tasks.delete(task.id)
      const timer = timerOf.get(task)
      if (timer !== undefined) timers.clear(timer)
      timerOf.delete(task)
      uniques.release(task)
      observer?.retracted(task)
    },

    /** A task that ran waits again, in its old place. Its lease must have been released. */
    requeue(task: TaskRecord, cause: RequeueCause, now: number) {
      step(task, "queued")
      task.worker = undefined
      if (task.options?.unique?.while === "waiting" && task.attempt === 0) uniques.hold(task, now)
      if (isSuspect(task)) addSuspect(task)
      else queue.restore(task)
      observer?.requeued(task, cause)
    },

    /** An attempt failed and the task is to run again at `dueAt`. Its lease must have been released. */
    retry(task: TaskRecord, now: number, dueAt: number, reason: FailureReason, body: Body.Body, span?: string) {
      remember(task, now, reason, body, span)
      const detail = detailOf(task)
      detail.failures++
      detail.dueAt = dueAt
      step(task, "delayed")
      task.worker = undefined
      counts.retries++
      setTimer(task)
      observer?.retrying(task, reason)
    },

    /**
     * Gives a task another priority. One that waits in the queue takes the last place of it, one that does not has the
     * priority when it waits there again.
     */
    prioritize(task: TaskRecord, level: PriorityLevel) {
      const from = task.level
      if (from === level) return
      const isInQueue = task.state === "queued" && !suspects.has(task)
      if (isInQueue) queue.remove(task)
      task.level = level
      if (isInQueue) {
        task.sequence = sequence++
        queue.append(task)
      }
      observer?.prioritized(task, from)
    },

    /** Ends a task that does not run. */
    end(task: TaskRecord, state: FinalState, now: number, reason?: FailureReason, body?: Body.Body) {
      unwait(task)
      finish(task, state, now, reason, body)
    },

    /** A running task has to stop: the worker is to be told by the caller. Returns whether that is new. */
    stop(task: TaskRecord, stop: "cancelled" | "expired"): boolean {
      if (task.state === "cancelling") return false
      step(task, "cancelling")
      detailOf(task).stop = stop
      setTimer(task)
      observer?.cancelling(task, stop)
      return true
    },

    /** Returns the next task whose time has come; the caller calls {@link onTime} for it. */
    due: (now: number): TaskRecord | undefined => {
      const task = timers.due(now)
      if (task !== undefined) timerOf.delete(task)
      return task
    },
    nextDue: (): number | undefined => timers.next(),

    /** A worker says that it runs a task which waited for that. */
    adopted(task: TaskRecord) {
      awaited.delete(task)
      step(task, "running")
    },

    /** A delayed task is due: it takes its place at the end of the queue. */
    onTime(task: TaskRecord) {
      awaited.delete(task)
      step(task, "queued")
      task.sequence = sequence++
      enqueue(task)
      setTimer(task)
      observer?.queued(task)
    }
  }
  return life
}
