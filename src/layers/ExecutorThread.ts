/**
 * Runs attempts whose definition says `isolation: "thread"` in threads, one at a time in each, and all others in fibers.
 * Threads are started when they are needed and load the files of tasks themselves. Owns the pool; what runs in a thread
 * is `ExecutorThreadMain.ts`.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { availableParallelism } from "node:os"
import { Worker } from "node:worker_threads"
import { ThreadsUnavailable } from "../domain/Errors.ts"
import type { Settings as Values } from "../domain/Settings.ts"
import type { RegisteredHandler } from "../domain/TaskDefinition.ts"
import type { Attempt, AttemptResult } from "../services/Executor.ts"
import { Executor } from "../services/Executor.ts"
import { Settings } from "../services/Settings.ts"
import { TaskRegistry } from "../services/TaskRegistry.ts"
import * as AttemptResults from "./AttemptResults.ts"
import * as ExecutorFiber from "./ExecutorFiber.ts"
import * as Timer from "./Timer.ts"

/**
 * What can be said of the threads.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Threads, at most; handlers that wait for other tasks do not count. Default: as many as there are processors. */
  readonly threads?: number
  /**
   * MiB of JavaScript objects in one thread, at most; a task that needs more crashes. `Buffer`s and typed arrays are not
   * among them. Default: the engine's.
   */
  readonly maxHeapMb?: number
  /** Whether threads log for machines. Default: `false`. */
  readonly jsonLogs?: boolean
}

/**
 * What a thread is given when it starts.
 *
 * @category models
 * @since 0.1.0
 */
export interface ThreadData {
  readonly files: ReadonlyArray<string>
  readonly settings: Values
  readonly jsonLogs: boolean
  /** The answer to the last `waiting`, where the thread waits for it: 1 is yes, 2 is no. */
  readonly answer: Int32Array<SharedArrayBuffer>
}

/**
 * What a thread is told.
 *
 * @category models
 * @since 0.1.0
 */
export type ToThread =
  | { readonly type: "start"; readonly attempt: Omit<Attempt, "onProgress" | "setWaiting"> }
  | { readonly type: "stop" }
  | { readonly type: "close" }

/**
 * What a thread tells. `unusable`: it can't load the files.
 *
 * @category models
 * @since 0.1.0
 */
export type FromThread =
  | { readonly type: "ready" }
  | { readonly type: "unusable"; readonly message: string }
  | { readonly type: "progress"; readonly body: string }
  | { readonly type: "waiting"; readonly isWaiting: boolean }
  | { readonly type: "result"; readonly result: AttemptResult }
  | { readonly type: "ended" }

interface Job {
  readonly handler: RegisteredHandler
  readonly attempt: Attempt
  readonly receivedAt: number
  readonly onResult: (result: AttemptResult) => void
  readonly onEnd: () => void
  stop: "interrupt" | "timeout" | undefined
  isReported: boolean
  isWaiting: boolean
}

interface Thread {
  readonly worker: Worker
  readonly answer: Int32Array<SharedArrayBuffer>
  readonly exited: Deferred.Deferred<void>
  isReady: boolean
  job: Job | undefined
  cancelTimer: () => void
}

// The compiler renames imports, not this: next to sources there is a source.
const main = new URL(`./ExecutorThreadMain.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url)

const nothing = () => {}

const makePool = Effect.fnUntraced(function*(options: Options) {
  const { jsonLogs = false, maxHeapMb, threads: maxThreads = availableParallelism() } = options
  const { files } = yield* TaskRegistry
  const settings = yield* Settings
  const clock = yield* Clock.Clock
  const after = yield* Timer.make
  const results = yield* AttemptResults.make

  const threads = new Set<Thread>()
  /** Jobs that no thread has, oldest first; each holds a slot of the worker, which bounds them. */
  const queue: Array<Job> = []

  const report = (job: Job, result: AttemptResult) => {
    if (job.isReported) return
    job.isReported = true
    job.onResult(result)
  }

  const setWaiting = (job: Job, isWaiting: boolean): boolean => {
    if (job.isWaiting === isWaiting) return isWaiting
    const isAgreed = job.attempt.setWaiting(isWaiting)
    job.isWaiting = isWaiting && isAgreed
    return isAgreed
  }

  const run = (thread: Thread, job: Job) => {
    const { id, args, attempt, checkpoint, expiresInMillis, failures, history, name, trace, version, worker } =
      job.attempt
    const waited = clock.currentTimeMillisUnsafe() - job.receivedAt
    post(thread, {
      type: "start",
      attempt: {
        id,
        name,
        attempt,
        worker,
        version,
        trace,
        failures,
        history,
        expiresInMillis: expiresInMillis === undefined ? undefined : expiresInMillis - waited,
        args,
        checkpoint
      }
    })
    const { timeoutMillis } = job.handler.definition.policy
    // The thread itself stops what takes too long, if it can: this is for a handler that does not let it.
    if (timeoutMillis !== undefined) endLater(thread, job, "timeout", timeoutMillis + settings.threadStopGraceMillis)
  }

  const endLater = (thread: Thread, job: Job, why: "interrupt" | "timeout", millis: number) => {
    thread.cancelTimer()
    thread.cancelTimer = after(millis, () => {
      job.stop = why
      void thread.worker.terminate()
    })
  }

  /** Takes the job from its thread: nothing of it runs any more. */
  const release = (thread: Thread, job: Job) => {
    thread.cancelTimer()
    thread.job = undefined
    setWaiting(job, false)
    job.onEnd()
  }

  const start = (): Thread => {
    const answer = new Int32Array(new SharedArrayBuffer(4))
    const workerData: ThreadData = { files, settings, jsonLogs, answer }
    const worker = new Worker(main, {
      workerData,
      name: "fastworker-task",
      ...(maxHeapMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: maxHeapMb } })
    })
    const thread: Thread = {
      worker,
      answer,
      exited: Deferred.makeUnsafe(),
      isReady: false,
      job: undefined,
      cancelTimer: nothing
    }
    threads.add(thread)
    let death: string | undefined
    worker.on("message", (message: FromThread) => onMessage(thread, message))
    worker.on("error", (cause: unknown) => {
      death = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)
    })
    worker.on("exit", (code) => {
      threads.delete(thread)
      Deferred.doneUnsafe(thread.exited, Exit.void)
      const { job } = thread
      if (job !== undefined) {
        report(job, resultOfDeath(job, death ?? `the thread of the task ended with exit code ${code}`))
        release(thread, job)
      }
      pump()
    })
    return thread
  }

  const resultOfDeath = ({ attempt, handler, stop }: Job, message: string): AttemptResult => {
    if (stop === "interrupt") return { state: "stopped" }
    return stop === "timeout"
      ? results.timedOut(handler, attempt)
      : { state: "crashed", body: JSON.stringify({ message }) }
  }

  const onMessage = (thread: Thread, message: FromThread) => {
    const { job } = thread
    if (message.type === "ready") thread.isReady = true
    if (job === undefined) return pump()
    switch (message.type) {
      case "ready":
        return run(thread, job)
      case "unusable":
        report(job, AttemptResults.defect("TaskFileError", message.message))
        void thread.worker.terminate()
        return
      case "progress":
        if (!job.isReported) job.attempt.onProgress(message.body)
        return
      case "waiting": {
        const isAgreed = setWaiting(job, message.isWaiting)
        if (!message.isWaiting) return
        Atomics.store(thread.answer, 0, isAgreed ? 1 : 2)
        Atomics.notify(thread.answer, 0)
        return pump()
      }
      case "result":
        return report(job, message.result)
      case "ended":
        release(thread, job)
        pump()
    }
  }

  /** Gives jobs to threads that have none, or to new ones while there may be more. */
  const pump = () => {
    let running = 0
    for (const { job } of threads) if (job?.isWaiting !== true) running++
    const idle = [...threads].filter(({ isReady, job }) => isReady && job === undefined)
    const count = Math.min(queue.length, idle.length + Math.max(0, maxThreads - running))
    for (const job of queue.splice(0, count)) {
      const thread = idle.shift() ?? start()
      thread.job = job
      if (thread.isReady) run(thread, job)
    }
    // While handlers waited there were more threads than now.
    for (const thread of idle.slice(0, Math.max(0, running - maxThreads))) {
      thread.isReady = false
      post(thread, { type: "close" })
    }
  }

  const interrupt = (job: Job) => {
    if (job.isReported || job.stop === "interrupt") return
    const isEnding = job.stop !== undefined
    // Stopping for good outweighs a timeout, which could mean another attempt.
    job.stop = "interrupt"
    if (isEnding) return
    const thread = [...threads].find((thread) => thread.job === job)
    if (thread?.isReady === true) {
      post(thread, { type: "stop" })
      return endLater(thread, job, "interrupt", settings.threadStopGraceMillis)
    }
    if (thread === undefined) queue.splice(queue.indexOf(job), 1)
    else thread.job = undefined
    report(job, { state: "stopped" })
    job.onEnd()
  }

  yield* Effect.addFinalizer(() =>
    Effect.forEach(threads, (thread) => {
      post(thread, { type: "close" })
      return Deferred.await(thread.exited).pipe(
        Effect.timeoutOption(settings.threadStopGraceMillis),
        Effect.andThen(Effect.promise(() => thread.worker.terminate()))
      )
    }, { concurrency: "unbounded", discard: true })
  )

  return {
    start(handler: RegisteredHandler, attempt: Attempt, onResult: Job["onResult"], onEnd: Job["onEnd"]) {
      const job: Job = {
        handler,
        attempt,
        receivedAt: clock.currentTimeMillisUnsafe(),
        onResult,
        onEnd,
        stop: undefined,
        isReported: false,
        isWaiting: false
      }
      queue.push(job)
      pump()
      return () => interrupt(job)
    }
  }
})

const post = ({ worker }: Thread, message: ToThread) => worker.postMessage(message)

/**
 * Creates the executor.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(options: Options = {}) {
  const { files, get, handlers } = yield* TaskRegistry
  const fibers = yield* ExecutorFiber.make
  const isolated = handlers.filter(({ definition }) => definition.policy.isolation === "thread")
  if (isolated.length === 0) return fibers
  if (files.length === 0) {
    return yield* new ThreadsUnavailable({ tasks: isolated.map(({ definition }) => definition.name) })
  }
  const pool = yield* makePool(options)
  return Executor.of({
    start(attempt, onResult, onEnd) {
      const handler = get(attempt.name)
      return handler?.definition.policy.isolation === "thread"
        ? pool.start(handler, attempt, onResult, onEnd)
        : fibers.start(attempt, onResult, onEnd)
    }
  })
})

/**
 * Layer that runs attempts in fibers, and in threads what asks for it.
 *
 * **Details**
 *
 * An attempt that waits for a thread holds its slot, and its timeout begins when it starts. When it is told to stop, or
 * its timeout passes, its handler is interrupted; a thread that has not stopped after `threadStopGraceMillis` is ended,
 * without finalizers. A task that ends its thread (by `process.exit`, an uncaught exception, too much memory) crashes
 * alone. The files of tasks are loaded once in the process and once in each thread, and the services of their layers with
 * them.
 *
 * Fails with `ThreadsUnavailable` when a definition asks for a thread and its handler does not come from a file.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options = {}): Layer.Layer<Executor, ThreadsUnavailable, TaskRegistry> =>
  Layer.effect(Executor, make(options))
