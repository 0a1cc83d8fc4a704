/** What the dashboard's server does whatever is asked: files, headers, names, methods, prefixes, and its end. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { once } from "node:events"
import { Agent, get } from "node:http"
import { connect as openSocket } from "node:net"
import { hostname } from "node:os"
import { brotliDecompressSync, gunzipSync } from "node:zlib"
import { makeFiles } from "../../src/layers/DashboardFiles.ts"
import { Cluster } from "../harness/Cluster.ts"
import { ask, startDashboard } from "../harness/Dashboard.ts"
import { startPlane } from "./Plane.ts"

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

/** The addresses of the page's own scripts and styles, as they stand in it. */
const assetsOf = (html: string) =>
  [...html.matchAll(/(?:src|href)="\.?\/?((?:assets\/)[^"]+)"/gu)].map(([, path = ""]) => `/${path}`)

const baseOf = (html: string) => /<base href="([^"]*)">/u.exec(html)?.[1]

describe("dashboard server", () => {
  it.live("serves no file but its own, however the path is written", () =>
    Effect.gen(function*() {
      const { origin } = yield* startDashboard()
      const targets = [
        "/../../../../etc/hostname",
        "/..%2f..%2f..%2f..%2fetc%2fhostname",
        "/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/hostname",
        "/..\\..\\..\\..\\etc\\hostname",
        "//etc/hostname",
        "/boot.js/../../../bin.js",
        "/boot.js%00",
        "/%zz",
        "/__proto__",
        `${origin}/../../etc/hostname`
      ]
      for (const target of targets) {
        const answer = yield* raw(origin, `GET ${target} HTTP/1.0\r\n\r\n`)
        assert.match(answer, /^HTTP\/1\.1 200 /u, target)
        assert.include(answer, "<base href=", target)
        assert.notInclude(answer.split("\r\n\r\n")[1], hostname(), target)
      }
      assert.match(yield* raw(origin, "GET /assets/../../bin.js HTTP/1.0\r\n\r\n"), /^HTTP\/1\.1 404 /u)
      // Not a request target at all: Node's parser refuses it.
      assert.match(yield* raw(origin, "GET ../../../../etc/hostname HTTP/1.0\r\n\r\n"), /^HTTP\/1\.1 400 /u)
      assert.match(yield* raw(origin, "GET /favicon.svg?v=1 HTTP/1.0\r\n\r\n"), /^HTTP\/1\.1 200 /u)
    }))

  it.live("answers every path that is no file with the page, with dots and whatever is accepted", () =>
    Effect.gen(function*() {
      const { origin } = yield* startDashboard()
      const page = yield* ask(origin, "/")
      for (const accept of [undefined, "*/*", "text/html", "application/json"]) {
        for (const path of ["/tasks", "/types/mail.send", "/tasks/a.js", "/workers/fra-01.example.org/", "/apiary"]) {
          const answer = yield* ask(origin, path, accept === undefined ? {} : { headers: { accept } })
          assert.deepStrictEqual([path, answer.status, answer.text], [path, 200, page.text])
          assert.strictEqual(answer.headers["content-type"], "text/html; charset=utf-8")
        }
      }
      const gone = yield* ask(origin, "/assets/index-gone.js")
      assert.deepStrictEqual([gone.status, gone.code], [404, "NotFound"])
    }))

  it.live("sends files compressed as they are accepted, and once: what has not changed is not sent again", () =>
    Effect.gen(function*() {
      const { origin } = yield* startDashboard()
      const page = yield* ask(origin, "/")
      const [script = "none"] = assetsOf(page.text)
      const plain = yield* ask(origin, script)
      const br = yield* ask(origin, script, { headers: { "accept-encoding": "gzip, deflate, br" } })
      const gzip = yield* ask(origin, script, { headers: { "accept-encoding": "br;q=0, *;q=0.5" } })
      const none = yield* ask(origin, script, { headers: { "accept-encoding": "identity, br;q=0, gzip;q=0" } })

      assert.deepStrictEqual([plain.status, br.status, gzip.status], [200, 200, 200])
      assert.deepStrictEqual([plain, br, gzip, none].map(({ headers }) => headers["content-encoding"]), [
        undefined,
        "br",
        "gzip",
        undefined
      ])
      assert.isTrue(brotliDecompressSync(br.bytes).equals(plain.bytes))
      assert.isTrue(gunzipSync(gzip.bytes).equals(plain.bytes))
      assert.isBelow(br.bytes.length, plain.bytes.length / 2)
      for (const { headers } of [plain, br, gzip]) {
        assert.strictEqual(headers["cache-control"], "public, max-age=31536000, immutable")
        assert.strictEqual(headers.vary, "accept-encoding")
      }
      assert.notStrictEqual(br.headers.etag, gzip.headers.etag)

      assert.strictEqual(page.headers["cache-control"], "no-cache")
      const etag = String(page.headers.etag)
      for (const known of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
        const again = yield* ask(origin, "/tasks", { headers: { "if-none-match": known } })
        assert.deepStrictEqual([known, again.status, again.text, again.headers.etag], [known, 304, "", etag])
      }
      assert.strictEqual((yield* ask(origin, "/", { headers: { "if-none-match": "\"other\"" } })).status, 200)
      for (
        const [path, type] of [
          ["/favicon.svg", "image/svg+xml"],
          ["/boot.js", "text/javascript; charset=utf-8"],
          ["/licence-geist.txt", "text/plain; charset=utf-8"]
        ] as const
      ) {
        assert.strictEqual((yield* ask(origin, path)).headers["content-type"], type, path)
      }
    }))

  it.live("answers HEAD as GET without the body", () =>
    Effect.gen(function*() {
      const { origin } = yield* startDashboard()
      for (const path of ["/", "/tasks/a.b", "/favicon.svg", "/api/stats", "/openapi.json", "/api/docs", "/healthz"]) {
        const whole = yield* ask(origin, path)
        const head = yield* ask(origin, path, { method: "HEAD" })
        assert.deepStrictEqual([path, head.status, head.text], [path, whole.status, ""])
        assert.strictEqual(head.headers["content-type"], whole.headers["content-type"], path)
        if (path === "/api/stats") continue
        assert.strictEqual(head.headers["content-length"], String(whole.bytes.length), path)
      }
      assert.strictEqual((yield* ask(origin, "/api/live", { method: "HEAD" })).status, 200)
      assert.match(yield* raw(origin, "BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n"), /^HTTP\/1\.1 400 /u)
    }))

  it.live("answers what is no HTTP, and what is more than it takes, with a problem too", () =>
    Effect.gen(function*() {
      const { origin } = yield* startDashboard()
      const { port } = new URL(origin)
      const say = (text: string) =>
        Effect.callback<string>((resume) => {
          const socket = openSocket({ host: "127.0.0.1", port: Number(port) })
          let received = ""
          socket.setEncoding("utf8").on("data", (chunk: string) => received += chunk)
          socket.on("close", () => resume(Effect.succeed(received)))
          socket.on("error", () => {})
          socket.write(text)
          return Effect.sync(() => socket.destroy())
        })

      const nonsense = yield* say("5\r\n\r\n")
      const long = yield* say(`GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ${"y".repeat(20_000)}\r\n\r\n`)
      const expecting = yield* say(
        "GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\nexpect: a miracle\r\nconnection: close\r\n\r\n"
      )
      assert.match(nonsense, /^HTTP\/1\.1 400 Bad Request\r\ncontent-type: application\/problem\+json\r\n/u)
      assert.deepInclude(JSON.parse(nonsense.slice(nonsense.indexOf("{"))), { status: 400, detail: "This is not HTTP" })
      assert.match(long, /^HTTP\/1\.1 431 [^]*"detail":"The headers are too long"/u)
      assert.match(expecting, /^HTTP\/1\.1 200 /u)
    }))

  it.live("stands under the prefix that it is told, whether a proxy takes it away or not", () =>
    Effect.gen(function*() {
      const { origin, url } = yield* startDashboard({ dashboardPrefix: "/ops/queue" })
      assert.strictEqual(new URL(url).pathname, "/ops/queue")
      for (const path of ["/ops/queue", "/ops/queue/", "/ops/queue/tasks/a.b", "/", "/tasks/a.b"]) {
        const { status, text } = yield* ask(origin, path)
        assert.deepStrictEqual([path, status, baseOf(text)], [path, 200, "/ops/queue/"])
      }
      for (const prefix of ["/ops/queue", ""]) {
        assert.strictEqual((yield* ask(origin, `${prefix}/api/stats?x=1`)).status, 200)
        assert.strictEqual((yield* ask(origin, `${prefix}/api/tasks/none`)).code, "TaskNotFound")
        assert.strictEqual((yield* ask(origin, `${prefix}/favicon.svg`)).headers["content-type"], "image/svg+xml")
      }
      const { text } = yield* ask(origin, "/ops/queue/openapi.json")
      assert.deepInclude(JSON.parse(text), { servers: [{ url: "/ops/queue" }] })
      // What a stranger says of a prefix is not believed.
      const { text: page } = yield* ask(origin, "/", { headers: { "x-forwarded-prefix": "//evil.example" } })
      assert.strictEqual(baseOf(page), "/ops/queue/")
    }))

  it.live("forbids scripts and frames of others in every answer", () =>
    Effect.gen(function*() {
      const { origin } = yield* startDashboard()
      for (
        const path of ["/", "/boot.js", "/favicon.svg", "/api/stats", "/api/nothing", "/api/docs", "/openapi.json"]
      ) {
        const { headers } = yield* ask(origin, path)
        const policy = String(headers["content-security-policy"]).split("; ")
        for (
          const rule of [
            "default-src 'self'",
            "script-src 'self'",
            "worker-src 'self'",
            "object-src 'none'",
            "base-uri 'self'",
            "frame-ancestors 'none'"
          ]
        ) {
          assert.include(policy, rule, path)
        }
        assert.strictEqual(headers["x-content-type-options"], "nosniff", path)
        assert.isUndefined(headers["access-control-allow-origin"], path)
      }
      const { headers } = yield* ask(origin, "/", { headers: { host: "evil.example" } })
      assert.include(headers["content-security-policy"], "default-src 'self'")
    }))

  it.live("answers to its address and to names of this machine, not to a name that someone pointed at it", () =>
    Effect.gen(function*() {
      const { origin } = yield* startDashboard()
      const statusFor = (host: string) => Effect.map(ask(origin, "/api/stats", { headers: { host } }), (a) => a.status)
      const ours = [
        "127.0.0.1:8080",
        "localhost",
        "LOCALHOST:80",
        "a.localhost:1",
        "[::1]:8080",
        "10.1.2.3",
        hostname()
      ]
      for (const host of ours) assert.strictEqual(yield* statusFor(host), 200, host)
      const theirs = ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example", "[evil]"]
      for (const host of theirs) assert.strictEqual(yield* statusFor(host), 403, host)
    }))

  it.live("lets only its own page and programs change something", () =>
    Effect.gen(function*() {
      const { origin } = yield* startDashboard()
      const pause = (headers: Readonly<Record<string, string>>) =>
        Effect.map(
          ask(origin, "/api/pause", {
            method: "POST",
            body: "{}",
            headers: { "content-type": "application/json", ...headers }
          }),
          ({ code, status }) => code ?? status
        )
      const { host } = new URL(origin)

      const ours: ReadonlyArray<Readonly<Record<string, string>>> = [
        {},
        { origin },
        { origin: `https://${host}` },
        { "sec-fetch-site": "same-origin", origin },
        { "sec-fetch-site": "none" },
        { origin: "https://queue.example", "x-forwarded-host": "queue.example" }
      ]
      for (const headers of ours) assert.strictEqual(yield* pause(headers), 204, JSON.stringify(headers))
      const theirs: ReadonlyArray<Readonly<Record<string, string>>> = [
        { origin: "https://evil.example" },
        { origin: "null" },
        { origin: `http://${host}.evil.example` },
        { origin: "http://127.0.0.1:1" },
        { "sec-fetch-site": "cross-site", origin },
        { "sec-fetch-site": "same-site" }
      ]
      for (const headers of theirs) assert.strictEqual(yield* pause(headers), "ForeignOrigin", JSON.stringify(headers))
      const reading = yield* ask(origin, "/api/stats", { headers: { origin: "https://evil.example" } })
      assert.strictEqual(reading.status, 200)
    }))

  it.live("documents its API offline: for tools, and as a page without a script", () =>
    Effect.gen(function*() {
      const { origin } = yield* startDashboard()
      const document = JSON.parse((yield* ask(origin, "/openapi.json")).text) as {
        readonly openapi: string
        readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly summary: string }>>>>
      }
      const page = yield* ask(origin, "/api/docs")

      assert.match(document.openapi, /^3\.1/u)
      for (const [path, methods] of Object.entries(document.paths)) {
        for (const [method, { summary }] of Object.entries(methods)) {
          assert.include(page.text, `<b>${method.toUpperCase()}</b> ${path}</code>`)
          assert.include(page.text, summary.replaceAll("\"", "&quot;"))
        }
      }
      assert.strictEqual(page.headers["content-type"], "text/html; charset=utf-8")
      assert.notMatch(page.text, /<script|https?:\/\/|\bon\w+=/u)
    }))

  it.live("says that it lives, and whether it takes tasks", () =>
    Effect.gen(function*() {
      const { origin, plane } = yield* startDashboard()
      assert.strictEqual((yield* ask(origin, "/healthz")).text, "{\"ok\":true}")
      assert.strictEqual((yield* ask(origin, "/readyz")).text, "{\"ready\":true}")
      yield* plane.drain
      const ready = yield* ask(origin, "/readyz")
      assert.deepStrictEqual([ready.status, ready.code], [503, "ShuttingDown"])
      assert.strictEqual((yield* ask(origin, "/healthz")).status, 200)
    }))

  it.live("lets the control plane end within 3 s of SIGTERM while a browser holds connections, idle and half said", () =>
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
      const half = yield* Effect.acquireRelease(
        Effect.promise(async () => {
          const socket = openSocket(Number(new URL(url).port), "127.0.0.1")
          socket.on("error", () => {})
          await once(socket, "connect")
          socket.write(
            "POST /api/pause HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
          )
          return socket
        }),
        (socket) => Effect.sync(() => socket.destroy())
      )

      const before = performance.now()
      plane.signal("SIGTERM")
      const code = yield* Effect.promise(plane.exit)

      assert.strictEqual(code, 0)
      assert.isBelow(performance.now() - before, 3_000)
      half.destroy()
    }))

  it("says which prefixes can be, before it starts", async () => {
    await using cluster = await Cluster.make()
    for (const prefix of ["queue", "/a b", "//evil.example", "/a?b", "/\"><script>"]) {
      const { code, stderr } = await cluster.run(["control-plane", "--dashboard-prefix", prefix])
      assert.strictEqual(code, 2, prefix)
      assert.include(stderr, "dashboard-prefix", prefix)
    }
  })
})

describe("makeFiles", () => {
  it("says in every answer how to build a dashboard that is not there", () => {
    const files = makeFiles("", "/nowhere")

    const { body, status } = files.answer({ path: "/", acceptEncoding: undefined, ifNoneMatch: undefined })

    assert.deepStrictEqual([files.isBuilt, status], [false, 503])
    assert.match(JSON.stringify(body), /npm run build/u)
  })
})
