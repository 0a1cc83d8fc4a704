/**
 * The wire side of clients: decodes their requests, drives the core with them, and answers. Outcomes travel in the replies
 * to `collect`; the answer to a submission waits a moment for the first of them.
 *
 * Owns the requests that wait for an outcome. What a request does to tasks is the core's business.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import type { Buffer } from "node:buffer"
import type { ReplyError } from "../domain/Errors.ts"
import { BadRequest, TaskNotFound } from "../domain/Errors.ts"
import type { ClientRequest, OutcomeHeader } from "../domain/Message.ts"
import * as Message from "../domain/Message.ts"
import type { Outcome } from "../domain/Outcome.ts"
import { toLevel } from "../domain/Priority.ts"
import type { Settings as Values } from "../domain/Settings.ts"
import type { ResultCache } from "../services/ResultCache.ts"
import type { Incoming, Payload } from "../services/Transport.ts"
import type { Core } from "./ControlPlaneCore.ts"
import type { Views } from "./ControlPlaneViews.ts"
import * as Envelope from "./Envelope.ts"
import type { Session } from "./Sessions.ts"

/** How long the answer to a submission may wait for an outcome to travel with. */
const heldMillis = 1

/** Bytes of outcomes after which a reply to `collect` is full. */
const maxCollectBytes = 4 * 1024 * 1024

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

const replyError = (request: Incoming, error: ReplyError) => request.reply(Envelope.encodeError(error))

/**
 * What the wire side of clients is made of.
 *
 * @category models
 * @since 0.1.0
 */
export interface Parts {
  readonly core: Core
  readonly results: ResultCache["Service"]
  readonly views: Views
  readonly settings: Values
  readonly epoch: string
  /** Milliseconds of the monotonic clock. */
  readonly now: () => number
  /** Asks for a dispatch at the end of this turn. */
  readonly schedule: () => void
}

/**
 * Creates the wire side of clients.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeClients = ({ core, epoch, now, results, schedule, settings, views }: Parts) => {
  const collectors = new Map<string, Collector>()
  const resultWaiters = new Map<string, Array<ResultWaiter>>()
  let heldReplies: Array<{ readonly request: Incoming; readonly payload: Payload }> = []
  let heldTimer: NodeJS.Timeout | undefined

  const onRequest = (request: Incoming) => {
    const envelope = Envelope.decode(request.body)
    if (Result.isFailure(envelope)) return replyError(request, envelope.failure)
    const decoded = Message.decodeClientRequest(envelope.success.header)
    if (Result.isFailure(decoded)) return replyError(request, decoded.failure)
    answer(request, decoded.success, envelope.success.body)
  }

  const answer = (request: Incoming, message: ClientRequest, body: Buffer): void => {
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
          Envelope.encode({ v, tasks: message.ids.map((id) => views.statusOf(id, time) ?? null) })
        )
      case "cancel": {
        const error = core.cancel(message.id, time)
        if (error !== undefined) return replyError(request, error)
        schedule()
        return request.reply(Envelope.encode({ v, state: "cancelled" }))
      }
      case "list":
        return request.reply(Envelope.encode({ v, ...views.list(message.state, message.limit ?? 100) }))
      case "workers":
        return request.reply(Envelope.encode({ v, workers: views.workers() }))
      case "tasks":
        return request.reply(Envelope.encode({ v, tasks: views.taskTypes() }))
      case "stats":
        return request.reply(Envelope.encode({ v, stats: views.stats() }))
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

  /** Sends the answers to submissions that waited to travel with outcomes. */
  const sendHeldReplies = () => {
    const replies = heldReplies
    heldReplies = []
    clearTimeout(heldTimer)
    heldTimer = undefined
    for (const { payload, request } of replies) request.reply(payload)
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

  /** Answers the collectors whose sessions got outcomes. */
  const answerCollectors = () => {
    for (const session of core.sessions.takeReady()) {
      const collector = collectors.get(session.token)
      if (collector === undefined) continue
      answerCollect(collector)
      if (heldReplies.length > 0) sendHeldReplies()
    }
  }

  const replyOutcome = (request: Incoming, outcome: Outcome) =>
    request.reply(Envelope.encode({ v, state: outcome.state, outcome: outcomeHeader(outcome) }, [outcome.body]))

  /** Answers those who wait for this outcome alone. */
  const finished = (outcome: Outcome) => {
    if (resultWaiters.size === 0) return
    const waiters = resultWaiters.get(outcome.id)
    if (waiters === undefined) return
    resultWaiters.delete(outcome.id)
    for (const { request } of waiters) replyOutcome(request, outcome)
  }

  /** Answers requests that have waited for as long as they asked to. */
  const sweep = (time: number) => {
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
  }

  return { onRequest, answerCollectors, finished, sweep }
}
