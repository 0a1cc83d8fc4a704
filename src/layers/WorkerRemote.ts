/**
 * A worker over the transport: finds the control plane, registers, keeps one exchange waiting for leases, and reports
 * what has ended, once per turn of the event loop. It keeps running what it runs while the control plane is away, and
 * registers again with what it holds when there is one.
 *
 * Owns the leases of this process. What an attempt does is the executor's business.
 *
 * @since 0.1.0
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberHandle from "effect/FiberHandle"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import type { AddressError, ReplyError } from "../domain/Errors.ts"
import { ProtocolMismatch } from "../domain/Errors.ts"
import type { TaskType } from "../domain/Message.ts"
import * as Message from "../domain/Message.ts"
import type { FailureReason } from "../domain/Outcome.ts"
import type { WorkerAbout } from "../domain/WorkerInfo.ts"
import { Discovery } from "../services/Discovery.ts"
import type { AttemptResult } from "../services/Executor.ts"
import { Executor } from "../services/Executor.ts"
import { Heartbeat } from "../services/Heartbeat.ts"
import { Settings } from "../services/Settings.ts"
import { TaskRegistry } from "../services/TaskRegistry.ts"
import type { Connection } from "../services/Transport.ts"
import { Transport } from "../services/Transport.ts"
import { Worker } from "../services/Worker.ts"
import * as Envelope from "./Envelope.ts"
import { makeRandomId } from "./RandomId.ts"
import * as Reply from "./Reply.ts"

/**
 * What a worker can be told.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** What people see; need not be unique. */
  readonly id: string
  /** Tasks that run at once. */
  readonly slots: number
  /** What it tells of itself, for people. */
  readonly about?: WorkerAbout
}

interface Running {
  readonly lease: Lease
  readonly args: Uint8Array
  readonly checkpoint: Uint8Array | undefined
  /** Its lease has ended: nobody wants to know how it ends. */
  isAbandoned: boolean
  /** Stops what runs; `undefined` before it starts. */
  interrupt: (() => void) | undefined
}

type Lease = (typeof Message.ExchangeReply.Type)["leases"][number]

interface PendingReport {
  readonly header: {
    readonly id: string
    readonly attempt: number
    readonly state: Message.Report["state"]
    readonly reason?: FailureReason
    readonly retryIn?: number
    readonly size: number
  }
  readonly body: string
}

/** What a handler reported and the control plane does not know yet. */
interface PendingProgress {
  readonly attempt: number
  readonly body: string
}

interface Outstanding {
  readonly reports: ReadonlyArray<PendingReport>
  readonly cancel: () => void
}

/** Bytes of results after which an exchange is full. */
const maxReportBytes = 4 * 1024 * 1024

/** What handlers report is sent at most so often, the newest of each: it is for people to look at. */
const progressMillis = 200

/** Handlers that may wait for other tasks at a time, for each slot: what they wait for must find room to run. */
const maxWaitingPerSlot = 8

/** Attempts that are started before the event loop may do something else. Measured: 128 to 512 make no difference. */
const startsPerTurn = 256

/** How long to wait before trying again after a call that was not answered. */
const retryMillis = 500

const v = Message.protocolVersion
const noHistory: NonNullable<Lease["history"]> = []
const decodeRegisterReply = Reply.decoder(Message.RegisterReply)
const decodeExchangeReply = Reply.decoder(Message.ExchangeReply)

/**
 * Creates a worker that runs until its scope closes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*({ about, id, slots }: Options) {
  const settings = yield* Settings
  const transport = yield* Transport
  const discovery = yield* Discovery
  const executor = yield* Executor
  const registry = yield* TaskRegistry
  const services = yield* Effect.context()
  const runFork = Effect.runForkWith(services)

  const session = makeRandomId()()
  const heartbeat = yield* Heartbeat
  const beatAt = yield* heartbeat.start(session)
  const ready = yield* Deferred.make<void, ProtocolMismatch>()
  const idle = yield* Latch.make(true)
  const unregistered = yield* Latch.make(false)
  const handle = yield* FiberHandle.make<never, AddressError>()
  const types: ReadonlyArray<TaskType> = registry.handlers.map(({ definition }) => ({
    name: definition.name,
    ...(definition.priority === undefined ? {} : { priority: definition.priority }),
    ...(definition.description === undefined ? {} : { description: definition.description }),
    ...(definition.policy.limits === undefined ? {} : { limits: definition.policy.limits }),
    ...(definition.policy.retentionMillis === undefined ? {} : { retention: definition.policy.retentionMillis }),
    ...(definition.policy.version === 1 ? {} : { version: definition.policy.version })
  }))

  const running = new Map<string, Running>()
  /** Slots that are taken: by what runs, and by what has been reported and does not stop. */
  let busy = 0
  /** Handlers that wait for other tasks: their slots are free. */
  let waiting = 0
  let progress = new Map<string, PendingProgress>()
  let progressTimer: NodeJS.Timeout | undefined
  /** There is news besides reports: the next flush must send an exchange. */
  let hasNews = false
  let reports: Array<PendingReport> = []
  /** Exchanges without a reply, oldest first. */
  const outstanding = new Map<number, Outstanding>()
  let abandoned: Array<number> = []
  /** Leases that start after the next exchange has been sent. */
  let suspects: Array<Running> = []
  /** Leases that start in this turn or the next. */
  let received: Array<Running> = []
  let connection: Connection | undefined
  let isRegistered = false
  let isDraining = false
  let seq = 0
  let heartbeatMillis = settings.heartbeatMillis
  let flushScheduled = false
  let broughtLeases = false
  let registrations = 0

  const timing = () => ({
    timeoutMillis: heartbeatMillis + settings.deadlineMillis,
    resendMillis: heartbeatMillis + settings.resendMillis
  })

  // --- Exchange ---

  const schedule = () => {
    if (flushScheduled) return
    flushScheduled = true
    setImmediate(flush)
  }

  const flush = () => {
    flushScheduled = false
    if (connection === undefined || !isRegistered) return
    // One exchange must wait for leases; a further one is sent only to report.
    if (outstanding.has(seq) && reports.length === 0 && !hasNews) return
    exchange(connection)
    if (suspects.length > 0) setImmediate(startSuspects)
  }

  const takeReports = (): ReadonlyArray<PendingReport> => {
    let bytes = 0
    let count = 0
    while (count < reports.length && count < Message.maxBatch && (count === 0 || bytes < maxReportBytes)) {
      bytes += (reports[count] as PendingReport).header.size
      count++
    }
    const taken = reports.slice(0, count)
    reports = reports.slice(count)
    return taken
  }

  const takeProgress = () => {
    if (progress.size === 0) return []
    clearTimeout(progressTimer)
    progressTimer = undefined
    const taken = [...progress].map(([id, { attempt, body }]) => ({
      header: { id, attempt, size: Buffer.byteLength(body) },
      body
    }))
    progress = new Map()
    return taken
  }

  const onProgress = ({ attempt, id }: Lease, body: string) => {
    progress.set(id, { attempt, body })
    progressTimer ??= setTimeout(() => {
      hasNews = true
      schedule()
    }, progressMillis)
  }

  const setWaiting = (isWaiting: boolean): boolean => {
    if (isWaiting && waiting >= slots * maxWaitingPerSlot) return false
    waiting += isWaiting ? 1 : -1
    hasNews = true
    schedule()
    return true
  }

  const exchange = (connection: Connection) => {
    const taken = takeReports()
    const [oldest = seq + 1] = outstanding.keys()
    const number = ++seq
    // What is held can be stated completely only while no report is on its way. It is a safeguard: once in a heartbeat
    // is enough, so not after a reply that brought leases.
    const isQuiet = taken.length === 0 && outstanding.size === 0 && !broughtLeases
    const told = takeProgress()
    hasNews = false
    const payload = Envelope.encode(
      {
        v,
        op: "exchange",
        session,
        seq: number,
        settled: Math.min(oldest, number) - 1,
        free: isDraining ? 0 : Math.max(0, slots + waiting - busy),
        ...(waiting > 0 ? { waiting } : {}),
        ...(isDraining ? { draining: true } : {}),
        ...(abandoned.length > 0 ? { abandoned } : {}),
        ...(isQuiet ? { held: held() } : {}),
        ...(taken.length > 0 ? { reports: taken.map(({ header }) => header) } : {}),
        ...(told.length > 0 ? { progress: told.map(({ header }) => header) } : {})
      },
      told.length === 0 ? taken.map(({ body }) => body) : [...taken, ...told].map(({ body }) => body)
    )
    abandoned = []
    const cancel = connection.request(payload, timing(), (failure, reply) => {
      if (failure === undefined) onReply(number, taken, reply)
      else {
        giveUp(number, taken)
        setTimeout(schedule, retryMillis)
      }
    })
    outstanding.set(number, { reports: taken, cancel })
    if (reports.length > 0) schedule()
  }

  const giveUp = (number: number, taken: ReadonlyArray<PendingReport>) => {
    outstanding.delete(number)
    abandoned.push(number)
    reports = [...taken, ...reports]
  }

  const onReply = (number: number, taken: ReadonlyArray<PendingReport>, bytes: Uint8Array) => {
    outstanding.delete(number)
    const reply = decodeExchangeReply(bytes)
    if (Result.isFailure(reply)) {
      reports = [...taken, ...reports]
      onRefused(reply.failure)
      return
    }
    const { body, header } = reply.success
    broughtLeases = header.leases.length > 0
    // A lease may bring what an earlier attempt reported: then it has two bodies.
    const bodies = Envelope.split(
      body,
      header.leases.flatMap(({ checkpoint, size }) =>
        checkpoint === undefined ? [{ size }] : [{ size }, { size: checkpoint }]
      )
    )
    for (const id of header.abandon ?? []) abandon(id)
    if (header.late !== undefined) {
      runFork(Effect.logWarning("Reports came too late: the leases had ended", { tasks: header.late }))
    }
    if (Result.isFailure(bodies)) {
      abandoned.push(number)
      runFork(Effect.logError("A reply of the control plane was malformed", bodies.failure))
    } else {
      let at = 0
      for (const lease of header.leases) {
        const args = bodies.success[at++] as Uint8Array
        receive(lease, args, lease.checkpoint === undefined ? undefined : bodies.success[at++])
      }
      startSome()
    }
    for (const id of header.cancel ?? []) stop(id)
    schedule()
  }

  const onRefused = (error: ReplyError) => {
    if (error._tag === "UnknownSession") return reregister()
    runFork(Effect.logError("The control plane refused an exchange", error))
    setTimeout(schedule, retryMillis)
  }

  /** What runs, and what has ended without its report having gone out: that is not to run again. */
  const held = () => [
    ...[...running.values()].map(({ lease: { attempt, id } }) => ({ id, attempt })),
    ...reports.map(({ header: { attempt, id } }) => ({ id, attempt }))
  ]

  // --- Tasks ---

  /** Takes a lease: a slot is busy from now on. */
  const receive = (lease: Lease, args: Uint8Array, checkpoint: Uint8Array | undefined) => {
    idle.closeUnsafe()
    const entry: Running = { lease, args, checkpoint, isAbandoned: false, interrupt: undefined }
    running.set(lease.id, entry)
    busy++
    // A task that was lost with a worker before may be what killed it: the control plane is told that it was received
    // before it starts, so that another loss is counted as its crash.
    if (lease.losses === undefined) received.push(entry)
    else suspects.push(entry)
  }

  /** Starts what was received, some at a time: the reports of the first are on their way while the next run. */
  const startSome = () => {
    const batch = received.slice(0, startsPerTurn)
    received = received.slice(startsPerTurn)
    for (const entry of batch) start(entry)
    if (received.length > 0) setImmediate(startSome)
  }

  const start = (entry: Running) => {
    const { args, checkpoint, lease } = entry
    const { attempt, expiresIn, failures = 0, history = noHistory, id: taskId, name, version } = lease
    if (running.get(taskId) !== entry) return
    entry.interrupt = executor.start(
      {
        id: taskId,
        name,
        attempt,
        worker: id,
        args,
        version,
        expiresInMillis: expiresIn,
        failures,
        history,
        checkpoint,
        onProgress: (body) => onProgress(lease, body),
        setWaiting
      },
      (result) => ended(entry, result),
      free
    )
  }

  /** A lease is not ours any more: what runs is stopped, and nobody is told. */
  const abandon = (taskId: string) => {
    const entry = running.get(taskId)
    if (entry === undefined) return
    entry.isAbandoned = true
    stop(taskId)
  }

  /** Stops a task; how it ends is reported. */
  const stop = (taskId: string) => {
    const entry = running.get(taskId)
    if (entry === undefined) return
    if (entry.interrupt !== undefined) return entry.interrupt()
    ended(entry, { state: "stopped" })
    free()
  }

  const startSuspects = () => {
    const entries = suspects
    suspects = []
    for (const entry of entries) start(entry)
  }

  const ended = (entry: Running, result: AttemptResult) => {
    const { attempt, id: taskId } = entry.lease
    if (!entry.isAbandoned) {
      const body = "body" in result ? result.body : ""
      const header = { id: taskId, attempt, state: result.state, size: Buffer.byteLength(body) }
      reports.push({
        header: result.state !== "failed"
          ? header
          : result.retryInMillis === undefined
          ? { ...header, reason: result.reason }
          : { ...header, reason: result.reason, retryIn: result.retryInMillis },
        body
      })
    }
    if (running.get(taskId) === entry) running.delete(taskId)
    schedule()
  }

  /** A slot is free. After the report is there: whoever waits until nothing runs goes on at once, and takes it along. */
  const free = () => {
    if (--busy === 0) idle.openUnsafe()
    schedule()
  }

  // --- Connection ---

  const register = (to: Connection) =>
    Effect.callback<Message.RegisterReplyHeader, ProtocolMismatch | Reply.NoReply>((resume) => {
      const payload = Envelope.encode({
        v,
        op: "register",
        session,
        worker: id,
        slots,
        tasks: types,
        ...(registry.schedules.length === 0 ? {} : { schedules: registry.schedules }),
        held: held(),
        seq,
        about: about ?? {}
      })
      const cancel = to.request(payload, timing(), (failure, bytes) => {
        if (failure !== undefined) return resume(Effect.fail(new Reply.NoReply({ reason: failure })))
        const reply = decodeRegisterReply(bytes)
        if (Result.isSuccess(reply)) return resume(Effect.succeed(reply.success.header))
        const error = reply.failure
        resume(Effect.fail(error instanceof ProtocolMismatch ? error : new Reply.NoReply({ reason: error.message })))
      })
      return Effect.sync(cancel)
    })

  const registerUntilDone = (to: Connection) =>
    register(to).pipe(
      Effect.tapErrorTag("NoReply", (error) => Effect.logWarning(`Not registered yet: ${error.reason}`)),
      Effect.retry({ while: (error) => error._tag === "NoReply", schedule: Schedule.spaced(retryMillis) }),
      Effect.tap((reply) =>
        Effect.sync(() => {
          heartbeatMillis = reply.heartbeat
          beatAt({ address: to.address, heartbeatMillis, heartbeatTimeoutMillis: reply.heartbeatTimeout })
          for (const id of reply.abandon) abandon(id)
          for (const id of reply.cancel ?? []) stop(id)
          isRegistered = true
          Deferred.doneUnsafe(ready, Exit.void)
          schedule()
        })
      ),
      Effect.tap(({ epoch }) => {
        const isFirst = registrations++ === 0
        return isFirst
          ? Effect.logDebug("Registered", { address: to.address, epoch })
          : Effect.logInfo("Registered again", { address: to.address, epoch })
      }),
      Effect.catchTags({
        ProtocolMismatch: (error) => Effect.asVoid(Deferred.fail(ready, error)),
        NoReply: () => Effect.void
      })
    )

  /** Everything on its way is given up: its reports are sent again after the next registration. */
  const detach = () => {
    isRegistered = false
    for (const [number, { cancel, reports: taken }] of outstanding) {
      cancel()
      giveUp(number, taken)
    }
  }

  const reregister = () => {
    if (!isRegistered) return
    detach()
    unregistered.openUnsafe()
  }

  const serve = Effect.fnUntraced(function*(address: string) {
    const to = yield* transport.connect(address, {
      maxMessageBytes: Envelope.maxMessageBytes(settings.maxPayloadBytes)
    })
    connection = to
    while (true) {
      unregistered.closeUnsafe()
      yield* registerUntilDone(to)
      yield* unregistered.await
    }
  }, Effect.scoped)

  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      detach()
      clearTimeout(progressTimer)
      for (const id of running.keys()) abandon(id)
    })
  )
  yield* discovery.find(({ workerAddress }) => {
    if (connection?.address === workerAddress) return
    detach()
    runFork(FiberHandle.run(handle, serve(workerAddress)))
  })

  // --- Stop ---

  const leave = Effect.callback<void>((resume) => {
    if (connection === undefined || !isRegistered) return resume(Effect.void)
    // From here on an answer that the session is unknown is what was asked for, no reason to register again.
    isRegistered = false
    const taken = takeReports()
    const payload = Envelope.encode(
      { v, op: "leave", session, reports: taken.map(({ header }) => header) },
      taken.map(({ body }) => body)
    )
    connection.request(payload, { timeoutMillis: 2_000, resendMillis: 500 }, () => resume(Effect.void))
  })

  const drain = Effect.gen(function*() {
    isDraining = true
    if (connection !== undefined && isRegistered) exchange(connection)
    yield* idle.await.pipe(Effect.timeoutOption(settings.drainTimeoutMillis))
    const interrupted = running.size
    for (const id of running.keys()) abandon(id)
    yield* leave
    return interrupted
  })

  return Worker.of({
    id,
    ready: Deferred.await(ready),
    running: Effect.sync(() => running.size),
    drain
  })
})

/**
 * Layer that is the worker of this process.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: Options
): Layer.Layer<Worker, AddressError, Transport | Discovery | Executor | TaskRegistry> =>
  Layer.effect(Worker, make(options))
