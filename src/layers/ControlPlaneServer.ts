/**
 * The control plane: the core with the wire sides of clients and workers, served and announced. Messages are applied as
 * they come; leases and outcomes are matched and answered once per turn of the event loop, so that what gathers in one
 * turn travels in one message.
 *
 * Owns the turn, the sweep and the life of a control plane. Nothing survives a crash of the process.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type { AddressError } from "../domain/Errors.ts"
import { TaskNotFound } from "../domain/Errors.ts"
import type { Event } from "../domain/Event.ts"
import { protocolVersion as v } from "../domain/Message.ts"
import { ControlPlane } from "../services/ControlPlane.ts"
import { Discovery } from "../services/Discovery.ts"
import { Dispatcher } from "../services/Dispatcher.ts"
import { EventBus } from "../services/EventBus.ts"
import { ResultCache } from "../services/ResultCache.ts"
import { Settings } from "../services/Settings.ts"
import { TaskQueue } from "../services/TaskQueue.ts"
import { Transport } from "../services/Transport.ts"
import { WorkerRegistry } from "../services/WorkerRegistry.ts"
import { makeClients } from "./ControlPlaneClients.ts"
import { makeCore, sweepMillis } from "./ControlPlaneCore.ts"
import { makeViews } from "./ControlPlaneViews.ts"
import { makeWorkers } from "./ControlPlaneWorkers.ts"
import { maxMessageBytes } from "./Envelope.ts"
import { makeRandomId } from "./RandomId.ts"

/** How often outcomes past their age are dropped, which looks at all that are kept. */
const resultsExpireMillis = 10_000

/**
 * Creates the control plane, listening and announced.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.gen(function*() {
  const settings = yield* Settings
  const transport = yield* Transport
  const discovery = yield* Discovery
  const bus = yield* EventBus
  const queue = yield* TaskQueue
  const registry = yield* WorkerRegistry
  const dispatcher = yield* Dispatcher
  const results = yield* ResultCache
  const clock = yield* Clock.Clock
  const runFork = Effect.runForkWith(yield* Effect.context())

  const now = () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
  const startedAt = now()
  // The core counts in monotonic milliseconds, people in wall time: one offset for the life of the process.
  const wallOffset = clock.currentTimeMillisUnsafe() - startedAt
  const wall = (millis: number) => Math.round(millis + wallOffset)
  const randomId = makeRandomId()
  const epoch = randomId()

  const idle = yield* Latch.make(false)
  let flushScheduled = false
  let resultsExpiredAt = startedAt

  /** Without followers an event is not even made: this is called several times for every task. */
  const publish = (event: (at: number) => Event) => {
    if (bus.isFollowed()) bus.publish(event(wall(now())))
  }

  const core = makeCore({
    queue,
    registry,
    dispatcher,
    results,
    settings,
    startedAt,
    randomId,
    observer: {
      queued: ({ id, name }) => publish((at) => ({ type: "task.queued", at, id, name })),
      started: ({ attempt, id, name }, worker) =>
        publish((at) => ({ type: "task.started", at, id, name, worker: worker.id, attempt })),
      requeued: ({ id, name }, cause) => publish((at) => ({ type: "task.requeued", at, id, name, cause })),
      unresponsive: ({ id, lag }) => {
        publish((at) => ({ type: "worker.unresponsive", at, worker: id }))
        runFork(
          Effect.logWarning(
            `Worker ${id} does not respond: a task blocks its event loop, for ${lag} ms now. It gets no more`
          )
        )
      },
      responsive: ({ id }) => {
        publish((at) => ({ type: "worker.responsive", at, worker: id }))
        runFork(Effect.logInfo(`Worker ${id} responds again`))
      },
      stood: (millis) =>
        runFork(
          Effect.logWarning(
            `The control plane was stopped or blocked for ${Math.round(millis)} ms: that silence is held against nobody`
          )
        ),
      finished: (outcome) => {
        const { id, name, reason, state } = outcome
        publish((at) => ({ type: "task.finished", at, id, name, state, reason }))
        clients.finished(outcome)
        if (core.isDraining() && core.counts.running === 0) idle.openUnsafe()
      }
    }
  })

  const views = makeViews({
    core,
    results,
    namespace: settings.namespace,
    epoch,
    startedAt,
    now,
    wall
  })

  const schedule = () => {
    if (flushScheduled) return
    flushScheduled = true
    // After the poll phase: everything that was readable in this turn has been applied by then.
    setImmediate(flush)
  }

  const flush = () => {
    flushScheduled = false
    workers.answerLeases(core.dispatch(now()))
    clients.answerCollectors()
  }

  const workers = makeWorkers({ core, registry, settings, epoch, now, publish, log: runFork, schedule })
  const clients = makeClients({ core, results, views, settings, epoch, now, schedule })

  const sweep = () => {
    const time = now()
    for (const worker of core.expire(time)) workers.lost(worker)
    if (time - resultsExpiredAt >= resultsExpireMillis) {
      resultsExpiredAt = time
      results.expire(time)
    }
    workers.sweep(time)
    clients.sweep(time)
    schedule()
  }

  const onRefused = (role: string) => (remote: string, reason: string) => {
    runFork(Effect.logWarning(`A connection was refused: ${reason}`, { role, remote }))
  }
  const limits = { maxMessageBytes: maxMessageBytes(settings.maxPayloadBytes) }
  const ignoreClose = () => {}

  const forClients = yield* transport.serve(settings.address, {
    ...limits,
    onRequest: clients.onRequest,
    onClose: ignoreClose,
    onRefused: onRefused("client")
  })
  const forWorkers = yield* transport.serve(settings.workerAddress, {
    ...limits,
    onRequest: workers.onRequest(false),
    onClose: workers.onClose,
    onRefused: onRefused("worker")
  })
  const forLocalWorkers = yield* transport.serve(`inproc://fastworker-${epoch}`, {
    ...limits,
    onRequest: workers.onRequest(true),
    onClose: workers.onClose,
    onRefused: onRefused("local worker")
  })
  const announced = yield* discovery.announce({
    v,
    namespace: settings.namespace,
    epoch: epoch,
    address: forClients.address,
    workerAddress: forWorkers.address
  })
  yield* Effect.sync(sweep).pipe(Effect.repeat(Schedule.spaced(sweepMillis)), Effect.forkScoped)

  const drain = Effect.gen(function*() {
    core.drain()
    if (core.counts.running > 0) {
      yield* idle.await.pipe(Effect.timeoutOption(settings.drainTimeoutMillis))
    }
    const abandoned = core.counts.running
    const cancelled = core.cancelWaiting(now())
    flush()
    return { cancelled, abandoned }
  })

  return ControlPlane.of({
    address: forClients.address,
    workerAddress: forWorkers.address,
    discovery: announced.address,
    localWorkerAddress: forLocalWorkers.address,
    stats: Effect.sync(views.stats),
    status: (id) =>
      Effect.suspend(() => {
        const status = views.statusOf(id, now())
        return status === undefined ? Effect.fail(new TaskNotFound({ id })) : Effect.succeed(status)
      }),
    list: ({ limit, state }) => Effect.sync(() => views.list(state, limit)),
    workers: Effect.sync(views.workers),
    tasks: Effect.sync(views.taskTypes),
    cancel: (id) =>
      Effect.suspend(() => {
        const error = core.cancel(id, now())
        schedule()
        return error === undefined ? Effect.void : Effect.fail(error)
      }),
    drain
  })
})

/**
 * Layer that is the control plane of this process, made of the queue, registry, dispatcher, result cache and transport
 * that are provided.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<
  ControlPlane,
  AddressError,
  Transport | Discovery | EventBus | TaskQueue | WorkerRegistry | Dispatcher | ResultCache
> = Layer.effect(ControlPlane, make)
