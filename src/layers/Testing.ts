/**
 * A whole task queue in memory, for tests of programs that submit tasks: the real control plane, worker and client, without
 * sockets or ports. What is submitted waits until the test lets it run, and is written down.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Settings as Values } from "../domain/Settings.ts"
import { defaults } from "../domain/Settings.ts"
import type { TaskDefinition } from "../domain/TaskDefinition.ts"
import type { SubmitOptions } from "../services/Client.ts"
import { Client } from "../services/Client.ts"
import { ControlPlane } from "../services/ControlPlane.ts"
import * as Handles from "../services/Handles.ts"
import { Settings } from "../services/Settings.ts"
import { Worker } from "../services/Worker.ts"
import * as ClientRemote from "./ClientRemote.ts"
import * as ControlPlaneServer from "./ControlPlaneServer.ts"
import * as DiscoveryNng from "./DiscoveryNng.ts"
import * as DispatcherLeastLoaded from "./DispatcherLeastLoaded.ts"
import * as EventBusPubSub from "./EventBusPubSub.ts"
import * as ExecutorFiber from "./ExecutorFiber.ts"
import * as ResultCacheLru from "./ResultCacheLru.ts"
import * as TaskQueuePriority from "./TaskQueuePriority.ts"
import * as TaskRegistryModules from "./TaskRegistryModules.ts"
import * as TransportMemory from "./TransportMemory.ts"
import * as WorkerRegistryMemory from "./WorkerRegistryMemory.ts"
import * as WorkerRemote from "./WorkerRemote.ts"

/**
 * A submission as the program made it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Enqueued<Args> {
  /** The id of another task when that held the unique key and the definition wants it so. */
  readonly id: string
  readonly args: Args
  readonly options: SubmitOptions | undefined
}

/**
 * Tasks did not come to an end although they were let run.
 *
 * @category errors
 * @since 0.1.0
 */
export class NotDrained extends Data.TaggedError("NotDrained")<{
  /** Names of tasks that are still running, and how many of each. */
  readonly running: Readonly<Record<string, number>>
  readonly afterMillis: number
}> {
  override get message() {
    const running = Object.entries(this.running).map(([name, count]) => `${count} × ${name}`)
    return `Tasks still run after ${this.afterMillis} ms: ${running.join(", ") || "none, but some wait"}. ` +
      "With a TestClock, adjust it meanwhile; or interrupt what they wait for"
  }
}

/**
 * Service that a test asks what was submitted, and lets it run.
 *
 * @category services
 * @since 0.1.0
 */
export class TestQueue extends Context.Service<TestQueue, {
  /** What was submitted of a task, oldest first, whether it ran or not. */
  readonly enqueued: <Name extends string, Args, Success, Error, Progress>(
    task: TaskDefinition<Name, Args, Success, Error, Progress>
  ) => ReadonlyArray<Enqueued<Args>>
  /** Everything that was submitted, oldest first, with the names of the tasks. */
  readonly all: () => ReadonlyArray<Enqueued<unknown> & { readonly name: string }>
  /** Forgets what was submitted; what waits goes on waiting. */
  readonly clear: () => void
  /**
   * Lets everything run that waits and is due, and what that submits, until nothing does. Tasks that wait for their time
   * wait on. Fails when they have not come to an end within 10 seconds of real time.
   */
  readonly drain: Effect.Effect<void, NotDrained>
}>()("fastworker/layers/Testing/TestQueue") {}

/**
 * How a {@link layer} differs from the defaults.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Whether tasks run as soon as they are submitted. Default: they wait for `drain`. */
  readonly autorun?: boolean
  /** Tasks that run at once. Default: 16. */
  readonly concurrency?: number
  readonly settings?: Partial<Values>
}

/** Longer than any test; a clock that a test moves on by days must lose neither workers nor sessions. */
const foreverMillis = 1_000_000_000

const drainMillis = 10_000

const turn = Effect.callback<void>((resume) => {
  const immediate = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(immediate))
})

/** The client, with everything that is submitted through it written down. */
const makeRecording = Effect.gen(function*() {
  const client = yield* Client
  const plane = yield* ControlPlane
  const log: Array<Enqueued<unknown> & { readonly name: string }> = []
  const write = (name: string, id: string, args: unknown, options: SubmitOptions | undefined) => {
    log.push({ name, id, args: args ?? {}, options })
  }
  const recording = Client.of({
    ...client,
    delay: (task, ...submission) =>
      Effect.tap(
        client.delay(task, ...submission),
        ({ id }) => Effect.sync(() => write(task.name, id, submission[0], submission[1]))
      ),
    delayAll: (task, all, options) =>
      Effect.tap(
        client.delayAll(task, all, options),
        (handles) => Effect.sync(() => handles.forEach(({ id }, i) => write(task.name, id, all[i], options)))
      ),
    run: (task, ...submission) => {
      const [args, options] = submission
      // The id is made here, so that it is known before the outcome is.
      return Effect.flatMap(
        recording.delay(task, ...([args, options] as typeof submission)),
        ({ result }) => result
      )
    },
    runAll: (task, all, options) => Effect.flatMap(recording.delayAll(task, all, options), Handles.all)
  })

  const running = Effect.map(client.list({ state: "running", limit: 1_000 }), ({ tasks }) => {
    const counts: Record<string, number> = {}
    for (const { name } of tasks) counts[name] = (counts[name] ?? 0) + 1
    return counts
  }).pipe(Effect.orElseSucceed(() => ({})))

  const untilIdle = Effect.gen(function*() {
    const begun = performance.now()
    for (let idleTurns = 0; idleTurns < 3;) {
      yield* turn
      const { delayed, running: busy, waiting } = yield* plane.stats
      idleTurns = busy === 0 && waiting - delayed === 0 ? idleTurns + 1 : 0
      if (performance.now() - begun > drainMillis) {
        return yield* new NotDrained({ running: yield* running, afterMillis: drainMillis })
      }
    }
  })

  return { client, recording, log, untilIdle }
})

/**
 * Layer of a task queue in memory, with the handlers of these tasks. Nothing runs before `TestQueue.drain`, unless
 * `autorun` says so; the clock may be a `TestClock`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  tasks: ReadonlyArray<{ readonly layer: Layer.Layer<never> }>,
  { autorun = false, concurrency = defaults.concurrency, settings = {} }: Options = {}
): Layer.Layer<Client | TestQueue> => {
  const values: Values = {
    ...defaults,
    address: "memory://clients",
    workerAddress: "memory://workers",
    discovery: "memory://discovery",
    heartbeatMillis: foreverMillis,
    heartbeatTimeoutMillis: foreverMillis,
    sessionTimeoutMillis: foreverMillis,
    resultCacheTtlMillis: foreverMillis,
    startGraceMillis: 0,
    ...settings
  }
  const registry = TaskRegistryModules.layer(Layer.mergeAll(Layer.empty, ...tasks.map(({ layer }) => layer)))
  const core = Layer.mergeAll(
    TaskQueuePriority.layer(),
    ResultCacheLru.layer,
    DispatcherLeastLoaded.layer.pipe(Layer.provideMerge(WorkerRegistryMemory.layer))
  )
  const worker = WorkerRemote.layer({ id: "test", slots: concurrency }).pipe(
    Layer.provide(ExecutorFiber.layer),
    Layer.provide(registry)
  )
  const system = Layer.mergeAll(worker, ClientRemote.layer).pipe(
    Layer.provideMerge(ControlPlaneServer.layer.pipe(Layer.provide([core, EventBusPubSub.layer]))),
    Layer.provide(DiscoveryNng.layer),
    Layer.provide(TransportMemory.layer()),
    // A test that is the same each time has a queue of its own each time.
    Layer.fresh
  )
  const recorded = Layer.effectContext(Effect.gen(function*() {
    const worker = yield* Worker
    yield* worker.ready
    const { client, log, recording, untilIdle } = yield* makeRecording
    if (!autorun) yield* client.pause()
    const drain = autorun
      ? untilIdle
      : Effect.andThen(Effect.orDie(client.resume()), untilIdle).pipe(Effect.ensuring(Effect.orDie(client.pause())))
    const queue = TestQueue.of({
      enqueued: <Args>(task: { readonly name: string }) =>
        // What was written down under this name had the type of its arguments.
        log.filter(({ name }) => name === task.name) as ReadonlyArray<Enqueued<unknown>> as ReadonlyArray<
          Enqueued<Args>
        >,
      all: () => [...log],
      clear: () => void log.splice(0),
      drain
    })
    return Context.make(Client, recording).pipe(Context.add(TestQueue, queue))
  }))
  return recorded.pipe(Layer.provide(system), Layer.provide(Layer.succeed(Settings, values)), Layer.orDie)
}
