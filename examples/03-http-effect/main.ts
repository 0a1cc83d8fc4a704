import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Effect, Layer, Schedule } from "effect"
import { HttpRouter, HttpServer } from "effect/http"
import { layerClient, layerSettings } from "fastworker"
import { createServer } from "node:http"
import { startControlPlane } from "../processes/start.ts"
import { routes } from "./routes.ts"

// By hand, in another terminal: npx fastworker control-plane --tasks tasks.ts
const controlPlane = await startControlPlane(["--tasks", `${import.meta.dirname}/tasks.ts`])
const { discovery } = controlPlane.ready

const ServerLive = HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
  Layer.provide(layerClient().pipe(Layer.provide(layerSettings({ discovery })))),
  Layer.provideMerge(NodeHttpServer.layer(createServer, { host: "127.0.0.1", port: 0 }))
)

/** Plays the browser. */
const browse = Effect.gen(function*() {
  const { address } = yield* HttpServer.HttpServer
  const request = (method: string, path: string, body?: object) =>
    Effect.promise(async () => {
      const response = await fetch(`${HttpServer.formatAddress(address)}${path}`, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } })
      })
      return { status: response.status, body: await response.json() as Readonly<Record<string, unknown>> }
    })

  const submitted = yield* request("POST", "/primes", { below: 1_000_000 })
  console.log("POST /primes    ", submitted.status, Object.keys(submitted.body))

  const finished = yield* request("GET", `/tasks/${String(submitted.body["id"])}`).pipe(
    Effect.repeat({ until: ({ body }) => body["state"] === "succeeded", schedule: Schedule.spaced("20 millis") })
  )
  console.log("GET /tasks/:id  ", finished.status, finished.body)

  const invalid = yield* request("POST", "/primes", { below: -1 })
  console.log("POST /primes    ", invalid.status, invalid.body["error"])

  const unknown = yield* request("GET", "/tasks/nobody")
  console.log("GET /tasks/:id  ", unknown.status, unknown.body["error"])
})

await browse.pipe(Effect.provide(ServerLive), Effect.runPromise).finally(controlPlane.stop)
