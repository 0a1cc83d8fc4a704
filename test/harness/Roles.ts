/** Control planes, workers and clients in this process, over real sockets on loopback ports that the system chooses. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Settings } from "../../src/domain/Settings.ts"
import type { TaskHandler } from "../../src/domain/TaskDefinition.ts"
import { layerControlPlane, layerWorker } from "../../src/layers/Node.ts"
import { connect, layerSettings } from "../../src/layers/NodeClient.ts"
import * as TaskRegistryModules from "../../src/layers/TaskRegistryModules.ts"
import { ControlPlane } from "../../src/services/ControlPlane.ts"
import { Worker } from "../../src/services/Worker.ts"

const anyPort = "tcp://127.0.0.1:0"

/** Starts a control plane without a worker of its own. */
export const startControlPlane = (settings: Partial<Settings> = {}) =>
  Layer.build(
    layerControlPlane.pipe(
      Layer.provide(layerSettings({ address: anyPort, workerAddress: anyPort, discovery: anyPort, ...settings }))
    )
  ).pipe(Effect.map((context) => Context.get(context, ControlPlane)))

/** Starts a worker and waits until it is registered. */
export const startWorker = Effect.fnUntraced(function*<Handlers extends TaskHandler<string>>(
  { workerAddress }: ControlPlane["Service"],
  handlers: Layer.Layer<Handlers>,
  { id, ...settings }: Partial<Settings> & { readonly id: string }
) {
  const context = yield* Layer.build(
    layerWorker({ id, controlPlane: workerAddress }).pipe(
      Layer.provide(TaskRegistryModules.layer(handlers)),
      Layer.provide(layerSettings(settings))
    )
  )
  const worker = Context.get(context, Worker)
  yield* worker.ready
  return worker
})

/** Connects a client. */
export const startClient = ({ address }: Pick<ControlPlane["Service"], "address">, settings: Partial<Settings> = {}) =>
  Effect.acquireRelease(connect({ controlPlane: address, ...settings }), (client) => client.close)
