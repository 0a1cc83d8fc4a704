import { FastWorker } from "fastworker/promise"
import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { startControlPlane } from "../processes/start.ts"
import * as Express from "./express.ts"
import * as Fastify from "./fastify.ts"

// By hand, in another terminal: npx fastworker control-plane --tasks tasks.ts
const controlPlane = await startControlPlane(["--tasks", `${import.meta.dirname}/tasks.ts`])
process.env["FASTWORKER_DISCOVERY"] = controlPlane.ready.discovery

type Fetch = (path: string, init?: RequestInit) => Promise<Response>

/** The same three requests to each of them. */
const visit = async (name: string, fetch: Fetch, pathOf: (id: string) => string) => {
  const post = (body: object) =>
    fetch("/photos", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body)
    })
  const submitted = await post({ photo: "cat", width: 200 })
  const { id } = await submitted.json() as { readonly id: string }
  const resized = await fetch(pathOf(id))
  const invalid = await post({ photo: "cat", width: 0 })
  console.log(name)
  console.log("  POST", submitted.status)
  console.log("  GET ", resized.status, await resized.json())
  console.log("  POST", invalid.status, (await invalid.json() as { readonly error: string }).error)
}

const fw = await FastWorker.connect({ discovery: controlPlane.ready.discovery })

const express = createServer(Express.makeApp(fw)).listen(0, "127.0.0.1")
await once(express, "listening")
const base = `http://127.0.0.1:${(express.address() as AddressInfo).port}`
await visit("Express", (path, init) => fetch(base + path, init), (id) => `/photos/${id}`)
express.close()
express.closeAllConnections()

const fastify = Fastify.makeApp(fw)
const fastifyBase = await fastify.listen({ host: "127.0.0.1", port: 0 })
await visit("Fastify", (path, init) => fetch(fastifyBase + path, init), (id) => `/photos/${id}`)
await fastify.close()

// Next.js calls the exported functions with a Request: so does this.
const route = await import("./next/photos/route.ts")
await visit("Next.js", (path, init) => {
  const request = new Request(`http://localhost${path}`, init)
  return init?.method === "POST" ? route.POST(request) : route.GET(request)
}, (id) => `/photos?id=${id}`)
const { fastworker } = await import("./next/client.ts")
await (await fastworker()).close()

await fw.close()
await controlPlane.stop()
