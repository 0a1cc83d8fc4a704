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
import { groupsOf, itemsOf, maxBatch } from "../domain/Batch.ts"
import type { Body } from "../domain/Body.ts"
import type { ReplyError } from "../domain/Errors.ts"
import { BadRequest, TaskNotFound, Unauthorized } from "../domain/Errors.ts"
import type { ClientRequest, OutcomeHeader } from "../domain/Message.ts"
import * as Message from "../domain/Message.ts"
import type { Outcome } from "../domain/Outcome.ts"
import { toLevel } from "../domain/Priority.ts"
import type { Settings as Values } from "../domain/Settings.ts"
import type { ResultCache } from "../services/ResultCache.ts"
import type { Incoming, Payload } from "../services/Transport.ts"
import type { Answer } from "./Answers.ts"
import type { Core } from "./ControlPlaneCore.ts"
import type { Followers } from "./ControlPlaneFollowers.ts"
import type { Journaling } from "./ControlPlaneJournal.ts"
import { makeOperations } from "./ControlPlaneOperations.ts"
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
  /** Whether it reads groups. */
  readonly isGrouped: boolean
  readonly until: number
}

interface ResultWaiter {
  readonly request: Incoming
  readonly until: number
  /** Wants the state only. */
  readonly isHeader: boolean
}

const v = Message.protocolVersion

const outcomeGroups = {
  isSame: (first: Outcome, { attempt, name, reason, state }: Outcome) =>
    first.name === name && first.state === state && first.attempt === attempt && first.reason === reason,
  sizeOf: ({ body }: Outcome) => body.length,
  commonOf: ({ attempt, name, reason, state }: Outcome) => ({
    name,
    state,
    attempt,
    ...(reason === undefined ? {} : { reason }),
    ...(state === "expired" ? { started: attempt > 0 } : {})
  })
}

const outcomeHeader = (outcome: Outcome): OutcomeHeader => ({
  id: outcome.id as OutcomeHeader["id"],
  ...outcomeGroups.commonOf(outcome),
  size: outcome.body.length
})

/** Whether a request changes nothing and tells of no outcome: its answer waits for nothing. */
const isRead = ({ op }: ClientRequest): boolean => reads.has(op)
const reads: ReadonlySet<string> = new Set([
  "status",
  "list",
  "workers",
  "tasks",
  "stats",
  "schedules",
  "events",
  "view",
  "submit"
])

/** What a connection may ask that only reads. */
const observing: ReadonlySet<string> = new Set([
  "watch",
  "collect",
  "result",
  "status",
  "list",
  "workers",
  "tasks",
  "stats",
  "schedules",
  "events"
])

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
  readonly followers: Followers
  /** `undefined`: nothing is stored. */
  readonly journaling: Journaling | undefined
  readonly settings: Values
  readonly epoch: string
  /** Milliseconds of the monotonic clock. */
  readonly now: () => number
  /** Milliseconds since 1970. */
  readonly wallNow: () => number
  /** Answers what is answered from the history, when that has looked through it. */
  readonly question: (
    message: typeof Message.ViewOf.Type | typeof Message.Change.Type,
    done: (answer: Result.Result<object, ReplyError>) => void
  ) => void
  /** Asks for a dispatch at the end of this turn. */
  readonly schedule: () => void
}

/**
 * Creates the wire side of clients.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeClients = (parts: Parts) => {
  const { core, epoch, followers, journaling, now, results, schedule, settings, views, wallNow } = parts
  const operations = makeOperations({ core, journaling, wallNow })
  const collectors = new Map<string, Collector>()
  const resultWaiters = new Map<string, Array<ResultWaiter>>()
  let heldReplies: Array<{ readonly request: Incoming; readonly payload: Payload }> = []
  let heldTimer: NodeJS.Timeout | undefined

  const onRequest = (request: Incoming) => {
    const envelope = Envelope.decode(request.body)
    if (Result.isFailure(envelope)) return replyError(request, envelope.failure)
    const decoded = Message.decodeClientRequest(envelope.success.header)
    if (Result.isFailure(decoded)) return replyError(request, decoded.failure)
    if (request.role === "observer" && !observing.has(decoded.success.op)) {
      return replyError(request, new Unauthorized({ reason: `an observer may not "${decoded.success.op}", it reads` }))
    }
    answer(isRead(decoded.success) ? request : durable(request), decoded.success, envelope.success.body)
  }

  /** What a reply tells is on disk before it leaves: nobody learns what a crash could take back. */
  const durable = (request: Incoming): Incoming =>
    journaling === undefined
      ? request
      : { ...request, reply: (payload) => journaling.whenCommitted(() => request.reply(payload)) }

  const answer = (request: Incoming, message: ClientRequest, body: Buffer): void => {
    const time = now()
    switch (message.op) {
      case "submit":
        return submit(request, message, body, time)
      case "watch":
        return withSession(request, message.session, time, (session) => {
          const refused: Array<{ readonly index: number; readonly error: unknown }> = []
          for (let index = 0; index < message.ids.length; index++) {
            const id = message.ids[index] as string
            const error = core.watch(session, id, time)
            if (error !== undefined) refused.push({ index, error: Message.errorToWire(error) })
            else if (message.progress === true) core.watchProgress(session, id)
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
          const collector = { request, session, until: time + (message.wait ?? 0), isGrouped: message.grouped === true }
          collectors.set(session.token, collector)
          if (
            core.sessions.pending(session) > 0 || session.progress.size > 0 || collector.until <= time ||
            isOtherEpoch || isNew
          ) {
            answerCollect(collector)
          }
        })
      }
      case "result": {
        const untold = core.untold(message.id)
        const outcome = untold === undefined ? results.get(message.id, time) : undefined
        if (outcome !== undefined) return replyOutcome(request, outcome)
        const task = core.task(message.id) ?? untold
        if (task === undefined) {
          const error = core.whyNoOutcome(message.id)
          return replyError(request, error)
        }
        if ((message.wait ?? 0) === 0) return request.reply(Envelope.encode({ v, state: task.state }))
        return awaitResult(message.id, { request, until: time + (message.wait ?? 0), isHeader: false })
      }
      case "status":
        return request.reply(
          Envelope.encode({ v, tasks: message.ids.map((id) => views.statusOf(id, time) ?? null) })
        )
      case "cancel": {
        const state = core.cancel(message.id, time)
        if (Result.isFailure(state)) return replyError(request, state.failure)
        schedule()
        if (state.success !== "cancelling" || (message.wait ?? 0) === 0) {
          return request.reply(Envelope.encode({ v, state: state.success }))
        }
        return awaitResult(message.id, { request, until: time + (message.wait ?? 0), isHeader: true })
      }
      case "prioritize": {
        const state = core.prioritize(message.id, toLevel(message.to))
        if (Result.isFailure(state)) return replyError(request, state.failure)
        schedule()
        return request.reply(Envelope.encode({ v, state: state.success }))
      }
      case "prioritizeAll":
        return replyCount(request, core.prioritizeAll(message, toLevel(message.to), time))
      case "cancelAll":
        return replyCount(request, core.cancelAll(message, time))
      case "retryAll":
        return replyCount(request, core.retryAll(message, time))
      case "purge":
        return replyCount(request, core.purge(message, time))
      case "retry":
        return replyMade(request, core.retry(message.id, message.as, time))
      case "pause":
        return replyDone(request, core.setPaused(message.target, true))
      case "resume":
        return replyDone(request, core.setPaused(message.target, false))
      case "schedule":
        return replyDone(request, core.setSchedule(message.schedule, time))
      case "unschedule":
        return replyDone(request, core.unschedule(message.id))
      case "trigger":
        return replyMade(request, core.trigger(message.id, message.as, time))
      case "schedules":
        return request.reply(Envelope.encode({ v, schedules: views.schedules() }))
      case "events":
        return followers.answer(request, message, time)
      case "list":
        return request.reply(Envelope.encode({ v, ...views.list(message, message.limit ?? 100) }))
      case "workers":
        return request.reply(Envelope.encode({ v, workers: views.workers() }))
      case "drainWorker":
        return replyCount(request, core.drainWorkers(message.worker))
      case "tasks":
        return request.reply(Envelope.encode({ v, tasks: views.taskTypes(message.name) }))
      case "view":
      case "change":
        return parts.question(message, (answer) => {
          if (Result.isFailure(answer)) replyError(request, answer.failure)
          else request.reply(Envelope.encode({ v, ...answer.success }))
        })
      case "stats":
        return request.reply(Envelope.encode({ v, stats: views.stats() }))
    }
  }

  const awaitResult = (id: string, waiter: ResultWaiter) => {
    resultWaiters.set(id, [...(resultWaiters.get(id) ?? []), waiter])
  }

  const replyCount = (request: Incoming, count: Result.Result<number, ReplyError>) => {
    schedule()
    if (Result.isFailure(count)) return replyError(request, count.failure)
    request.reply(Envelope.encode({ v, count: count.success }))
  }

  /** Tells the id of a new task, when that is accepted for good. */
  const replyMade = (request: Incoming, made: Result.Result<string, ReplyError>) => {
    schedule()
    operations.whenMade(made, (made) => {
      if (Result.isFailure(made)) replyError(request, made.failure)
      else request.reply(Envelope.encode({ v, id: made.success }))
    })
  }

  const replyDone = (request: Incoming, error: ReplyError | undefined) => {
    schedule()
    if (error !== undefined) return replyError(request, error)
    request.reply(Envelope.encode({ v }))
  }

  const withSession = (request: Incoming, token: string, time: number, use: (session: Session) => void) => {
    const session = core.sessions.open(token, time)
    if (session !== undefined) return use(session)
    replyError(request, new BadRequest({ reason: `too many sessions, the bound is ${settings.maxSessions}` }))
  }

  const submit = (request: Incoming, message: typeof Message.Submit.Type, body: Buffer, time: number) => {
    const { groups, seq, session: token } = message
    const items = itemsOf<typeof Message.SubmitTask.Type>(message.tasks, groups)
    if (Result.isFailure(items)) return replyError(request, items.failure)
    const tasks = items.success
    const bodies = Envelope.bodies(body, tasks)
    if (Result.isFailure(bodies)) return replyError(request, bodies.failure)
    const session = token === undefined ? undefined : core.sessions.open(token, time)
    if (token !== undefined && session === undefined) {
      return replyError(request, new BadRequest({ reason: `too many sessions, the bound is ${settings.maxSessions}` }))
    }
    const { answers } = core.sessions
    const before = token === undefined || seq === undefined ? undefined : answers.find(token, seq)
    if (before !== undefined) {
      if (before.count !== tasks.length || before.first !== tasks[0]?.id) {
        return replyError(request, new BadRequest({ reason: `seq ${seq} of this session was another message` }))
      }
      const reply = () => request.reply(submitted(before))
      return journaling === undefined
        ? reply()
        : journaling.whenStored(before.ids ?? tasks.map(({ id }) => id ?? null), reply)
    }
    const refused: Array<Answer["refused"][number]> = []
    const ids: Array<string | null> = []
    let madeIds = false
    for (let index = 0; index < tasks.length; index++) {
      const task = tasks[index] as (typeof tasks)[number]
      const args = bodies.success[index] as Body
      const accepted = operations.submit(task, args, task.watch === true ? session : undefined, time)
      if (Result.isSuccess(accepted)) {
        if (accepted.success !== task.id) madeIds = true
        ids.push(accepted.success)
      } else {
        ids.push(task.id ?? null)
        refused.push({ index, error: Message.errorToWire(accepted.failure) })
      }
    }
    const answer: Answer = { count: tasks.length, first: tasks[0]?.id, ids: madeIds ? ids : undefined, refused }
    const remember = () => {
      if (token !== undefined && seq !== undefined) answers.remember(token, seq, answer)
    }
    // At once: a copy may come before what was accepted is on disk.
    remember()
    schedule()
    if (journaling !== undefined) {
      return journaling.whenStored(ids, (failures) => {
        for (let index = 0; index < ids.length; index++) {
          const error = failures.get(ids[index] ?? "")
          if (error !== undefined) refused.push({ index, error: Message.errorToWire(error) })
        }
        // It has grown; unless the session was forgotten meanwhile.
        if (failures.size > 0 && core.sessions.has(token ?? "")) remember()
        request.reply(submitted(answer))
      })
    }
    // Who watches all of it waits for outcomes: the answer that it was accepted travels with the first of them if that is
    // soon, which saves both sides a wake-up.
    if (refused.length > 0 || !tasks.every(({ watch }) => watch === true)) {
      return request.reply(submitted(answer))
    }
    heldReplies.push({ request, payload: submitted(answer) })
    heldTimer ??= setTimeout(sendHeldReplies, heldMillis)
  }

  const submitted = ({ ids, refused }: Answer): Payload =>
    Envelope.encode({ v, epoch, ...(ids === undefined ? {} : { ids }), ...(refused.length > 0 ? { refused } : {}) })

  /** Sends the answers to submissions that waited to travel with outcomes. */
  const sendHeldReplies = () => {
    const replies = heldReplies
    heldReplies = []
    clearTimeout(heldTimer)
    heldTimer = undefined
    for (const { payload, request } of replies) request.reply(payload)
  }

  const answerCollect = (collector: Collector) => {
    const { isGrouped, request, session } = collector
    collectors.delete(session.token)
    const outcomes: Array<Outcome> = []
    const bodies: Array<Body> = []
    let bytes = 0
    for (let i = session.head; i < session.outbox.length && outcomes.length < maxBatch; i++) {
      const outcome = session.outbox[i] as Outcome
      bytes += outcome.body.length
      if (bytes > maxCollectBytes && outcomes.length > 0) break
      outcomes.push(outcome)
      if (outcome.body.length > 0) bodies.push(outcome.body)
    }
    const progress: Array<{ readonly id: string; readonly size: number }> = []
    for (const [id, body] of core.sessions.takeProgress(session)) {
      progress.push({ id, size: body.length })
      bodies.push(body)
    }
    request.reply(
      Envelope.encode(
        {
          v,
          epoch,
          last: session.acked + outcomes.length,
          ...(isGrouped ? { groups: groupsOf(outcomes, outcomeGroups) } : { outcomes: outcomes.map(outcomeHeader) }),
          ...(progress.length > 0 ? { progress } : {})
        },
        bodies
      )
    )
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
  const told = (outcome: Outcome) => {
    if (resultWaiters.size === 0) return
    const waiters = resultWaiters.get(outcome.id)
    if (waiters === undefined) return
    resultWaiters.delete(outcome.id)
    for (const { isHeader, request } of waiters) {
      if (isHeader) request.reply(Envelope.encode({ v, state: outcome.state }))
      else replyOutcome(request, outcome)
    }
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
        const task = core.task(id) ?? core.untold(id)
        if (task === undefined) replyError(request, new TaskNotFound({ id }))
        else request.reply(Envelope.encode({ v, state: task.state }))
      }
    }
  }

  return { onRequest, answerCollectors, told, sweep, operations }
}
