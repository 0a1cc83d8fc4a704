/**
 * The core of a control plane: admission, leases, reports, outcomes, loss of workers. Plain synchronous code made of the
 * four services; time comes in as an argument (milliseconds of the monotonic clock), what follows from a step is returned
 * or collected by the caller at the end of its tick ({@link Core.dispatch}, {@link Core.takeReady}). The server drives it
 * with messages, the simulation with random schedules.
 *
 * Owns the life of every task: nothing else changes a task's state. Knows no bytes, connections or fibers.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import type { BadRequest } from "../domain/Errors.ts"
import {
  IdConflict,
  OutboxFull,
  QueueFull,
  ResultEvicted,
  ShuttingDown,
  TaskFinished,
  TaskNotFound,
  TaskRunning,
  TooLarge,
  UnknownTask
} from "../domain/Errors.ts"
import type { Report, TaskType } from "../domain/Message.ts"
import type { FailureReason, Outcome } from "../domain/Outcome.ts"
import { fingerprint } from "../domain/Outcome.ts"
import type { PriorityLevel } from "../domain/Priority.ts"
import { fromLevel, toLevel } from "../domain/Priority.ts"
import type { Settings as Values } from "../domain/Settings.ts"
import type { TaskRecord } from "../domain/Task.ts"
import type { FinalState, TaskState } from "../domain/TaskState.ts"
import { transition } from "../domain/TaskState.ts"
import type { WorkerAbout, WorkerRecord } from "../domain/WorkerInfo.ts"
import { credit, isUnresponsive } from "../domain/WorkerInfo.ts"
import type { Dispatcher } from "../services/Dispatcher.ts"
import type { ResultCache } from "../services/ResultCache.ts"
import type { TaskQueue } from "../services/TaskQueue.ts"
import type { WorkerRegistry } from "../services/WorkerRegistry.ts"
import type { Session } from "./Sessions.ts"
import { makeSessions } from "./Sessions.ts"

/**
 * One task as it was submitted. Without an id one is made; without a level the registered default applies.
 *
 * @category models
 * @since 0.1.0
 */
export interface Submitted {
  readonly id: string | undefined
  readonly name: string
  readonly level: PriorityLevel | undefined
  readonly args: Uint8Array
  /** The session that is to be told the outcome. */
  readonly watcher: Session | undefined
}

/**
 * Why the core refuses a submission.
 *
 * @category models
 * @since 0.1.0
 */
export type Refusal =
  | UnknownTask
  | QueueFull
  | OutboxFull
  | IdConflict
  | TooLarge
  | ShuttingDown
  | ResultEvicted
  | BadRequest

/**
 * A worker that registers.
 *
 * @category models
 * @since 0.1.0
 */
export interface Registration {
  readonly session: string
  readonly worker: string
  readonly slots: number
  readonly tasks: ReadonlyArray<TaskType>
  readonly held: ReadonlyArray<HeldLease>
  readonly about: WorkerAbout
  readonly local: boolean
}

/**
 * A lease that a worker says it holds.
 *
 * @category models
 * @since 0.1.0
 */
export interface HeldLease {
  readonly id: string
  readonly attempt: number
}

/**
 * What a worker says in an exchange, besides its reports.
 *
 * @category models
 * @since 0.1.0
 */
export interface WorkerNews {
  readonly seq: number
  /** Replies up to this number have been received, or will not be. */
  readonly settled: number
  /** Numbers of replies that were given up: their leases were not received. */
  readonly abandoned: ReadonlyArray<number>
  readonly free: number
  readonly draining: boolean
  /** Everything that it holds of the replies up to `settled`, when it says so. */
  readonly held: ReadonlyArray<HeldLease> | undefined
}

/**
 * What happens in the core, for the event bus. Called synchronously; must not call back.
 *
 * @category models
 * @since 0.1.0
 */
export interface Observer {
  readonly queued: (task: TaskRecord) => void
  readonly started: (task: TaskRecord, worker: WorkerRecord) => void
  readonly finished: (outcome: Outcome) => void
  readonly requeued: (task: TaskRecord, cause: "worker lost" | "handed back") => void
  /** The event loop of a worker is blocked, or runs again. */
  readonly unresponsive: (worker: WorkerRecord) => void
  readonly responsive: (worker: WorkerRecord) => void
  /** Nobody called for this long: the process was stopped, or its event loop blocked. */
  readonly stood: (millis: number) => void
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
  succeeded: number
  failed: number
  cancelled: number
  crashes: number
  lateReports: number
}

/**
 * Leases that were made in one dispatch, by worker.
 *
 * @category models
 * @since 0.1.0
 */
export type Leases = ReadonlyMap<WorkerRecord, ReadonlyArray<TaskRecord>>

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
  readonly startedAt: number
  readonly observer?: Observer
}

/**
 * The core of a control plane.
 *
 * @category models
 * @since 0.1.0
 */
export type Core = ReturnType<typeof makeCore>

const noBody = new Uint8Array(0)
const noWatchers: ReadonlyArray<string> = []
const noLeases: Leases = new Map()

/** Bytes of arguments after which a worker gets no more leases in the same reply: keeps replies below the frame limit. */
const maxReplyBytes = 4 * 1024 * 1024

/**
 * How often {@link Core.expire} is to be called, in milliseconds.
 *
 * @category constants
 * @since 0.1.0
 */
export const sweepMillis = 100

/** A call that comes later than this says that the process did not run, so it did not hear anybody either. */
const maxLateMillis = 1_000

/** Weight of the newest run in the moving average of a task name's run time. */
const averageWeight = 0.1

/** Names whose run times are remembered; further ones count as unknown. */
const maxAverages = 10_000

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/**
 * Creates the core.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeCore = (parts: Parts) => {
  const { dispatcher, observer, queue, randomId, registry, results, settings, startedAt } = parts
  const tasks = new Map<string, TaskRecord>()
  const sessions = makeSessions(settings)
  const averages = new Map<string, number>()
  const counts: Counts = {
    submitted: 0,
    running: 0,
    succeeded: 0,
    failed: 0,
    cancelled: 0,
    crashes: 0,
    lateReports: 0
  }
  let sequence = 0
  let served = 0
  let draining = false
  let expiredAt: number | undefined
  let graceFrom = startedAt
  let startGraceEnded = false

  /** The only place where a task changes its state. */
  const step = (task: TaskRecord, to: TaskState) => {
    const next = transition(task.state, to)
    if (next === undefined) throw new Error(`Task ${task.id} can't go from ${task.state} to ${to}`)
    if (task.state === "running") counts.running--
    if (next === "running") counts.running++
    task.state = next
  }

  const finish = (
    task: TaskRecord,
    state: FinalState,
    now: number,
    reason?: FailureReason,
    body: Uint8Array = noBody
  ) => {
    const started = task.worker !== undefined
    const outcome: Outcome = {
      id: task.id,
      name: task.name,
      level: task.level,
      state,
      reason,
      attempt: task.attempt,
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
    results.put(outcome, fingerprint(task.name, task.args), now)
    sessions.deliver(task.watchers, outcome)
    observer?.finished(outcome)
  }

  /** Ends the lease of a running task; the task is then nobody's until the caller restores or finishes it. */
  const release = (worker: WorkerRecord, task: TaskRecord) => {
    worker.leases.delete(task)
    worker.expectedMillis = worker.leases.size === 0 ? 0 : worker.expectedMillis - task.expectedMillis
    if (task.leaseExchange > worker.settled) unsettle(worker, task.leaseExchange, 1)
  }

  const unsettle = (worker: WorkerRecord, exchange: number, leases: number) => {
    const left = (worker.unsettled.get(exchange) ?? 0) - leases
    worker.unsettledLeases -= leases
    if (left > 0) worker.unsettled.set(exchange, left)
    else worker.unsettled.delete(exchange)
  }

  const requeue = (task: TaskRecord, cause: "worker lost" | "handed back") => {
    step(task, "queued")
    task.worker = undefined
    queue.restore(task)
    observer?.requeued(task, cause)
  }

  /** A lease that never reached its worker, or that it returns unstarted: as if it had not been made. */
  const handBack = (worker: WorkerRecord, task: TaskRecord) => {
    release(worker, task)
    task.attempt--
    requeue(task, "handed back")
  }

  const lose = (worker: WorkerRecord, now: number) => {
    registry.remove(worker)
    dispatcher.remove(worker)
    for (const task of worker.leases) {
      // Whether an attempt began is known only when the worker has settled the reply that carried the lease. The others
      // may not have begun and are counted apart, with a wider bound: a plain worker settles only with its next exchange.
      const began = task.leaseExchange <= worker.settled
      release(worker, task)
      task.losses++
      if (began) {
        task.crashes++
        counts.crashes++
      }
      if (task.crashes >= settings.maxCrashes || task.losses >= 3 * settings.maxCrashes) {
        finish(task, "failed", now, "crash")
      } else requeue(task, "worker lost")
    }
  }

  const setLag = (worker: WorkerRecord, lag: number) => {
    const was = isUnresponsive(worker)
    worker.lag = lag
    if (isUnresponsive(worker) === was) return
    if (was) observer?.responsive(worker)
    else observer?.unresponsive(worker)
  }

  /** What others sent while this process stood still has not been read yet: none of that time is held against them. */
  const forgive = (millis: number, now: number) => {
    registry.forgive(millis, now)
    sessions.forgive(millis, now)
    graceFrom = Math.min(graceFrom + millis, now)
    observer?.stood(millis)
  }

  const isAcceptable = (name: string, now: number): boolean =>
    registry.type(name) !== undefined || now - graceFrom < settings.startGraceMillis

  const refusal = (submitted: Submitted, now: number): Refusal | undefined => {
    const { args, name, watcher } = submitted
    if (draining) return new ShuttingDown()
    if (args.length > settings.maxPayloadBytes) {
      return new TooLarge({ task: name, what: "arguments", size: args.length, limit: settings.maxPayloadBytes })
    }
    if (!isAcceptable(name, now)) return unknownTask(name)
    return watcher === undefined ? undefined : outboxFull(watcher)
  }

  const outboxFull = (watcher: Session): OutboxFull | undefined => {
    const outcomes = sessions.pending(watcher)
    return outcomes >= settings.maxOutbox ? new OutboxFull({ outcomes, maxOutcomes: settings.maxOutbox }) : undefined
  }

  const unknownTask = (name: string) => {
    const known: Array<string> = []
    for (const type of registry.types()) if (known.push(type.name) === 20) break
    return new UnknownTask({ task: name, known })
  }

  const watchRunning = (task: TaskRecord, watcher: Session) => {
    if (task.watchers.length === 0) task.watchers = watcher.watchers
    else if (!task.watchers.includes(watcher.token)) task.watchers = [...task.watchers, watcher.token]
  }

  const core = {
    counts,
    sessions,
    queue,
    registry,

    /**
     * Accepts a task, once: a second submission with the same id, name and arguments has no effect but that its watcher
     * is told the outcome too; `ResultEvicted` when it is no longer kept. Returns the id.
     */
    submit(submitted: Submitted, now: number): Result.Result<string, Refusal> {
      const { args, name, watcher } = submitted
      const id = submitted.id ?? randomId()
      if (submitted.id !== undefined) {
        const known = tasks.get(id)
        if (known !== undefined) {
          if (known.name !== name || !sameBytes(known.args, args)) return Result.fail(new IdConflict({ id }))
          if (watcher !== undefined) watchRunning(known, watcher)
          return Result.succeed(id)
        }
        const tombstone = results.recall(id)
        if (tombstone !== undefined) {
          if (tombstone.fingerprint !== fingerprint(name, args)) return Result.fail(new IdConflict({ id }))
          const refused = watcher === undefined ? undefined : core.watch(watcher, id, now)
          return refused === undefined || refused._tag === "TaskNotFound" ? Result.succeed(id) : Result.fail(refused)
        }
      }
      const refused = refusal(submitted, now)
      if (refused !== undefined) return Result.fail(refused)
      const task: TaskRecord = {
        id,
        name,
        level: submitted.level ?? toLevel(registry.type(name)?.priority ?? "normal"),
        args,
        sequence: sequence++,
        submittedAt: now,
        state: "queued",
        attempt: 0,
        crashes: 0,
        losses: 0,
        worker: undefined,
        leaseExchange: 0,
        leasedAt: 0,
        expectedMillis: 0,
        watchers: watcher === undefined ? noWatchers : watcher.watchers,
        next: undefined,
        previous: undefined
      }
      if (!queue.offer(task)) {
        return Result.fail(
          new QueueFull({
            waiting: queue.size(),
            maxWaiting: queue.maxWaiting,
            waitingBytes: queue.bytes(),
            maxWaitingBytes: queue.maxWaitingBytes
          })
        )
      }
      tasks.set(id, task)
      counts.submitted++
      observer?.queued(task)
      return Result.succeed(id)
    },

    /** Tells a session the outcome of a task, now or when it is there. Returns why it can't. */
    watch(watcher: Session, id: string, now: number): TaskNotFound | ResultEvicted | OutboxFull | undefined {
      const full = outboxFull(watcher)
      if (full !== undefined) return full
      const task = tasks.get(id)
      if (task !== undefined) {
        watchRunning(task, watcher)
        return undefined
      }
      const outcome = results.get(id, now)
      if (outcome !== undefined) {
        sessions.deliver(watcher.watchers, outcome)
        return undefined
      }
      return core.whyNoOutcome(id)
    },

    /** Why an id has neither a task nor an outcome that is kept. */
    whyNoOutcome(id: string): TaskNotFound | ResultEvicted {
      const tombstone = results.recall(id)
      return tombstone === undefined ? new TaskNotFound({ id }) : new ResultEvicted({ id, state: tombstone.state })
    },

    /** Returns a task that has no outcome yet. */
    task: (id: string): TaskRecord | undefined => tasks.get(id),
    tasks: (): Iterable<TaskRecord> => tasks.values(),

    /** Cancels a waiting task. Returns why it can't. */
    cancel(id: string, now: number): TaskNotFound | TaskRunning | TaskFinished | undefined {
      const task = tasks.get(id)
      if (task === undefined) {
        const tombstone = results.recall(id)
        return tombstone === undefined ? new TaskNotFound({ id }) : new TaskFinished({ id, state: tombstone.state })
      }
      if (task.worker !== undefined) return new TaskRunning({ id, worker: task.worker.id })
      queue.remove(task)
      finish(task, "cancelled", now)
      return undefined
    },

    /**
     * Says whether a registration is a late copy: its worker has sent exchanges since, of which it does not know. It must
     * have no effect, or leases that are running would be taken back. `exchange` is the number of the last one before it.
     */
    isOvertaken: (session: string, exchange: number): boolean =>
      exchange < (registry.bySession(session)?.exchange ?? 0),

    /**
     * Adds a worker, or renews one that registers again with the same session: it keeps the leases that it still holds,
     * the others run elsewhere, as a further attempt. Returns its record, and the leases that it names and that are not its any more.
     */
    register(registration: Registration, now: number) {
      const { about, held, local, session, slots, tasks: types, worker: id } = registration
      const previous = registry.bySession(session)
      const names = new Set(types.map((type) => type.name))
      const worker: WorkerRecord = {
        id,
        session,
        local,
        slots,
        names,
        group: [...names].sort().join("\n"),
        about,
        registeredAt: previous?.registeredAt ?? now,
        state: "active",
        isOpen: false,
        lastSeen: now,
        lag: previous?.lag ?? 0,
        exchange: previous?.exchange ?? 0,
        settled: previous?.exchange ?? 0,
        free: 0,
        unsettled: new Map(),
        unsettledLeases: 0,
        leases: new Set(),
        expectedMillis: 0,
        servedAt: 0,
        succeeded: previous?.succeeded ?? 0,
        failed: previous?.failed ?? 0,
        heapIndex: -1
      }
      const abandon: Array<string> = []
      for (const lease of held) {
        const task = tasks.get(lease.id)
        if (previous === undefined || task?.worker !== previous || task.attempt !== lease.attempt) {
          abandon.push(lease.id)
          continue
        }
        release(previous, task)
        task.worker = worker
        // Settled long ago: its exchange can't be abandoned any more.
        task.leaseExchange = 0
        worker.leases.add(task)
        worker.expectedMillis += task.expectedMillis
      }
      if (previous !== undefined) {
        for (const task of previous.leases) {
          // A registration that was overtaken on its way does not name what the worker was given since. So the attempt
          // may be running: its number must not be given away again.
          release(previous, task)
          requeue(task, "handed back")
        }
        dispatcher.remove(previous)
      }
      registry.add(worker, types)
      setLag(worker, 0)
      dispatcher.update(worker)
      return { worker, abandon, isNew: previous === undefined }
    },

    /** A message that only the event loop of a worker sends: it runs. */
    seen(worker: WorkerRecord, now: number) {
      registry.seen(worker, now)
      setLag(worker, 0)
    },

    /**
     * A worker says, from beside its event loop, how many milliseconds that is behind. While it is blocked this is the
     * sign of life; otherwise that is its exchanges, so that a worker which runs and can't exchange is given up.
     */
    beat(worker: WorkerRecord, lag: number, now: number) {
      setLag(worker, lag)
      if (isUnresponsive(worker)) registry.seen(worker, now)
      dispatcher.update(worker)
    },

    /**
     * Takes one report. Returns whether it counted: one for a lease that has ended does not.
     */
    report(worker: WorkerRecord, report: Report, body: Uint8Array, now: number): boolean {
      const task = tasks.get(report.id)
      if (task === undefined || task.worker !== worker || task.attempt !== report.attempt) {
        counts.lateReports++
        return false
      }
      if (report.state === "returned") {
        handBack(worker, task)
        return true
      }
      release(worker, task)
      const millis = now - task.leasedAt
      const average = averages.get(task.name)
      if (average !== undefined) averages.set(task.name, average + (millis - average) * averageWeight)
      else if (averages.size < maxAverages) averages.set(task.name, millis)
      if (report.state === "succeeded") {
        worker.succeeded++
        finish(task, "succeeded", now, undefined, body)
      } else {
        worker.failed++
        finish(task, "failed", now, report.reason ?? "defect", body)
      }
      return true
    },

    /**
     * Takes what a worker says of itself in an exchange, after its reports. Returns the leases that it names and that
     * are not its any more.
     */
    news(worker: WorkerRecord, news: WorkerNews, now: number): ReadonlyArray<string> {
      core.seen(worker, now)
      if (news.abandoned.length > 0) {
        const abandoned = new Set(news.abandoned)
        for (const task of worker.leases) if (abandoned.has(task.leaseExchange)) handBack(worker, task)
      }
      const isNewest = news.seq > worker.exchange
      // Only a reply to an earlier exchange can have been received.
      const settled = Math.min(news.settled, news.seq - 1)
      if (settled > worker.settled) {
        worker.settled = settled
        for (const [exchange, leases] of worker.unsettled) {
          if (exchange <= settled) unsettle(worker, exchange, leases)
        }
      }
      const abandon: Array<string> = []
      if (news.held !== undefined) {
        const held = new Map(news.held.map((lease) => [lease.id, lease.attempt]))
        for (const task of worker.leases) {
          const isHeld = held.get(task.id) === task.attempt
          held.delete(task.id)
          if (!isHeld && task.leaseExchange <= settled) handBack(worker, task)
        }
        abandon.push(...held.keys())
      }
      if (isNewest) {
        worker.exchange = news.seq
        worker.free = Math.min(news.free, worker.slots)
        if (worker.state !== "lost") worker.state = news.draining ? "draining" : "active"
      }
      dispatcher.update(worker)
      return abandon
    },

    /** Says whether the worker can be sent leases now: only while one of its exchanges waits for an answer. */
    setOpen(worker: WorkerRecord, isOpen: boolean) {
      worker.isOpen = isOpen
      dispatcher.update(worker)
    },

    /**
     * Matches waiting tasks with free slots, until one of them runs out. Returns the new leases; each worker's belong
     * into the reply of its newest exchange.
     */
    dispatch(now: number): Leases {
      if (draining || queue.size() === 0) return noLeases
      const leases = new Map<WorkerRecord, Array<TaskRecord>>()
      const replyBytes = new Map<WorkerRecord, number>()
      const eligible = (name: string) => dispatcher.pick(name) !== undefined
      for (let task = queue.take(eligible); task !== undefined; task = queue.take(eligible)) {
        const worker = dispatcher.pick(task.name)
        if (worker === undefined || credit(worker) <= 0) {
          queue.restore(task)
          throw new Error("The dispatcher chose a worker without a free slot")
        }
        step(task, "running")
        task.attempt++
        task.worker = worker
        task.leaseExchange = worker.exchange
        task.leasedAt = now
        task.expectedMillis = averages.get(task.name) ?? 0
        worker.leases.add(task)
        worker.expectedMillis += task.expectedMillis
        worker.servedAt = ++served
        worker.unsettledLeases++
        worker.unsettled.set(worker.exchange, (worker.unsettled.get(worker.exchange) ?? 0) + 1)
        const list = leases.get(worker)
        if (list === undefined) leases.set(worker, [task])
        else list.push(task)
        const bytes = (replyBytes.get(worker) ?? 0) + task.args.length
        replyBytes.set(worker, bytes)
        if (bytes >= maxReplyBytes) worker.isOpen = false
        dispatcher.update(worker)
        observer?.started(task, worker)
      }
      return leases
    },

    /** The connection of a worker closed. */
    disconnected(worker: WorkerRecord, now: number) {
      registry.disconnected(worker, now)
      dispatcher.update(worker)
    },

    /** A worker says goodbye: what it still holds runs elsewhere as a further attempt, and is not counted as a crash. */
    leave(worker: WorkerRecord) {
      for (const task of worker.leases) {
        release(worker, task)
        requeue(task, "handed back")
      }
      registry.remove(worker)
      dispatcher.remove(worker)
    },

    /**
     * Does what is due, every {@link sweepMillis}; a call that comes much too late forgives everybody the time that it
     * is late. Workers that were silent too long are lost, tasks of names that nobody announced fail, sessions
     * past their time are dropped. Returns the lost workers.
     */
    expire(now: number): ReadonlyArray<WorkerRecord> {
      const late = expiredAt === undefined ? 0 : now - expiredAt - sweepMillis
      expiredAt = now
      if (late > maxLateMillis) forgive(late, now)
      const overdue = registry.overdue(now)
      for (const worker of overdue) lose(worker, now)
      sessions.expire(now)
      if (!startGraceEnded && now - graceFrom >= settings.startGraceMillis) {
        startGraceEnded = true
        for (const task of tasks.values()) {
          if (task.state !== "queued" || registry.type(task.name) !== undefined) continue
          queue.remove(task)
          const { known } = unknownTask(task.name)
          finish(task, "failed", now, "unknown", new TextEncoder().encode(JSON.stringify({ known })))
        }
      }
      return overdue
    },

    /** From now on nothing is accepted and nothing is started. */
    drain() {
      draining = true
    },

    /** Cancels everything that waits. Returns how many tasks. */
    cancelWaiting(now: number): number {
      let cancelled = 0
      for (const task of tasks.values()) {
        if (task.state !== "queued") continue
        queue.remove(task)
        finish(task, "cancelled", now)
        cancelled++
      }
      return cancelled
    },

    isDraining: () => draining,

    /** Why a queued task has not started, for people. */
    whyWaiting(task: TaskRecord): string {
      if (draining) return "the control plane is shutting down"
      let handlers = 0
      let blocked = 0
      for (const worker of registry.workers()) {
        if (!worker.names.has(task.name)) continue
        handlers++
        if (isUnresponsive(worker)) blocked++
      }
      if (blocked > 0 && blocked === handlers) {
        return "no worker that can run it responds: tasks block their event loops"
      }
      if (handlers === 0) return `no connected worker has a handler for "${task.name}"`
      return `all slots of the ${handlers} ${handlers === 1 ? "worker" : "workers"} that can run it are busy`
    },

    waitingByPriority: () => {
      const sizes = { critical: 0, high: 0, normal: 0, low: 0 }
      for (const level of [0, 1, 2, 3] as const) sizes[fromLevel(level)] = queue.sizeOf(level)
      return sizes
    }
  }
  return core
}
