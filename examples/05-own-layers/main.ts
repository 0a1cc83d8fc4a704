/** A control plane made of layers, one of which is ours: see `core`. Two workers that could both run everything. */
import { Effect, Layer } from "effect"
import {
  connect,
  ControlPlane,
  layerControlPlaneServer,
  layerSettings,
  layerWorker,
  TaskRegistryModules,
  Worker
} from "fastworker"
import * as DispatcherLeastLoaded from "fastworker/layers/DispatcherLeastLoaded"
import * as ResultCacheLru from "fastworker/layers/ResultCacheLru"
import * as TaskQueuePriority from "fastworker/layers/TaskQueuePriority"
import * as WorkerRegistryMemory from "fastworker/layers/WorkerRegistryMemory"
import * as DispatcherPinned from "./DispatcherPinned.ts"
import { render, report } from "./tasks.ts"

const anyPort = "tcp://127.0.0.1:0"

const controlPlaneWith = (dispatcher: typeof DispatcherLeastLoaded.layer) => {
  const core = Layer.mergeAll(
    TaskQueuePriority.layer(),
    ResultCacheLru.layer,
    dispatcher.pipe(Layer.provideMerge(WorkerRegistryMemory.layer))
  )
  return layerControlPlaneServer.pipe(
    Layer.provide(core),
    Layer.provide(layerSettings({ address: anyPort, workerAddress: anyPort, discovery: anyPort }))
  )
}

const startWorker = Effect.fnUntraced(function*(id: string) {
  const { workerAddress } = yield* ControlPlane
  const context = yield* Layer.build(
    layerWorker({ id, controlPlane: workerAddress }).pipe(
      Layer.provide(TaskRegistryModules.layer(Layer.merge(render.layer, report.layer)))
    )
  )
  const { ready } = yield* Effect.provideContext(Worker, context)
  yield* ready
})

/** Where the tasks of each name ran. */
const program = Effect.gen(function*() {
  const { address } = yield* ControlPlane
  yield* startWorker("gpu-1")
  yield* startWorker("cpu-1")
  const client = yield* Effect.acquireRelease(connect({ controlPlane: address }), ({ close }) => close)
  const handles = {
    [render.name]: yield* client.delayAll(render, Array.from({ length: 20 }, () => ({}))),
    [report.name]: yield* client.delayAll(report, Array.from({ length: 20 }, () => ({})))
  }
  for (const [name, submitted] of Object.entries(handles)) {
    const workers = yield* Effect.all(submitted.map(({ result }) => result))
    console.log(`  ${workers.length} × ${name} ran on ${[...new Set(workers)].sort().join(" and ")}`)
  }
})

console.log("Least loaded, as FastWorker brings it:")
await program.pipe(Effect.scoped, Effect.provide(controlPlaneWith(DispatcherLeastLoaded.layer)), Effect.runPromise)
console.log("Pinned, our own:")
await program.pipe(Effect.scoped, Effect.provide(controlPlaneWith(DispatcherPinned.layer)), Effect.runPromise)
