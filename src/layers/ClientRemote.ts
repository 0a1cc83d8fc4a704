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
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { Buffer } from "node:buffer"
import type { AddressError, CallError, ReplyError, ResultError, SubmitError } from "../domain/Errors.ts"
import {
  BadRequest,
  InvalidArguments,
  OutboxFull,
  ProtocolMismatch,
  ResultEvicted,
  TaskFinished,
  TaskLost,
  TaskNotFound,
  TaskRunning,
  TooLarge,
  Unreachable
} from "../domain/Errors.ts"
import * as Message from "../domain/Message.ts"
import type { Priority } from "../domain/Priority.ts"
import { TaskId } from "../domain/Task.ts"
import type { Any } from "../domain/TaskDefinition.ts"
import type { CancelError, SubmitOptions, TaskHandle } from "../services/Client.ts"
import { Client } from "../services/Client.ts"
import { Discovery } from "../services/Discovery.ts"
import { Settings } from "../services/Settings.ts"
import type { Connection, Payload } from "../services/Transport.ts"
import { Transport } from "../services/Transport.ts"
import { maxMessageBytes } from "./ControlPlaneServer.ts"
import * as Envelope from "./Envelope.ts"
import * as Outcomes from "./Outcomes.ts"
import { makeRandomId } from "./RandomId.ts"
import * as Reply from "./Reply.ts"

/** Tasks, or bytes of arguments, after which a submission is sent as a message of its own. */
const maxBatchTasks = 1_000
const maxBatchBytes = 2 * 1024 * 1024

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

/** A request on its way, sent again elsewhere when the control plane is found at another address. */
interface Call {
  readonly payload: Payload
  readonly waitMillis: number
  readonly done: (failure: CallError | undefined, reply: Uint8Array) => void
  cancel: () => void
}

const decodeSubmitReply = Reply.decoder(Message.SubmitReply)
const decodeWatchReply = Reply.decoder(Message.WatchReply)
const decodeCollectReply = Reply.decoder(Message.CollectReply)
const decodeStatusReply = Reply.decoder(Message.StatusReply)
const decodeCancelReply = Reply.decoder(Message.CancelReply)
const decodeListReply = Reply.decoder(Message.ListReply)
const decodeWorkersReply = Reply.decoder(Message.WorkersReply)
const decodeTasksReply = Reply.decoder(Message.TasksReply)
const decodeStatsReply = Reply.decoder(Message.StatsReply)
const isTaskId = Schema.is(TaskId)

const noBytes = new Uint8Array(0)

/** Keeps the errors that a call may end with; any other answer is not of the protocol. */
const callError = (error: ReplyError): CallError =>
  error instanceof BadRequest || error instanceof ProtocolMismatch
    ? error
    : new BadRequest({ reason: `unexpected answer ${error._tag}: ${error.message}` })

const submitError = (error: ReplyError): SubmitError => {
  switch (error._tag) {
    case "UnknownTask":
    case "QueueFull":
    case "OutboxFull":
    case "IdConflict":
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
  const transport = yield* Transport
  const discovery = yield* Discovery
  const scope = yield* Effect.scope
  const runFork = Effect.runForkWith(yield* Effect.context())

  /** How long a collect may wait for outcomes. */
  const collectWaitMillis = Math.min(2 * settings.heartbeatMillis, Message.maxWaitMillis)
  const randomId = makeRandomId()
  const session = randomId()
  const awaited = new Map<string, Awaited>()
  const calls = new Set<Call>()
  let submissions: Array<Submission> = []
  let watches: Array<string> = []
  let flushScheduled = false
  let isCollecting = false
  let acknowledged = 0
  let epoch: string | undefined
  let connection: Connection | undefined
  let connectionScope: Scope.Closeable | undefined
  let isClosed = false

  // --- Calls ---

  const unreachable = (reason: string, waitMillis: number) =>
    new Unreachable({
      address: connection?.address ?? discovery.address,
      afterMillis: settings.deadlineMillis + waitMillis,
      reason
    })

  /** Sends a call on the connection; without one it waits for one. */
  const dispatch = (call: Call) => {
    const timeoutMillis = settings.deadlineMillis + call.waitMillis
    const done = (failure: string | undefined, reply: Uint8Array) => {
      calls.delete(call)
      call.done(failure === undefined ? undefined : unreachable(failure, call.waitMillis), reply)
    }
    if (connection === undefined) {
      const timer = setTimeout(() => done("no control plane has announced itself there", noBytes), timeoutMillis)
      call.cancel = () => clearTimeout(timer)
    } else {
      call.cancel = connection.request(
        call.payload,
        { timeoutMillis, resendMillis: settings.resendMillis + call.waitMillis },
        done
      )
    }
  }

  const send = (payload: Payload, waitMillis: number, done: Call["done"]): () => void => {
    const call: Call = { payload, waitMillis, done, cancel: () => {} }
    calls.add(call)
    dispatch(call)
    return () => {
      calls.delete(call)
      call.cancel()
    }
  }

  const connect = Effect.fnUntraced(function*(address: string) {
    const inner = yield* Scope.fork(scope)
    const opened = yield* transport.connect(address, {
      maxMessageBytes: maxMessageBytes(settings.maxPayloadBytes)
    }).pipe(Scope.provide(inner))
    const previous = connectionScope
    connection = opened
    connectionScope = inner
    for (const call of calls) {
      call.cancel()
      dispatch(call)
    }
    if (previous !== undefined) yield* Scope.close(previous, Exit.void)
  })

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
    send(Envelope.encode({ v, op: "submit", session, tasks }, bodies), 0, (failure, bytes) => {
      const reply = failure === undefined ? decodeSubmitReply(bytes) : undefined
      if (reply === undefined || Result.isFailure(reply)) {
        const error = failure ?? (reply === undefined ? unreachable("", 0) : submitError(reply.failure))
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
    send(Envelope.encode({ v, op: "watch", session, ids }), 0, (failure, bytes) => {
      const reply = failure === undefined ? decodeWatchReply(bytes) : undefined
      if (reply === undefined || Result.isFailure(reply)) {
        const error = failure ?? (reply === undefined ? unreachable("", 0) : callError(reply.failure))
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
    if (isCollecting || awaited.size === 0 || isClosed) return
    isCollecting = true
    const payload = Envelope.encode({
      v,
      op: "collect",
      session,
      ack: acknowledged,
      wait: collectWaitMillis,
      ...(epoch === undefined ? {} : { epoch })
    })
    send(payload, collectWaitMillis, (failure, bytes) => {
      isCollecting = false
      const reply = failure === undefined ? decodeCollectReply(bytes) : undefined
      if (reply === undefined || Result.isFailure(reply)) {
        failAll(failure ?? (reply === undefined ? unreachable("", 0) : callError(reply.failure)))
        return
      }
      onCollected(reply.success)
      collect()
    })
  }

  const onCollected = ({ body, header }: Reply.Reply<typeof Message.CollectReply.Type>) => {
    onEpoch(header.epoch)
    acknowledged = header.last
    const { outcomes } = header
    const bodies = Envelope.split(body, outcomes)
    if (Result.isFailure(bodies)) return failAll(bodies.failure)
    for (let i = 0; i < outcomes.length; i++) {
      const outcome = outcomes[i] as Message.OutcomeHeader
      resume(outcome.id, (definition) => Outcomes.toExit(definition, outcome, bodies.success[i] as Buffer))
    }
  }

  /** A new control plane does not know what the old one had accepted: it is asked, and says so for each. */
  const onEpoch = (current: string) => {
    const isRestarted = epoch !== undefined && current !== epoch
    if (isRestarted) acknowledged = 0
    epoch = current
    if (!isRestarted) return
    const known = [...awaited].filter(([, { isKnown }]) => isKnown).map(([id]) => id)
    for (let i = 0; i < known.length; i += Message.maxBatch) watch(known.slice(i, i + Message.maxBatch), true)
  }

  const awaitResult = <Success, Error>(definition: Any, id: string) =>
    Effect.callback<Success, Error | ResultError>((done) => {
      const waiter: Waiter = { definition, resume: done as Waiter["resume"] }
      const entry = addWaiter(id, waiter, false)
      if (entry.waiters.length === 1) watches.push(id)
      scheduleFlush()
      return Effect.sync(() => removeWaiter(id, waiter))
    })

  // --- Questions ---

  const ask = <H>(header: object, decode: (bytes: Uint8Array) => Result.Result<Reply.Reply<H>, ReplyError>) =>
    Effect.callback<H, ReplyError | CallError>((resume) => {
      const cancel = send(Envelope.encode({ v, ...header }), 0, (failure, bytes) => {
        if (failure !== undefined) return resume(Effect.fail(failure))
        const reply = decode(bytes)
        resume(Result.isSuccess(reply) ? Effect.succeed(reply.success.header) : Effect.fail(reply.failure))
      })
      return Effect.sync(cancel)
    })

  const asCallError = Effect.mapError((error: ReplyError | CallError): CallError =>
    error instanceof Unreachable ? error : callError(error)
  )

  const status = (id: string): Effect.Effect<Message.TaskStatus, TaskNotFound | CallError> =>
    isTaskId(id)
      ? ask({ op: "status", ids: [id] }, decodeStatusReply).pipe(
        asCallError,
        Effect.flatMap(({ tasks: [task] }) =>
          task === undefined || task === null ? Effect.fail(new TaskNotFound({ id })) : Effect.succeed(task)
        )
      )
      : Effect.fail(new TaskNotFound({ id }))

  const cancel = (id: string): Effect.Effect<void, CancelError> =>
    isTaskId(id)
      ? ask({ op: "cancel", id }, decodeCancelReply).pipe(
        Effect.mapError((error) =>
          error instanceof TaskNotFound || error instanceof TaskRunning || error instanceof TaskFinished ||
            error instanceof Unreachable
            ? error
            : callError(error)
        ),
        Effect.asVoid
      )
      : Effect.fail(new TaskNotFound({ id }))

  const makeHandle = (definition: Any, id: string): TaskHandle<unknown, unknown> => ({
    id: id as TaskId,
    get result() {
      return awaitResult<unknown, unknown>(definition, id)
    },
    get status() {
      return status(id)
    },
    get cancel() {
      return cancel(id)
    }
  })

  // --- Life ---

  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      isClosed = true
      for (const call of calls) {
        call.cancel()
        call.done(unreachable("the client was closed", 0), noBytes)
      }
      calls.clear()
      failAll(unreachable("the client was closed", 0))
    })
  )
  yield* discovery.find(({ address, epoch: announced, v: theirs }) => {
    if (theirs !== v) {
      runFork(Effect.logWarning(new ProtocolMismatch({ ours: v, theirs }).message))
    }
    if (connection?.address === address || isClosed) return
    runFork(
      connect(address).pipe(
        Effect.catch((error) => Effect.logError("The announced address can't be used", { error, announced }))
      )
    )
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
    status,
    cancel,
    list: (options) =>
      ask({ op: "list", ...options }, decodeListReply).pipe(
        asCallError,
        Effect.map(({ tasks, total }) => ({ tasks, total }))
      ),
    workers: ask({ op: "workers" }, decodeWorkersReply).pipe(asCallError, Effect.map(({ workers }) => workers)),
    tasks: ask({ op: "tasks" }, decodeTasksReply).pipe(asCallError, Effect.map(({ tasks }) => tasks)),
    stats: ask({ op: "stats" }, decodeStatsReply).pipe(asCallError, Effect.map(({ stats }) => stats))
  })
})

/**
 * Layer that is a client of the control plane that discovery finds.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Client, AddressError, Transport | Discovery> = Layer.effect(Client, make)
