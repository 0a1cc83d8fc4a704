/**
 * The journal in an SQLite file, written by a thread of its own. This side owns what goes into a commit and when, what
 * becomes of a commit that fails, and who is told. What is appended while a commit is on its way is the next one, so
 * commits are as large as the disk is slow.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Worker } from "node:worker_threads"
import type { JournalError } from "../domain/Errors.ts"
import { JournalCorrupt, JournalFailed, JournalLocked, JournalTooNew, JournalUnusable } from "../domain/Errors.ts"
import type { JournalBounds, JournalObserver } from "../services/Journal.ts"
import { Journal } from "../services/Journal.ts"
import type { Numbered } from "./JournalBacklog.ts"
import { condense } from "./JournalBacklog.ts"
import type { Fault } from "./JournalFile.ts"
import { migrations } from "./JournalFile.ts"
import type { Answer, Change, Request } from "./JournalMessage.ts"
import { encode, makeContents } from "./JournalMessage.ts"

/** Time between two attempts to store what could not be stored. */
const retryMillis = 500

/** Changes in one commit, at most; and their bytes, about. */
const maxChanges = 8192
const maxBytes = 16 * 1024 * 1024

/** How long the end of the journal waits for the last commit, and for the file to be closed. */
const closeMillis = 10_000

/**
 * The error of a fault.
 *
 * @category constructors
 * @since 0.1.0
 */
export const toError = (file: string, { fault, reason, version }: Fault): JournalError => {
  switch (fault) {
    case "JournalLocked":
      return new JournalLocked({ file })
    case "JournalCorrupt":
      return new JournalCorrupt({ file, reason })
    case "JournalTooNew":
      return new JournalTooNew({ file, version, known: migrations.length })
    case "JournalUnusable":
      return new JournalUnusable({ file, reason })
    case "JournalFailed":
      return new JournalFailed({ reason })
  }
}

const sizeOf = (change: Change) => {
  switch (change.type) {
    case "accepted":
      return change.args.length
    case "checkpoint":
    case "finished":
      return change.body.length
    default:
      return 0
  }
}

const endedFault = (reason: string): Answer => ({
  type: "fault",
  fault: { fault: "JournalFailed", reason, version: 0 }
})

const unbounded: JournalBounds = {
  maxOutcomes: Infinity,
  maxOutcomeBytes: Infinity,
  maxDead: Infinity,
  maxDeadBytes: Infinity
}

// The thread's file has the extension that this one has: it runs from the sources too. By its folder: a bundle is in
// another.
const threadUrl = new URL(
  `../layers/JournalSqliteThread${import.meta.url.slice(import.meta.url.lastIndexOf("."))}`,
  import.meta.url
)

/** Starts the thread; what it says first is whether it could open the file. */
const startThread = (file: string) => {
  // Nothing of how this process was started, loaders for example, concerns the thread.
  const thread = new Worker(threadUrl, { workerData: file, execArgv: [], name: "fastworker journal" })
  let ended: string | undefined
  /** Who gets the answer, while there is one to come: the thread is asked one thing at a time. */
  let waiting: ((answer: Answer) => void) | undefined
  const onAnswer = (answer: Answer) => {
    const then = waiting
    if (answer.type !== "rows") {
      waiting = undefined
      // Without a question on its way the thread does not keep the process alive.
      thread.unref()
    }
    then?.(answer)
  }
  const opened = new Promise<Answer>((resolve) => (waiting = resolve))
  const onEnd = (reason: string) => {
    if (ended !== undefined) return
    ended = reason
    onAnswer(endedFault(reason))
  }
  thread.on("message", onAnswer)
  thread.on("error", (error) => onEnd(`its thread ended (${String(error)}); the control plane must be started again`))
  thread.on("exit", () => onEnd("its thread ended; the control plane must be started again"))
  return {
    opened,
    ask: (request: Request, then: (answer: Answer) => void) => {
      thread.ref()
      waiting = then
      const reason = ended
      if (reason !== undefined) setImmediate(() => onAnswer(endedFault(reason)))
      else thread.postMessage(request, request.type === "commit" ? [request.pack.bytes.buffer] : [])
    },
    terminate: Effect.promise(() => thread.terminate())
  }
}

/**
 * Opens the journal in a file, which is created when there is none. The file is this process's alone until the scope
 * ends, which stores what was appended until then.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(file: string) {
  const { ask, opened } = yield* Effect.acquireRelease(
    Effect.sync(() => startThread(file)),
    ({ terminate }) => terminate
  )
  const first = yield* Effect.promise(() => opened)
  if (first.type === "fault") return yield* toError(file, first.fault)

  const clock = yield* Clock.Clock
  const now = () => clock.currentTimeMillisUnsafe()
  let bounds = unbounded
  let position = 0
  let committed = 0
  let queue: Array<Numbered> = []
  /** What the thread has at the moment. */
  let batch: Array<Numbered> | undefined
  let isScheduled = false
  let retry: NodeJS.Timeout | undefined
  let failure: JournalFailed | undefined
  const observers: Array<JournalObserver> = []
  const flushes = new Set<{ readonly upTo: number; readonly done: (error?: JournalFailed) => void }>()

  const takeBatch = () => {
    let [count, bytes] = [0, 0]
    while (count < queue.length && count < maxChanges && bytes < maxBytes) {
      bytes += sizeOf((queue[count] as Numbered).change)
      count++
    }
    const taken = queue.splice(0, count)
    // With nothing behind it a batch stands for all that was appended: refused entries have left gaps in the numbers.
    return { taken, upTo: queue.length === 0 ? position : (taken.at(-1) as Numbered).position }
  }

  /** Sends the next batch. An empty one asks whether the disk takes anything again. */
  const commit = () => {
    isScheduled = false
    clearTimeout(retry)
    if (batch !== undefined) return
    const { taken, upTo } = takeBatch()
    batch = taken
    ask({ type: "commit", pack: encode(taken.map(({ change }) => change)), now: now() }, (answer) => {
      batch = undefined
      if (answer.type === "fault") return onFailed(taken, answer.fault.reason)
      failure = undefined
      committed = upTo
      for (const { committed } of observers) committed(upTo)
      for (const flush of flushes) if (flush.upTo <= upTo) flush.done()
      if (queue.length > 0) commit()
    })
  }

  const onFailed = (taken: ReadonlyArray<Numbered>, reason: string) => {
    const error = new JournalFailed({ reason })
    failure = error
    const refused = taken.flatMap(({ change }) => change.type === "accepted" ? [change.id] : [])
    const rest = taken.filter(({ change }) => change.type !== "accepted")
    queue = condense([...rest, ...queue], bounds)
    retry = setTimeout(commit, retryMillis).unref()
    if (refused.length > 0) { for (const observer of observers) observer.refused(refused, error) }
    for (const flush of flushes) flush.done(error)
  }

  /** At the end of the turn, so that all that is appended in it is one commit. */
  const schedule = () => {
    if (isScheduled || batch !== undefined || failure !== undefined) return
    isScheduled = true
    setImmediate(commit)
  }

  const flush = Effect.callback<void, JournalFailed>((resume) => {
    if (committed >= position) return resume(Effect.void)
    const flush = {
      upTo: position,
      done(error?: JournalFailed) {
        flushes.delete(flush)
        resume(error === undefined ? Effect.void : Effect.fail(error))
      }
    }
    flushes.add(flush)
    commit()
    return Effect.sync(() => flushes.delete(flush))
  })

  yield* Effect.addFinalizer(Effect.fnUntraced(function*() {
    yield* flush.pipe(
      Effect.timeout(closeMillis),
      Effect.catch(({ message }) => Effect.logWarning(`The last changes are not in the journal ${file}: ${message}`))
    )
    clearTimeout(retry)
    // The answer is that the thread has ended.
    yield* Effect.callback<void>((resume) => ask({ type: "close" }, () => resume(Effect.void))).pipe(
      Effect.timeoutOption(closeMillis)
    )
  }))

  return Journal.of({
    isDurable: true,
    file,
    load: (limits) =>
      Effect.callback((resume) => {
        bounds = limits
        const { add, contents } = makeContents()
        ask({ type: "load", bounds, now: now() }, (answer) => {
          if (answer.type === "rows") return add(answer.pack)
          resume(answer.type === "fault" ? Effect.fail(toError(file, answer.fault)) : Effect.succeed(contents))
        })
      }),
    append(change) {
      queue.push({ change, position: ++position })
      schedule()
    },
    position: () => position,
    committed: () => committed,
    failure: () => failure,
    observe: (observer) => void observers.push(observer),
    flush
  })
})

/**
 * Layer of the journal in a file.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (file: string): Layer.Layer<never, JournalError> => Layer.effect(Journal, make(file))
