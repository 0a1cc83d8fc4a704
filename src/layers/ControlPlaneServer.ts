/**
 * Serves the protocol: decodes the requests of clients and workers, drives the core with them, and answers. Messages are
 * applied as they come; leases and outcomes are matched and answered once per turn of the event loop, so that what
 * gathers in one turn travels in one message.
 *
 * Owns the requests that wait for an answer. Nothing survives a crash of the process.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import type { Buffer } from "node:buffer"
import type { AddressError, ReplyError } from "../domain/Errors.ts"
import { BadRequest, TaskNotFound, UnknownSession } from "../domain/Errors.ts"
import type { Event } from "../domain/Event.ts"
import type { ClientRequest, OutcomeHeader, WorkerRequest } from "../domain/Message.ts"
import * as Message from "../domain/Message.ts"
import type { Outcome } from "../domain/Outcome.ts"
import { toLevel } from "../domain/Priority.ts"
import type { TaskRecord } from "../domain/Task.ts"
import type { WorkerRecord } from "../domain/WorkerInfo.ts"
import { ControlPlane } from "../services/ControlPlane.ts"
import { Discovery } from "../services/Discovery.ts"
import { Dispatcher } from "../services/Dispatcher.ts"
import { EventBus } from "../services/EventBus.ts"
import { ResultCache } from "../services/ResultCache.ts"
import { Settings } from "../services/Settings.ts"
import { TaskQueue } from "../services/TaskQueue.ts"
import type { Incoming, Payload } from "../services/Transport.ts"
import { Transport } from "../services/Transport.ts"
import { WorkerRegistry } from "../services/WorkerRegistry.ts"
import { makeCore } from "./ControlPlaneCore.ts"
import { makeViews } from "./ControlPlaneViews.ts"
import * as Envelope from "./Envelope.ts"
import { makeRandomId } from "./RandomId.ts"
import type { Session } from "./Sessions.ts"

/**
 * Largest message in bytes: a batch of many small tasks, or one task of the largest payload, with room for the header.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxMessageBytes = (maxPayloadBytes: number): number => 2 * maxPayloadBytes + 16 * 1024 * 1024

/** How often what is due is looked for: answers to long polls, silent workers, sessions and outcomes past their time. */
const sweepMillis = 100

/** How long the answer to a submission may wait for an outcome to travel with. */
const heldMillis = 1

/** How often outcomes past their age are dropped, which looks at all that are kept. */
const resultsExpireMillis = 10_000

/** Bytes of outcomes after which a reply to `collect` is full. */
const maxCollectBytes = 4 * 1024 * 1024

/** Replies kept for a worker that does not settle them; an exchange that is resent later gets an empty reply. */
const maxStoredReplies = 256

/** The wire side of a worker. */
interface Link {
  worker: WorkerRecord
  peer: number
  waiting: Incoming | undefined
  waitingSeq: number
  waitingSince: number
  /** Replies that were sent and not settled: a resent exchange gets the same again. */
  readonly replies: Map<number, Payload>
  abandon: Array<string>
  late: Array<string>
}

interface Collector {
  readonly request: Incoming
  readonly session: Session
  readonly until: number
}

interface ResultWaiter {
  readonly request: Incoming
  readonly until: number
}

const v = Message.protocolVersion

const outcomeHeader = (outcome: Outcome): OutcomeHeader => ({
  id: outcome.id as OutcomeHeader["id"],
  name: outcome.name,
  state: outcome.state,
  ...(outcome.reason === undefined ? {} : { reason: outcome.reason }),
  attempt: outcome.attempt,
  size: outcome.body.length
})

/** The lists that have something in them. */
const unlessEmpty = (lists: { readonly abandon: ReadonlyArray<string>; readonly late: ReadonlyArray<string> }) => ({
  ...(lists.abandon.length > 0 ? { abandon: lists.abandon } : {}),
  ...(lists.late.length > 0 ? { late: lists.late } : {})
})

const replyError = (request: Incoming, error: ReplyError) =>
  request.reply(Envelope.encode({ v, error: Message.errorToWire(error) }))

/**
 * Creates the control plane, listening and announced.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.gen(function*() {
  const settings = yield* Settings
  const transport = yield* Transport
  const discovery = yield* Discovery
  const bus = yield* EventBus
  const queue = yield* TaskQueue
  const registry = yield* WorkerRegistry
  const dispatcher = yield* Dispatcher
  const results = yield* ResultCache
  const clock = yield* Clock.Clock
  const runFork = Effect.runForkWith(yield* Effect.context())

  const now = () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
  const startedAt = now()
  // The core counts in monotonic milliseconds, people in wall time: one offset for the life of the process.
  const wallOffset = clock.currentTimeMillisUnsafe() - startedAt
  const wall = (millis: number) => Math.round(millis + wallOffset)
  const randomId = makeRandomId()
  const epoch = randomId()

  const links = new Map<string, Link>()
  const peers = new Map<number, Set<Link>>()
  const collectors = new Map<string, Collector>()
  const resultWaiters = new Map<string, Array<ResultWaiter>>()
  const idle = yield* Latch.make(false)
  let flushScheduled = false
  let resultsExpiredAt = startedAt
  let heldReplies: Array<{ readonly request: Incoming; readonly payload: Payload }> = []
  let heldTimer: NodeJS.Timeout | undefined

  /** Without followers an event is not even made: this is called several times for every task. */
  const publish = (event: (at: number) => Event) => {
    if (bus.isFollowed()) bus.publish(event(wall(now())))
  }

  const core = makeCore({
    queue,
    registry,
    dispatcher,
    results,
    settings,
    startedAt,
    randomId,
    observer: {
      queued: ({ id, name }) => publish((at) => ({ type: "task.queued", at, id, name })),
      started: ({ attempt, id, name }, worker) =>
        publish((at) => ({ type: "task.started", at, id, name, worker: worker.id, attempt })),
      requeued: ({ id, name }, cause) => publish((at) => ({ type: "task.requeued", at, id, name, cause })),
      finished: (outcome) => {
        const { id, name, reason, state } = outcome
        publish((at) => ({ type: "task.finished", at, id, name, state, reason }))
        if (resultWaiters.size > 0) answerResultWaiters(outcome)
        if (core.isDraining() && core.counts.running === 0) idle.openUnsafe()
      }
    }
  })

  const { list, stats, statusOf, taskTypes, workers } = makeViews({
    core,
    results,
    namespace: settings.namespace,
    epoch,
    startedAt,
    now,
    wall
  })

  // --- What is answered at the end of a turn ---

  const schedule = () => {
    if (flushScheduled) return
    flushScheduled = true
    // After the poll phase: everything that was readable in this turn has been applied by then.
    setImmediate(flush)
  }

  const flush = () => {
    flushScheduled = false
    const leases = core.dispatch(now())
    for (const [worker, tasks] of leases) {
      const link = links.get(worker.session)
      if (link !== undefined) answerExchange(link, tasks)
    }
    for (const session of core.sessions.takeReady()) {
      const collector = collectors.get(session.token)
      if (collector === undefined) continue
      answerCollect(collector)
      if (heldReplies.length > 0) sendHeldReplies()
    }
  }

  /** Sends the answers to submissions that waited to travel with outcomes. */
  const sendHeldReplies = () => {
    const replies = heldReplies
    heldReplies = []
    clearTimeout(heldTimer)
    heldTimer = undefined
    for (const { payload, request } of replies) request.reply(payload)
  }

  const answerExchange = (link: Link, tasks: ReadonlyArray<TaskRecord>) => {
    const { abandon, late, waiting, waitingSeq: seq } = link
    const payload = Envelope.encode(
      {
        v,
        seq,
        leases: tasks.map(({ args, attempt, id, losses, name }) => {
          const lease = { id, attempt, name, size: args.length }
          return losses === 0 ? lease : { ...lease, losses }
        }),
        ...unlessEmpty({ abandon, late })
      },
      tasks.map(({ args }) => args)
    )
    link.waiting = undefined
    link.abandon = []
    link.late = []
    storeReply(link, seq, payload)
    core.setOpen(link.worker, false)
    // Without a connection to answer on, the stored reply is what the resent exchange gets.
    waiting?.reply(payload)
  }

  const answerCollect = (collector: Collector) => {
    const { request, session } = collector
    collectors.delete(session.token)
    const headers: Array<OutcomeHeader> = []
    const bodies: Array<Uint8Array> = []
    let bytes = 0
    for (let i = session.head; i < session.outbox.length && headers.length < Message.maxBatch; i++) {
      const outcome = session.outbox[i] as Outcome
      bytes += outcome.body.length
      if (bytes > maxCollectBytes && headers.length > 0) break
      headers.push(outcomeHeader(outcome))
      if (outcome.body.length > 0) bodies.push(outcome.body)
    }
    request.reply(Envelope.encode({ v, epoch, last: session.acked + headers.length, outcomes: headers }, bodies))
  }

  const replyOutcome = (request: Incoming, outcome: Outcome) =>
    request.reply(Envelope.encode({ v, state: outcome.state, outcome: outcomeHeader(outcome) }, [outcome.body]))

  const answerResultWaiters = (outcome: Outcome) => {
    const waiters = resultWaiters.get(outcome.id)
    if (waiters === undefined) return
    resultWaiters.delete(outcome.id)
    for (const { request } of waiters) replyOutcome(request, outcome)
  }

  const sweep = () => {
    const time = now()
    for (const worker of core.expire(time)) {
      dropLink(worker)
      publish((at) => ({ type: "worker.lost", at, worker: worker.id }))
      runFork(Effect.logWarning(`Worker ${worker.id} is lost: what it ran runs elsewhere`))
    }
    if (time - resultsExpiredAt >= resultsExpireMillis) {
      resultsExpiredAt = time
      results.expire(time)
    }
    for (const link of links.values()) {
      if (link.waiting !== undefined && time - link.waitingSince >= settings.heartbeatMillis) answerExchange(link, [])
    }
    for (const collector of collectors.values()) if (time >= collector.until) answerCollect(collector)
    for (const [id, waiters] of resultWaiters) {
      const due = waiters.filter(({ until }) => time >= until)
      if (due.length === 0) continue
      const rest = waiters.filter(({ until }) => time < until)
      if (rest.length === 0) resultWaiters.delete(id)
      else resultWaiters.set(id, rest)
      for (const { request } of due) {
        const task = core.task(id)
        if (task === undefined) replyError(request, new TaskNotFound({ id }))
        else request.reply(Envelope.encode({ v, state: task.state }))
      }
    }
    schedule()
  }

  // --- Clients ---

  const onClientRequest = (request: Incoming) => {
    const envelope = Envelope.decode(request.body)
    if (Result.isFailure(envelope)) return replyError(request, envelope.failure)
    const decoded = Message.decodeClientRequest(envelope.success.header)
    if (Result.isFailure(decoded)) return replyError(request, decoded.failure)
    answerClient(request, decoded.success, envelope.success.body)
  }

  const answerClient = (request: Incoming, message: ClientRequest, body: Buffer): void => {
    const time = now()
    switch (message.op) {
      case "submit":
        return submit(request, message, body, time)
      case "watch":
        return withSession(request, message.session, time, (session) => {
          const refused: Array<{ readonly index: number; readonly error: unknown }> = []
          for (let index = 0; index < message.ids.length; index++) {
            const error = core.watch(session, message.ids[index] as string, time)
            if (error !== undefined) refused.push({ index, error: Message.errorToWire(error) })
          }
          request.reply(Envelope.encode({ v, epoch, ...(refused.length > 0 ? { refused } : {}) }))
          schedule()
        })
      case "collect": {
        // A client collects what it has submitted or watches: its session is known, unless this is a new control plane.
        const isNew = !core.sessions.has(message.session)
        return withSession(request, message.session, time, (session) => {
          const superseded = collectors.get(session.token)
          if (superseded !== undefined) {
            superseded.request.reply(Envelope.encode({ v, epoch, last: session.acked, outcomes: [] }))
          }
          // An acknowledgement of another epoch counts outcomes of a control plane that is gone.
          const isOtherEpoch = message.epoch !== undefined && message.epoch !== epoch
          if (!isOtherEpoch) core.sessions.acknowledge(session, message.ack)
          const collector = { request, session, until: time + (message.wait ?? 0) }
          collectors.set(session.token, collector)
          if (core.sessions.pending(session) > 0 || collector.until <= time || isOtherEpoch || isNew) {
            answerCollect(collector)
          }
        })
      }
      case "result": {
        const outcome = results.get(message.id, time)
        if (outcome !== undefined) return replyOutcome(request, outcome)
        const task = core.task(message.id)
        if (task === undefined) {
          const error = core.whyNoOutcome(message.id)
          return replyError(request, error)
        }
        if ((message.wait ?? 0) === 0) return request.reply(Envelope.encode({ v, state: task.state }))
        const waiter = { request, until: time + (message.wait ?? 0) }
        resultWaiters.set(message.id, [...(resultWaiters.get(message.id) ?? []), waiter])
        return
      }
      case "status":
        return request.reply(
          Envelope.encode({ v, tasks: message.ids.map((id) => statusOf(id, time) ?? null) })
        )
      case "cancel": {
        const error = core.cancel(message.id, time)
        if (error !== undefined) return replyError(request, error)
        schedule()
        return request.reply(Envelope.encode({ v, state: "cancelled" }))
      }
      case "list":
        return request.reply(Envelope.encode({ v, ...list(message.state, message.limit ?? 100) }))
      case "workers":
        return request.reply(Envelope.encode({ v, workers: workers() }))
      case "tasks":
        return request.reply(Envelope.encode({ v, tasks: taskTypes() }))
      case "stats":
        return request.reply(Envelope.encode({ v, stats: stats() }))
    }
  }

  const withSession = (request: Incoming, token: string, time: number, use: (session: Session) => void) => {
    const session = core.sessions.open(token, time)
    if (session !== undefined) return use(session)
    replyError(request, new BadRequest({ reason: `too many sessions, the bound is ${settings.maxSessions}` }))
  }

  const submit = (request: Incoming, message: typeof Message.Submit.Type, body: Buffer, time: number) => {
    const { session: token, tasks } = message
    const bodies = Envelope.split(body, tasks)
    if (Result.isFailure(bodies)) return replyError(request, bodies.failure)
    const session = token === undefined ? undefined : core.sessions.open(token, time)
    if (token !== undefined && session === undefined) {
      return replyError(request, new BadRequest({ reason: `too many sessions, the bound is ${settings.maxSessions}` }))
    }
    const refused: Array<{ readonly index: number; readonly error: unknown }> = []
    const ids: Array<string | null> = []
    let madeIds = false
    for (let index = 0; index < tasks.length; index++) {
      const task = tasks[index] as (typeof tasks)[number]
      const args = bodies.success[index] as Buffer
      const accepted = core.submit(
        {
          id: task.id,
          name: task.name,
          level: task.priority === undefined ? undefined : toLevel(task.priority),
          args: Envelope.keep(args),
          watcher: task.watch === true ? session : undefined
        },
        time
      )
      if (task.id === undefined) madeIds = true
      if (Result.isSuccess(accepted)) ids.push(accepted.success)
      else {
        ids.push(task.id ?? null)
        refused.push({ index, error: Message.errorToWire(accepted.failure) })
      }
    }
    const payload = Envelope.encode({
      v,
      epoch,
      ...(madeIds ? { ids } : {}),
      ...(refused.length > 0 ? { refused } : {})
    })
    schedule()
    // Who watches all of it waits for outcomes: the answer that it was accepted travels with the first of them if that is
    // soon, which saves both sides a wake-up.
    if (refused.length > 0 || !tasks.every(({ watch }) => watch === true)) return request.reply(payload)
    heldReplies.push({ request, payload })
    heldTimer ??= setTimeout(sendHeldReplies, heldMillis)
  }

  // --- Workers ---

  const onWorkerRequest = (isLocal: boolean) => (request: Incoming) => {
    const envelope = Envelope.decode(request.body)
    if (Result.isFailure(envelope)) return replyError(request, envelope.failure)
    const decoded = Message.decodeWorkerRequest(envelope.success.header)
    if (Result.isFailure(decoded)) return replyError(request, decoded.failure)
    answerWorker(request, decoded.success, envelope.success.body, isLocal)
  }

  const answerWorker = (request: Incoming, message: WorkerRequest, body: Buffer, isLocal: boolean): void => {
    const time = now()
    if (message.op === "register") return register(request, message, isLocal, time)
    const link = links.get(message.session)
    if (link === undefined) return replyError(request, new UnknownSession())
    attach(link, request.peer)
    if (message.op === "exchange") return exchange(request, link, message, body, time)
    const reports = message.reports ?? []
    const bodies = Envelope.split(body, reports)
    if (Result.isFailure(bodies)) return replyError(request, bodies.failure)
    for (let i = 0; i < reports.length; i++) {
      takeReport(link.worker, reports[i] as Message.Report, bodies.success[i] as Buffer, time)
    }
    core.leave(link.worker)
    dropLink(link.worker)
    publish((at) => ({ type: "worker.left", at, worker: link.worker.id }))
    runFork(Effect.logDebug(`Worker ${link.worker.id} left`))
    request.reply(Envelope.encode({ v }))
    schedule()
  }

  const register = (
    request: Incoming,
    message: typeof Message.Register.Type,
    isLocal: boolean,
    time: number
  ) => {
    const { about, held, session, slots, tasks, worker: id } = message
    if (registry.size() >= settings.maxWorkers && registry.bySession(session) === undefined) {
      return replyError(request, new BadRequest({ reason: `too many workers, the bound is ${settings.maxWorkers}` }))
    }
    const known = links.get(session)
    // An exchange that still waits belongs to the registration before: it is answered, without leases.
    if (known !== undefined && known.waiting !== undefined) answerExchange(known, [])
    const { abandon, isNew, worker } = core.register(
      { session, worker: id, slots, tasks, held: held ?? [], about: about ?? {}, local: isLocal },
      time
    )
    if (known === undefined) {
      const link: Link = {
        worker,
        peer: -1,
        waiting: undefined,
        waitingSeq: 0,
        waitingSince: time,
        replies: new Map(),
        abandon: [],
        late: []
      }
      links.set(session, link)
      attach(link, request.peer)
    } else {
      known.worker = worker
      attach(known, request.peer)
    }
    if (isNew) {
      publish((at) => ({ type: "worker.joined", at, worker: id }))
      runFork(Effect.logDebug(`Worker ${id} joined`).pipe(Effect.when(Effect.succeed(!isLocal))))
    }
    request.reply(Envelope.encode({ v, epoch, heartbeat: settings.heartbeatMillis, abandon }))
    schedule()
  }

  const exchange = (
    request: Incoming,
    link: Link,
    message: typeof Message.Exchange.Type,
    body: Buffer,
    time: number
  ) => {
    const { seq } = message
    // A copy that was overtaken: the worker has its reply, or has given it up and reports again.
    if (seq <= link.worker.settled) return request.reply(Envelope.encode({ v, seq, leases: [] }))
    const stored = link.replies.get(seq)
    if (stored !== undefined) return request.reply(stored)
    // The newest exchange again, whose reply is still to come: the connection that carried it may be gone.
    if (link.waitingSeq === seq) {
      registry.seen(link.worker, time)
      awaitLeases(link, request, seq, time)
      return schedule()
    }
    const reports = message.reports ?? []
    const bodies = Envelope.split(body, reports)
    if (Result.isFailure(bodies)) return replyError(request, bodies.failure)
    const { worker } = link
    const late: Array<string> = []
    for (let i = 0; i < reports.length; i++) {
      const counted = takeReport(worker, reports[i] as Message.Report, bodies.success[i] as Buffer, time)
      if (!counted) late.push((reports[i] as Message.Report).id)
    }
    const settled = message.settled ?? seq - 1
    const abandon = core.news(
      worker,
      {
        seq,
        settled,
        abandoned: message.abandoned ?? [],
        free: message.free,
        draining: message.draining ?? false,
        held: message.held
      },
      time
    )
    for (const number of link.replies.keys()) if (number <= settled) link.replies.delete(number)
    schedule()
    if (seq < worker.exchange) {
      const payload = Envelope.encode({ v, seq, leases: [], ...unlessEmpty({ abandon, late }) })
      storeReply(link, seq, payload)
      return request.reply(payload)
    }
    // One exchange waits per worker: the one before is answered now, without leases.
    if (link.waitingSeq > settled && !link.replies.has(link.waitingSeq)) answerExchange(link, [])
    link.abandon.push(...abandon)
    link.late.push(...late)
    awaitLeases(link, request, seq, time)
    if (link.abandon.length > 0 || link.late.length > 0) answerExchange(link, [])
  }

  const awaitLeases = (link: Link, request: Incoming, seq: number, time: number) => {
    link.waiting = request
    link.waitingSeq = seq
    link.waitingSince = time
    core.setOpen(link.worker, true)
  }

  const storeReply = (link: Link, seq: number, payload: Payload) => {
    link.replies.set(seq, payload)
    if (link.replies.size <= maxStoredReplies) return
    for (const oldest of link.replies.keys()) {
      link.replies.delete(oldest)
      return
    }
  }

  const takeReport = (worker: WorkerRecord, report: Message.Report, body: Buffer, time: number): boolean => {
    if (body.length <= settings.maxPayloadBytes) return core.report(worker, report, Envelope.keep(body), time)
    const text = JSON.stringify({ size: body.length, limit: settings.maxPayloadBytes })
    return core.report(worker, { ...report, state: "failed", reason: "size" }, new TextEncoder().encode(text), time)
  }

  const attach = (link: Link, peer: number) => {
    if (link.peer === peer) return
    detach(link)
    link.peer = peer
    const others = peers.get(peer)
    if (others === undefined) peers.set(peer, new Set([link]))
    else others.add(link)
  }

  const detach = (link: Link) => {
    const others = peers.get(link.peer)
    if (others?.delete(link) === true && others.size === 0) peers.delete(link.peer)
  }

  const dropLink = (worker: WorkerRecord) => {
    const link = links.get(worker.session)
    if (link === undefined) return
    links.delete(worker.session)
    detach(link)
    if (link.waiting !== undefined) replyError(link.waiting, new UnknownSession())
  }

  const onWorkerClose = (peer: number) => {
    for (const link of peers.get(peer) ?? []) {
      link.waiting = undefined
      core.setOpen(link.worker, false)
      core.disconnected(link.worker, now())
    }
    peers.delete(peer)
  }

  // --- Life ---

  const onRefused = (role: string) => (remote: string, reason: string) => {
    runFork(Effect.logWarning(`A connection was refused: ${reason}`, { role, remote }))
  }
  const limits = { maxMessageBytes: maxMessageBytes(settings.maxPayloadBytes) }
  const ignoreClose = () => {}

  const clients = yield* transport.serve(settings.address, {
    ...limits,
    onRequest: onClientRequest,
    onClose: ignoreClose,
    onRefused: onRefused("client")
  })
  const remoteWorkers = yield* transport.serve(settings.workerAddress, {
    ...limits,
    onRequest: onWorkerRequest(false),
    onClose: onWorkerClose,
    onRefused: onRefused("worker")
  })
  const localWorkers = yield* transport.serve(`inproc://fastworker-${epoch}`, {
    ...limits,
    onRequest: onWorkerRequest(true),
    onClose: onWorkerClose,
    onRefused: onRefused("local worker")
  })
  const announced = yield* discovery.announce({
    v,
    namespace: settings.namespace,
    epoch: epoch,
    address: clients.address,
    workerAddress: remoteWorkers.address
  })
  yield* Effect.sync(sweep).pipe(Effect.repeat(Schedule.spaced(sweepMillis)), Effect.forkScoped)

  const drain = Effect.gen(function*() {
    core.drain()
    if (core.counts.running > 0) {
      yield* idle.await.pipe(Effect.timeoutOption(settings.drainTimeoutMillis))
    }
    const abandoned = core.counts.running
    const cancelled = core.cancelWaiting(now())
    flush()
    return { cancelled, abandoned }
  })

  return ControlPlane.of({
    address: clients.address,
    workerAddress: remoteWorkers.address,
    discovery: announced.address,
    localWorkerAddress: localWorkers.address,
    stats: Effect.sync(stats),
    status: (id) =>
      Effect.suspend(() => {
        const status = statusOf(id, now())
        return status === undefined ? Effect.fail(new TaskNotFound({ id })) : Effect.succeed(status)
      }),
    list: ({ limit, state }) => Effect.sync(() => list(state, limit)),
    workers: Effect.sync(workers),
    tasks: Effect.sync(taskTypes),
    cancel: (id) =>
      Effect.suspend(() => {
        const error = core.cancel(id, now())
        schedule()
        return error === undefined ? Effect.void : Effect.fail(error)
      }),
    drain
  })
})

/**
 * Layer that is the control plane of this process, made of the queue, registry, dispatcher, result cache and transport
 * that are provided.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<
  ControlPlane,
  AddressError,
  Transport | Discovery | EventBus | TaskQueue | WorkerRegistry | Dispatcher | ResultCache
> = Layer.effect(ControlPlane, make)
