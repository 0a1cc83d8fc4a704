import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { once } from "node:events"
import { Agent, get, request } from "node:http"
import { connect as openSocket } from "node:net"
import { hostname } from "node:os"
import type { ListReply } from "../../src/domain/Message.ts"
import { until } from "../harness/Until.ts"
import { file, startPlane } from "./Plane.ts"
import { hold, succeed } from "./tasks.ts"

/** An answer to exactly this request target and headers, which `fetch` would tidy up. */
const ask = (url: string, path: string, { headers = {}, method = "GET" } = {}) =>
  Effect.promise(() =>
    new Promise<{ status: number; headers: NodeJS.Dict<string | Array<string>>; body: string }>((resolve, reject) => {
      const { hostname: host, port } = new URL(url)
      request({ host, port, path, method, headers, agent: false }, (response) => {
        let body = ""
        response.setEncoding("utf8").on("data", (text: string) => body += text)
        response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
      }).on("error", reject).end()
    })
  )

const raw = (url: string, text: string) =>
  Effect.promise(async () => {
    const { hostname: host, port } = new URL(url)
    const socket = openSocket(Number(port), host)
    let answer = ""
    socket.setEncoding("utf8").on("data", (text: string) => answer += text)
    socket.write(text)
    await once(socket, "close")
    return answer
  })

describe("dashboard server", () => {
  it.live("serves no file but its own, however the path is written", () =>
    Effect.gen(function*() {
      const { url } = yield* startPlane()
      const targets = [
        "/../../../../etc/hostname",
        "/..%2f..%2f..%2f..%2fetc%2fhostname",
        "/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/hostname",
        "/..\\..\\..\\..\\etc\\hostname",
        "//etc/hostname",
        "/app.css/../../bin.js",
        "/app.css%00",
        "/%zz",
        `${url}/../../etc/hostname`
      ]
      for (const target of targets) {
        const answer = yield* raw(url, `GET ${target} HTTP/1.0\r\n\r\n`)
        assert.match(answer, /^HTTP\/1\.1 404 /u, target)
        assert.notInclude(answer.split("\r\n\r\n")[1], hostname(), target)
      }
      // Not a request target at all: Node's parser refuses it.
      assert.match(yield* raw(url, "GET ../../../../etc/hostname HTTP/1.0\r\n\r\n"), /^HTTP\/1\.1 400 /u)
      assert.match(yield* raw(url, "GET /app.css?v=1 HTTP/1.0\r\n\r\n"), /^HTTP\/1\.1 200 /u)
    }))

  it.live("answers GET and HEAD, and says so to other methods", () =>
    Effect.gen(function*() {
      const { url } = yield* startPlane()

      const page = yield* ask(url, "/")
      const head = yield* ask(url, "/", { method: "HEAD" })
      assert.deepStrictEqual([page.status, head.status, head.body], [200, 200, ""])
      assert.strictEqual(head.headers["content-length"], String(Buffer.byteLength(page.body)))
      for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"]) {
        const answer = yield* ask(url, "/api/stats", { method })
        assert.deepStrictEqual([method, answer.status, answer.headers["allow"]], [method, 405, "GET, HEAD"])
      }
      assert.match(yield* raw(url, "BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n"), /^HTTP\/1\.1 400 /u)
    }))

  it.live("forbids scripts and frames of others in every answer", () =>
    Effect.gen(function*() {
      const { url } = yield* startPlane()

      for (const path of ["/", "/app.js", "/app.css", "/favicon.svg", "/api/stats", "/nothing"]) {
        const { headers } = yield* ask(url, path)
        assert.include(headers["content-security-policy"], "default-src 'self'", path)
        assert.include(headers["content-security-policy"], "frame-ancestors 'none'", path)
        assert.strictEqual(headers["x-content-type-options"], "nosniff", path)
        assert.isUndefined(headers["access-control-allow-origin"], path)
      }
    }))

  it.live("answers to its address and to names of this machine, not to a name that someone pointed at it", () =>
    Effect.gen(function*() {
      const { url } = yield* startPlane()
      const statusFor = (host: string) => Effect.map(ask(url, "/api/stats", { headers: { host } }), (a) => a.status)

      for (
        const host of [
          "127.0.0.1:8080",
          "localhost",
          "LOCALHOST:80",
          "a.localhost:1",
          "[::1]:8080",
          "10.1.2.3",
          hostname()
        ]
      ) {
        assert.strictEqual(yield* statusFor(host), 200, host)
      }
      for (
        const host of [
          "evil.example",
          "evil.example:8080",
          "127.0.0.1.evil.example",
          "localhost.evil.example",
          "[evil]"
        ]
      ) {
        assert.strictEqual(yield* statusFor(host), 403, host)
      }
    }))

  it.live("lists tasks of every state, also when many wait", () =>
    Effect.gen(function*() {
      const { client, read, stats } = yield* startPlane(["--tasks", file("tasks.ts")])
      yield* (yield* client.delay(succeed)).result
      yield* client.delayAll(hold, Array.from({ length: 500 }, () => ({})))
      yield* until("four running tasks", Effect.map(stats, ({ running }) => running === 4))

      const { tasks, total } = yield* read<typeof ListReply.Type>("/api/tasks")

      assert.isAtMost(tasks.length, 200)
      assert.strictEqual(total, 501)
      assert.strictEqual(tasks.filter(({ state }) => state === "running").length, 4)
      assert.strictEqual(tasks.filter(({ state }) => state === "succeeded").length, 1)
    }))

  it.live("lets the control plane end within 3 s of SIGTERM while a browser holds its connection", () =>
    Effect.gen(function*() {
      const { plane, url } = yield* startPlane()
      const agent = yield* Effect.acquireRelease(
        Effect.sync(() => new Agent({ keepAlive: true })),
        (agent) => Effect.sync(() => agent.destroy())
      )
      yield* Effect.promise(() =>
        new Promise<void>((resolve, reject) => {
          get(`${url}/healthz`, { agent }, (response) => response.resume().on("end", resolve)).on("error", reject)
        })
      )
      assert.lengthOf(Object.values(agent.freeSockets), 1)

      const before = performance.now()
      plane.signal("SIGTERM")
      const code = yield* Effect.promise(plane.exit)

      assert.strictEqual(code, 0)
      assert.isBelow(performance.now() - before, 3_000)
    }))
})
