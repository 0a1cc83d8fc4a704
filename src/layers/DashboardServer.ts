/**
 * Serves the dashboard over HTTP: a page that says what is running, and the same counts as JSON under `/api`. Read only.
 * The files are named one by one: a path from outside never reaches the file system.
 *
 * @since 0.1.0
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { HttpServer, HttpServerRequest, HttpServerResponse } from "effect/http"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import { readFileSync } from "node:fs"
import { createServer } from "node:http"
import { isIP } from "node:net"
import { hostname } from "node:os"
import { AddressError } from "../domain/Errors.ts"
import type { TaskStatus } from "../domain/Message.ts"
import { TaskState } from "../domain/TaskState.ts"
import { ControlPlane } from "../services/ControlPlane.ts"
import { Settings } from "../services/Settings.ts"

/**
 * Service that tells where the dashboard is; `undefined` when there is none.
 *
 * @category services
 * @since 0.1.0
 */
export class DashboardServer extends Context.Service<DashboardServer, {
  readonly url: string | undefined
}>()("fastworker/layers/DashboardServer") {}

const files = [
  ["/", "index.html", "text/html; charset=utf-8"],
  ["/app.css", "app.css", "text/css; charset=utf-8"],
  ["/app.js", "app.js", "text/javascript; charset=utf-8"],
  ["/favicon.svg", "favicon.svg", "image/svg+xml"]
] as const

/** Nothing from elsewhere, nothing inline, never in a frame: what tasks contain can't become markup or script. */
const securityHeaders = {
  "content-security-policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin"
}

const secured = HttpServerResponse.setHeaders(securityHeaders)
const json = (value: unknown) =>
  secured(HttpServerResponse.jsonUnsafe(value, { headers: { "cache-control": "no-store" } }))

/** Tasks in a list, at most. */
const maxListed = 200

const parseAddress = (text: string): { readonly host: string; readonly port: number } | undefined => {
  const match = /^(.*):(\d{1,5})$/u.exec(text)
  const port = Number(match?.[2])
  if (match === null || port > 65_535) return undefined
  const host = (match[1] as string).replace(/^\[(.*)\]$/u, "$1")
  return host === "" ? undefined : { host, port }
}

/** Tasks in a list as they changed last, newest first; some of every state, so that a backlog hides nothing. */
const latest = (plane: ControlPlane["Service"]) => {
  const limit = maxListed / TaskState.literals.length
  const changedAt = (task: TaskStatus) => task.finishedAt ?? task.startedAt ?? task.submittedAt
  return Effect.map(Effect.forEach(TaskState.literals, (state) => plane.list({ state, limit })), (lists) => ({
    tasks: lists.flatMap(({ tasks }) => tasks).sort((a, b) => changedAt(b) - changedAt(a)),
    total: lists.reduce((sum, { total }) => sum + total, 0)
  }))
}

/**
 * Whether a request was meant for us. A page from elsewhere can have its own name resolve to this machine and would then
 * read what is served here (DNS rebinding); it can't do so with a number, this machine's name or the name we listen on.
 */
const isOurName = (bound: string) => {
  const names = new Set(["localhost", hostname().toLowerCase(), bound.toLowerCase()])
  return (header: string | undefined) => {
    if (header === undefined) return true
    const name = header.replace(/:\d*$/u, "").replace(/^\[(.*)\]$/u, "$1").toLowerCase()
    return isIP(name) !== 0 || names.has(name) || name.endsWith(".localhost")
  }
}

const makeHandler = (bound: string) =>
  Effect.map(ControlPlane, (plane) => {
    const error = (status: number, error: string, headers = {}) =>
      secured(HttpServerResponse.jsonUnsafe({ error }, { status, headers }))
    const isOurs = isOurName(bound)

    const answers = new Map<string, Effect.Effect<HttpServerResponse.HttpServerResponse>>([
      ["/api/stats", Effect.map(plane.stats, json)],
      ["/api/workers", Effect.map(plane.workers, (workers) => json({ workers }))],
      ["/api/task-types", Effect.map(plane.tasks, (tasks) => json({ tasks }))],
      ["/api/tasks", Effect.map(latest(plane), json)],
      ["/healthz", Effect.succeed(json({ ok: true }))]
    ])
    for (const [path, name, contentType] of files) {
      const body = readFileSync(new URL(`../dashboard/${name}`, import.meta.url))
      const response = HttpServerResponse.uint8Array(body, { contentType, headers: { "cache-control": "no-cache" } })
      answers.set(path, Effect.succeed(secured(response)))
    }

    return Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ headers, method, url }) => {
      const answer = answers.get(url.replace(/\?.*$/u, ""))
      if (!isOurs(headers["host"])) {
        return Effect.succeed(error(403, `"${headers["host"]}" is not a name of this dashboard: use its address`))
      }
      if (answer === undefined) return Effect.succeed(error(404, `nothing is served at ${url}`))
      return method === "GET" || method === "HEAD"
        ? answer
        : Effect.succeed(error(405, `${method} is not allowed: the dashboard is read only`, { allow: "GET, HEAD" }))
    })
  })

/**
 * Layer that serves the dashboard at the address of the settings, host and port.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<DashboardServer, AddressError, ControlPlane> = Layer.unwrap(
  Effect.gen(function*() {
    const { dashboard } = yield* Settings
    const address = parseAddress(dashboard)
    const invalid = (reason: string) => new AddressError({ address: dashboard, reason })
    if (address === undefined) {
      return yield* invalid("is not a host and a port: write for example 127.0.0.1:8080")
    }
    const server = NodeHttpServer.layer(createServer, { ...address, gracefulShutdownTimeout: "1 second" }).pipe(
      Layer.catch((error) => {
        const cause = error.cause as { readonly code?: string; readonly message?: string } | undefined
        const reason = cause?.code === "EADDRINUSE"
          ? "is in use: another dashboard or program has it; choose another with --dashboard, or use --no-dashboard"
          : `can't be listened on: ${cause?.message ?? String(error)}`
        return Layer.effectContext(Effect.fail(invalid(reason)))
      })
    )
    const info = Layer.effect(
      DashboardServer,
      Effect.map(HttpServer.HttpServer, ({ address }) =>
        DashboardServer.of({
          url: NetAddress.isInetAddress(address) ? `http://${urlHost(dashboard)}:${address.port}` : undefined
        }))
    )
    const app = Layer.unwrap(Effect.map(makeHandler(address.host), (handler) => HttpServer.serve(handler)))
    return Layer.merge(info, app).pipe(Layer.provide(server))
  })
)

/** The host as it was asked for: a name or address that works from where the user sits. */
const urlHost = (dashboard: string) => {
  const host = dashboard.slice(0, dashboard.lastIndexOf(":"))
  return host === "0.0.0.0" || host === "[::]" || host === "::" ? "127.0.0.1" : host
}

/**
 * Layer that serves no dashboard.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerNone: Layer.Layer<DashboardServer> = Layer.succeed(DashboardServer, { url: undefined })
