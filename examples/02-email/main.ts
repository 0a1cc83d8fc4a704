/** The whole system in one process: control plane, its local worker, and a client. */
import { Effect, Layer } from "effect"
import {
  connect,
  ControlPlane,
  layerControlPlane,
  layerLocalWorker,
  layerSettings,
  TaskRegistryModules
} from "fastworker"
import { sendEmail } from "./definitions.ts"
import tasks from "./tasks.ts"

const anyPort = "tcp://127.0.0.1:0"

const FastWorkerLive = layerLocalWorker().pipe(
  Layer.provide(TaskRegistryModules.layer(tasks)),
  Layer.provideMerge(layerControlPlane),
  Layer.provide(layerSettings({ address: anyPort, workerAddress: anyPort, discovery: anyPort }))
)

const program = Effect.gen(function*() {
  const { address } = yield* ControlPlane
  const client = yield* Effect.acquireRelease(connect({ controlPlane: address }), ({ close }) => close)

  const send = (to: string) =>
    client.run(sendEmail, { to, subject: "Welcome" }).pipe(
      Effect.map(({ acceptedAt }) => `sent: acceptedAt is a ${acceptedAt.constructor.name}`),
      // The error is an instance of the class that the definition names.
      Effect.catchTag("MailRejected", ({ code, to }) => Effect.succeed(`refused: ${to} with code ${code}`)),
      // Found by the schema before anything is sent.
      Effect.catchTag("InvalidArguments", ({ message }) => Effect.succeed(`invalid: ${message}`))
    )
  for (const to of ["ann@example.org", "bob@gone.example", "nonsense"]) {
    console.log(yield* send(to))
  }
})

await program.pipe(Effect.scoped, Effect.provide(FastWorkerLive), Effect.runPromise)
