/**
 * What the core must do, written as plainly as can be: sorted arrays and loops where the core has lanes, heaps and
 * counters. It is told every call that the core gets and says what must come of it.
 */
import type { Report, TaskType } from "../../src/domain/Message.ts"
import type { FailureReason } from "../../src/domain/Outcome.ts"
import type { PriorityLevel } from "../../src/domain/Priority.ts"
import { toLevel } from "../../src/domain/Priority.ts"
import type { Settings } from "../../src/domain/Settings.ts"
import type { FinalState } from "../../src/domain/TaskState.ts"
import type { RequeueCause } from "../../src/layers/CoreTasks.ts"
import type { HeldLease, WorkerNews } from "../../src/layers/CoreWorkers.ts"
import type { Memory, ModelOutcome, ModelSession, ModelSubmission, ModelTask, ModelWorker } from "./ModelRecords.ts"

export type Model = ReturnType<typeof makeModel>

const levels: ReadonlyArray<PriorityLevel> = [0, 1, 2, 3]

export const makeModel = (settings: Settings, maxPassed: number, startedAt: number) => {
  const tasks = new Map<string, ModelTask>()
  const outcomes = new Map<string, ModelOutcome>()
  const workers = new Map<string, ModelWorker>()
  const sessions = new Map<string, ModelSession>()
  const types = new Map<string, TaskType>()
  /** Waiting tasks by level, sorted by sequence. */
  const waiting: ReadonlyArray<Array<ModelTask>> = [[], [], [], []]
  const passed = [0, 0, 0, 0]
  /** Waiting tasks on their last chance, in the order in which they came to that. */
  const suspects: Array<ModelTask> = []
  const counts = {
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
  let events: Array<string> = []
  let orders: Array<string> = []
  let sequence = 0
  let isDraining = false
  let graceEnded = false
  let graceFrom = startedAt
  let expiredAt: number | undefined

  const all = (): ReadonlyArray<ModelTask> => [...waiting.flat(), ...suspects, ...delayed()]
  const delayed = (): ReadonlyArray<ModelTask> => [...tasks.values()].filter(({ dueAt }) => dueAt !== undefined)
  const size = () => all().length
  const bytes = () => all().reduce((sum, { args }) => sum + args.length, 0)
  const isSuspect = ({ crashes }: ModelTask) => crashes > 0 && crashes >= settings.maxCrashes - 1
  const laneOf = (level: PriorityLevel): Array<ModelTask> => waiting[level] as Array<ModelTask>

  const insert = (task: ModelTask) => {
    if (isSuspect(task)) return void suspects.push(task)
    const lane = laneOf(task.level)
    lane.push(task)
    lane.sort((a, b) => a.sequence - b.sequence)
  }

  const removeWaiting = (task: ModelTask) => {
    if (task.dueAt !== undefined) {
      task.dueAt = undefined
      return
    }
    const lane = isSuspect(task) ? suspects : laneOf(task.level)
    const at = lane.indexOf(task)
    if (at === -1) throw new Error(`model: ${task.id} does not wait`)
    lane.splice(at, 1)
  }

  const deliver = (token: string, outcome: ModelOutcome) => sessions.get(token)?.outbox.push(outcome)

  const release = (task: ModelTask) => {
    task.lease?.worker.leases.delete(task)
    if (task.lease !== undefined) counts.running--
    if (task.stop !== undefined) counts.cancelling--
    task.lease = undefined
  }

  const finish = (task: ModelTask, state: FinalState, now: number, reason?: FailureReason, body = "") => {
    const { args, attempt, id, name } = task
    const outcome = { id, name, args, state, reason, attempt, body, at: now }
    release(task)
    tasks.delete(id)
    outcomes.set(id, outcome)
    counts[state]++
    for (const token of task.watchers) deliver(token, outcome)
    events.push(describeFinished(outcome))
  }

  const requeue = (task: ModelTask, cause: RequeueCause, now: number) => {
    if (task.stop !== undefined) return finish(task, task.stop, now)
    release(task)
    insert(task)
    events.push(`requeued ${task.id}: ${cause}`)
  }

  const handBack = (task: ModelTask, now: number) => {
    if (task.stop === undefined) task.attempt--
    requeue(task, "handed back", now)
  }

  const crashBody = ({ crashes }: ModelTask, last: string | undefined) =>
    JSON.stringify(last === undefined ? { crashes } : { crashes, last })

  const crash = (task: ModelTask, cause: RequeueCause, now: number, body?: string) => {
    const isLast = task.crashes >= settings.maxCrashes || task.losses >= 3 * settings.maxCrashes
    if (isLast && task.stop === undefined) finish(task, "failed", now, "crash", crashBody(task, body))
    else requeue(task, cause, now)
  }

  const stop = (task: ModelTask, state: "cancelled" | "expired") => {
    if (task.stop !== undefined) return
    task.stop = state
    counts.cancelling++
    events.push(`cancelling ${task.id}: ${state}`)
    if (task.lease !== undefined) orders.push(`${task.lease.worker.session} ${task.id}`)
  }

  const cancelTask = (task: ModelTask, now: number) => {
    if (task.lease !== undefined) return stop(task, "cancelled")
    removeWaiting(task)
    finish(task, "cancelled", now)
  }

  const lose = (worker: ModelWorker, now: number) => {
    workers.delete(worker.session)
    orders = orders.filter((order) => !order.startsWith(`${worker.session} `))
    const began = ({ lease }: ModelTask) => (lease?.exchange ?? 0) <= worker.settled
    const [culprit] = [...worker.leases].filter((task) => isSuspect(task) && began(task))
      .toSorted((a, b) => (b.lease?.at ?? 0) - (a.lease?.at ?? 0))
    for (const task of worker.leases) {
      task.losses++
      if (began(task) && (culprit === undefined || culprit === task)) {
        task.crashes++
        counts.crashes++
      }
      crash(task, "worker lost", now)
    }
  }

  const unsettled = (worker: ModelWorker): number => {
    let count = 0
    for (const { lease } of worker.leases) if ((lease?.exchange ?? 0) > worker.settled) count++
    return count
  }

  const credit = (worker: ModelWorker): number =>
    worker.isOpen && !worker.isDraining && worker.lostSince === undefined && worker.lag < 1_000
      ? Math.min(worker.free - unsettled(worker), worker.slots + worker.waiting - worker.leases.size)
      : 0

  /** Who may get a task of this name now. */
  const candidates = (name: string): ReadonlyArray<ModelWorker> => {
    const able = [...workers.values()].filter(({ names }) => names.has(name))
    const isRemote = able.some(({ local }) => !local)
    return able.filter((worker) =>
      credit(worker) > 0 && (!worker.local || settings.local !== "when-alone" || !isRemote)
    )
  }

  const eligibleIn = (level: PriorityLevel): ModelTask | undefined =>
    laneOf(level).find(({ name }) => candidates(name).length > 0)

  /** Who may get a task on its last chance: those that run no other such task, or only ones that have run for 5 s. */
  const unsuspicious = (name: string, now: number) =>
    candidates(name).filter(({ leases }) =>
      ![...leases].some((task) => isSuspect(task) && now - (task.lease?.at ?? 0) < 5_000)
    )

  const next = (now: number): ModelTask | undefined => {
    if (isDraining) return undefined
    const suspect = suspects.find(({ name }) => unsuspicious(name, now).length > 0)
    if (suspect !== undefined) return suspect
    const heads = levels.map(eligibleIn)
    let best: PriorityLevel | undefined
    for (const level of levels) {
      if (heads[level] === undefined || (passed[level] as number) < maxPassed) continue
      if (best === undefined || (passed[level] as number) > (passed[best] as number)) best = level
    }
    return best === undefined ? heads.find((task) => task !== undefined) : heads[best]
  }

  const outboxFull = (token: string | undefined): boolean =>
    token !== undefined && (sessions.get(token)?.outbox.length ?? 0) >= settings.maxOutbox

  const watchFinished = (token: string, id: string, memory: Memory): string => {
    if (outboxFull(token)) return "OutboxFull"
    if (memory === "nothing") return "TaskNotFound"
    if (memory === "tombstone") return "ResultEvicted"
    deliver(token, outcomes.get(id) as ModelOutcome)
    return "ok"
  }

  /** When something happens to a task by itself. */
  const timeOf = ({ dueAt = Infinity, expiresAt, stop }: ModelTask): number =>
    stop === undefined ? Math.min(dueAt, expiresAt) : Infinity

  const firstDue = (): ModelTask | undefined => {
    let first: ModelTask | undefined
    for (const task of tasks.values()) {
      const at = timeOf(task)
      if (at !== Infinity && (first === undefined || at < timeOf(first))) first = task
    }
    return first
  }

  const model = {
    tasks,
    outcomes,
    workers,
    sessions,
    counts,
    waiting,
    suspects,
    delayed,
    credit,
    unsettled,
    candidates,
    size,
    bytes,

    takeOrders(): ReadonlyArray<string> {
      const taken = orders
      orders = []
      return taken
    },

    takeEvents(): ReadonlyArray<string> {
      const taken = events
      events = []
      return taken
    },

    /** A session is used, and begins with its first use; its numbers go on from `acked`. */
    open(token: string, acked: number, now: number) {
      const known = sessions.get(token)
      if (known === undefined) sessions.set(token, { token, outbox: [], acked, lastSeen: now })
      else known.lastSeen = now
    },

    submit(
      { args, dueAt, expiresAt, id, isOwnId, level, name, watcher }: ModelSubmission,
      memory: Memory,
      now: number
    ): string {
      const known = isOwnId ? tasks.get(id) : undefined
      if (known !== undefined) {
        if (known.name !== name || known.args !== args) return "IdConflict"
        if (watcher !== undefined) known.watchers.add(watcher)
        return "ok"
      }
      if (isOwnId && memory !== "nothing") {
        const outcome = outcomes.get(id)
        if (outcome?.name !== name || outcome.args !== args) return "IdConflict"
        return watcher === undefined ? "ok" : watchFinished(watcher, id, memory)
      }
      if (isDraining) return "ShuttingDown"
      if (args.length > settings.maxPayloadBytes) return "TooLarge"
      if (!types.has(name) && now - graceFrom >= settings.startGraceMillis) return "UnknownTask"
      if (size() >= settings.maxWaiting || bytes() + args.length > settings.maxWaitingBytes) return "QueueFull"
      if (outboxFull(watcher)) return "OutboxFull"
      const task: ModelTask = {
        id,
        name,
        args,
        level: level ?? toLevel(types.get(name)?.priority ?? "normal"),
        sequence: sequence++,
        watchers: new Set(watcher === undefined ? [] : [watcher]),
        expiresAt,
        dueAt: dueAt > now ? dueAt : undefined,
        stop: undefined,
        attempt: 0,
        crashes: 0,
        losses: 0,
        lease: undefined
      }
      tasks.set(id, task)
      outcomes.delete(id)
      counts.submitted++
      events.push(`accepted ${id}`)
      if (task.dueAt !== undefined) events.push(`delayed ${id}`)
      else {
        insert(task)
        events.push(`queued ${id}`)
      }
      return "ok"
    },

    watch(token: string, id: string, memory: Memory): string {
      if (outboxFull(token)) return "OutboxFull"
      const task = tasks.get(id)
      if (task === undefined) return watchFinished(token, id, memory)
      task.watchers.add(token)
      return "ok"
    },

    acknowledge(token: string, number: number) {
      const session = sessions.get(token)
      if (session === undefined) return
      const count = Math.min(number - session.acked, session.outbox.length)
      if (count <= 0) return
      session.outbox = session.outbox.slice(count)
      session.acked += count
    },

    cancel(id: string, memory: Memory, now: number): string {
      const task = tasks.get(id)
      if (task === undefined) return memory === "nothing" ? "TaskNotFound" : "TaskFinished"
      cancelTask(task, now)
      return task.lease === undefined ? "cancelled" : "cancelling"
    },

    prioritize(id: string, level: PriorityLevel, memory: Memory): string {
      const task = tasks.get(id)
      if (task === undefined) return memory === "nothing" ? "TaskNotFound" : "TaskFinished"
      const { dueAt, lease, level: from, stop } = task
      const state = lease === undefined
        ? (dueAt === undefined ? "queued" : "delayed")
        : stop === undefined
        ? "running"
        : "cancelling"
      if (from === level) return state
      const isInLane = state === "queued" && !isSuspect(task)
      if (isInLane) removeWaiting(task)
      task.level = level
      if (isInLane) {
        task.sequence = sequence++
        insert(task)
      }
      events.push(`prioritized ${id}: ${from} to ${level}`)
      return state
    },

    register(
      { held, local, session, slots, tasks: announced }: {
        readonly session: string
        readonly slots: number
        readonly local: boolean
        readonly tasks: ReadonlyArray<TaskType>
        readonly held: ReadonlyArray<HeldLease>
      },
      now: number
    ): { readonly abandon: ReadonlyArray<string>; readonly cancel: ReadonlyArray<string> } {
      const previous = workers.get(session)
      const worker: ModelWorker = {
        session,
        slots,
        names: new Set(announced.map(({ name }) => name)),
        local,
        leases: new Set(),
        exchange: previous?.exchange ?? 0,
        settled: previous?.exchange ?? 0,
        free: 0,
        waiting: 0,
        isDraining: false,
        isOpen: false,
        lostSince: undefined,
        lastSeen: now,
        lag: 0
      }
      if (previous !== undefined && previous.lag >= 1_000) events.push(`responsive ${session}`)
      const abandon: Array<string> = []
      const cancel: Array<string> = []
      for (const { attempt, id } of held) {
        const task = tasks.get(id)
        if (
          task === undefined || previous === undefined || task.lease?.worker !== previous || task.attempt !== attempt
        ) {
          abandon.push(id)
        } else {
          previous.leases.delete(task)
          worker.leases.add(task)
          task.lease = { worker, exchange: 0, at: task.lease.at }
          if (task.stop !== undefined) cancel.push(id)
        }
      }
      for (const task of previous?.leases ?? []) requeue(task, "handed back", now)
      // The registration says what is to be stopped of what is still held.
      orders = orders.filter((order) => !order.startsWith(`${session} `))
      // At the end: workers that are lost together are lost in the order of their registrations.
      workers.delete(session)
      workers.set(session, worker)
      for (const type of announced) {
        types.delete(type.name)
        types.set(type.name, type)
      }
      return { abandon, cancel }
    },

    report(session: string, { attempt, id, reason, retryIn, state }: Report, body: string, now: number): boolean {
      const task = tasks.get(id)
      const worker = workers.get(session)
      if (task === undefined || worker === undefined || task.lease?.worker !== worker || task.attempt !== attempt) {
        counts.lateReports++
        return false
      }
      if (state === "returned") handBack(task, now)
      else if (state === "stopped") requeue(task, "handed back", now)
      else if (state === "crashed") {
        task.crashes++
        counts.crashes++
        crash(task, "crashed", now, body)
      } else if (state === "succeeded") finish(task, state, now, undefined, body)
      else if (retryIn === undefined || now + retryIn >= task.expiresAt) {
        finish(task, "failed", now, reason ?? "defect", body)
      } else if (task.stop !== undefined) finish(task, task.stop, now)
      else {
        release(task)
        task.dueAt = now + retryIn
        counts.retries++
        events.push(`retrying ${id}: ${reason ?? "defect"}`)
      }
      return true
    },

    seen(session: string, now: number) {
      const worker = workers.get(session)
      if (worker === undefined) return
      worker.lastSeen = now
      worker.lostSince = undefined
      if (worker.lag >= 1_000) events.push(`responsive ${session}`)
      worker.lag = 0
    },

    beat(session: string, lag: number, now: number) {
      const worker = workers.get(session)
      if (worker === undefined) return
      if (lag >= 1_000) {
        if (worker.lag < 1_000) events.push(`unresponsive ${session}`)
        worker.lastSeen = now
        worker.lostSince = undefined
      } else if (worker.lag >= 1_000) events.push(`responsive ${session}`)
      worker.lag = lag
    },

    news(session: string, news: WorkerNews, now: number): ReadonlyArray<string> {
      const worker = workers.get(session) as ModelWorker
      model.seen(session, now)
      for (const task of worker.leases) if (news.abandoned.includes(task.lease?.exchange ?? 0)) handBack(task, now)
      const settled = Math.min(news.settled, news.seq - 1)
      worker.settled = Math.max(worker.settled, settled)
      const abandon: Array<string> = []
      if (news.held !== undefined) {
        const leased = new Set([...worker.leases].map(({ id }) => id))
        for (const { id } of news.held) if (!leased.has(id) && !abandon.includes(id)) abandon.push(id)
        for (const task of worker.leases) {
          // Of an id that is named twice, the last counts.
          const held = news.held.findLast(({ id }) => id === task.id)?.attempt === task.attempt
          if (!held && (task.lease?.exchange ?? 0) <= settled) handBack(task, now)
          else if (held && task.stop !== undefined) orders.push(`${session} ${task.id}`)
        }
      }
      if (news.seq > worker.exchange) {
        worker.exchange = news.seq
        worker.free = Math.min(news.free, worker.slots)
        worker.waiting = Math.min(news.waiting, worker.leases.size)
        worker.isDraining = news.draining
      }
      return abandon
    },

    setOpen(session: string, isOpen: boolean) {
      const worker = workers.get(session)
      if (worker !== undefined) worker.isOpen = isOpen
    },

    /** The core made a lease: it must be the next one, for one of the least loaded. */
    started(id: string, session: string, attempt: number, now: number) {
      const task = next(now)
      if (task?.id !== id) throw new Error(`dispatched ${id}, but next is ${task?.id ?? "nothing"}`)
      const isLast = isSuspect(task)
      const able = isLast ? unsuspicious(task.name, now) : candidates(task.name)
      const worker = able.find((candidate) => candidate.session === session)
      if (worker === undefined) throw new Error(`dispatched ${id} to ${session}, which may not get it`)
      const share = (of: ModelWorker) => of.leases.size * 1e6 / of.slots
      const least = Math.min(...able.map(share))
      if (share(worker) > least + 1e-6) throw new Error(`dispatched ${id} to ${session}, which is not least loaded`)
      removeWaiting(task)
      for (const level of isLast ? [] : levels) {
        passed[level] = laneOf(level).length > 0
          ? (passed[level] as number) + 1
          : 0
      }
      if (!isLast) passed[task.level] = 0
      task.attempt++
      if (task.attempt !== attempt) throw new Error(`${id} has attempt ${attempt}, not ${task.attempt}`)
      task.lease = { worker, exchange: worker.exchange, at: now }
      worker.leases.add(task)
      counts.running++
    },

    /** Nothing that could be leased may be left over. */
    dispatched(now: number) {
      const left = next(now)
      if (left !== undefined) throw new Error(`${left.id} (${left.name}) was left waiting beside a free slot`)
    },

    disconnected(session: string, now: number) {
      const worker = workers.get(session)
      if (worker !== undefined) worker.lostSince ??= now
    },

    leave(session: string, now: number) {
      const worker = workers.get(session) as ModelWorker
      for (const task of worker.leases) requeue(task, "handed back", now)
      orders = orders.filter((order) => !order.startsWith(`${session} `))
      workers.delete(session)
    },

    /** Returns the sessions of the workers that are lost now. */
    expire(now: number): ReadonlyArray<string> {
      const late = expiredAt === undefined ? 0 : now - expiredAt - 100
      expiredAt = now
      if (late > 1_000) {
        const forgiven = (time: number) => Math.min(time + late, now)
        for (const worker of workers.values()) {
          worker.lastSeen = forgiven(worker.lastSeen)
          if (worker.lostSince !== undefined) worker.lostSince = forgiven(worker.lostSince)
        }
        for (const session of sessions.values()) session.lastSeen = forgiven(session.lastSeen)
        graceFrom = forgiven(graceFrom)
        events.push(`stood ${late}`)
      }
      const overdue = [...workers.values()].filter(({ lastSeen, lostSince }) =>
        now - lastSeen >= settings.heartbeatTimeoutMillis ||
        (lostSince !== undefined && now - lostSince >= settings.reconnectGraceMillis)
      )
      for (const worker of overdue) lose(worker, now)
      for (const session of sessions.values()) {
        if (now - session.lastSeen >= settings.sessionTimeoutMillis) sessions.delete(session.token)
      }
      if (!graceEnded && now - graceFrom >= settings.startGraceMillis) {
        graceEnded = true
        for (const task of tasks.values()) {
          if (task.lease !== undefined || types.has(task.name)) continue
          removeWaiting(task)
          finish(task, "failed", now, "unknown", JSON.stringify({ known: [...types.keys()].slice(0, 20) }))
        }
      }
      return overdue.map(({ session }) => session)
    },

    /** Tasks whose time has come are queued, or expire. */
    tick(now: number) {
      for (let task = firstDue(); task !== undefined && timeOf(task) <= now; task = firstDue()) {
        if (task.lease !== undefined) stop(task, "expired")
        else if (task.expiresAt <= now) {
          removeWaiting(task)
          finish(task, "expired", now)
        } else {
          task.dueAt = undefined
          task.sequence = sequence++
          insert(task)
          events.push(`queued ${task.id}`)
        }
      }
    },

    /** When {@link tick} has something to do. */
    nextDue(): number | undefined {
      const task = firstDue()
      return task === undefined ? undefined : timeOf(task)
    },

    drain() {
      isDraining = true
    },

    cancelWaiting(now: number): number {
      const left = [...tasks.values()].filter(({ lease }) => lease === undefined)
      for (const task of left) {
        removeWaiting(task)
        finish(task, "cancelled", now)
      }
      return left.length
    }
  }
  return model
}

export const describeFinished = (outcome: Omit<ModelOutcome, "args" | "at" | "name">): string =>
  `finished ${outcome.id}: ${outcome.state} ${outcome.reason ?? ""} ${outcome.attempt} ${outcome.body}`
