/**
 * The control plane under simulation: the real core with the real queue, registry, dispatcher and result cache, driven
 * the way the server drives it, beside the model. Every call goes to both; what comes back, what happened and what is
 * known afterwards must be the same.
 */
import * as Result from "effect/Result"
import { fromText, toText } from "../../src/domain/Body.ts"
import type { Outcome } from "../../src/domain/Outcome.ts"
import type { PriorityLevel } from "../../src/domain/Priority.ts"
import type { Settings } from "../../src/domain/Settings.ts"
import type { TaskRecord } from "../../src/domain/Task.ts"
import type { WorkerRecord } from "../../src/domain/WorkerInfo.ts"
import { credit } from "../../src/domain/WorkerInfo.ts"
import { makeCore } from "../../src/layers/ControlPlaneCore.ts"
import type { Registration } from "../../src/layers/CoreWorkers.ts"
import * as DispatcherLeastLoaded from "../../src/layers/DispatcherLeastLoaded.ts"
import * as ResultCacheLru from "../../src/layers/ResultCacheLru.ts"
import type { Session } from "../../src/layers/Sessions.ts"
import * as TaskQueuePriority from "../../src/layers/TaskQueuePriority.ts"
import * as WorkerRegistryMemory from "../../src/layers/WorkerRegistryMemory.ts"
import type { Dispatcher } from "../../src/services/Dispatcher.ts"
import { describeFinished, makeModel } from "./Model.ts"
import type { Memory, ModelSubmission, ModelTask, ModelWorker } from "./ModelRecords.ts"
import type { Answer, CollectReply, ExchangeMessage, ExchangeReply } from "./PlaneMessages.ts"

interface Link {
  worker: WorkerRecord
  peer: number | undefined
  beatPeer: number | undefined
  waiting: Answer<ExchangeReply> | undefined
  waitingSeq: number
  waitingSince: number
  readonly replies: Map<number, ExchangeReply>
  abandon: Array<string>
  cancel: Array<string>
  late: number
}

interface Collector {
  readonly answer: (reply: CollectReply) => void
  readonly session: Session
  readonly until: number
  readonly limit: number
}

export type Plane = ReturnType<typeof makePlane>

const stateOf = ({ isDraining, lostSince }: ModelWorker): WorkerRecord["state"] =>
  lostSince !== undefined ? "lost" : isDraining ? "draining" : "active"

const stateOfTask = ({ dueAt, lease, stop }: ModelTask): TaskRecord["state"] =>
  lease === undefined ? (dueAt === undefined ? "queued" : "delayed") : stop === undefined ? "running" : "cancelling"

export class Mismatch extends Error {}

const same = (what: string, actual: unknown, expected: unknown) => {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (a !== b) throw new Mismatch(`${what}: the core says ${a}, the model ${b}`)
}

export const makePlane = (
  { maxPassed, scheduleFlush, settings }: {
    readonly settings: Settings
    readonly maxPassed: number
    readonly scheduleFlush: () => void
  }
) => {
  const model = makeModel(settings, maxPassed, 0)
  const registry = WorkerRegistryMemory.makeUnsafe(settings)
  const queue = TaskQueuePriority.makeUnsafe({ ...settings, maxPassed })
  const results = ResultCacheLru.makeUnsafe(settings)
  const least = DispatcherLeastLoaded.makeUnsafe({ registry, local: settings.local })
  /**
   * The ids whose traces must not be lost, most recently touched last: as many as there are tombstones, without those
   * that outcomes which are still kept may take before them.
   */
  const touched = new Map<string, true>()
  const links = new Map<string, Link>()
  const peers = new Map<number, Set<Link>>()
  const collectors = new Map<string, Collector>()
  const numbers = new Map<string, number>()
  let events: Array<string> = []
  let isScheduled = false
  let nextId = ""
  let picks = 0

  const touch = (id: string) => {
    touched.delete(id)
    touched.set(id, true)
    if (touched.size <= settings.tombstones - settings.resultCacheSize) return
    for (const oldest of touched.keys()) {
      touched.delete(oldest)
      return
    }
  }

  // Every choice is compared with a search through all workers.
  const dispatcher: Dispatcher["Service"] = {
    ...least,
    pick(name, accepts) {
      picks++
      const picked = least.pick(name, accepts)
      let best: WorkerRecord | undefined
      for (const worker of registry.workers()) {
        if (!worker.names.has(name) || credit(worker) <= 0 || accepts?.(worker) === false) continue
        if (worker.local && settings.local === "when-alone" && registry.remoteHandlers(name) > 0) continue
        if (best === undefined || DispatcherLeastLoaded.isBefore(worker, best)) best = worker
      }
      const isBest = picked === undefined || best === undefined
        ? picked === best
        : !DispatcherLeastLoaded.isBefore(best, picked) && best.names.has(name) && credit(picked) > 0
      if (!isBest) throw new Mismatch(`picked ${picked?.session} for ${name}, the least loaded is ${best?.session}`)
      return picked
    }
  }

  const core = makeCore({
    queue,
    registry,
    dispatcher,
    results,
    settings,
    randomId: () => nextId,
    startedAt: 0,
    wall: () => 0,
    observer: {
      accepted: ({ id }) => events.push(`accepted ${id}`),
      delayed: ({ id }) => events.push(`delayed ${id}`),
      retrying: ({ id }, reason) => events.push(`retrying ${id}: ${reason}`),
      cancelling: ({ id }, stop) => events.push(`cancelling ${id}: ${stop}`),
      prioritized: ({ id, level }, from) => events.push(`prioritized ${id}: ${from} to ${level}`),
      progress: () => {},
      uniqueExpired: () => {},
      forgotten: () => {},
      retracted: () => {},
      told: () => {},
      schedule: () => {},
      paused: () => {},
      skipped: () => {},
      queued: ({ id }) => events.push(`queued ${id}`),
      started: (task, worker) => model.started(task.id, worker.session, task.attempt, task.leasedAt),
      requeued: ({ id }, cause) => events.push(`requeued ${id}: ${cause}`),
      unresponsive: ({ session }) => events.push(`unresponsive ${session}`),
      responsive: ({ session }) => events.push(`responsive ${session}`),
      stood: (millis) => events.push(`stood ${millis}`),
      finished: (outcome) => {
        events.push(describeFinished({ ...outcome, body: toText(outcome.body) }))
        touch(outcome.id)
      }
    }
  })

  /** What is remembered of an id now, and whether that is as much as was promised. */
  const remembered = (id: string, now: number): Memory => {
    const tombstone = results.recall(id)
    if (tombstone === undefined) {
      if (touched.has(id)) throw new Mismatch(`${id} finished a short while ago and is forgotten`)
      return "nothing"
    }
    touch(id)
    const known = model.outcomes.get(id)
    if (known?.state !== tombstone.state) throw new Mismatch(`${id} was ${known?.state} and is ${tombstone.state}`)
    if (now - known.at > settings.resultCacheTtlMillis) return "tombstone"
    for (const outcome of results.outcomes()) if (outcome.id === id) return "outcome"
    return "tombstone"
  }

  const count = () => {
    const { cancelled, expired, failed, running, submitted, succeeded } = core.counts
    same("counts", core.counts, model.counts)
    if (submitted !== core.waiting() + running + succeeded + failed + cancelled + expired) {
      throw new Mismatch(`counts are not conserved: ${JSON.stringify(core.counts)} and ${core.waiting()} waiting`)
    }
    same("waiting", [core.waiting(), core.waitingBytes()], [model.size(), model.bytes()])
    if (results.size() > settings.resultCacheSize) throw new Mismatch(`${results.size()} outcomes are kept`)
    if (results.bytes() > settings.resultCacheBytes) throw new Mismatch(`${results.bytes()} bytes are kept`)
    if (core.sessions.size() > settings.maxSessions) throw new Mismatch(`${core.sessions.size()} sessions`)
  }

  /** Compares what happened since the last time. */
  const settle = (what: string) => {
    const expected = model.takeEvents()
    const actual = events
    events = []
    if (actual.length > 0 || expected.length > 0) same(`events of ${what}`, actual.toSorted(), expected.toSorted())
    count()
  }

  const schedule = () => {
    if (isScheduled) return
    isScheduled = true
    scheduleFlush()
  }

  const opened = (token: string, now: number): Session | undefined => {
    const session = core.sessions.open(token, now)
    if (session === undefined) {
      same("a refused session", model.sessions.size, settings.maxSessions)
      return undefined
    }
    const isNew = !model.sessions.has(token)
    if (isNew && session.acked < (numbers.get(token) ?? 0)) throw new Mismatch(`numbers of ${token} come again`)
    model.open(token, session.acked, now)
    return session
  }

  const answerExchange = (link: Link, tasks: ReadonlyArray<TaskRecord>) => {
    const { abandon, cancel, waiting, waitingSeq: seq } = link
    if (waiting === undefined && tasks.length > 0) {
      throw new Mismatch(`leases for ${link.worker.session}, of which no exchange waits`)
    }
    if (seq !== link.worker.exchange && tasks.length > 0) {
      throw new Mismatch("leases go into an exchange that is not the newest")
    }
    const reply = { leases: tasks.map(({ attempt, id, name }) => ({ id, attempt, name })), abandon, cancel }
    link.waiting = undefined
    link.abandon = []
    link.cancel = []
    link.late = 0
    link.replies.set(seq, reply)
    core.setOpen(link.worker, false)
    model.setOpen(link.worker.session, false)
    waiting?.(reply)
  }

  const answerCollect = ({ answer, limit, session }: Collector) => {
    collectors.delete(session.token)
    const outcomes = session.outbox.slice(session.head, session.head + limit)
    const last = session.acked + outcomes.length
    const known = model.sessions.get(session.token)
    if (known !== undefined && core.sessions.open(session.token, known.lastSeen) === session) {
      same(`number of ${session.token}`, session.acked, known.acked)
      same(
        `outbox of ${session.token}`,
        session.outbox.slice(session.head).map(({ body, id }) => `${id} ${toText(body)}`),
        known.outbox.map(({ body, id }) => `${id} ${body}`)
      )
    }
    numbers.set(session.token, Math.max(last, numbers.get(session.token) ?? 0))
    answer({ last, outcomes: outcomes.map(({ body, id }) => ({ id, body: toText(body) })) })
  }

  const attach = (link: Link, role: "peer" | "beatPeer", peer: number) => {
    if (link[role] === peer) return
    detach(link, role)
    link[role] = peer
    const others = peers.get(peer) ?? new Set()
    peers.set(peer, others)
    others.add(link)
  }

  const detach = (link: Link, role: "peer" | "beatPeer") => {
    const peer = link[role]
    link[role] = undefined
    if (peer === undefined || peer === link.peer || peer === link.beatPeer) return
    const others = peers.get(peer)
    if (others?.delete(link) === true && others.size === 0) peers.delete(peer)
  }

  const dropLink = (session: string) => {
    const link = links.get(session)
    if (link === undefined) return
    links.delete(session)
    detach(link, "peer")
    detach(link, "beatPeer")
    link.waiting?.(undefined)
  }

  const awaitLeases = (link: Link, answer: Answer<ExchangeReply>, seq: number, now: number) => {
    link.waiting = answer
    if (link.waitingSeq !== seq) link.waitingSince = now
    link.waitingSeq = seq
    core.setOpen(link.worker, true)
    model.setOpen(link.worker.session, true)
  }

  const report = (link: Link, item: ExchangeMessage["reports"][number], now: number) => {
    const expected = model.report(link.worker.session, item.report, item.body, now)
    const counted = core.report(link.worker, item.report, fromText(item.body), now)
    same(`report ${JSON.stringify(item.report)} of ${link.worker.session}`, counted, expected)
    if (!counted) link.late++
  }

  const compareWorker = (known: ModelWorker) => {
    const worker = registry.bySession(known.session)
    if (worker === undefined) throw new Mismatch(`${known.session} is not registered`)
    const ids = (leases: Iterable<{ readonly id: string }>) => [...leases].map(({ id }) => id).toSorted()
    same(`leases of ${known.session}`, ids(worker.leases), ids(known.leases))
    same(
      `state of ${known.session}`,
      [worker.state, worker.lag, Math.max(0, credit(worker)), worker.unsettledLeases, worker.exchange, worker.settled],
      [
        stateOf(known),
        known.lag,
        Math.max(0, model.credit(known)),
        model.unsettled(known),
        known.exchange,
        known.settled
      ]
    )
    for (const { name } of worker.leases) {
      if (!worker.names.has(name)) throw new Mismatch(`${known.session} has a lease of ${name}, which it lacks`)
    }
    if (worker.leases.size === 0 && worker.expectedMillis !== 0) {
      throw new Mismatch("work is expected of an idle worker")
    }
  }

  const plane = {
    core,
    model,
    queue,
    results,
    settings,
    picks: () => picks,

    submit(submission: ModelSubmission, now: number): string {
      const { args, dueAt, expiresAt, id, isOwnId, level, name, watcher } = submission
      const session = watcher === undefined ? undefined : opened(watcher, now)
      if (watcher !== undefined && session === undefined) return "refused"
      const memory = isOwnId && !model.tasks.has(id) ? remembered(id, now) : "nothing"
      nextId = id
      const before = [core.waiting(), core.waitingBytes()]
      const expected = model.submit(submission, memory, now)
      const result = core.submit(
        { id: isOwnId ? id : undefined, name, level, args: fromText(args), watcher: session, dueAt, expiresAt },
        now
      )
      same(`submission of ${id}`, Result.isSuccess(result) ? "ok" : result.failure._tag, expected)
      if (Result.isSuccess(result)) same("id", result.success, id)
      else same(`queue after ${result.failure._tag}`, [core.waiting(), core.waitingBytes()], before)
      settle(`submission of ${id}`)
      schedule()
      return expected
    },

    watch(token: string, id: string, now: number): string {
      const session = opened(token, now)
      if (session === undefined) return "refused"
      const expected = model.watch(token, id, model.tasks.has(id) ? "nothing" : remembered(id, now))
      same(`watch of ${id}`, core.watch(session, id, now)?._tag ?? "ok", expected)
      settle(`watch of ${id}`)
      schedule()
      return expected
    },

    collect(
      token: string,
      ack: number,
      options: { readonly wait: number; readonly limit: number },
      now: number,
      answer: (reply: CollectReply) => void
    ) {
      const session = opened(token, now)
      if (session === undefined) return
      collectors.get(token)?.answer({ last: session.acked, outcomes: [] })
      core.sessions.acknowledge(session, ack)
      model.acknowledge(token, ack)
      const collector = { answer, session, until: now + options.wait, limit: options.limit }
      collectors.set(token, collector)
      if (core.sessions.pending(session) > 0 || options.wait === 0) answerCollect(collector)
      settle("collect")
    },

    cancel(id: string, now: number): string {
      const expected = model.cancel(id, model.tasks.has(id) ? "nothing" : remembered(id, now), now)
      const state = core.cancel(id, now)
      same(`cancel of ${id}`, Result.isSuccess(state) ? state.success : state.failure._tag, expected)
      settle(`cancel of ${id}`)
      schedule()
      return expected
    },

    prioritize(id: string, level: PriorityLevel, now: number): string {
      const expected = model.prioritize(id, level, model.tasks.has(id) ? "nothing" : remembered(id, now))
      const state = core.prioritize(id, level)
      same(`priority of ${id}`, Result.isSuccess(state) ? state.success : state.failure._tag, expected)
      same(`priority of ${id}`, core.task(id)?.level, model.tasks.get(id)?.level)
      settle(`priority of ${id}`)
      schedule()
      return expected
    },

    register(registration: Registration & { readonly seq: number | undefined }, peer: number, now: number) {
      const { seq, session } = registration
      const isOvertaken = seq !== undefined && seq < (model.workers.get(session)?.exchange ?? 0)
      if (seq !== undefined) same(`${session} was overtaken`, core.isOvertaken(session, seq), isOvertaken)
      if (isOvertaken) return { abandon: [], cancel: [] }
      const known = links.get(session)
      if (known?.waiting !== undefined) answerExchange(known, [])
      const expected = model.register(registration, now)
      const { abandon, cancel, worker } = core.register(registration, now)
      same(`the answer to the registration of ${session}`, { abandon, cancel }, expected)
      const link: Link = known ?? {
        worker,
        peer: undefined,
        beatPeer: undefined,
        waiting: undefined,
        waitingSeq: 0,
        waitingSince: now,
        replies: new Map(),
        abandon: [],
        cancel: [],
        late: 0
      }
      link.worker = worker
      link.cancel = []
      links.set(session, link)
      attach(link, "peer", peer)
      settle(`registration of ${session}`)
      schedule()
      return { abandon, cancel }
    },

    exchange(message: ExchangeMessage, peer: number, now: number, answer: Answer<ExchangeReply>) {
      const link = links.get(message.session)
      if (link === undefined) return answer(undefined)
      attach(link, "peer", peer)
      const { seq } = message
      const { worker } = link
      if (seq <= worker.settled) return answer({ leases: [], abandon: [], cancel: [] })
      const stored = link.replies.get(seq)
      if (stored !== undefined) return answer(stored)
      if (link.waitingSeq === seq) {
        core.seen(worker, now)
        model.seen(worker.session, now)
        awaitLeases(link, answer, seq, now)
        settle("the same exchange")
        return schedule()
      }
      for (const item of message.reports) report(link, item, now)
      const expected = model.news(worker.session, message, now)
      const abandon = core.news(worker, message, now)
      same(`abandoned by exchange ${seq} of ${worker.session}`, abandon, expected)
      for (const number of link.replies.keys()) if (number <= message.settled) link.replies.delete(number)
      schedule()
      if (seq < worker.exchange) {
        const reply = { leases: [], abandon, cancel: [] }
        link.replies.set(seq, reply)
        settle("an old exchange")
        return answer(reply)
      }
      if (link.waitingSeq > message.settled && !link.replies.has(link.waitingSeq)) answerExchange(link, [])
      link.abandon.push(...abandon)
      awaitLeases(link, answer, seq, now)
      if (link.abandon.length > 0 || link.cancel.length > 0 || link.late > 0) answerExchange(link, [])
      settle("an exchange")
    },

    beat(session: string, lag: number, peer: number, now: number) {
      const link = links.get(session)
      if (link === undefined) return
      attach(link, "beatPeer", peer)
      model.beat(session, lag, now)
      core.beat(link.worker, lag, now)
      settle(`beat of ${session}`)
      schedule()
    },

    leave(session: string, reports: ExchangeMessage["reports"], now: number, answer: Answer<{}>) {
      const link = links.get(session)
      if (link === undefined) return answer(undefined)
      for (const item of reports) report(link, item, now)
      model.leave(session, now)
      core.leave(link.worker, now)
      dropLink(session)
      settle(`leave of ${session}`)
      schedule()
      answer({})
    },

    closed(peer: number, now: number) {
      for (const link of peers.get(peer) ?? []) {
        if (link.beatPeer === peer) link.beatPeer = undefined
        if (link.peer === peer) {
          link.peer = undefined
          link.waiting = undefined
          core.setOpen(link.worker, false)
          model.setOpen(link.worker.session, false)
        }
        if (link.peer !== undefined) continue
        core.disconnected(link.worker, now)
        model.disconnected(link.worker.session, now)
      }
      peers.delete(peer)
    },

    flush(now: number) {
      isScheduled = false
      core.tick(now)
      model.tick(now)
      settle("a tick")
      const leases = core.dispatch(now)
      model.dispatched(now)
      for (const [worker, tasks] of leases) {
        const link = links.get(worker.session)
        if (link === undefined || link.worker !== worker) {
          throw new Mismatch(`leases for ${worker.session}, which is gone`)
        }
        answerExchange(link, tasks)
      }
      const orders = core.takeOrders()
      const ordered = [...orders].flatMap(([{ session }, ids]) => ids.map((id) => `${session} ${id}`))
      same("orders", ordered.toSorted(), model.takeOrders().toSorted())
      for (const [worker, ids] of orders) {
        const link = links.get(worker.session)
        if (link === undefined) continue
        link.cancel.push(...ids)
        if (link.waiting !== undefined) answerExchange(link, [])
      }
      for (const session of core.sessions.takeReady()) {
        const collector = collectors.get(session.token)
        if (collector !== undefined) answerCollect(collector)
      }
      settle("dispatch")
      same("the next due time", core.nextDue(), model.nextDue())
    },

    sweep(now: number) {
      const expected = model.expire(now)
      const lost = core.expire(now).map(({ session }) => session)
      same("lost workers", lost.toSorted(), expected.toSorted())
      for (const session of lost) dropLink(session)
      results.expire(now)
      for (const link of links.values()) {
        if (link.waiting !== undefined && now - link.waitingSince >= settings.heartbeatMillis) answerExchange(link, [])
      }
      for (const collector of collectors.values()) if (now >= collector.until) answerCollect(collector)
      settle("a sweep")
      schedule()
    },

    drain() {
      core.drain()
      model.drain()
    },

    cancelWaiting(now: number) {
      same("cancelled", core.cancelWaiting(now), model.cancelWaiting(now))
      settle("the end")
    },

    /** Compares everything that is known. */
    compare(now: number) {
      same("sizes", [0, 1, 2, 3].map((level) => queue.sizeOf(level as 0)), model.waiting.map(({ length }) => length))
      let alive = 0
      for (const task of core.tasks()) {
        alive++
        const known = model.tasks.get(task.id)
        if (known === undefined) throw new Mismatch(`${task.id} should not be alive`)
        same(
          `task ${task.id}`,
          [task.state, task.worker?.session, task.attempt, task.crashes, task.losses, [...task.watchers].toSorted()],
          [
            stateOfTask(known),
            known.lease?.worker.session,
            known.attempt,
            known.crashes,
            known.losses,
            [...known.watchers].toSorted()
          ]
        )
      }
      same("tasks without an outcome", alive, model.tasks.size)
      same("delayed", core.delayed(), model.delayed().length)
      same("names in the queue", queue.size() + model.suspects.length, model.size() - core.delayed())
      same("workers", registry.size(), model.workers.size)
      for (const worker of model.workers.values()) compareWorker(worker)
      for (const outcome of results.outcomes()) {
        const known = model.outcomes.get(outcome.id)
        same(
          `outcome of ${outcome.id}`,
          [outcome.name, outcome.state, outcome.reason, outcome.attempt, toText(outcome.body)],
          [known?.name, known?.state, known?.reason, known?.attempt, known?.body]
        )
      }
      same("sessions", core.sessions.size(), model.sessions.size)
      for (const { acked, lastSeen, outbox, token } of model.sessions.values()) {
        const session = core.sessions.open(token, lastSeen)
        if (session === undefined) throw new Mismatch(`session ${token} is gone`)
        const pending: ReadonlyArray<Outcome> = session.outbox.slice(session.head)
        same(`outbox of ${token}`, [session.acked, pending.map(({ id }) => id)], [acked, outbox.map(({ id }) => id)])
      }
      const [oldest] = touched.keys()
      if (oldest !== undefined && !model.tasks.has(oldest)) remembered(oldest, now)
    }
  }
  return plane
}
