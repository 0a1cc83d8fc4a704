/** One process that is web server, control plane and worker: nothing else to deploy. */
import { Effect, Layer, ManagedRuntime, Schema } from "effect"
import {
  Client,
  ControlPlane,
  layerClient,
  layerControlPlane,
  layerLocalWorker,
  layerSettings,
  Task,
  TaskRegistryModules
} from "fastworker"
import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

const hash = Task.define("hash", {
  args: { text: Schema.String },
  success: Schema.Int,
  run: ({ text }) => Effect.succeed(Buffer.from(text).reduce((sum, byte) => (sum * 31 + byte) | 0, 0))
})

// Free ports of this machine; leave the settings out for the usual ones, so that workers of their own find this process.
const anyPort = "tcp://127.0.0.1:0"
const controlPlane = layerControlPlane.pipe(
  Layer.provide(layerSettings({ address: anyPort, workerAddress: anyPort, discovery: anyPort, local: "always" }))
)
const worker = layerLocalWorker().pipe(Layer.provide(TaskRegistryModules.layer(hash.layer)))
const client = Layer.unwrap(Effect.map(ControlPlane, ({ address }) => layerClient({ controlPlane: address })))
const runtime = ManagedRuntime.make(Layer.mergeAll(client, worker).pipe(Layer.provideMerge(controlPlane)))

const server = createServer((request, response) => {
  const text = new URL(request.url ?? "", "http://localhost").searchParams.get("text") ?? ""
  void runtime
    .runPromise(Effect.flatMap(Client, (client) => client.run(hash, { text })))
    .then((value) => response.end(`${value}\n`), (error: unknown) => response.writeHead(503).end(`${String(error)}\n`))
}).listen(0, "127.0.0.1")
await once(server, "listening")

const { port } = server.address() as AddressInfo
console.log(await (await fetch(`http://127.0.0.1:${port}/?text=hello`)).text())

server.close()
server.closeAllConnections()
// What runs may finish, what waits is cancelled.
const report = await runtime.runPromise(Effect.flatMap(ControlPlane, ({ drain }) => drain))
console.log(report)
await runtime.dispose()
