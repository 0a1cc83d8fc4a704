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
import * as Result from "effect/Result"
import { availableParallelism } from "node:os"
import * as Body from "../domain/Body.ts"
import type { AddressError, JournalError, JournalFailed } from "../domain/Errors.ts"
import { JournalCorrupt, TaskNotFound } from "../domain/Errors.ts"
import type { Event } from "../domain/Event.ts"
import { protocolVersion as v } from "../domain/Message.ts"
import type { Outcome } from "../domain/Outcome.ts"
import { toLevel } from "../domain/Priority.ts"
import { ControlPlane } from "../services/ControlPlane.ts"
import { Discovery } from "../services/Discovery.ts"
import { Dispatcher } from "../services/Dispatcher.ts"
import { EventBus } from "../services/EventBus.ts"
import { Journal } from "../services/Journal.ts"
import { ResultCache } from "../services/ResultCache.ts"
import { Settings } from "../services/Settings.ts"
import { TaskQueue } from "../services/TaskQueue.ts"
import type { Incoming } from "../services/Transport.ts"
import { Transport } from "../services/Transport.ts"
import { WorkerRegistry } from "../services/WorkerRegistry.ts"
import { makeBusyPoll } from "./BusyPoll.ts"
import { makeClients } from "./ControlPlaneClients.ts"
import type { Core } from "./ControlPlaneCore.ts"
import { makeCore, sweepMillis } from "./ControlPlaneCore.ts"
import { makeFollowers } from "./ControlPlaneFollowers.ts"
import { makeControlPlaneHistory } from "./ControlPlaneHistory.ts"
import { makeJournaling } from "./ControlPlaneJournal.ts"
import { makeObserver } from "./ControlPlaneObserver.ts"
import { answerQuestion } from "./ControlPlaneQuestions.ts"
import { makeSweeps } from "./ControlPlaneSweeps.ts"
import { makeViews } from "./ControlPlaneViews.ts"
import { makeWorkers } from "./ControlPlaneWorkers.ts"
import { maxMessageBytes } from "./Envelope.ts"
import { makeHistoryMemory } from "./HistoryMemory.ts"
import { makeRandomId } from "./RandomId.ts"
import { makeSensitiveOf } from "./Redaction.ts"
import { makeRefusals } from "./Refusals.ts"
import { makeQueueSpans } from "./Traces.ts"
import { makeWallTimes } from "./WallTimes.ts"

/** How often outcomes past their age are dropped, which looks at all that are kept. */
const resultsExpireMillis = 10_000

/** With more tasks under way the messages of several travel together, and polling takes the time of who runs them. */
const maxPolledTasks = 4

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
  const journal = yield* Journal
  const dispatcher = yield* Dispatcher
  const results = yield* ResultCache
  const clock = yield* Clock.Clock
  const services = yield* Effect.context()
  const runFork = Effect.runForkWith(services)

  const now = () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
  const startedAt = now()
  const wallNow = () => clock.currentTimeMillisUnsafe()
  const clocks = makeWallTimes(now, wallNow)
  const { wall } = clocks
  const queueSpan = makeQueueSpans(services, wall)
  const randomId = makeRandomId()
  const epoch = randomId()

  const idle = yield* Latch.make(false)
  let flushScheduled = false
  let resultsExpiredAt = startedAt
  let dueTimer: NodeJS.Timeout | undefined

  const schedule = () => {
    if (flushScheduled) return
    flushScheduled = true
    // After the poll phase: everything that was readable in this turn has been applied by then.
    setImmediate(flush)
  }

  const followers = makeFollowers({ settings, schedule })

  /** Without followers an event is not even made: this is called several times for every task. */
  const publish = (event: (at: number) => Event) => {
    if (!bus.isFollowed() && !followers.isFollowed()) return
    const made = event(Math.round(wallNow()))
    bus.publish(made)
    followers.publish(made)
  }

  /** Of workers and pauses: there are few, and people ask for them later. */
  const tell = (event: (at: number) => Event) => {
    history.noteEvent(event(Math.round(wallNow())))
    publish(event)
  }

  const memory = makeHistoryMemory({
    settings,
    now,
    offset: clocks.offset(),
    levels: () => ({ waiting: core.waiting(), running: core.counts.running }),
    sensitiveOf: makeSensitiveOf((name) => core.registry.type(name))
  })

  const journaling = journal.isDurable
    ? makeJournaling({ journal, now, wallNow, resultTtlMillis: settings.resultCacheTtlMillis })
    : undefined

  const { observer, restoring } = makeObserver({
    memory,
    journaling,
    publish,
    tell,
    note: (type, text, target) => history.note(type, text, target),
    log: runFork,
    queueSpan,
    wall,
    told(outcome) {
      clients.told(outcome)
      if (core.isDraining() && core.counts.running === 0) idle.openUnsafe()
    },
    core: () => core
  })

  const core: Core = makeCore({
    queue,
    registry,
    dispatcher,
    results,
    settings,
    startedAt,
    randomId,
    wall: wallNow,
    isStored: journaling?.isStored,
    observer
  })

  const busyPoll = makeBusyPoll({
    // On one core who polls keeps from running whom it waits for.
    micros: availableParallelism() > 1 ? settings.busyPollMicros : 0,
    isWorthIt: () => core.counts.running + core.waiting() <= maxPolledTasks
  })
  const heard = (onRequest: (request: Incoming) => void) => (request: Incoming) => {
    busyPoll.heard()
    onRequest(request)
  }

  const views = makeViews({
    core,
    results,
    journaling,
    namespace: settings.namespace,
    epoch,
    startedAt,
    now,
    wall
  })

  const flush = () => {
    flushScheduled = false
    const time = now()
    core.tick(time)
    workers.answerLeases(core.dispatch(time))
    workers.answerOrders(core.takeOrders())
    clients.answerCollectors()
    followers.flush()
    awaitDue(time)
    sweeps.changed()
    busyPoll.rest()
  }

  /** Comes back when a delayed task or a token of a limit is due. What is due after the next sweep can wait for it. */
  const awaitDue = (time: number) => {
    const due = core.nextDue()
    if (due === undefined || dueTimer !== undefined || due - time > sweepMillis) return
    dueTimer = setTimeout(() => {
      dueTimer = undefined
      flush()
    }, Math.max(1, Math.ceil(due - time)))
  }

  const workers = makeWorkers({ core, registry, settings, epoch, now, publish: tell, log: runFork, schedule })
  const clients = makeClients({
    core,
    results,
    views,
    followers,
    journaling,
    settings,
    epoch,
    now,
    wallNow,
    question: (message, done) => runFork(Effect.map(Effect.result(answerQuestion(history.history, message)), done)),
    schedule
  })

  const { operations } = clients
  const history = makeControlPlaneHistory({
    core,
    memory,
    results,
    views,
    operations,
    journal,
    settings,
    epoch,
    startedAt,
    now,
    wallNow,
    wall,
    fromWall: clocks.fromWall,
    addresses: () => addresses,
    schedule
  })
  let addresses = { clients: settings.address, workers: settings.workerAddress, discovery: settings.discovery }

  const sweeps = yield* makeSweeps({
    settings,
    isQuiet: (millis) => core.isQuiet(now(), millis) && !followers.isFollowed(),
    sweep(every) {
      const time = now()
      for (const worker of core.expire(time)) {
        history.lost(worker)
        workers.lost(worker)
      }
      if (time - resultsExpiredAt >= resultsExpireMillis) {
        resultsExpiredAt = time
        results.expire(time)
      }
      workers.sweep(time)
      clients.sweep(time)
      followers.sweep(time)
      history.tick(time, every)
      schedule()
    }
  })

  /** What the journal knows of the past: the outcomes that are still kept, and what can be retried. */
  const restoreHistory = () => {
    const finished = new Map<string, { readonly outcome: Outcome; readonly args?: Body.Body }>()
    for (const outcome of results.outcomes()) finished.set(outcome.id, { outcome })
    for (const dead of core.dead.values()) finished.set(dead.outcome.id, dead)
    memory.restore([...finished.values()].sort((a, b) => a.outcome.finishedAt - b.outcome.finishedAt))
  }

  if (journaling !== undefined) {
    const contents = yield* journal.load({
      maxOutcomes: settings.resultCacheSize,
      maxOutcomeBytes: settings.resultCacheBytes,
      maxDead: settings.maxDead,
      maxDeadBytes: settings.maxDeadBytes
    })
    journaling.attach(core, schedule)
    yield* Effect.try({
      try: () =>
        restoring(() => {
          journaling.restore(core, results, contents)
          restoreHistory()
        }),
      // The database is sound, and what stands in it is not what was written.
      catch: (cause) =>
        new JournalCorrupt({
          file: journal.file ?? "",
          reason: `a record in it is damaged (${cause instanceof Error ? cause.message : String(cause)})`
        })
    })
    const { outcomes, tasks } = contents
    if (tasks.length + outcomes.length > 0) {
      yield* Effect.logInfo(`From the journal: ${tasks.length} tasks without an outcome, ${outcomes.length} outcomes`)
    }
  }

  const logRefusal = (reason: string, about: object) =>
    runFork(Effect.logWarning(`A connection was refused: ${reason}`, about))
  const onRefused = makeRefusals(now, logRefusal)
  const { maxConnectionsPerAddress, maxRequestBytesPerConnection, maxRequestsPerConnection } = settings
  const limits = {
    maxMessageBytes: maxMessageBytes(settings.maxPayloadBytes),
    limits: { maxConnectionsPerAddress, maxRequestBytesPerConnection, maxRequestsPerConnection }
  }
  const ignoreClose = () => {}

  const forClients = yield* transport.serve(settings.address, {
    ...limits,
    onRequest: heard(clients.onRequest),
    onClose: ignoreClose,
    onRefused: onRefused("client")
  })
  const forWorkers = yield* transport.serve(settings.workerAddress, {
    ...limits,
    onRequest: heard(workers.onRequest(false)),
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
  addresses = {
    clients: forClients.address,
    workers: forWorkers.address,
    discovery: announced.address ?? settings.discovery
  }
  yield* Effect.forkScoped(sweeps.run)

  const drain = Effect.gen(function*() {
    core.drain()
    history.note("draining", "The control plane is shutting down")
    if (core.counts.running > 0) {
      yield* idle.await.pipe(Effect.timeoutOption(settings.drainTimeoutMillis))
    }
    const abandoned = core.counts.running
    // What waits is in the journal, and will be there when the control plane starts again.
    const kept = journal.isDurable ? core.waiting() : 0
    const cancelled = journal.isDurable ? 0 : core.cancelWaiting(now())
    flush()
    yield* journal.flush.pipe(Effect.catch((error) => Effect.logError("The journal is not complete", error)))
    return { cancelled, abandoned, kept }
  })

  /** Asks the core, and tells of it when it is stored. */
  const ask = <A, E>(question: (time: number) => Result.Result<A, E>): Effect.Effect<A, E> =>
    Effect.callback((resume) => {
      const answer = question(now())
      schedule()
      operations.whenCommitted(() => resume(Effect.fromResult(answer)))
    })
  const create = <E>(question: (time: number) => Result.Result<string, E>): Effect.Effect<string, E | JournalFailed> =>
    Effect.callback((resume) => {
      const made = question(now())
      schedule()
      operations.whenMade(made, (made) => resume(Effect.fromResult(made)))
    })
  const done = <E>(question: (time: number) => E | undefined): Effect.Effect<void, E> =>
    ask((time) => {
      const refused = question(time)
      return refused === undefined ? Result.succeed(undefined) : Result.fail(refused)
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
    list: ({ limit, state }) => Effect.sync(() => views.list(state === undefined ? {} : { state }, limit)),
    workers: Effect.sync(views.workers),
    tasks: Effect.sync(views.taskTypes),
    cancel: (id) => ask((time) => core.cancel(id, time)),
    prioritize: (id, to) => ask(() => core.prioritize(id, toLevel(to))),
    submit: ({ args, ...task }) => create((time) => operations.submit(task, Body.fromText(args), undefined, time)),
    retry: (id) => create((time) => core.retry(id, undefined, time)),
    pause: (target) => done(() => core.setPaused(target, true)),
    resume: (target) => done(() => core.setPaused(target, false)),
    setSchedule: (declaration) => done((time) => operations.failure() ?? core.setSchedule(declaration, time)),
    unschedule: (id) => done(() => core.unschedule(id)),
    trigger: (id) => create((time) => core.trigger(id, undefined, time)),
    drainWorker: (target) => ask(() => core.drainWorkers(target)),
    history: history.history,
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
  AddressError | JournalError,
  Transport | Discovery | EventBus | TaskQueue | WorkerRegistry | Dispatcher | ResultCache
> = Layer.effect(ControlPlane, make)
