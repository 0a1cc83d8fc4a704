/**
 * The client over the transport: finds the control plane, sends what gathers in one turn in one message, and collects
 * outcomes with one long poll. Calls made before there is a control plane wait for it, until their deadline.
 *
 * Owns who waits for what in this process. Arguments are validated and encoded before anything is sent.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { Buffer } from "node:buffer"
import type { AddressError, CallError, ReplyError, ResultError, SubmitError } from "../domain/Errors.ts"
import {
  BadRequest,
  InvalidArguments,
  OutboxFull,
  ResultEvicted,
  TaskLost,
  TaskNotFound,
  TooLarge
} from "../domain/Errors.ts"
import * as Message from "../domain/Message.ts"
import type { Priority } from "../domain/Priority.ts"
import type { TaskId } from "../domain/Task.ts"
import type { Any } from "../domain/TaskDefinition.ts"
import type { SubmitOptions, TaskHandle } from "../services/Client.ts"
import { Client } from "../services/Client.ts"
import type { Discovery } from "../services/Discovery.ts"
import { Settings } from "../services/Settings.ts"
import type { Transport } from "../services/Transport.ts"
import { callError, makeCalls } from "./Calls.ts"
import { isTaskId, makeQueries } from "./ClientQueries.ts"
import * as Envelope from "./Envelope.ts"
import * as Outcomes from "./Outcomes.ts"
import { makeRandomId } from "./RandomId.ts"
import * as Reply from "./Reply.ts"

/** Tasks, or bytes of arguments, after which a submission is sent as a message of its own. */
const maxBatchTasks = 1_000
const maxBatchBytes = 2 * 1024 * 1024

/** Callers that are resumed before the event loop may do something else. */
const resumesPerTurn = 256

const v = Message.protocolVersion

interface Submission {
  readonly id: string
  readonly name: string
  readonly size: number
  readonly priority: Priority | undefined
  readonly watch: boolean
  readonly body: string
  readonly done: (failure: SubmitError | undefined) => void
}

/** Somebody who waits for the outcome of a task. */
interface Waiter {
  readonly definition: Any
  readonly resume: (exit: Exit.Exit<unknown, unknown>) => void
}

interface Awaited {
  readonly waiters: Array<Waiter>
  /** The control plane has accepted the task or knows that we wait for it. */
  isKnown: boolean
}

const decodeSubmitReply = Reply.decoder(Message.SubmitReply)
const decodeWatchReply = Reply.decoder(Message.WatchReply)
const decodeCollectReply = Reply.decoder(Message.CollectReply)

const submitError = (error: ReplyError | CallError): SubmitError => {
  switch (error._tag) {
    case "UnknownTask":
    case "QueueFull":
    case "OutboxFull":
    case "IdConflict":
    case "ResultEvicted":
    case "TooLarge":
    case "ShuttingDown":
      return error
    default:
      return callError(error)
  }
}

/**
 * Creates a client that is connected until its scope closes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.gen(function*() {
  const settings = yield* Settings
  const calls = yield* makeCalls
  const queries = makeQueries(calls)
  const { send } = calls

  /** How long a collect may wait for outcomes. */
  const collectWaitMillis = Math.min(2 * settings.heartbeatMillis, Message.maxWaitMillis)
  const randomId = makeRandomId()
  const session = randomId()
  const awaited = new Map<string, Awaited>()
  let submissions: Array<Submission> = []
  let watches: Array<string> = []
  let flushScheduled = false
  let isCollecting = false
  let acknowledged = 0
  let epoch: string | undefined

  // --- Submission ---

  const scheduleFlush = () => {
    if (flushScheduled) return
    flushScheduled = true
    queueMicrotask(flush)
  }

  const flush = () => {
    flushScheduled = false
    while (submissions.length > 0) {
      let count = 0
      let bytes = 0
      while (count < submissions.length && count < maxBatchTasks && (count === 0 || bytes < maxBatchBytes)) {
        bytes += (submissions[count] as Submission).size
        count++
      }
      const batch = count === submissions.length ? submissions : submissions.slice(0, count)
      submissions = count === submissions.length ? [] : submissions.slice(count)
      submit(batch)
    }
    if (watches.length > 0) {
      const ids = watches
      watches = []
      for (let i = 0; i < ids.length; i += Message.maxBatch) watch(ids.slice(i, i + Message.maxBatch), false)
    }
    collect()
  }

  const submit = (batch: ReadonlyArray<Submission>) => {
    const tasks = batch.map(({ id, name, priority, size, watch }) => ({
      id,
      name,
      size,
      ...(priority === undefined ? {} : { priority }),
      ...(watch ? { watch } : {})
    }))
    const bodies = batch.map(({ body }) => body)
    send(Envelope.encode({ v, op: "submit", session, tasks }, bodies), decodeSubmitReply, 0, (reply) => {
      if (Result.isFailure(reply)) {
        const error = submitError(reply.failure)
        for (const { done } of batch) done(error)
        return
      }
      onEpoch(reply.success.header.epoch)
      const refused = new Map(reply.success.header.refused?.map(({ error, index }) => [index, error]))
      for (let i = 0; i < batch.length; i++) {
        const error = refused.size === 0 ? undefined : refused.get(i)
        ;(batch[i] as Submission).done(error === undefined ? undefined : submitError(error))
      }
    })
  }

  const encodeArgs = (task: Any, args: unknown): Result.Result<string, InvalidArguments | TooLarge> => {
    const encoded = task.args.encode(args ?? {})
    if (Result.isFailure(encoded)) {
      return Result.fail(new InvalidArguments({ task: task.name, issues: encoded.failure }))
    }
    const limit = settings.maxPayloadBytes
    // A string of n characters has at least n bytes and at most three times as many.
    if (encoded.success.length * 3 > limit) {
      const size = Buffer.byteLength(encoded.success)
      if (size > limit) return Result.fail(new TooLarge({ task: task.name, what: "arguments", size, limit }))
    }
    return Result.succeed(encoded.success)
  }

  const prepare = (
    task: Any,
    args: unknown,
    options: SubmitOptions | undefined,
    watch: boolean,
    done: Submission["done"]
  ): Result.Result<Submission, InvalidArguments | TooLarge> => {
    const id = options?.id ?? randomId()
    if (options?.id !== undefined && !isTaskId(id)) {
      const message = "the id of a task has 1 to 128 printable ASCII characters without spaces"
      return Result.fail(new InvalidArguments({ task: task.name, issues: [{ field: "id", message }] }))
    }
    const body = encodeArgs(task, args)
    if (Result.isFailure(body)) return Result.fail(body.failure)
    return Result.succeed({
      id,
      name: task.name,
      size: Buffer.byteLength(body.success),
      priority: options?.priority ?? task.priority,
      watch,
      body: body.success,
      done
    })
  }

  const enqueue = (submission: Submission) => {
    submissions.push(submission)
    scheduleFlush()
  }

  // --- Results ---

  const addWaiter = (id: string, waiter: Waiter, isKnown: boolean): Awaited => {
    const existing = awaited.get(id)
    if (existing !== undefined) {
      existing.waiters.push(waiter)
      return existing
    }
    const added = { waiters: [waiter], isKnown }
    awaited.set(id, added)
    return added
  }

  const removeWaiter = (id: string, waiter: Waiter) => {
    const entry = awaited.get(id)
    const at = entry?.waiters.indexOf(waiter) ?? -1
    if (entry === undefined || at === -1) return
    entry.waiters.splice(at, 1)
    if (entry.waiters.length === 0) awaited.delete(id)
  }

  const resume = (id: string, exitOf: (definition: Any) => Exit.Exit<unknown, unknown>) => {
    const entry = awaited.get(id)
    if (entry === undefined) return
    awaited.delete(id)
    for (const { definition, resume } of entry.waiters) resume(exitOf(definition))
  }

  const failAll = (error: CallError) => {
    for (const id of awaited.keys()) resume(id, () => Exit.fail(error))
  }

  const watch = (ids: ReadonlyArray<string>, isRestarted: boolean) => {
    send(Envelope.encode({ v, op: "watch", session, ids }), decodeWatchReply, 0, (reply) => {
      if (Result.isFailure(reply)) {
        const error = callError(reply.failure)
        for (const id of ids) resume(id, () => Exit.fail(error))
        return
      }
      onEpoch(reply.success.header.epoch)
      for (const { error, index } of reply.success.header.refused ?? []) {
        const id = ids[index] as string
        resume(
          id,
          () => Exit.fail(isRestarted && error._tag === "TaskNotFound" ? new TaskLost({ id }) : watchError(error))
        )
      }
      for (const id of ids) {
        const entry = awaited.get(id)
        if (entry !== undefined) entry.isKnown = true
      }
      collect()
    })
  }

  const watchError = (error: ReplyError): ResultError =>
    error instanceof TaskNotFound || error instanceof ResultEvicted
      ? error
      : error instanceof OutboxFull
      ? new BadRequest({ reason: error.message })
      : callError(error)

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
    const { outcomes } = header
    const bodies = Envelope.split(body, outcomes)
    if (Result.isFailure(bodies)) return failAll(bodies.failure)
    // Acknowledged at once, and resumed some at a time: what the first callers do next is on its way, and the next
    // outcomes with it, while the others are resumed. That keeps all three processes busy.
    const resumeFrom = (start: number) => {
      const end = Math.min(start + resumesPerTurn, outcomes.length)
      for (let i = start; i < end; i++) {
        const outcome = outcomes[i] as Message.OutcomeHeader
        resume(outcome.id, (definition) => Outcomes.toExit(definition, outcome, bodies.success[i] as Buffer))
      }
      if (end < outcomes.length) setImmediate(() => resumeFrom(end))
    }
    resumeFrom(0)
    collect()
  }

  /** A new control plane does not know what the old one had accepted: it is asked, and says so for each. */
  const onEpoch = (current: string) => {
    const isRestarted = epoch !== undefined && current !== epoch
    if (isRestarted) acknowledged = 0
    epoch = current
    if (!isRestarted) return
    watchKnown(true)
  }

  const watchKnown = (isRestarted: boolean) => {
    const known = [...awaited].filter(([, { isKnown }]) => isKnown).map(([id]) => id)
    for (let i = 0; i < known.length; i += Message.maxBatch) {
      watch(known.slice(i, i + Message.maxBatch), isRestarted)
    }
  }

  const awaitResult = <Success, Error>(definition: Any, id: string) =>
    Effect.callback<Success, Error | ResultError>((done) => {
      const waiter: Waiter = { definition, resume: done as Waiter["resume"] }
      const entry = addWaiter(id, waiter, false)
      if (entry.waiters.length === 1) watches.push(id)
      scheduleFlush()
      return Effect.sync(() => removeWaiter(id, waiter))
    })

  const makeHandle = (definition: Any, id: string): TaskHandle<unknown, unknown> => ({
    id: id as TaskId,
    get result() {
      return awaitResult<unknown, unknown>(definition, id)
    },
    get status() {
      return queries.status(id)
    },
    get cancel() {
      return queries.cancel(id)
    }
  })

  return Client.of({
    delay: (task, ...[args, options]) =>
      Effect.callback((resume) => {
        const submission = prepare(task, args, options, false, (failure) =>
          resume(
            failure === undefined
              ? Effect.succeed(makeHandle(task, id) as never)
              : Effect.fail(failure)
          ))
        if (Result.isFailure(submission)) return resume(Effect.fail(submission.failure))
        const { id } = submission.success
        enqueue(submission.success)
      }),
    run: (task, ...[args, options]) =>
      Effect.callback((resume) => {
        const waiter: Waiter = { definition: task, resume: resume as Waiter["resume"] }
        const submission = prepare(task, args, options, true, (failure) => {
          if (failure === undefined) entry.isKnown = true
          else {
            removeWaiter(id, waiter)
            resume(Effect.fail(failure))
            // Somebody else in this process waits for the same id: for them it must be asked for now.
            if (awaited.has(id)) watches.push(id)
            scheduleFlush()
          }
        })
        if (Result.isFailure(submission)) return resume(Effect.fail(submission.failure))
        const { id } = submission.success
        const entry = addWaiter(id, waiter, false)
        enqueue(submission.success)
        return Effect.sync(() => removeWaiter(id, waiter))
      }),
    delayAll: (task, all, options) =>
      Effect.callback((resume) => {
        const prepared: Array<Submission> = []
        let open = all.length
        let failed: SubmitError | undefined
        const done = (failure: SubmitError | undefined) => {
          failed ??= failure
          if (--open > 0) return
          resume(
            failed === undefined
              ? Effect.succeed(prepared.map(({ id }) => makeHandle(task, id) as never))
              : Effect.fail(failed)
          )
        }
        // All or nothing as far as this side can tell: nothing is sent when one of them is invalid.
        for (const args of all) {
          const submission = prepare(task, args, options, false, done)
          if (Result.isFailure(submission)) return resume(Effect.fail(submission.failure))
          prepared.push(submission.success)
        }
        if (prepared.length === 0) return resume(Effect.succeed([]))
        for (const submission of prepared) enqueue(submission)
      }),
    result: (task, id) => isTaskId(id) ? awaitResult(task, id) : Effect.fail(new TaskNotFound({ id })),
    ...queries
  })
})

/**
 * Layer that is a client of the control plane that discovery finds.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Client, AddressError, Transport | Discovery> = Layer.effect(Client, make)
