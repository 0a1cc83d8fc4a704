/**
 * The client over the transport: finds the control plane, sends what gathers in one turn in one message, and collects
 * outcomes with one long poll. Calls made before there is a control plane wait for it, until their deadline.
 *
 * Owns what is about to be submitted. Who waits for what is `ClientResults.ts`, the rest is asked call by call.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { groupsOf } from "../domain/Batch.ts"
import type { AddressError, SubmitError } from "../domain/Errors.ts"
import { TaskNotFound } from "../domain/Errors.ts"
import * as Message from "../domain/Message.ts"
import type { TaskId } from "../domain/Task.ts"
import { TaskContext } from "../domain/TaskContext.ts"
import type { Any } from "../domain/TaskDefinition.ts"
import type { SubmitOptions, TaskHandle } from "../services/Client.ts"
import { Client } from "../services/Client.ts"
import type { Discovery } from "../services/Discovery.ts"
import { Settings } from "../services/Settings.ts"
import type { Transport } from "../services/Transport.ts"
import { makeCalls } from "./Calls.ts"
import { makeChanges, submitError } from "./ClientChanges.ts"
import { makeEvents } from "./ClientEvents.ts"
import { makeQueries } from "./ClientQueries.ts"
import type { Awaited, Waiter } from "./ClientResults.ts"
import { Caller, Callers, makeResults } from "./ClientResults.ts"
import type { Origin, Submission } from "./ClientSubmissions.ts"
import { isTaskId, makeSubmission, nowhere } from "./ClientSubmissions.ts"
import { makeViews } from "./ClientViews.ts"
import * as Envelope from "./Envelope.ts"
import { makeRandomId } from "./RandomId.ts"
import * as Reply from "./Reply.ts"
import { sending } from "./Traces.ts"

/** Tasks, or bytes of arguments, after which a submission is sent as a message of its own. */
const maxBatchTasks = 1_000
const maxBatchBytes = 256 * 1024

/**
 * Bytes of arguments in messages without an answer, after which further submissions wait here: less than a socket holds
 * back for a peer that does not read, and than a control plane reads of one connection.
 */
const maxSentBytes = 32 * 1024 * 1024

const v = Message.protocolVersion

/** Most submissions have no terms: it is one and the same object for all of these. */
const submissionGroups = {
  isSame: (first: Submission, { name, terms, watch }: Submission) =>
    first.name === name && first.terms === terms && first.watch === watch,
  sizeOf: ({ size }: Submission) => size,
  commonOf: ({ name, terms, watch }: Submission) => ({ name, ...(watch ? { watch } : {}), ...terms })
}

const decodeSubmitReply = Reply.decoder(Message.SubmitReply)

/** Runs what submits tasks of a name with where that is; `around` is run within the task whose handler submits them. */
const withOrigin = <A, E, E2 = never>(
  { name }: Any,
  submit: (origin: Origin) => Effect.Effect<A, E>,
  around?: (task: TaskContext["Service"], submit: Effect.Effect<A, E>) => Effect.Effect<A, E | E2>
): Effect.Effect<A, E | E2> =>
  Effect.withFiber((fiber) => {
    const task = Context.getOrUndefined(fiber.context, TaskContext)
    if (task === undefined) {
      return sending(fiber, name, (trace) => submit(trace === undefined ? nowhere : { parent: undefined, trace }))
    }
    const submitted = sending(fiber, name, (trace) => submit({ parent: task.id, trace }))
    return around === undefined ? submitted : around(task, submitted)
  })

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
  const randomId = makeRandomId()
  const changes = makeChanges(calls, settings, randomId)
  const session = randomId()
  /** What is to be sent, oldest first. */
  let submissions: Array<Submission> = []
  /** Submissions that were taken from there so far. */
  let taken = 0
  let sentBytes = 0
  /** Messages with submissions so far. */
  let seq = 0
  let flushScheduled = false

  const scheduleFlush = () => {
    if (flushScheduled) return
    flushScheduled = true
    queueMicrotask(flush)
  }
  const results = makeResults({ calls, session, settings, scheduleFlush })

  const flush = () => {
    flushScheduled = false
    while (submissions.length > 0) {
      if (sentBytes >= maxSentBytes) break
      let count = 0
      let bytes = 0
      while (count < submissions.length && count < maxBatchTasks) {
        const { size } = submissions[count] as Submission
        if (count > 0 && bytes + size > maxBatchBytes) break
        bytes += size
        count++
      }
      submit(take(count), bytes)
    }
    results.flush()
  }

  const take = (count: number): ReadonlyArray<Submission> => {
    const batch = count === submissions.length ? submissions : submissions.slice(0, count)
    submissions = count === submissions.length ? [] : submissions.slice(count)
    taken += count
    return batch
  }

  const submit = (batch: ReadonlyArray<Submission>, bytes: number) => {
    // Those that wait behind it will have waited as long as it has.
    const behind = taken + submissions.length
    sentBytes += bytes
    const groups = groupsOf(batch, submissionGroups)
    const bodies = batch.map(({ body }) => body)
    const payload = Envelope.encode({ v, op: "submit", session, seq: ++seq, groups }, bodies)
    calls.send(payload, decodeSubmitReply, 0, (reply) => {
      sentBytes -= bytes
      if (submissions.length > 0) scheduleFlush()
      if (Result.isFailure(reply)) {
        const error = submitError(reply.failure)
        for (const { done, id } of batch) done(error, id)
        if (error._tag === "Unreachable") {
          for (const { done, id } of take(Math.max(0, behind - taken))) done(error, id)
        }
        return
      }
      const { epoch, ids, refused } = reply.success.header
      results.onEpoch(epoch)
      const errors = new Map(refused?.map(({ error, index }) => [index, error]))
      for (let i = 0; i < batch.length; i++) {
        const submission = batch[i] as Submission
        const error = errors.size === 0 ? undefined : errors.get(i)
        // That of another task when that holds the unique key.
        submission.id = ids?.[i] ?? submission.id
        submission.done(error === undefined ? undefined : submitError(error), submission.id)
      }
    })
  }

  const prepare = (
    origin: Origin,
    task: Any,
    args: unknown,
    options: SubmitOptions | undefined,
    watch: boolean,
    done: Submission["done"]
  ) => makeSubmission(settings, { task, args, id: options?.id ?? randomId(), options, origin, watch, done })

  const enqueue = (submission: Submission) => {
    submissions.push(submission)
    scheduleFlush()
  }

  /** A submission whose outcome is waited for. */
  class AwaitedSubmission {
    readonly prepared: Result.Result<Submission, SubmitError>
    readonly #waiter: Waiter
    #id = ""
    #awaited: Awaited | undefined
    #isStopped = false

    constructor(origin: Origin, task: Any, args: unknown, options: SubmitOptions | undefined, waiter: Waiter) {
      this.#waiter = waiter
      this.prepared = prepare(origin, task, args, options, true, (failure, id) => this.#done(failure, id))
    }

    /** Sends it, if it could be prepared. */
    start() {
      if (Result.isFailure(this.prepared)) return
      const submission = this.prepared.success
      this.#id = submission.id
      this.#awaited = results.add(this.#id, this.#waiter)
      enqueue(submission)
    }

    stop() {
      this.#isStopped = true
      results.remove(this.#id, this.#waiter)
    }

    #done(failure: SubmitError | undefined, id: string) {
      if (failure === undefined && id === this.#id) {
        if (this.#awaited !== undefined) this.#awaited.isKnown = true
        return
      }
      results.remove(this.#id, this.#waiter)
      // Somebody else in this process waits for the same id: for them it must be asked for now.
      if (results.has(this.#id)) results.ask(this.#id)
      if (this.#isStopped) return
      if (failure !== undefined) return this.#waiter.end(Result.fail(failure))
      // Another task holds the unique key. Its outcome may have come already, before we knew that it is meant.
      this.#id = id
      results.add(id, this.#waiter)
      results.ask(id)
    }
  }

  /** A prototype for all handles of this client: accessors of each handle's own cost more than submitting the task. */
  class Handle {
    readonly id: TaskId
    readonly #definition: Any
    constructor(definition: Any, id: string) {
      this.#definition = definition
      this.id = id as TaskId
    }
    get result() {
      return results.await<never, never>(this.#definition, this.id)
    }
    get status() {
      return queries.status(this.id)
    }
    get cancel() {
      return changes.cancel(this.id)
    }
    get progress() {
      return results.follow(this.#definition, this.id) as Stream.Stream<never>
    }
  }

  // Success, error and progress are what the definition says they are, and it decodes them by its schemas.
  const makeHandle = (definition: Any, id: string): TaskHandle<never, never, never> => new Handle(definition, id)

  return Client.of({
    delay: (task, ...[args, options]) =>
      withOrigin(task, (origin) =>
        Effect.callback((resume) => {
          const prepared = prepare(
            origin,
            task,
            args,
            options,
            false,
            (failure, id) => resume(failure === undefined ? Effect.succeed(makeHandle(task, id)) : Effect.fail(failure))
          )
          if (Result.isFailure(prepared)) return resume(Effect.fail(prepared.failure))
          enqueue(prepared.success)
        })),
    run: (task, ...[args, options]) =>
      withOrigin(
        task,
        (origin) =>
          Effect.callback((resume) => {
            const awaited = new AwaitedSubmission(origin, task, args, options, new Caller(task, resume))
            if (Result.isFailure(awaited.prepared)) return resume(Effect.fail(awaited.prepared.failure))
            awaited.start()
            return Effect.sync(() => awaited.stop())
          }),
        (task, submitted) => task.yieldSlot(submitted)
      ),
    runAll: (task, all, options) =>
      withOrigin(
        task,
        (origin) =>
          Effect.callback((resume) => {
            if (all.length === 0) return resume(Effect.succeed([]))
            const awaited: Array<AwaitedSubmission> = []
            const stop = () => {
              for (const each of awaited) each.stop()
            }
            const callers = new Callers(task, all.length, (exit) => {
              if (Exit.isFailure(exit)) stop()
              resume(exit)
            })
            // As with `delayAll`, nothing is sent when one of them is invalid.
            for (const [index, args] of all.entries()) {
              const each = new AwaitedSubmission(origin, task, args, options, callers.at(index))
              if (Result.isFailure(each.prepared)) return resume(Effect.fail(each.prepared.failure))
              awaited.push(each)
            }
            for (const each of awaited) each.start()
            return Effect.sync(stop)
          }),
        (task, submitted) => task.yieldSlot(submitted)
      ),
    delayAll: (task, all, options) =>
      withOrigin(task, (origin) =>
        Effect.callback((resume) => {
          const prepared: Array<Submission> = []
          let open = all.length
          let failed: SubmitError | undefined
          const done = (failure: SubmitError | undefined) => {
            failed ??= failure
            if (--open > 0) return
            resume(
              failed === undefined
                ? Effect.succeed(prepared.map(({ id }) => makeHandle(task, id)))
                : Effect.fail(failed)
            )
          }
          // All or nothing as far as this side can tell: nothing is sent when one of them is invalid.
          for (const args of all) {
            const submission = prepare(origin, task, args, options, false, done)
            if (Result.isFailure(submission)) return resume(Effect.fail(submission.failure))
            prepared.push(submission.success)
          }
          if (prepared.length === 0) return resume(Effect.succeed([]))
          for (const submission of prepared) enqueue(submission)
        })),
    result: (task, id) => isTaskId(id) ? results.await(task, id) : Effect.fail(new TaskNotFound({ id })),
    progress: (task, id) =>
      isTaskId(id) ? results.follow(task, id) as Stream.Stream<never> : Stream.fail(new TaskNotFound({ id })),
    events: makeEvents(calls, settings, randomId),
    ...queries,
    ...makeViews(calls),
    ...changes
  })
})

/**
 * Layer that is a client of the control plane that discovery finds.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Client, AddressError, Transport | Discovery> = Layer.effect(Client, make)
