import { serve } from "@hono/node-server"
import { FastWorker } from "fastworker/promise"
import { once } from "node:events"
import type { AddressInfo } from "node:net"
import { setTimeout } from "node:timers/promises"
import { startControlPlane } from "../processes/start.ts"
import { makeApp } from "./app.ts"

// By hand, in another terminal: npx fastworker control-plane --tasks tasks.ts
const controlPlane = await startControlPlane(["--tasks", `${import.meta.dirname}/tasks.ts`])

const fw = await FastWorker.connect({ discovery: controlPlane.ready.discovery })
const server = serve({ fetch: makeApp(fw).fetch, hostname: "127.0.0.1", port: 0 })
await once(server, "listening")
const { port } = server.address() as AddressInfo

/** Plays the browser. */
const request = async (method: string, path: string, body?: object) => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) })
  })
  return { status: response.status, body: await response.json() as Readonly<Record<string, unknown>> }
}

const submitted = await request("POST", "/primes", { below: 1_000_000 })
console.log("POST /primes    ", submitted.status, Object.keys(submitted.body))

let task = await request("GET", `/tasks/${String(submitted.body["id"])}`)
while (task.body["state"] !== "succeeded") {
  await setTimeout(20)
  task = await request("GET", `/tasks/${String(submitted.body["id"])}`)
}
console.log("GET /tasks/:id  ", task.status, task.body)

const invalid = await request("POST", "/primes", { below: -1 })
console.log("POST /primes    ", invalid.status, invalid.body["error"])

const unknown = await request("GET", "/tasks/nobody")
console.log("GET /tasks/:id  ", unknown.status, unknown.body["error"])

server.close()
await fw.close()
await controlPlane.stop()
