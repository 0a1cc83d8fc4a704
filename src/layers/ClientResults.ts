/**
 * Who waits for what in a client: outcomes, and what handlers report before them, are collected with one long poll for
 * all. After a restart of the control plane it is asked for everything that is waited for.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { itemsOf, maxBatch } from "../domain/Batch.ts"
import type { CallError, ReplyError, ResultError, SubmitError, WouldDeadlock } from "../domain/Errors.ts"
import { BadRequest, OutboxFull, ResultEvicted, TaskLost, TaskNotFound } from "../domain/Errors.ts"
import { filled } from "../domain/Filled.ts"
import { IdMap } from "../domain/IdMap.ts"
import * as Message from "../domain/Message.ts"
import type { Settings as Values } from "../domain/Settings.ts"
import { TaskContext } from "../domain/TaskContext.ts"
import type { Any } from "../domain/TaskDefinition.ts"
import type { ProgressError } from "../services/Client.ts"
import type { Calls } from "./Calls.ts"
import { callError } from "./Calls.ts"
import * as Envelope from "./Envelope.ts"
import * as Outcomes from "./Outcomes.ts"
import * as Reply from "./Reply.ts"

/** Callers that are resumed before the event loop may do something else. */
const resumesPerTurn = 256

const v = Message.protocolVersion

/** How the waiting for a task ended: with its outcome, or with why there is none. */
type Ended = Result.Result<
  { readonly outcome: Message.OutcomeHeader; readonly body: string },
  WaitError | SubmitError
>
type WaitError = Exclude<ResultError, WouldDeadlock>

/**
 * Somebody who waits for the outcome of a task.
 *
 * @category models
 * @since 0.1.0
 */
export interface Waiter {
  readonly end: (ended: Ended) => void
  /** Gets what the handler reports meanwhile. */
  readonly report: ((body: string) => void) | undefined
  /** The next who waits for the same task. */
  next: Waiter | undefined
}

// What each task needs while it is waited for is made by classes, without literals of objects and arrays. Where a thousand
// tasks are on their way the engine finds that these outlive its young generation while that is small, allocates all
// later ones in the old generation, and they keep alive what they refer to: four fifths of all that a client allocated
// survived, and a collection took 20 ms.

/**
 * A task that is waited for.
 *
 * @category models
 * @since 0.1.0
 */
export class Awaited {
  readonly id: string
  first: Waiter
  /** The control plane has accepted the task or knows that we wait for it. */
  isKnown = false
  /** It was asked, or is about to be, for what the handler reports too. */
  isFollowed = false
  /** The newest of that. */
  latest: string | undefined = undefined

  constructor(id: string, first: Waiter) {
    this.id = id
    this.first = first
  }

  add(waiter: Waiter): void {
    let last = this.first
    while (last.next !== undefined) last = last.next
    last.next = waiter
  }

  /** Returns whether nobody is left. */
  remove(waiter: Waiter): boolean {
    const { next } = waiter
    if (this.first === waiter) {
      if (next === undefined) return true
      this.first = next
    } else {
      let before: Waiter | undefined = this.first
      while (before !== undefined && before.next !== waiter) before = before.next
      if (before === undefined) return false
      before.next = next
    }
    // It may wait for another task next, whose waiters are others.
    waiter.next = undefined
    return false
  }

  end(ended: Ended): void {
    this.#each((waiter) => waiter.end(ended))
  }

  report(body: string): void {
    this.latest = body
    this.#each((waiter) => waiter.report?.(body))
  }

  /** Whoever is told may stop waiting at once. */
  #each(tell: (waiter: Waiter) => void): void {
    let waiter: Waiter | undefined = this.first
    while (waiter !== undefined) {
      const { next }: Waiter = waiter
      tell(waiter)
      waiter = next
    }
  }
}

const decodeWatchReply = Reply.decoder(Message.WatchReply)
const decodeCollectReply = Reply.decoder(Message.CollectReply)

const watchError = (error: ReplyError | CallError): WaitError =>
  error instanceof TaskNotFound || error instanceof ResultEvicted
    ? error
    : error instanceof OutboxFull
    ? new BadRequest({ reason: error.message })
    : callError(error)

/**
 * Runs what waits for a task. Within a handler the slot is free meanwhile.
 *
 * @category combinators
 * @since 0.1.0
 */
export const whileWaiting = <A, E>(wait: Effect.Effect<A, E>): Effect.Effect<A, E | WouldDeadlock> =>
  Effect.withFiber((fiber) => {
    const task = Context.getOrUndefined(fiber.context, TaskContext)
    return task === undefined ? wait : task.yieldSlot(wait)
  })

/**
 * Resumes an Effect with what the task's caller gets.
 *
 * @category constructors
 * @since 0.1.0
 */
export class Caller implements Waiter {
  readonly report = undefined
  next: Waiter | undefined = undefined
  readonly #definition: Any
  readonly #resume: (exit: Exit.Exit<never>) => void

  constructor(definition: Any, resume: (exit: Exit.Exit<never>) => void) {
    this.#definition = definition
    this.#resume = resume
  }

  end(ended: Ended): void {
    this.#resume(toExit(this.#definition, ended))
  }
}

/** The definition says what the types are, and it decodes by its schemas. */
const toExit = (definition: Any, ended: Ended): Exit.Exit<never> =>
  (Result.isSuccess(ended)
    ? Outcomes.toExit(definition, ended.success.outcome, ended.success.body)
    : Exit.fail(ended.failure)) as Exit.Exit<never>

/**
 * Resumes an Effect with the values of many tasks, in their order, or with the first failure of one.
 *
 * @category constructors
 * @since 0.1.0
 */
export class Callers {
  readonly #definition: Any
  readonly #values: Array<never>
  #open: number
  readonly #resume: (exit: Exit.Exit<ReadonlyArray<never>>) => void

  constructor(definition: Any, count: number, resume: (exit: Exit.Exit<ReadonlyArray<never>>) => void) {
    this.#definition = definition
    this.#values = filled(count, undefined as never)
    this.#open = count
    this.#resume = resume
  }

  /** Who waits for one of them. */
  at(index: number): Waiter {
    return new OneOfMany(this, index)
  }

  /** One of them has ended. */
  end(index: number, ended: Ended): void {
    if (this.#open === 0) return
    const exit = toExit(this.#definition, ended)
    if (Exit.isFailure(exit)) {
      this.#open = 0
      return this.#resume(exit)
    }
    this.#values[index] = exit.value
    if (--this.#open === 0) this.#resume(Exit.succeed(this.#values))
  }
}

class OneOfMany implements Waiter {
  readonly report = undefined
  next: Waiter | undefined = undefined
  readonly #callers: Callers
  readonly #index: number

  constructor(callers: Callers, index: number) {
    this.#callers = callers
    this.#index = index
  }

  end(ended: Ended): void {
    this.#callers.end(this.#index, ended)
  }
}

/**
 * Who waits for what in a client.
 *
 * @category models
 * @since 0.1.0
 */
export type ClientResults = ReturnType<typeof makeResults>

/**
 * Creates the state in which nobody waits for anything.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeResults = ({ calls: { send }, scheduleFlush, session, settings }: {
  readonly calls: Calls
  readonly session: string
  readonly settings: Values
  /** Asks for `flush` at the end of this turn. */
  readonly scheduleFlush: () => void
}) => {
  /** How long a collect may wait for outcomes. */
  const collectWaitMillis = Math.min(2 * settings.heartbeatMillis, Message.maxWaitMillis)
  const awaited = new IdMap<Awaited>()
  let watches = new Set<string>()
  let isCollecting = false
  let acknowledged = 0
  let epoch: string | undefined

  // --- Waiters ---

  const add = (id: string, waiter: Waiter): Awaited => {
    const added = new Awaited(id, waiter)
    const existing = awaited.set(added)
    // Hardly ever: so the others are looked up once.
    if (existing === undefined) return added
    awaited.set(existing)
    existing.add(waiter)
    return existing
  }

  const remove = (id: string, waiter: Waiter) => {
    if (awaited.get(id)?.remove(waiter) === true) awaited.delete(id)
  }

  /** Has the control plane told of a task that it was not told to tell of when it was submitted. */
  const ask = (id: string) => {
    watches.add(id)
    scheduleFlush()
  }

  const end = (id: string, ended: Ended) => {
    awaited.take(id)?.end(ended)
  }

  const failAll = (error: CallError) => {
    for (const { id } of awaited.values()) end(id, Result.fail(error))
  }

  const report = (id: string, body: string) => {
    awaited.get(id)?.report(body)
  }

  // --- Watching and collecting ---

  /** Watches tasks, those that are followed apart. */
  const watchAll = (ids: Iterable<string>, isRestarted: boolean) => {
    const plain: Array<string> = []
    const followed: Array<string> = []
    for (const id of ids) {
      const entry = awaited.get(id)
      if (entry !== undefined) (entry.isFollowed ? followed : plain).push(id)
    }
    for (const [list, progress] of [[plain, false], [followed, true]] as const) {
      for (let i = 0; i < list.length; i += maxBatch) {
        watch(list.slice(i, i + maxBatch), progress, isRestarted)
      }
    }
  }

  const watch = (ids: ReadonlyArray<string>, progress: boolean, isRestarted: boolean) => {
    const payload = Envelope.encode({ v, op: "watch", session, ids, ...(progress ? { progress } : {}) })
    send(payload, decodeWatchReply, 0, (reply) => {
      if (Result.isFailure(reply)) {
        const error = watchError(reply.failure)
        for (const id of ids) end(id, Result.fail(error))
        return
      }
      onEpoch(reply.success.header.epoch)
      for (const { error, index } of reply.success.header.refused ?? []) {
        const id = ids[index] as string
        end(
          id,
          Result.fail(isRestarted && error._tag === "TaskNotFound" ? new TaskLost({ id }) : watchError(error))
        )
      }
      for (const id of ids) {
        const entry = awaited.get(id)
        if (entry !== undefined) entry.isKnown = true
      }
      collect()
    })
  }

  /** Keeps one long poll open while somebody waits. */
  const collect = () => {
    if (isCollecting || awaited.size === 0) return
    isCollecting = true
    const payload = Envelope.encode({
      v,
      op: "collect",
      session,
      ack: acknowledged,
      wait: collectWaitMillis,
      grouped: true,
      ...(epoch === undefined ? {} : { epoch })
    })
    const sentAt = performance.now()
    send(payload, decodeCollectReply, collectWaitMillis, (reply) => {
      isCollecting = false
      // After a long silence (a suspended process) we may have been forgotten, and with us what we wait for. Watching
      // what is watched already has no effect.
      if (performance.now() - sentAt > settings.sessionTimeoutMillis / 2) watchKnown(false)
      if (Result.isFailure(reply)) return failAll(callError(reply.failure))
      onCollected(reply.success)
    })
  }

  const onCollected = ({ body, header }: Reply.Reply<typeof Message.CollectReply.Type>) => {
    onEpoch(header.epoch)
    acknowledged = header.last
    const { progress = [] } = header
    const items = itemsOf<Message.OutcomeHeader>(header.outcomes, header.groups)
    if (Result.isFailure(items)) return failAll(items.failure)
    const outcomes = items.success
    const bodies = Envelope.texts(body, progress.length === 0 ? outcomes : [...outcomes, ...progress])
    if (Result.isFailure(bodies)) return failAll(bodies.failure)
    progress.forEach(({ id }, index) => report(id, bodies.success[outcomes.length + index] as string))
    // Acknowledged at once, and resumed some at a time: what the first callers do next is on its way, and the next
    // outcomes with it, while the others are resumed. That keeps all three processes busy.
    const endFrom = (start: number) => {
      const stop = Math.min(start + resumesPerTurn, outcomes.length)
      for (let i = start; i < stop; i++) {
        const outcome = outcomes[i] as Message.OutcomeHeader
        end(outcome.id, Result.succeed({ outcome, body: bodies.success[i] as string }))
      }
      if (stop < outcomes.length) setImmediate(() => endFrom(stop))
    }
    endFrom(0)
    collect()
  }

  /** A new control plane does not know what the old one had accepted: it is asked, and says so for each. */
  const onEpoch = (current: string) => {
    const isRestarted = epoch !== undefined && current !== epoch
    if (isRestarted) acknowledged = 0
    epoch = current
    if (isRestarted) watchKnown(true)
  }

  const watchKnown = (isRestarted: boolean) =>
    watchAll(awaited.values().filter(({ isKnown }) => isKnown).map(({ id }) => id), isRestarted)

  return {
    add,
    remove,
    ask,
    /** Says which control plane an answer came from. */
    onEpoch,

    /** Whether somebody waits for this task. */
    has: (id: string) => awaited.has(id),

    /** Sends what was asked for in this turn, after what was submitted in it. */
    flush() {
      if (watches.size > 0) {
        const ids = watches
        watches = new Set()
        watchAll(ids, false)
      }
      collect()
    },

    /** Waits for the outcome of a task. */
    await: <Success, Error>(definition: Any, id: string): Effect.Effect<Success, Error | ResultError> =>
      whileWaiting(Effect.callback<Success, Error | ResultError>((resume) => {
        const waiter = new Caller(definition, resume)
        if (add(id, waiter).first === waiter) ask(id)
        return Effect.sync(() => remove(id, waiter))
      })),

    /** Follows what the handler of a task reports, the newest of it, until its outcome. */
    follow(definition: Any, id: string): Stream.Stream<unknown, ProgressError> {
      const values = Stream.callback<unknown, ProgressError>((queue) => {
        const report = (body: string) => {
          const value = Outcomes.toProgress(definition, id, body)
          if (value === undefined) return
          if (Result.isSuccess(value)) Queue.offerUnsafe(queue, value.success)
          else Queue.failCauseUnsafe(queue, Cause.fail(value.failure))
        }
        const end = (ended: Ended) => {
          if (Result.isSuccess(ended) || ended.failure instanceof ResultEvicted) Queue.endUnsafe(queue)
          else Queue.failCauseUnsafe(queue, Cause.fail(ended.failure as ProgressError))
        }
        const waiter: Waiter = { report, end, next: undefined }
        return Effect.acquireRelease(
          Effect.sync(() => {
            const entry = add(id, waiter)
            if (entry.latest !== undefined) report(entry.latest)
            if (entry.isFollowed) return
            entry.isFollowed = true
            ask(id)
          }),
          () => Effect.sync(() => remove(id, waiter))
        )
      }, { bufferSize: 1, strategy: "sliding" })
      return Stream.transformPull(values, (pull) => Effect.succeed(whileWaiting(pull)))
    }
  }
}
