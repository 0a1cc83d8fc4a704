/**
 * A worker over the transport: finds the control plane, registers, keeps one exchange waiting for leases, and reports
 * what has ended, once per turn of the event loop. It keeps running what it runs while the control plane is away, and
 * registers again with what it holds when there is one.
 *
 * Owns the conversation with the control plane. What runs here is `WorkerTasks.ts`.
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
import { groupsOf, itemsOf } from "../domain/Batch.ts"
import type { AddressError, ReplyError } from "../domain/Errors.ts"
import { ProtocolMismatch, Unauthorized } from "../domain/Errors.ts"
import { IdMap } from "../domain/IdMap.ts"
import * as Message from "../domain/Message.ts"
import type { WorkerAbout } from "../domain/WorkerInfo.ts"
import { Discovery } from "../services/Discovery.ts"
import { Executor } from "../services/Executor.ts"
import { Heartbeat } from "../services/Heartbeat.ts"
import { Settings } from "../services/Settings.ts"
import { TaskRegistry } from "../services/TaskRegistry.ts"
import type { Connection } from "../services/Transport.ts"
import { Transport } from "../services/Transport.ts"
import { Worker } from "../services/Worker.ts"
import { describeHandlers } from "./Announcement.ts"
import * as Envelope from "./Envelope.ts"
import { makeProcessLoad } from "./ProcessLoad.ts"
import { makeRandomId } from "./RandomId.ts"
import * as Reply from "./Reply.ts"
import type { News, PendingReport } from "./WorkerTasks.ts"
import { makeTasks } from "./WorkerTasks.ts"

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

/** An exchange without a reply, and what it told. */
interface Outstanding {
  /** Of the exchange. */
  readonly id: number
  readonly news: News
  readonly cancel: () => void
}

/** How long to wait before trying again after a call that was not answered. */
const retryMillis = 500

const v = Message.protocolVersion
const decodeRegisterReply = Reply.decoder(Message.RegisterReply)
const reportGroups = {
  isSame: (first: PendingReport["header"], report: PendingReport["header"]) =>
    first.state === report.state && first.attempt === report.attempt && first.reason === undefined &&
    report.reason === undefined,
  sizeOf: ({ size }: PendingReport["header"]) => size,
  commonOf: ({ attempt, reason, retryIn, span, state }: PendingReport["header"]) => ({
    attempt,
    state,
    ...(reason === undefined ? {} : { reason }),
    ...(retryIn === undefined ? {} : { retryIn }),
    ...(span === undefined ? {} : { span })
  })
}

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
  const ready = yield* Deferred.make<void, ProtocolMismatch | Unauthorized>()
  const unregistered = yield* Latch.make(false)
  const handle = yield* FiberHandle.make<never, AddressError>()
  const types = describeHandlers(registry.handlers)
  const takeLoad = yield* makeProcessLoad
  const left = yield* Deferred.make<number>()

  /** Exchanges without a reply, oldest first. */
  const outstanding = new IdMap<Outstanding>()
  let abandoned: Array<number> = []
  let connection: Connection | undefined
  let isRegistered = false
  let isDraining = false
  let isToldToLeave = false
  let seq = 0
  let heartbeatMillis = settings.heartbeatMillis
  let flushScheduled = false
  let broughtLeases = false
  let registrations = 0
  /** Why it is not registered, as it was said last. */
  let unregisteredFor = ""

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
    if (outstanding.has(seq) && !tasks.hasNews()) return
    exchange(connection)
    tasks.confirmed()
  }

  const tasks = yield* makeTasks({ executor, worker: id, slots, schedule })

  const exchange = (connection: Connection) => {
    const news = tasks.takeNews()
    const { progress, reports } = news
    const oldest = outstanding.first()?.id ?? seq + 1
    const number = ++seq
    // What is held can be stated completely only while no report is on its way. It is a safeguard: once in a heartbeat
    // is enough, so not after a reply that brought leases.
    const isQuiet = reports.length === 0 && outstanding.size === 0 && !broughtLeases
    const waiting = tasks.waiting()
    const load = takeLoad(heartbeatMillis)
    const payload = Envelope.encode(
      {
        v,
        op: "exchange",
        session,
        seq: number,
        settled: Math.min(oldest, number) - 1,
        free: isDraining ? 0 : tasks.free(),
        ...(waiting > 0 ? { waiting } : {}),
        ...(isDraining ? { draining: true } : {}),
        ...(abandoned.length > 0 ? { abandoned } : {}),
        ...(isQuiet ? { held: tasks.held() } : {}),
        ...(load === undefined ? {} : { load }),
        grouped: true,
        ...(reports.length > 0 ? { groups: groupsOf(reports.map(({ header }) => header), reportGroups) } : {}),
        ...(progress.length > 0 ? { progress: progress.map(({ header }) => header) } : {})
      },
      (progress.length === 0 ? reports : [...reports, ...progress]).map(({ body }) => body)
    )
    abandoned = []
    const cancel = connection.request(payload, timing(), (failure, reply) => {
      if (failure === undefined) onReply(number, news, reply)
      else {
        giveUp(number, news)
        setTimeout(schedule, retryMillis)
      }
    })
    outstanding.set({ id: number, news, cancel })
    if (tasks.hasNews()) schedule()
  }

  const giveUp = (number: number, news: News) => {
    outstanding.delete(number)
    abandoned.push(number)
    tasks.giveBackNews(news)
  }

  const onReply = (number: number, news: News, bytes: Uint8Array) => {
    outstanding.delete(number)
    const reply = decodeExchangeReply(bytes)
    if (Result.isFailure(reply)) {
      tasks.giveBackNews(news)
      onRefused(reply.failure)
      return
    }
    const { body, header } = reply.success
    const leases = itemsOf<Message.LeaseHeader>(header.leases, header.groups)
    broughtLeases = Result.isSuccess(leases) && leases.success.length > 0
    // A lease may bring what an earlier attempt reported: then it has two bodies.
    const bodies = Result.flatMap(leases, (leases) =>
      Envelope.texts(
        body,
        leases.every(({ checkpoint }) => checkpoint === undefined)
          ? leases
          : leases.flatMap(({ checkpoint, size }) =>
            checkpoint === undefined ? [{ size }] : [{ size }, { size: checkpoint }]
          )
      ))
    for (const id of header.abandon ?? []) tasks.abandon(id, number)
    if (header.late !== undefined) {
      runFork(Effect.logWarning("Reports came too late: the leases had ended", { tasks: header.late }))
    }
    if (Result.isFailure(leases) || Result.isFailure(bodies)) {
      abandoned.push(number)
      runFork(Effect.logError("A reply of the control plane was malformed", Result.merge(bodies)))
    } else {
      let at = 0
      for (const lease of leases.success) {
        const args = bodies.success[at++] as string
        tasks.receive(lease, args, lease.checkpoint === undefined ? undefined : bodies.success[at++], number)
      }
      tasks.startReceived()
    }
    for (const id of header.cancel ?? []) tasks.stop(id, number)
    if (header.drain === true && !isDraining) runFork(leaveAsTold)
    schedule()
  }

  const onRefused = (error: ReplyError) => {
    if (error._tag === "UnknownSession" || error._tag === "Unauthorized") return reregister()
    runFork(Effect.logError("The control plane refused an exchange", error))
    setTimeout(schedule, retryMillis)
  }

  // --- Connection ---

  const register = (to: Connection) =>
    Effect.callback<Message.RegisterReplyHeader, ProtocolMismatch | Unauthorized | Reply.NoReply>((resume) => {
      const payload = Envelope.encode({
        v,
        op: "register",
        session,
        worker: id,
        slots,
        tasks: types,
        ...(registry.schedules.length === 0 ? {} : { schedules: registry.schedules }),
        held: tasks.held(),
        seq,
        about: about ?? {}
      })
      const cancel = to.request(payload, timing(), (failure, bytes) => {
        if (failure !== undefined) return resume(Effect.fail(new Reply.NoReply({ reason: failure })))
        const reply = decodeRegisterReply(bytes)
        if (Result.isSuccess(reply)) return resume(Effect.succeed(reply.success.header))
        const error = reply.failure
        // Who was registered before is not turned away for good: the control plane may have been started with another
        // secret by mistake, and tasks are running here.
        const isFinal = error instanceof ProtocolMismatch || (error instanceof Unauthorized && registrations === 0)
        resume(Effect.fail(isFinal ? error : new Reply.NoReply({ reason: error.message })))
      })
      return Effect.sync(cancel)
    })

  const registerUntilDone = (to: Connection) =>
    register(to).pipe(
      Effect.tapErrorTag("NoReply", ({ reason }) => {
        if (reason === unregisteredFor) return Effect.void
        unregisteredFor = reason
        return Effect.logWarning(`Not registered yet: ${reason}`)
      }),
      Effect.retry({ while: (error) => error._tag === "NoReply", schedule: Schedule.spaced(retryMillis) }),
      Effect.tap((reply) =>
        Effect.sync(() => {
          heartbeatMillis = reply.heartbeat
          beatAt({ address: to.address, heartbeatMillis, heartbeatTimeoutMillis: reply.heartbeatTimeout })
          // No exchange is on its way now: whatever is held came before.
          for (const id of reply.abandon) tasks.abandon(id, seq)
          for (const id of reply.cancel ?? []) tasks.stop(id, seq)
          isRegistered = true
          unregisteredFor = ""
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
        Unauthorized: (error) => Effect.asVoid(Deferred.fail(ready, error)),
        NoReply: () => Effect.void
      })
    )

  /** Everything on its way is given up: its reports are sent again after the next registration. */
  const detach = () => {
    isRegistered = false
    for (const { cancel, id, news } of outstanding.values()) {
      cancel()
      giveUp(id, news)
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
      tasks.close()
    })
  )
  yield* discovery.find(({ workerAddress }) => {
    if (connection?.address === workerAddress || isToldToLeave) return
    detach()
    runFork(FiberHandle.run(handle, serve(workerAddress)))
  })

  // --- Stop ---

  const leave = Effect.callback<void>((resume) => {
    if (connection === undefined || !isRegistered) return resume(Effect.void)
    // From here on an answer that the session is unknown is what was asked for, no reason to register again.
    isRegistered = false
    const { reports } = tasks.takeNews()
    const payload = Envelope.encode(
      { v, op: "leave", session, reports: reports.map(({ header }) => header) },
      reports.map(({ body }) => body)
    )
    connection.request(payload, { timeoutMillis: 2_000, resendMillis: 500 }, () => resume(Effect.void))
  })

  const drain = Effect.gen(function*() {
    isDraining = true
    if (connection !== undefined && isRegistered) exchange(connection)
    yield* tasks.idle.pipe(Effect.timeoutOption(settings.drainTimeoutMillis))
    const interrupted = tasks.running()
    tasks.close()
    yield* leave
    return interrupted
  })

  /** The control plane wants this worker to leave: it does, and does not come back. */
  const leaveAsTold = Effect.gen(function*() {
    isToldToLeave = true
    yield* Effect.logInfo("The control plane told this worker to leave: it finishes what it runs")
    yield* Deferred.succeed(left, yield* drain)
  })

  return Worker.of({
    id,
    left: Deferred.await(left),
    ready: Deferred.await(ready),
    running: Effect.sync(tasks.running),
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
