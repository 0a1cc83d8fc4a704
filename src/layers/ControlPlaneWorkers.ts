/**
 * The wire side of workers: decodes their requests, drives the core with them, and answers. Of each worker one exchange
 * waits for leases; replies are kept until the worker has settled them, so that a resent exchange gets the same again.
 *
 * Owns the exchanges that wait and the replies that are kept. What a request does to tasks is the core's business.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Buffer } from "node:buffer"
import { groupsOf, itemsOf } from "../domain/Batch.ts"
import * as Body from "../domain/Body.ts"
import type { ReplyError } from "../domain/Errors.ts"
import { BadRequest, Unauthorized, UnknownSession } from "../domain/Errors.ts"
import type { Event } from "../domain/Event.ts"
import { IdMap } from "../domain/IdMap.ts"
import type { WorkerRequest } from "../domain/Message.ts"
import * as Message from "../domain/Message.ts"
import type { Settings as Values } from "../domain/Settings.ts"
import type { EndedAttempt, TaskRecord } from "../domain/Task.ts"
import type { WorkerRecord } from "../domain/WorkerInfo.ts"
import type { Incoming, Payload } from "../services/Transport.ts"
import type { WorkerRegistry } from "../services/WorkerRegistry.ts"
import { deepResult } from "./AttemptResults.ts"
import type { Core } from "./ControlPlaneCore.ts"
import type { HeldLease, Leases } from "./CoreWorkers.ts"
import { isBodyDeeper } from "./Depth.ts"
import * as Envelope from "./Envelope.ts"

/** Replies kept for a worker that does not settle them; an exchange that is resent later gets an empty reply. */
const maxStoredReplies = 256

/** Bytes of what a handler reports; more is ignored. The worker's executor refuses it before. */
const maxProgressBytes = 64 * 1024

/** The wire side of a worker. */
interface Link {
  worker: WorkerRecord
  /** The connection of its exchanges, which is that of the worker; and the one of its beats. */
  peer: number | undefined
  beatPeer: number | undefined
  waiting: Incoming | undefined
  waitingSeq: number
  waitingSince: number
  /** Replies that were sent and not settled, by the number of the exchange: a resent one gets the same again. */
  readonly replies: IdMap<{ readonly id: number; readonly payload: Payload }>
  abandon: Array<string>
  cancel: Array<string>
  late: Array<string>
  /** Whether it reads groups. */
  isGrouped: boolean
  /** Whether a reply has told it to leave: then it is told again with those that come anyway. */
  isTold: boolean
}

const v = Message.protocolVersion

/** The lists that have something in them. */
const unlessEmpty = (
  lists: { readonly [_ in "abandon" | "late"]: ReadonlyArray<string> } & { readonly cancel?: ReadonlyArray<string> }
) => ({
  ...(lists.abandon.length > 0 ? { abandon: lists.abandon } : {}),
  ...(lists.cancel !== undefined && lists.cancel.length > 0 ? { cancel: lists.cancel } : {}),
  ...(lists.late.length > 0 ? { late: lists.late } : {})
})

/** Whether a worker is told no more of a lease than its name and its size, which is so of most tasks. */
const isPlain = ({ detail, losses, options }: TaskRecord) =>
  losses === 0 && detail === undefined && options === undefined

const leaseGroups = (now: number) => ({
  isSame: (first: TaskRecord, task: TaskRecord) =>
    first.name === task.name && first.attempt === task.attempt && isPlain(first) && isPlain(task),
  sizeOf: ({ args }: TaskRecord) => args.length,
  commonOf: (first: TaskRecord) => leaseOf(first, now)
})

/** What the worker is told of a lease besides id and size. */
const leaseOf = (task: TaskRecord, now: number) => {
  const { attempt, detail, losses, name, options } = task
  const lease = { attempt, name }
  if (isPlain(task)) return lease
  return {
    ...lease,
    ...(losses === 0 ? {} : { losses }),
    ...(options?.version === undefined ? {} : { version: options.version }),
    ...(options?.trace === undefined ? {} : { trace: options.trace }),
    ...(detail === undefined ? {} : {
      ...(detail.expiresAt === Infinity ? {} : { expiresIn: Math.max(0, Math.round(detail.expiresAt - now)) }),
      ...(detail.failures === 0 ? {} : { failures: detail.failures }),
      ...(detail.history.length === 0 ? {} : { history: detail.history.map((ended) => earlier(ended, now)) }),
      ...(detail.progress === undefined ? {} : { checkpoint: detail.progress.length })
    })
  }
}

const earlier = ({ attempt, body, endedAt, reason, span, startedAt }: EndedAttempt, now: number) => ({
  attempt,
  reason,
  ago: Math.max(0, Math.round(now - endedAt)),
  took: Math.max(0, Math.round(endedAt - startedAt)),
  ...(body.length === 0 ? {} : { error: Body.toText(body) }),
  ...(span === undefined ? {} : { span })
})

const replyError = (request: Incoming, error: ReplyError) => request.reply(Envelope.encodeError(error))

/**
 * What the wire side of workers is made of.
 *
 * @category models
 * @since 0.1.0
 */
export interface Parts {
  readonly core: Core
  readonly registry: WorkerRegistry["Service"]
  readonly settings: Values
  readonly epoch: string
  /** Milliseconds of the monotonic clock. */
  readonly now: () => number
  readonly publish: (event: (at: number) => Event) => void
  readonly log: (message: Effect.Effect<void>) => void
  /** Asks for a dispatch at the end of this turn. */
  readonly schedule: () => void
}

/**
 * Creates the wire side of workers.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeWorkers = ({ core, epoch, log, now, publish, registry, schedule, settings }: Parts) => {
  const links = new Map<string, Link>()
  const peers = new Map<number, Set<Link>>()

  const onRequest = (isLocal: boolean) => (request: Incoming) => {
    if (request.role === "client" || request.role === "observer") {
      return replyError(request, new Unauthorized({ reason: `this key is that of a ${request.role}, not of a worker` }))
    }
    const envelope = Envelope.decode(request.body)
    if (Result.isFailure(envelope)) return replyError(request, envelope.failure)
    const decoded = Message.decodeWorkerRequest(envelope.success.header)
    if (Result.isFailure(decoded)) return replyError(request, decoded.failure)
    answer(request, decoded.success, envelope.success.body, isLocal)
  }

  const answer = (request: Incoming, message: WorkerRequest, body: Buffer, isLocal: boolean): void => {
    const time = now()
    if (message.op === "register") return register(request, message, isLocal, time)
    const link = links.get(message.session)
    if (link === undefined) return replyError(request, new UnknownSession())
    if (message.op === "beat") return beat(request, link, message.lag, time)
    attach(link, "peer", request.peer)
    if (message.op === "exchange") return exchange(request, link, message, body, time)
    const reports = message.reports ?? []
    const bodies = Envelope.bodies(body, reports)
    if (Result.isFailure(bodies)) return replyError(request, bodies.failure)
    for (let i = 0; i < reports.length; i++) {
      takeReport(link.worker, reports[i] as Message.Report, bodies.success[i] as Body.Body, time)
    }
    core.leave(link.worker, time)
    dropLink(link.worker)
    publish((at) => ({ type: "worker.left", at, worker: link.worker.id }))
    log(Effect.logDebug(`Worker ${link.worker.id} left`))
    request.reply(Envelope.encode({ v }))
    schedule()
  }

  const beat = (request: Incoming, link: Link, lag: number, time: number) => {
    attach(link, "beatPeer", request.peer)
    core.beat(link.worker, lag, time)
    request.reply(Envelope.encode({ v }))
    schedule()
  }

  const register = (
    request: Incoming,
    message: typeof Message.Register.Type,
    isLocal: boolean,
    time: number
  ) => {
    const { about, held, schedules = [], seq, session, slots, tasks, worker: id } = message
    if (registry.size() >= settings.maxWorkers && registry.bySession(session) === undefined) {
      return replyError(request, new BadRequest({ reason: `too many workers, the bound is ${settings.maxWorkers}` }))
    }
    if (seq !== undefined && core.isOvertaken(session, seq)) return acceptRegistration(request, [], [])
    const known = links.get(session)
    // An exchange that still waits belongs to the registration before: it is answered, without leases.
    if (known !== undefined && known.waiting !== undefined) answerExchange(known, [])
    const { abandon, cancel, isNew, worker } = core.register(
      { session, worker: id, slots, tasks, held: held ?? [], about: about ?? {}, local: isLocal },
      time
    )
    if (known === undefined) {
      const link: Link = {
        worker,
        peer: undefined,
        beatPeer: undefined,
        waiting: undefined,
        waitingSeq: 0,
        waitingSince: time,
        replies: new IdMap(),
        abandon: [],
        cancel: [],
        late: [],
        isGrouped: false,
        isTold: false
      }
      links.set(session, link)
      attach(link, "peer", request.peer)
    } else {
      known.worker = worker
      known.cancel = []
      attach(known, "peer", request.peer)
    }
    if (isNew) {
      publish((at) => ({ type: "worker.joined", at, worker: id }))
      log(Effect.logDebug(`Worker ${id} joined`).pipe(Effect.when(Effect.succeed(!isLocal))))
    }
    for (const declaration of schedules) {
      const refused = core.setSchedule(declaration, time)
      if (refused !== undefined) log(Effect.logWarning(`Schedule "${declaration.id}" was refused: ${refused.message}`))
    }
    acceptRegistration(request, abandon, cancel)
    schedule()
  }

  const acceptRegistration = (
    request: Incoming,
    abandon: ReadonlyArray<string>,
    cancel: ReadonlyArray<string>
  ) =>
    request.reply(
      Envelope.encode({
        v,
        epoch,
        heartbeat: settings.heartbeatMillis,
        heartbeatTimeout: settings.heartbeatTimeoutMillis,
        abandon,
        ...(cancel.length > 0 ? { cancel } : {})
      })
    )

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
    if (stored !== undefined) return request.reply(stored.payload)
    // The newest exchange again, whose reply is still to come: the connection that carried it may be gone.
    if (link.waitingSeq === seq) {
      core.seen(link.worker, time)
      awaitLeases(link, request, seq, time)
      return schedule()
    }
    const items = itemsOf<Message.Report>(message.reports, message.groups)
    if (Result.isFailure(items)) return replyError(request, items.failure)
    const reports = items.success
    const progress = message.progress ?? []
    const bodies = Envelope.bodies(body, progress.length === 0 ? reports : [...reports, ...progress])
    if (Result.isFailure(bodies)) return replyError(request, bodies.failure)
    const { worker } = link
    // Before the reports: what a handler said last may be what its next attempt begins with.
    for (let i = 0; i < progress.length; i++) {
      const value = bodies.success[reports.length + i] as Body.Body
      if (value.length <= maxProgressBytes) core.progress(worker, progress[i] as HeldLease, value)
    }
    const late: Array<string> = []
    for (let i = 0; i < reports.length; i++) {
      const counted = takeReport(worker, reports[i] as Message.Report, bodies.success[i] as Body.Body, time)
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
        waiting: message.waiting ?? 0,
        draining: message.draining ?? false,
        load: message.load,
        held: message.held
      },
      time
    )
    for (const { id } of link.replies) if (id <= settled) link.replies.delete(id)
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
    link.isGrouped = message.grouped === true
    awaitLeases(link, request, seq, time)
    const isNews = link.abandon.length > 0 || link.cancel.length > 0 || link.late.length > 0
    if (isNews || (worker.isToLeave && !link.isTold)) answerExchange(link, [])
  }

  const answerExchange = (link: Link, tasks: ReadonlyArray<TaskRecord>) => {
    const { abandon, cancel, late, waiting, waitingSeq: seq } = link
    const bodies: Array<Body.Body> = []
    const time = now()
    for (const task of tasks) {
      bodies.push(task.args)
      const checkpoint = task.detail?.progress
      if (checkpoint !== undefined) bodies.push(checkpoint)
    }
    const payload = Envelope.encode(
      {
        v,
        seq,
        ...(link.isGrouped && tasks.length > 0
          ? { groups: groupsOf(tasks, leaseGroups(time)) }
          : { leases: tasks.map((task) => ({ id: task.id, ...leaseOf(task, time), size: task.args.length })) }),
        ...unlessEmpty({ abandon, cancel, late }),
        ...(link.worker.isToLeave ? { drain: true } : {})
      },
      bodies
    )
    link.waiting = undefined
    link.isTold = link.worker.isToLeave
    link.abandon = []
    link.cancel = []
    link.late = []
    storeReply(link, seq, payload)
    core.setOpen(link.worker, false)
    // Without a connection to answer on, the stored reply is what the resent exchange gets.
    waiting?.reply(payload)
  }

  const awaitLeases = (link: Link, request: Incoming, seq: number, time: number) => {
    link.waiting = request
    // The same again waits no longer for that: its worker may have something to report, and one socket.
    if (link.waitingSeq !== seq) link.waitingSince = time
    link.waitingSeq = seq
    core.setOpen(link.worker, true)
  }

  const storeReply = (link: Link, seq: number, payload: Payload) => {
    link.replies.set({ id: seq, payload })
    if (link.replies.size > maxStoredReplies) link.replies.shift()
  }

  const takeReport = (worker: WorkerRecord, report: Message.Report, body: Body.Body, time: number): boolean => {
    const { maxPayloadDepth } = settings
    if (isBodyDeeper(body, maxPayloadDepth)) {
      const { body } = deepResult(maxPayloadDepth)
      return core.report(worker, { ...report, state: "failed", reason: "defect" }, Body.fromText(body), time)
    }
    if (body.length <= settings.maxPayloadBytes) return core.report(worker, report, body, time)
    const text = JSON.stringify({ size: body.length, limit: settings.maxPayloadBytes })
    return core.report(worker, { ...report, state: "failed", reason: "size" }, Body.fromText(text), time)
  }

  const attach = (link: Link, role: "peer" | "beatPeer", peer: number) => {
    if (link[role] === peer) return
    detach(link, role)
    link[role] = peer
    const others = peers.get(peer)
    if (others === undefined) peers.set(peer, new Set([link]))
    else others.add(link)
  }

  const detach = (link: Link, role: "peer" | "beatPeer") => {
    const peer = link[role]
    link[role] = undefined
    if (peer === undefined || peer === link.peer || peer === link.beatPeer) return
    const others = peers.get(peer)
    if (others?.delete(link) === true && others.size === 0) peers.delete(peer)
  }

  const dropLink = (worker: WorkerRecord) => {
    const link = links.get(worker.session)
    if (link === undefined) return
    links.delete(worker.session)
    detach(link, "peer")
    detach(link, "beatPeer")
    if (link.waiting !== undefined) replyError(link.waiting, new UnknownSession())
  }

  const onClose = (peer: number) => {
    for (const link of peers.get(peer) ?? []) {
      if (link.beatPeer === peer) link.beatPeer = undefined
      if (link.peer === peer) {
        link.peer = undefined
        link.waiting = undefined
        core.setOpen(link.worker, false)
      }
      // Beats of a worker that has ended may be read after its exchange is gone: when they end it is gone for good.
      if (link.peer === undefined) core.disconnected(link.worker, now())
    }
    peers.delete(peer)
  }

  /** Answers the exchange that waits of each worker that got leases. */
  const answerLeases = (leases: Leases) => {
    for (const [worker, tasks] of leases) {
      const link = links.get(worker.session)
      if (link !== undefined) answerExchange(link, tasks)
    }
  }

  /** Answers the exchange that waits of each worker that has to stop something, or to leave. */
  const answerOrders = (orders: ReadonlyMap<WorkerRecord, ReadonlyArray<string>>) => {
    for (const [worker, ids] of orders) {
      const link = links.get(worker.session)
      if (link === undefined) continue
      link.cancel.push(...ids)
      if (link.waiting !== undefined) answerExchange(link, [])
    }
  }

  /** Ends the exchange of a worker that the core has given up. */
  const lost = (worker: WorkerRecord) => {
    dropLink(worker)
    publish((at) => ({ type: "worker.lost", at, worker: worker.id }))
    log(Effect.logWarning(`Worker ${worker.id} is lost: what it ran is queued again`))
  }

  /** Answers exchanges that have waited for a heartbeat. */
  const sweep = (time: number) => {
    for (const link of links.values()) {
      if (link.waiting !== undefined && time - link.waitingSince >= settings.heartbeatMillis) answerExchange(link, [])
    }
  }

  return { onRequest, onClose, answerLeases, answerOrders, lost, sweep }
}
