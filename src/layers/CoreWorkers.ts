/**
 * Workers in the core of a control plane: who is registered, who gets which task, what they report, and what becomes of
 * their leases when they are lost. Part of the core: synchronous, with the time as an argument.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Body from "../domain/Body.ts"
import { WorkerIsLocal, WorkerNotFound } from "../domain/Errors.ts"
import { LeaseList } from "../domain/LeaseList.ts"
import type { Report, TaskType } from "../domain/Message.ts"
import type { Settings as Values } from "../domain/Settings.ts"
import type { TaskRecord } from "../domain/Task.ts"
import type { WorkerAbout, WorkerLoad, WorkerRecord } from "../domain/WorkerInfo.ts"
import { credit, isUnresponsive } from "../domain/WorkerInfo.ts"
import type { Dispatcher } from "../services/Dispatcher.ts"
import type { TaskQueue } from "../services/TaskQueue.ts"
import type { WorkerRegistry } from "../services/WorkerRegistry.ts"
import type { CoreTasks, Observer, RequeueCause } from "./CoreTasks.ts"
import { fingerprint } from "./Fingerprint.ts"
import type { Limits } from "./Limits.ts"
import type { Pauses } from "./Pauses.ts"
import type { Sessions } from "./Sessions.ts"
import type { UniqueKeys } from "./UniqueKeys.ts"

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
  /** Leases whose handlers wait for other tasks: their slots are free meanwhile. */
  readonly waiting: number
  readonly draining: boolean
  /** How busy its process is, when it says so. */
  readonly load?: WorkerLoad | undefined
  /** Everything that it holds of the replies up to `settled`, when it says so. */
  readonly held: ReadonlyArray<HeldLease> | undefined
}

/**
 * Leases that were made in one dispatch, by worker.
 *
 * @category models
 * @since 0.1.0
 */
export type Leases = ReadonlyMap<WorkerRecord, ReadonlyArray<TaskRecord>>

/**
 * What the workers' part of the core is made of.
 *
 * @category models
 * @since 0.1.0
 */
export interface Parts {
  readonly life: CoreTasks
  readonly queue: TaskQueue["Service"]
  readonly registry: WorkerRegistry["Service"]
  readonly dispatcher: Dispatcher["Service"]
  readonly sessions: Sessions
  readonly limits: Limits
  readonly uniques: UniqueKeys
  readonly pauses: Pauses
  readonly settings: Values
  readonly observer: Observer | undefined
  readonly isDraining: () => boolean
}

/**
 * Workers in the core.
 *
 * @category models
 * @since 0.1.0
 */
export type CoreWorkers = ReturnType<typeof makeWorkers>

const noLeases: Leases = new Map()
const noOrders: ReadonlyMap<WorkerRecord, ReadonlyArray<string>> = new Map()

/** Bytes of arguments after which a worker gets no more leases in the same reply: keeps replies below the frame limit. */
const maxReplyBytes = 4 * 1024 * 1024

/**
 * A task on its last chance that has run for so many milliseconds does not keep its worker from others like it any more:
 * it may be innocent and run for hours.
 */
const probationMillis = 5_000

/** Weight of the newest run in the moving average of a task name's run time. */
const averageWeight = 0.1

/** Names whose run times are remembered; further ones count as unknown. */
const maxAverages = 10_000

/**
 * Creates the workers' part of the core.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeWorkers = (parts: Parts) => {
  const { dispatcher, isDraining, life, limits, observer, pauses, queue, registry, sessions, settings } = parts
  const { uniques } = parts
  const { counts, suspects, tasks } = life
  const averages = new Map<string, number>()
  /** Leases that workers have to stop, since the last {@link takeOrders}. */
  let orders = new Map<WorkerRecord, Array<string>>()
  let served = 0

  const keyOf = (task: TaskRecord) => task.options?.limitKey ?? ""

  /** Ends the lease of a running task; the task is then nobody's until the caller restores or finishes it. */
  const release = (worker: WorkerRecord, task: TaskRecord, now: number) => {
    forgo(worker, task)
    for (const { key, name } of limits.ended(task.name, keyOf(task), now)) queue.unpark(name, key)
  }

  /** Takes a lease from a worker's books. */
  const forgo = (worker: WorkerRecord, task: TaskRecord) => {
    worker.leases.delete(task)
    worker.expectedMillis = worker.leases.size === 0 ? 0 : worker.expectedMillis - task.expectedMillis
    if (life.isSuspect(task)) unsuspect(worker, task)
    if (task.leaseExchange > worker.settled) unsettle(worker, task.leaseExchange, 1)
  }

  /** A worker is on probation for the newest of what it runs, not for what has ended. */
  const unsuspect = (worker: WorkerRecord, { leasedAt }: TaskRecord) => {
    worker.suspects--
    if (leasedAt < worker.suspectedAt) return
    worker.suspectedAt = 0
    for (const other of worker.leases) {
      if (life.isSuspect(other)) worker.suspectedAt = Math.max(worker.suspectedAt, other.leasedAt)
    }
  }

  const unsettle = (worker: WorkerRecord, exchange: number, leases: number) => {
    const left = (worker.unsettled.get(exchange) ?? 0) - leases
    worker.unsettledLeases -= leases
    if (left > 0) worker.unsettled.set(exchange, left)
    else worker.unsettled.delete(exchange)
  }

  /** A lease that never reached its worker, or that it returns unstarted: as if it had not been made. */
  const handBack = (worker: WorkerRecord, task: TaskRecord, now: number) => {
    forgo(worker, task)
    for (const { key, name } of limits.refund(task.name, keyOf(task), now)) queue.unpark(name, key)
    if (task.state === "cancelling") return life.finish(task, stopOf(task), now)
    task.attempt--
    life.requeue(task, "handed back", now)
  }

  /** A task that its worker ran and will not end waits again, unless it was to stop. Its lease must have been released. */
  const giveBack = (task: TaskRecord, cause: RequeueCause, now: number) => {
    if (task.state === "cancelling") life.finish(task, stopOf(task), now)
    else life.requeue(task, cause, now)
  }

  const stopOf = (task: TaskRecord) => task.detail?.stop ?? "cancelled"

  /** Counts a crash of an attempt; the task is given up when there were too many. */
  const crashed = (task: TaskRecord, cause: RequeueCause, now: number, body?: Body.Body) => {
    if (task.state === "cancelling") return life.finish(task, stopOf(task), now)
    if (task.crashes >= settings.maxCrashes || task.losses >= 3 * settings.maxCrashes) {
      return life.finish(task, "failed", now, "crash", crashBody(task, body))
    }
    life.remember(task, now, cause === "crashed" ? "crash" : "lost", body)
    life.requeue(task, cause, now)
  }

  /** The crashes, and what the last one said. */
  const crashBody = ({ crashes }: TaskRecord, said: Body.Body | undefined) =>
    Body.fromText(
      JSON.stringify({ crashes, ...(said === undefined ? {} : { last: Body.toText(said) }) })
    )

  const lose = (worker: WorkerRecord, now: number) => {
    registry.remove(worker)
    dispatcher.remove(worker)
    orders.delete(worker)
    const culprit = culpritOf(worker)
    for (const task of worker.leases) {
      // Whether an attempt began is known only when the worker has settled the reply that carried the lease. The others
      // may not have begun and are counted apart, with a wider bound: a plain worker settles only with its next exchange.
      const began = task.leaseExchange <= worker.settled
      release(worker, task, now)
      task.losses++
      if (began && (culprit === undefined || task === culprit)) {
        task.crashes++
        counts.crashes++
      }
      crashed(task, "worker lost", now)
    }
  }

  const setLag = (worker: WorkerRecord, lag: number) => {
    const was = isUnresponsive(worker)
    worker.lag = lag
    if (isUnresponsive(worker) === was) return
    if (was) observer?.responsive(worker)
    else observer?.unresponsive(worker)
  }

  /** A message that only the event loop of a worker sends: it runs. */
  const seen = (worker: WorkerRecord, now: number) => {
    registry.seen(worker, now)
    setLag(worker, 0)
  }

  const order = (worker: WorkerRecord, id: string) => {
    const list = orders.get(worker)
    if (list === undefined) orders.set(worker, [id])
    else list.push(id)
  }

  const take = (worker: WorkerRecord, task: TaskRecord) => {
    task.worker = worker
    worker.leases.add(task)
    worker.expectedMillis += task.expectedMillis
    if (!life.isSuspect(task)) return
    worker.suspects++
    worker.suspectedAt = Math.max(worker.suspectedAt, task.leasedAt)
  }

  const lease = (worker: WorkerRecord, task: TaskRecord, now: number) => {
    life.step(task, "running")
    task.attempt++
    task.leaseExchange = worker.exchange
    task.leasedAt = now
    task.expectedMillis = averages.get(task.name) ?? 0
    take(worker, task)
    limits.started(task.name, keyOf(task), now)
    if (task.options?.unique?.while === "waiting") uniques.release(task)
    if (task.detail !== undefined) task.detail.firstStartedAt ??= now
    worker.servedAt = ++served
    worker.unsettledLeases++
    worker.unsettled.set(worker.exchange, (worker.unsettled.get(worker.exchange) ?? 0) + 1)
    observer?.started(task, worker)
  }

  /** A worker says that it holds a lease which this control plane, restarted since, brought back from its journal. */
  const adopt = (worker: WorkerRecord, task: TaskRecord, attempt: number, now: number) => {
    life.adopted(task)
    task.attempt = attempt
    task.leasedAt = now
    task.leaseExchange = 0
    task.expectedMillis = averages.get(task.name) ?? 0
    take(worker, task)
    limits.started(task.name, keyOf(task), now)
    life.setTimer(task)
    observer?.started(task, worker)
  }

  /** The task that is held to have ended its worker: the newest of those on their last chance, if there is one. */
  const culpritOf = (worker: WorkerRecord): TaskRecord | undefined => {
    if (worker.suspects === 0) return undefined
    let culprit: TaskRecord | undefined
    for (const task of worker.leases) {
      if (!life.isSuspect(task) || task.leaseExchange > worker.settled) continue
      if (culprit === undefined || task.leasedAt > culprit.leasedAt) culprit = task
    }
    return culprit
  }

  /** Matches tasks on their last chance with workers that run no other such task: if one kills its worker, it is it. */
  const dispatchSuspects = (now: number, give: (worker: WorkerRecord, task: TaskRecord) => void) => {
    for (const task of suspects) {
      const { name } = task
      if (pauses.isPaused(name) || !limits.admitsName(name, now) || !limits.admitsKey(name, keyOf(task), now)) continue
      const worker = dispatcher.pick(
        name,
        (worker) => worker.suspects === 0 || now - worker.suspectedAt >= probationMillis
      )
      if (worker === undefined) continue
      life.takeSuspect(task)
      give(worker, task)
    }
  }

  return {
    lose,
    seen,

    /**
     * Says whether a registration is a late copy: its worker has sent exchanges since, of which it does not know. It must
     * have no effect, or leases that are running would be taken back. `exchange` is the number of the last one before it.
     */
    isOvertaken: (session: string, exchange: number): boolean =>
      exchange < (registry.bySession(session)?.exchange ?? 0),

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
     * Adds a worker, or renews one that registers again with the same session: it keeps the leases that it still holds,
     * the others run elsewhere, as a further attempt. Returns its record, the leases that it names and that are not its
     * any more, and those that it has to stop.
     */
    register(registration: Registration, now: number) {
      const { about, held, local, session, slots, tasks: types, worker: id } = registration
      const previous = registry.bySession(session)
      const names = new Set(types.map((type) => type.name))
      const worker: WorkerRecord = {
        id,
        session,
        key: previous?.key ?? fingerprint(session, "").toString(36),
        local,
        slots,
        names,
        group: [...names].sort().join("\n"),
        about,
        registeredAt: previous?.registeredAt ?? now,
        state: "active",
        paused: pauses.isWorkerPaused(id),
        isToLeave: previous?.isToLeave ?? false,
        isOpen: false,
        lastSeen: now,
        lag: previous?.lag ?? 0,
        exchange: previous?.exchange ?? 0,
        settled: previous?.exchange ?? 0,
        free: 0,
        waiting: 0,
        suspects: 0,
        suspectedAt: 0,
        unsettled: new Map(),
        unsettledLeases: 0,
        leases: new LeaseList(),
        expectedMillis: 0,
        servedAt: 0,
        succeeded: previous?.succeeded ?? 0,
        failed: previous?.failed ?? 0,
        load: previous?.load,
        heapIndex: -1
      }
      // Before leases are adopted: they count.
      for (const type of types) {
        if (limits.configure(type.name, type.limits, now)) queue.unparkAll(type.name)
      }
      const abandon: Array<string> = []
      const cancel: Array<string> = []
      for (const lease of held) {
        const task = tasks.get(lease.id)
        if (task !== undefined && task.state === "delayed" && life.isAwaited(task) && lease.attempt >= task.attempt) {
          adopt(worker, task, lease.attempt, now)
          continue
        }
        if (previous === undefined || task?.worker !== previous || task.attempt !== lease.attempt) {
          abandon.push(lease.id)
          continue
        }
        forgo(previous, task)
        // Settled long ago: its exchange can't be abandoned any more.
        task.leaseExchange = 0
        take(worker, task)
        if (task.state === "cancelling") cancel.push(task.id)
      }
      if (previous !== undefined) {
        for (const task of previous.leases) {
          // A registration that was overtaken on its way does not name what the worker was given since. So the attempt
          // may be running: its number must not be given away again.
          release(previous, task, now)
          giveBack(task, "handed back", now)
        }
        dispatcher.remove(previous)
        orders.delete(previous)
      }
      registry.add(worker, types)
      setLag(worker, 0)
      dispatcher.update(worker)
      return { worker, abandon, cancel, isNew: previous === undefined }
    },

    /**
     * Takes one report. Returns whether it counted: one for a lease that has ended does not.
     */
    report(worker: WorkerRecord, report: Report, body: Body.Body, now: number): boolean {
      const task = tasks.get(report.id)
      if (task === undefined || task.worker !== worker || task.attempt !== report.attempt) {
        counts.lateReports++
        return false
      }
      if (report.state === "returned") {
        handBack(worker, task, now)
        return true
      }
      release(worker, task, now)
      if (report.state === "stopped") {
        giveBack(task, "handed back", now)
        return true
      }
      if (report.state === "crashed") {
        worker.failed++
        counts.crashes++
        task.crashes++
        crashed(task, "crashed", now, body)
        return true
      }
      const millis = now - task.leasedAt
      const average = averages.get(task.name)
      if (average !== undefined) averages.set(task.name, average + (millis - average) * averageWeight)
      else if (averages.size < maxAverages) averages.set(task.name, millis)
      if (report.state === "succeeded") {
        worker.succeeded++
        life.finish(task, "succeeded", now, undefined, body)
        return true
      }
      worker.failed++
      const reason = report.reason ?? "defect"
      const dueAt = now + (report.retryIn ?? 0)
      // A task that would expire before its next attempt fails with what is known, rather than to expire without it.
      const isLast = report.retryIn === undefined || dueAt >= (task.detail?.expiresAt ?? Infinity)
      if (isLast) life.finish(task, "failed", now, reason, body)
      else if (task.state === "cancelling") life.finish(task, stopOf(task), now)
      else life.retry(task, now, dueAt, reason, body, report.span)
      return true
    },

    /** Takes what the handler of a lease reported. */
    progress(worker: WorkerRecord, { attempt, id }: HeldLease, body: Body.Body) {
      const task = tasks.get(id)
      if (task === undefined || task.worker !== worker || task.attempt !== attempt) return
      life.detailOf(task).progress = body
      sessions.progress(task.watchers, id, body)
      observer?.progress(task, body)
    },

    /**
     * Takes what a worker says of itself in an exchange, after its reports. Returns the leases that it names and that
     * are not its any more.
     */
    news(worker: WorkerRecord, news: WorkerNews, now: number): ReadonlyArray<string> {
      seen(worker, now)
      if (news.abandoned.length > 0) {
        const abandoned = new Set(news.abandoned)
        for (const task of worker.leases) if (abandoned.has(task.leaseExchange)) handBack(worker, task, now)
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
          if (!isHeld && task.leaseExchange <= settled) handBack(worker, task, now)
          // The order may have been lost with a reply, or have met the worker before the lease did.
          else if (isHeld && task.state === "cancelling") order(worker, task.id)
        }
        abandon.push(...held.keys())
      }
      if (isNewest) {
        worker.exchange = news.seq
        worker.free = Math.min(news.free, worker.slots)
        worker.waiting = Math.min(news.waiting, worker.leases.size)
        // Once it says so itself it need not be told again.
        if (news.draining) worker.isToLeave = false
        if (news.load !== undefined) worker.load = news.load
        if (worker.state !== "lost") worker.state = news.draining || worker.isToLeave ? "draining" : "active"
      }
      dispatcher.update(worker)
      return abandon
    },

    /** Says whether the worker can be sent leases now: only while one of its exchanges waits for an answer. */
    setOpen(worker: WorkerRecord, isOpen: boolean) {
      worker.isOpen = isOpen
      dispatcher.update(worker)
    },

    /** A running task has to stop: its worker is told. */
    stop: (task: TaskRecord, stop: "cancelled" | "expired") => {
      if (life.stop(task, stop) && task.worker !== undefined) order(task.worker, task.id)
    },

    /** Workers for which there are orders. */
    ordered: () => orders.size,

    /** Leases that workers have to be told to stop, since the last call. */
    takeOrders(): ReadonlyMap<WorkerRecord, ReadonlyArray<string>> {
      if (orders.size === 0) return noOrders
      const taken = orders
      orders = new Map()
      return taken
    },

    /**
     * Matches waiting tasks with free slots, until one of them runs out. Returns the new leases; each worker's belong
     * into the reply of its newest exchange.
     */
    dispatch(now: number): Leases {
      if (isDraining() || pauses.isPaused() || (queue.size() === 0 && suspects.size === 0)) return noLeases
      const leases = new Map<WorkerRecord, Array<TaskRecord>>()
      const replyBytes = new Map<WorkerRecord, number>()
      const give = (worker: WorkerRecord, task: TaskRecord) => {
        lease(worker, task, now)
        const list = leases.get(worker)
        if (list === undefined) leases.set(worker, [task])
        else list.push(task)
        const bytes = (replyBytes.get(worker) ?? 0) + task.args.length
        replyBytes.set(worker, bytes)
        if (bytes >= maxReplyBytes) worker.isOpen = false
        dispatcher.update(worker)
      }
      if (suspects.size > 0) dispatchSuspects(now, give)
      const eligible = (name: string) =>
        dispatcher.pick(name) !== undefined && !pauses.isPaused(name) && limits.admitsName(name, now)
      const admits = (name: string, key: string) => limits.admitsKey(name, key, now)
      for (let task = queue.take(eligible, admits); task !== undefined; task = queue.take(eligible, admits)) {
        const worker = dispatcher.pick(task.name)
        if (worker === undefined || credit(worker) <= 0) {
          queue.restore(task)
          throw new Error("The dispatcher chose a worker without a free slot")
        }
        give(worker, task)
      }
      return leases
    },

    /** The connection of a worker closed. */
    disconnected(worker: WorkerRecord, now: number) {
      registry.disconnected(worker, now)
      dispatcher.update(worker)
    },

    /** A worker says goodbye: what it still holds runs elsewhere as a further attempt, and is not counted as a crash. */
    leave(worker: WorkerRecord, now: number) {
      for (const task of worker.leases) {
        release(worker, task, now)
        giveBack(task, "handed back", now)
      }
      registry.remove(worker)
      dispatcher.remove(worker)
      orders.delete(worker)
    },

    /**
     * Tells the workers of an id, or the one with a key, to finish what they run and to leave; they get nothing more.
     * Returns how many, or why there is none.
     */
    drainWorkers(target: string): Result.Result<number, WorkerNotFound | WorkerIsLocal> {
      let count = 0
      let isLocal = false
      for (const worker of registry.workers()) {
        if (worker.id !== target && worker.key !== target) continue
        if (worker.local) {
          isLocal = true
          continue
        }
        count++
        if (worker.state === "draining") continue
        worker.isToLeave = true
        if (worker.state === "active") worker.state = "draining"
        dispatcher.update(worker)
        // The exchange that waits is answered: the reply says so.
        if (!orders.has(worker)) orders.set(worker, [])
      }
      if (count > 0) return Result.succeed(count)
      return Result.fail(isLocal ? new WorkerIsLocal({ worker: target }) : new WorkerNotFound({ worker: target }))
    },

    /** Pauses or resumes every worker of this id. */
    setPaused: (id: string, paused: boolean) => {
      for (const worker of registry.workers()) {
        if (worker.id !== id) continue
        worker.paused = paused
        dispatcher.update(worker)
      }
    }
  }
}
