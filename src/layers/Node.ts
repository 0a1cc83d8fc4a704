/**
 * The roles of real processes, composed: control plane and worker over NNG (`NodeClient.ts` has the client). Settings come
 * from the `Settings` reference; every service below a role can be replaced by composing these layers anew, as `examples`
 * show.
 *
 * Client and worker are built fresh: several of them may live in one process with different settings, and must not share
 * the connection or the discovery of whoever was built first.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { hostname } from "node:os"
import type { AddressError, JournalError, SecretError, ThreadsUnavailable } from "../domain/Errors.ts"
import { ControlPlane } from "../services/ControlPlane.ts"
import type { Dispatcher } from "../services/Dispatcher.ts"
import type { EventBus } from "../services/EventBus.ts"
import type { ResultCache } from "../services/ResultCache.ts"
import { Settings } from "../services/Settings.ts"
import type { TaskQueue } from "../services/TaskQueue.ts"
import type { TaskRegistry } from "../services/TaskRegistry.ts"
import type { Worker } from "../services/Worker.ts"
import type { WorkerRegistry } from "../services/WorkerRegistry.ts"
import * as ControlPlaneServer from "./ControlPlaneServer.ts"
import { packageVersion } from "./ControlPlaneViews.ts"
import * as DiscoveryNng from "./DiscoveryNng.ts"
import * as DiscoveryStatic from "./DiscoveryStatic.ts"
import * as DispatcherLeastLoaded from "./DispatcherLeastLoaded.ts"
import * as EventBusPubSub from "./EventBusPubSub.ts"
import * as ExecutorThread from "./ExecutorThread.ts"
import * as Heartbeat from "./Heartbeat.ts"
import type { Target } from "./NodeClient.ts"
import { layerStatic, layerTransport } from "./NodeClient.ts"
import * as ResultCacheLru from "./ResultCacheLru.ts"
import * as TaskQueuePriority from "./TaskQueuePriority.ts"
import * as WorkerRegistryMemory from "./WorkerRegistryMemory.ts"
import * as WorkerRemote from "./WorkerRemote.ts"

/**
 * Layer that is a worker with the handlers of the task registry.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerWorker = (
  options: Target & ExecutorThread.Options & { readonly id?: string; readonly concurrency?: number } = {}
): Layer.Layer<Worker, AddressError | SecretError | ThreadsUnavailable, TaskRegistry> =>
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
      Layer.provide(layerTransport),
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
  AddressError | SecretError | JournalError,
  TaskQueue | WorkerRegistry | Dispatcher | ResultCache
> = ControlPlaneServer.layer.pipe(
  Layer.provideMerge(EventBusPubSub.layer),
  Layer.provide(DiscoveryNng.layer),
  Layer.provide(layerTransport)
)

/**
 * Layer that is the worker inside a control plane's process: it connects in memory.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerLocalWorker = (
  options: ExecutorThread.Options = {}
): Layer.Layer<Worker, AddressError | SecretError | ThreadsUnavailable, ControlPlane | TaskRegistry> =>
  Layer.unwrap(Effect.gen(function*() {
    const { localWorkerAddress } = yield* ControlPlane
    const { concurrency } = yield* Settings
    return WorkerRemote.layer({ id: "control-plane", slots: concurrency, about }).pipe(
      Layer.provide(ExecutorThread.layer(options)),
      Layer.provide(DiscoveryStatic.layer({ workerAddress: localWorkerAddress })),
      Layer.provide(layerTransport),
      Layer.fresh
    )
  }))

/**
 * Layer that is a control plane with its standard services. Provide it a journal for tasks to survive its process.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerControlPlane: Layer.Layer<ControlPlane | EventBus, AddressError | SecretError | JournalError> =
  layerControlPlaneServer.pipe(Layer.provide(layerCore))
