/**
 * What a worker runs: the leases of this process from their arrival until their slots are free, and what the control plane
 * does not know of them yet. What an attempt does is the executor's business, the conversation with the control plane
 * `WorkerRemote.ts`.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import { Buffer } from "node:buffer"
import { maxBatch } from "../domain/Batch.ts"
import { IdMap } from "../domain/IdMap.ts"
import type * as Message from "../domain/Message.ts"
import type { FailureReason } from "../domain/Outcome.ts"
import type { AttemptResult, Executor } from "../services/Executor.ts"
import * as Envelope from "./Envelope.ts"

/**
 * A lease as the control plane sends it.
 *
 * @category models
 * @since 0.1.0
 */
export type Lease = Message.LeaseHeader

/**
 * What the control plane is to be told in the next exchange.
 *
 * @category models
 * @since 0.1.0
 */
export interface News {
  readonly reports: ReadonlyArray<PendingReport>
  readonly progress: ReadonlyArray<PendingProgress>
}

export interface PendingReport {
  readonly header: {
    readonly id: string
    readonly attempt: number
    readonly state: Message.Report["state"]
    readonly reason?: FailureReason
    readonly retryIn?: number
    readonly span?: string
    readonly size: number
  }
  readonly body: Envelope.EncodedBody
}

/** What a handler said last. */
interface PendingProgress {
  readonly header: { readonly id: string; readonly attempt: number; readonly size: number }
  readonly body: string
}

interface Running {
  readonly id: string
  readonly lease: Lease
  readonly args: string
  readonly checkpoint: string | undefined
  /** The exchange that brought it. */
  readonly exchange: number
  /** It is among those that run: it has not ended, and the task was not leased to this worker again meanwhile. */
  isCurrent: boolean
  /** Its lease has ended: nobody wants to know how it ends. */
  isAbandoned: boolean
  /** Stops what runs; `undefined` before it starts. */
  interrupt: (() => void) | undefined
}

/**
 * What a worker runs.
 *
 * @category models
 * @since 0.1.0
 */
export type WorkerTasks = Effect.Success<ReturnType<typeof makeTasks>>

/** Bytes of results after which an exchange is full. */
const maxReportBytes = 4 * 1024 * 1024

/** What handlers report is sent at most so often, the newest of each: it is for people to look at. */
const progressMillis = 200

/** Handlers that may wait for other tasks at a time, for each slot: what they wait for must find room to run. */
const maxWaitingPerSlot = 8

/**
 * Attempts that are started before the event loop may do something else, or characters of their arguments: to parse those
 * takes milliseconds, in which what the first of them reports can be on its way. Measured: 128 to 512 make no difference.
 */
const startsPerTurn = 256
const charsPerTurn = 256 * 1024

const noHistory: NonNullable<Lease["history"]> = []
const noProgress: ReadonlyArray<PendingProgress> = []

/**
 * Creates what a worker runs: nothing yet.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeTasks = Effect.fnUntraced(function*({ executor, schedule, slots, worker }: {
  readonly executor: Executor["Service"]
  readonly worker: string
  readonly slots: number
  /** There is news: asks for an exchange at the end of this turn. */
  readonly schedule: () => void
}) {
  const idle = yield* Latch.make(true)
  const running = new IdMap<Running>()
  /** Slots that are taken: by what runs, and by what has been reported and does not stop. */
  let busy = 0
  /** Handlers that wait for other tasks: their slots are free. */
  let waiting = 0
  let reports: Array<PendingReport> = []
  let progress = new Map<string, PendingProgress>()
  let progressTimer: NodeJS.Timeout | undefined
  /** There is news besides reports. */
  let hasOther = false
  /** Leases that start after the next exchange has been sent. */
  let suspects: Array<Running> = []
  /** Leases that start in this turn or the next. */
  let received: Array<Running> = []

  const start = (entry: Running) => {
    const { args, checkpoint, lease } = entry
    const { attempt, expiresIn, failures = 0, history = noHistory, id, name, trace, version } = lease
    if (!entry.isCurrent) return
    entry.interrupt = executor.start(
      {
        id,
        name,
        attempt,
        worker,
        args,
        version,
        trace,
        expiresInMillis: expiresIn,
        failures,
        history,
        checkpoint,
        onProgress: (body) => onProgress(lease, body),
        setWaiting
      },
      (result) => ended(entry, result),
      freeSlot
    )
  }

  const startReceived = () => {
    let count = 0
    let chars = 0
    while (count < received.length && count < startsPerTurn && chars < charsPerTurn) {
      chars += (received[count++] as Running).args.length
    }
    const batch = received.slice(0, count)
    received = received.slice(count)
    for (const entry of batch) start(entry)
    if (received.length > 0) setImmediate(startReceived)
  }

  const startSuspects = () => {
    const entries = suspects
    suspects = []
    for (const entry of entries) start(entry)
  }

  const ended = (entry: Running, result: AttemptResult) => {
    const { attempt, id } = entry.lease
    if (!entry.isAbandoned) {
      const { body, size } = Envelope.bodyOf("body" in result ? result.body : "")
      const header = { id, attempt, state: result.state, size }
      reports.push({
        header: result.state !== "failed"
          ? header
          : result.retryInMillis === undefined
          ? { ...header, reason: result.reason }
          : {
            ...header,
            reason: result.reason,
            retryIn: result.retryInMillis,
            ...(result.span === undefined ? {} : { span: result.span })
          },
        body
      })
    }
    if (entry.isCurrent) running.delete(id)
    entry.isCurrent = false
    schedule()
  }

  /** After the report is there: whoever waits until nothing runs goes on at once, and takes it along. */
  const freeSlot = () => {
    if (--busy === 0) idle.openUnsafe()
    schedule()
  }

  /** The lease that the reply to an exchange may mean: one that a later exchange brought is another attempt of its task. */
  const meant = (id: string, exchange: number): Running | undefined => {
    const entry = running.get(id)
    return entry === undefined || entry.exchange > exchange ? undefined : entry
  }

  const stop = (entry: Running) => {
    if (entry.interrupt !== undefined) return entry.interrupt()
    ended(entry, { state: "stopped" })
    freeSlot()
  }

  const abandon = (entry: Running) => {
    entry.isAbandoned = true
    stop(entry)
  }

  const onProgress = ({ attempt, id }: Lease, body: string) => {
    progress.set(id, { header: { id, attempt, size: Buffer.byteLength(body) }, body })
    progressTimer ??= setTimeout(() => {
      hasOther = true
      schedule()
    }, progressMillis)
  }

  const setWaiting = (isWaiting: boolean): boolean => {
    if (isWaiting && waiting >= slots * maxWaitingPerSlot) return false
    waiting += isWaiting ? 1 : -1
    hasOther = true
    schedule()
    return true
  }

  const takeReports = (): ReadonlyArray<PendingReport> => {
    let bytes = 0
    let count = 0
    while (count < reports.length && count < maxBatch && (count === 0 || bytes < maxReportBytes)) {
      bytes += (reports[count] as PendingReport).header.size
      count++
    }
    const taken = reports.slice(0, count)
    reports = reports.slice(count)
    return taken
  }

  const takeProgress = (): ReadonlyArray<PendingProgress> => {
    if (progress.size === 0) return noProgress
    clearTimeout(progressTimer)
    progressTimer = undefined
    const taken = [...progress.values()]
    progress = new Map()
    return taken
  }

  return {
    /** Waits until no slot is taken. */
    idle: idle.await,
    /** Number of leases that run or are to start. */
    running: () => running.size,
    /** Handlers that wait for other tasks. */
    waiting: () => waiting,
    /** Slots that are free. */
    free: () => Math.max(0, slots + waiting - busy),

    /** Takes a lease that the reply to an exchange brought: a slot is busy from now on. */
    receive(lease: Lease, args: string, checkpoint: string | undefined, exchange: number) {
      idle.closeUnsafe()
      const entry: Running = {
        id: lease.id,
        lease,
        args,
        checkpoint,
        exchange,
        isCurrent: true,
        isAbandoned: false,
        interrupt: undefined
      }
      const before = running.set(entry)
      if (before !== undefined) before.isCurrent = false
      busy++
      // A task that was lost with a worker before may be what killed it: the control plane is told that it was received
      // before it starts, so that another loss is counted as its crash.
      if (lease.losses === undefined) received.push(entry)
      else suspects.push(entry)
    },

    /** Starts what was received, some at a time: the reports of the first are on their way while the next run. */
    startReceived,

    /** An exchange was sent: what waited for that starts. */
    confirmed() {
      if (suspects.length > 0) setImmediate(startSuspects)
    },

    /** Stops a task that the reply to an exchange names; how it ends is reported. */
    stop(id: string, exchange: number) {
      const entry = meant(id, exchange)
      if (entry !== undefined) stop(entry)
    },

    /** A lease that the reply to an exchange names is not ours any more: what runs is stopped, and nobody is told. */
    abandon(id: string, exchange: number) {
      const entry = meant(id, exchange)
      if (entry !== undefined) abandon(entry)
    },

    /** Abandons everything. */
    close() {
      clearTimeout(progressTimer)
      for (const entry of running.values()) abandon(entry)
    },

    /** What runs, and what has ended without its report having gone out: that is not to run again. */
    held: () => [
      ...running.values().map(({ lease: { attempt, id } }) => ({ id, attempt })),
      ...reports.map(({ header: { attempt, id } }) => ({ id, attempt }))
    ],

    /** Whether there is something that can't wait for the next heartbeat. */
    hasNews: () => hasOther || reports.length > 0,

    /** Takes what the next exchange is to tell. */
    takeNews(): News {
      hasOther = false
      return { reports: takeReports(), progress: takeProgress() }
    },

    /** What an exchange told may not have arrived: it is told again. */
    giveBackNews(news: News) {
      if (news.reports.length > 0) reports = [...news.reports, ...reports]
      for (const told of news.progress) {
        // What was said since is newer.
        if (!progress.has(told.header.id)) progress.set(told.header.id, told)
      }
      if (news.progress.length > 0) hasOther = true
    }
  }
})
