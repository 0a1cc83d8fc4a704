/**
 * The roles of real processes, composed: client, control plane and worker over NNG. Settings come from the `Settings`
 * reference; every service below a role can be replaced by composing these layers anew, as `examples` show.
 *
 * Client and worker are built fresh: several of them may live in one process with different settings, and must not share
 * the connection or the discovery of whoever was built first.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { hostname } from "node:os"
import type { AddressError, JournalError, ThreadsUnavailable } from "../domain/Errors.ts"
import type { Settings as Values } from "../domain/Settings.ts"
import { defaults } from "../domain/Settings.ts"
import { Client } from "../services/Client.ts"
import { ControlPlane } from "../services/ControlPlane.ts"
import type { Discovery } from "../services/Discovery.ts"
import type { Dispatcher } from "../services/Dispatcher.ts"
import type { EventBus } from "../services/EventBus.ts"
import type { ResultCache } from "../services/ResultCache.ts"
import { Settings } from "../services/Settings.ts"
import type { TaskQueue } from "../services/TaskQueue.ts"
import type { TaskRegistry } from "../services/TaskRegistry.ts"
import type { Worker } from "../services/Worker.ts"
import type { WorkerRegistry } from "../services/WorkerRegistry.ts"
import * as ClientRemote from "./ClientRemote.ts"
import * as ControlPlaneServer from "./ControlPlaneServer.ts"
import { packageVersion } from "./ControlPlaneViews.ts"
import * as DiscoveryNng from "./DiscoveryNng.ts"
import * as DiscoveryStatic from "./DiscoveryStatic.ts"
import * as DispatcherLeastLoaded from "./DispatcherLeastLoaded.ts"
import * as EventBusPubSub from "./EventBusPubSub.ts"
import * as ExecutorThread from "./ExecutorThread.ts"
import * as Heartbeat from "./Heartbeat.ts"
import * as ResultCacheLru from "./ResultCacheLru.ts"
import * as TaskQueuePriority from "./TaskQueuePriority.ts"
import * as TransportNng from "./TransportNng.ts"
import * as WorkerRegistryMemory from "./WorkerRegistryMemory.ts"
import * as WorkerRemote from "./WorkerRemote.ts"

/**
 * The settings with some of them changed, as a layer.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerSettings = (settings: Partial<Values> = {}): Layer.Layer<never> =>
  Layer.succeed(Settings, { ...defaults, ...settings })

/**
 * Where a client or a worker finds its control plane. Without an address it listens for announcements.
 *
 * @category models
 * @since 0.1.0
 */
export interface Target {
  /** The control plane's address for this role; skips discovery. */
  readonly controlPlane?: string
}

/** A given address is checked at once: it would be dialled in the background, for ever. */
const layerStatic = (address: string, role: "address" | "workerAddress"): Layer.Layer<Discovery, AddressError> =>
  Layer.unwrap(
    Effect.as(TransportNng.checkAddress(address), DiscoveryStatic.layer({ [role]: address }))
  )

/**
 * Layer that is a client.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerClient = ({ controlPlane }: Target = {}): Layer.Layer<Client, AddressError> =>
  ClientRemote.layer.pipe(
    Layer.provide(controlPlane === undefined ? DiscoveryNng.layer : layerStatic(controlPlane, "address")),
    Layer.provide(TransportNng.layer),
    Layer.fresh
  )

/**
 * A client without a scope: whoever connects closes.
 *
 * @category models
 * @since 0.1.0
 */
export type ConnectedClient = Client["Service"] & { readonly close: Effect.Effect<void> }

/**
 * Connects a client for programs that do not compose layers. It connects in the background: calls wait for the control
 * plane until their deadline. An open client keeps the process alive until it is closed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const connect = (
  options: Target & Partial<Values> = {}
): Effect.Effect<ConnectedClient, AddressError> =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    const { controlPlane, ...settings } = options
    const context = yield* Layer.buildWithScope(
      layerClient(controlPlane === undefined ? {} : { controlPlane }).pipe(Layer.provide(layerSettings(settings))),
      scope
    ).pipe(Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause))))
    const client = yield* Effect.provideContext(Client, context)
    return { ...client, close: Scope.close(scope, Exit.void) }
  })

/**
 * Layer that is a worker with the handlers of the task registry.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerWorker = (
  options: Target & ExecutorThread.Options & { readonly id?: string; readonly concurrency?: number } = {}
): Layer.Layer<Worker, AddressError | ThreadsUnavailable, TaskRegistry> =>
  Layer.unwrap(Effect.gen(function*() {
    const { concurrency } = yield* Settings
    const { controlPlane } = options
    return WorkerRemote.layer({
      id: options.id ?? `${hostname()}-${process.pid}`,
      slots: options.concurrency ?? concurrency,
      about
    }).pipe(
      Layer.provide(ExecutorThread.layer(options)),
      Layer.provide(Heartbeat.layer),
      Layer.provide(
        controlPlane === undefined ? DiscoveryNng.layer : layerStatic(controlPlane, "workerAddress")
      ),
      Layer.provide(TransportNng.layer),
      Layer.fresh
    )
  }))

const about = {
  host: hostname(),
  pid: process.pid,
  runtime: `node ${process.versions.node}`,
  version: packageVersion
}

/**
 * Layer of the four synchronous services that a control plane's core is made of.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerCore: Layer.Layer<TaskQueue | WorkerRegistry | Dispatcher | ResultCache> = Layer.mergeAll(
  TaskQueuePriority.layer(),
  ResultCacheLru.layer,
  DispatcherLeastLoaded.layer.pipe(Layer.provideMerge(WorkerRegistryMemory.layer))
)

/**
 * Layer that serves the control plane over NNG, on top of the core's services; see {@link layerControlPlane}. It stores
 * nothing unless a journal is provided to it (`JournalSqlite.layer`).
 *
 * @category layers
 * @since 0.1.0
 */
export const layerControlPlaneServer: Layer.Layer<
  ControlPlane | EventBus,
  AddressError | JournalError,
  TaskQueue | WorkerRegistry | Dispatcher | ResultCache
> = ControlPlaneServer.layer.pipe(
  Layer.provideMerge(EventBusPubSub.layer),
  Layer.provide(DiscoveryNng.layer),
  Layer.provide(TransportNng.layer)
)

/**
 * Layer that is the worker inside a control plane's process: it connects in memory.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerLocalWorker = (
  options: ExecutorThread.Options = {}
): Layer.Layer<Worker, AddressError | ThreadsUnavailable, ControlPlane | TaskRegistry> =>
  Layer.unwrap(Effect.gen(function*() {
    const { localWorkerAddress } = yield* ControlPlane
    const { concurrency } = yield* Settings
    return WorkerRemote.layer({ id: "control-plane", slots: concurrency, about }).pipe(
      Layer.provide(ExecutorThread.layer(options)),
      Layer.provide(DiscoveryStatic.layer({ workerAddress: localWorkerAddress })),
      Layer.provide(TransportNng.layer),
      Layer.fresh
    )
  }))

/**
 * Layer that is a control plane with its standard services. Provide it a journal for tasks to survive its process.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerControlPlane: Layer.Layer<ControlPlane | EventBus, AddressError | JournalError> =
  layerControlPlaneServer.pipe(Layer.provide(layerCore))
