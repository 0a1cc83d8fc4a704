/**
 * Serves the dashboard over HTTP: the page and its files, the API, the live stream, health, the documentation.
 * Owns what holds for every request: who may ask, the policy that the browser is told, sizes, the path prefix, and an end
 * that does not wait for streams.
 *
 * @since 0.1.0
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import {
  HttpIncomingMessage,
  HttpRouter,
  HttpServer,
  HttpServerError,
  HttpServerRequest,
  HttpServerResponse
} from "effect/http"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Option from "effect/Option"
import type { Socket } from "node:net"
import { isIP } from "node:net"
import { hostname } from "node:os"
import { AddressError } from "../domain/Errors.ts"
import { ControlPlane } from "../services/ControlPlane.ts"
import { Settings } from "../services/Settings.ts"
import { json, problem } from "./DashboardAnswers.ts"
import * as DashboardApi from "./DashboardApi.ts"
import { makeDocs } from "./DashboardDocs.ts"
import { makeFiles, makeSite } from "./DashboardFiles.ts"
import { makeLive, maxStreams } from "./DashboardLive.ts"
import { makeLogin } from "./DashboardLogin.ts"
import { makeSessions, refuseMethod } from "./DashboardSession.ts"
import { planeKey } from "./Secret.ts"
import { isLocal } from "./TransportSecured.ts"

/**
 * Not imported: a module has everything asked for that it exports, and what `node:http` exports are also parts of `fetch`,
 * all of which is loaded then. It took 45 ms longer.
 */
const Http = process.getBuiltinModule("node:http")

/**
 * Service that tells where the dashboard is; `undefined` when there is none.
 *
 * @category services
 * @since 0.1.0
 */
export class DashboardServer extends Context.Service<DashboardServer, {
  readonly url: string | undefined
}>()("fastworker/layers/DashboardServer") {}

/**
 * Nothing from elsewhere, no script within the page, never in a frame: what tasks contain can't become markup that does
 * anything. Styles within the page are allowed: widgets place themselves by them.
 */
const securityHeaders = {
  "content-security-policy": [
    "default-src 'self'",
    "script-src 'self'",
    "worker-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'none'",
    "frame-ancestors 'none'"
  ].join("; "),
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin"
}

/** Connections at a time, at most. */
const maxConnections = 1_024

/** How long a client may take for its headers, and for all of its request. */
const headersMillis = 10_000
const requestMillis = 30_000

/** Bytes of a request besides arguments: ids of many tasks, for example. */
const maxBodyBytes = 2 * 1024 * 1024

/** Longest part of a path: an id or a name, encoded. */
const maxParamLength = 4_096

const parseAddress = (text: string): { readonly host: string; readonly port: number } | undefined => {
  const match = /^(.*):(\d{1,5})$/u.exec(text)
  const port = Number(match?.[2])
  if (match === null || port > 65_535) return undefined
  const host = (match[1] as string).replace(/^\[(.*)\]$/u, "$1")
  return host === "" ? undefined : { host, port }
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

/**
 * Whether a change was asked for by a page of ours, or by a program: a browser names the page that asks. What a proxy
 * says of the host counts: a page from elsewhere can't say it.
 */
const isFromUs = ({ headers }: HttpServerRequest.HttpServerRequest): boolean => {
  const site = headers["sec-fetch-site"]
  if (site !== undefined) return site === "same-origin" || site === "none"
  const { origin } = headers
  if (origin === undefined) return true
  const host = /^https?:\/\/([^/]+)$/u.exec(origin)?.[1]
  return host !== undefined && (host === headers["host"] || host === headers["x-forwarded-host"])
}

/** What needs a session besides the API. */
const guarded: ReadonlySet<string> = new Set(["/openapi.json", "/metrics"])

/** Where the documentation is, for everybody: it is no secret. */
const siteRoot = "/docs"

/** Questions that are too long for an address: they change nothing. */
const reading: ReadonlySet<string> = new Set(["/api/tasks/lookup"])

const isRead = (method: string) => method === "GET" || method === "HEAD"

const liveHeaders = {
  "cache-control": "no-store, no-transform",
  // Asks proxies not to gather what is to come at once.
  "x-accel-buffering": "no"
}

/** What is no request is answered by Node itself otherwise, without a word. */
const answerMalformed = (error: Error & { readonly code?: string }, socket: Socket) => {
  if (!socket.writable || error.code === "ECONNRESET") return void socket.destroy()
  // An answer that was begun can't be taken back.
  if (socket.bytesWritten > 0) return void socket.end()
  const [status, title, detail] = error.code === "HPE_HEADER_OVERFLOW"
    ? [431, "Request Header Fields Too Large", "The headers are too long"] as const
    : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
    ? [408, "Request Timeout", "The request did not come to its end in time"] as const
    : [400, "Bad Request", "This is not HTTP"] as const
  const body = JSON.stringify({ type: "about:blank", title, status, detail, code: "Malformed" })
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\ncontent-type: application/problem+json\r\ncontent-length: ${body.length}\r\n` +
      `connection: close\r\n\r\n${body}`
  )
}

/** Makes the answer to every request. */
const makeHandler = Effect.fnUntraced(function*(bound: string) {
  const plane = yield* ControlPlane
  const { dashboardPrefix: prefix, maxPayloadBytes, secret } = yield* Settings
  const clock = yield* Clock.Clock
  const login = makeLogin({ secret, prefix, now: () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6 })
  const { session, unknown } = makeSessions(login)
  const live = makeLive({
    feed: plane.history.feed,
    now: () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6,
    wallNow: () => clock.currentTimeMillisUnsafe()
  })
  const files = makeFiles(prefix)
  if (!files.isBuilt) yield* Effect.logWarning("The dashboard is not built (npm run build): only its API is served")
  const docs = makeDocs(prefix)
  const site = makeSite(siteRoot)
  const isOurs = isOurName(bound)
  // A text within JSON is at most six times as long as what it stands for, and hardly ever more than twice.
  const maxBytes = maxBodyBytes + 2 * maxPayloadBytes
  const api = yield* HttpRouter.toHttpEffect(DashboardApi.layer({ plane, history: plane.history, live })).pipe(
    Effect.provideService(HttpRouter.RouterConfig, { maxParamLength, ignoreTrailingSlash: true })
  )

  const metrics = Effect.map(plane.history.metrics, (text) =>
    HttpServerResponse.text(text, {
      contentType: "text/plain; version=0.0.4; charset=utf-8",
      headers: { "cache-control": "no-store" }
    }))

  const stream = ({ headers, method }: HttpServerRequest.HttpServerRequest) => {
    const body = method === "HEAD" ? undefined : live.open(headers["last-event-id"])
    if (body === undefined && method !== "HEAD") {
      return problem(
        503,
        "TooManyStreams",
        `At most ${maxStreams} live streams are served at a time: try again later`,
        {
          "retry-after": "5"
        }
      )
    }
    return body === undefined
      ? HttpServerResponse.empty({ status: 200, headers: liveHeaders })
      : HttpServerResponse.stream(body, { contentType: "text/event-stream; charset=utf-8", headers: liveHeaders })
  }

  const ready = Effect.map(plane.stats, ({ draining, journal }) =>
    draining
      ? problem(503, "ShuttingDown", "The control plane is shutting down")
      : journal !== undefined
      ? problem(503, "JournalFailed", journal)
      : json({ ready: true }))

  const fixed = new Map<
    string,
    (
      request: HttpServerRequest.HttpServerRequest
    ) => Effect.Effect<HttpServerResponse.HttpServerResponse>
  >([
    ["/api/live", (request) => Effect.sync(() => stream(request))],
    ["/api/docs", () => Effect.sync(docs.page)],
    ["/openapi.json", () => Effect.sync(docs.document)],
    ["/healthz", () => Effect.succeed(json({ ok: true }))],
    ["/readyz", () => ready],
    ["/metrics", () => metrics]
  ])

  /** Who changed what, for those who have to know later. */
  const audited = (
    answered: Effect.Effect<HttpServerResponse.HttpServerResponse, never, Effect.Services<typeof api>>,
    about: { readonly method: string; readonly path: string; readonly role: string; readonly address: string }
  ) =>
    Effect.tap(answered, ({ status }) =>
      Effect.logInfo(`${about.method} ${about.path}`, {
        audit: true,
        status,
        role: about.role,
        remote: about.address
      }))

  const tooLarge = problem(413, "TooLarge", `A request has at most ${maxBytes} bytes`, { connection: "close" })

  /** Nothing of ours failed: the path, the method or the body is not what we serve. */
  const onFailure = (request: HttpServerRequest.HttpServerRequest, path: string, cause: Cause.Cause<unknown>) => {
    const error = Cause.squash(cause)
    const reason = HttpServerError.isHttpServerError(error) ? error.reason._tag : undefined
    if (reason === "RouteNotFound") {
      const allowed = docs.methodsOf(path)
      return Effect.succeed(
        allowed === undefined
          ? problem(404, "NotFound", `Nothing is served at ${path}: /api/docs says what is`)
          : refuseMethod(request.method, allowed)
      )
    }
    if (reason === "RequestParseError") return Effect.succeed(tooLarge)
    if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause as Cause.Cause<never>)
    return Effect.as(
      Effect.logError(`An error while ${request.method} ${path} was answered`, cause),
      problem(500, "Unexpected", "This was not meant to happen: the log of the control plane says more")
    )
  }

  const ask = (request: HttpServerRequest.HttpServerRequest, path: string) => {
    if (Number(request.headers["content-length"] ?? 0) > maxBytes) return Effect.succeed(tooLarge)
    return api.pipe(
      Effect.provideService(HttpServerRequest.HttpServerRequest, request),
      Effect.provideService(HttpIncomingMessage.MaxBodySize, BigInt(maxBytes)),
      Effect.map((response) =>
        // Of the router itself: all others have a body.
        response.status === 415
          ? problem(415, "UnsupportedMediaType", "The body must be JSON: say content-type: application/json")
          : response
      ),
      Effect.catchCause((cause) => onFailure(request, path, cause))
    )
  }

  /** Behind a proxy the prefix may have been taken away, or may still be there. */
  const withoutPrefix = (url: string) =>
    prefix !== "" && (url === prefix || url.startsWith(`${prefix}/`) || url.startsWith(`${prefix}?`))
      ? url.slice(prefix.length)
      : url

  const answer = (
    request: HttpServerRequest.HttpServerRequest
  ): Effect.Effect<HttpServerResponse.HttpServerResponse, never, Effect.Services<typeof api>> => {
    const { headers, method } = request
    const url = withoutPrefix(request.url)
    const path = url.replace(/[?#].*$/su, "")
    if (!isOurs(headers["host"])) {
      const detail = `"${headers["host"]}" is not a name of this dashboard: use its address`
      return Effect.succeed(problem(403, "ForeignHost", detail))
    }
    if (!isRead(method) && !isFromUs(request)) {
      return Effect.succeed(problem(403, "ForeignOrigin", "A page from elsewhere may not change anything here"))
    }
    const address = Option.getOrElse(request.remoteAddress, () => "unknown")
    const isOpen = !path.startsWith("/api") && !guarded.has(path)
    const visitor = isOpen ? undefined : login.visitor(headers, address)
    if (path === "/api/session" && visitor !== undefined) return session(request, visitor, address)
    if (visitor !== undefined && visitor.role === undefined) return Effect.succeed(unknown(visitor))
    if (visitor?.role === "observer" && !isRead(method) && !reading.has(path)) {
      return Effect.succeed(problem(403, "ReadOnly", "An observer may not change anything: this key only reads"))
    }
    const found = fixed.get(path)
    if (found !== undefined) {
      return isRead(method) ? found(request) : Effect.succeed(refuseMethod(method, "GET, HEAD"))
    }
    if (path === "/api" || path.startsWith("/api/")) {
      const answered = ask(request.modify({ url }), path)
      if (isRead(method) || reading.has(path)) return answered
      return audited(answered, { method, path, address, role: visitor?.role ?? "operator" })
    }
    if (!isRead(method)) return Effect.succeed(refuseMethod(method, "GET, HEAD"))
    const served = path === siteRoot || path.startsWith(`${siteRoot}/`) ? site : files
    return Effect.sync(() =>
      served.answer({
        path,
        acceptEncoding: headers["accept-encoding"],
        ifNoneMatch: headers["if-none-match"]
      })
    )
  }

  const handler = Effect.flatMap(
    HttpServerRequest.HttpServerRequest,
    (request) => Effect.map(answer(request), HttpServerResponse.setHeaders(securityHeaders))
  )
  return { handler, live }
})

/**
 * Layer that serves the dashboard at the address of the settings, host and port.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<DashboardServer, AddressError, ControlPlane> = Layer.unwrap(
  Effect.gen(function*() {
    const { dashboard, dashboardPrefix, insecure, secret } = yield* Settings
    const address = parseAddress(dashboard)
    const invalid = (reason: string) => new AddressError({ address: dashboard, reason })
    if (address === undefined) {
      return yield* invalid("is not a host and a port: write for example 127.0.0.1:8080")
    }
    if (secret === undefined && !insecure && !isLocal(`http://${dashboard}`)) {
      return yield* invalid(
        "can be reached from other machines, and whoever opens it could run tasks: set FASTWORKER_SECRET " +
          "(`fastworker secret` makes one), then it asks who signs in; or say --insecure"
      )
    }
    if (secret !== undefined && planeKey(secret) === undefined) {
      return yield* invalid("can't be served with the key of a role: a control plane needs the secret itself")
    }
    const node = Http.createServer({ headersTimeout: headersMillis, requestTimeout: requestMillis })
    node.maxConnections = maxConnections
    // What we do not know of is not expected of us: Node would refuse it without a word.
    node.on("checkExpectation", (request, response) => node.emit("request", request, response))
    node.on("clientError", (error, socket) => answerMalformed(error, socket as Socket))
    const server = NodeHttpServer.layer(() => node, { ...address, gracefulShutdownTimeout: "1 second" }).pipe(
      Layer.catch((error) => {
        const cause = error.cause as { readonly code?: string; readonly message?: string } | undefined
        const reason = cause?.code === "EADDRINUSE"
          ? "is in use: another dashboard or program has it; choose another with --dashboard, or use --no-dashboard"
          : `can't be listened on: ${cause?.message ?? String(error)}`
        return Layer.effectContext(Effect.fail(invalid(reason)))
      })
    )
    const app = Layer.effect(
      DashboardServer,
      Effect.gen(function*() {
        const { address: bound } = yield* HttpServer.HttpServer
        const { handler, live } = yield* makeHandler(address.host)
        // In the reverse order at the end: the streams end, requests have a second, then whoever is still there is cut off.
        yield* Effect.addFinalizer(() => Effect.sync(() => node.closeAllConnections()))
        yield* HttpServer.serveEffect(handler)
        yield* Effect.addFinalizer(() => Effect.sync(live.close))
        return DashboardServer.of({
          url: NetAddress.isInetAddress(bound)
            ? `http://${urlHost(dashboard)}:${bound.port}${dashboardPrefix}`
            : undefined
        })
      })
    )
    return app.pipe(Layer.provide(server))
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
