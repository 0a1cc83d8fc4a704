/** The documentation, as the control plane serves it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { brotliDecompressSync, gunzipSync } from "node:zlib"
import { makeSite } from "../../src/layers/DashboardFiles.ts"
import { ask, startDashboard } from "../harness/Dashboard.ts"

describe("the documentation", () => {
  it.live("is served below /docs, whole or compressed, and not again when it is known", () =>
    Effect.gen(function*() {
      const { origin } = yield* startDashboard()
      const plain = yield* ask(origin, "/docs/")
      assert.strictEqual(plain.status, 200)
      assert.strictEqual(plain.headers["content-type"], "text/html; charset=utf-8")
      assert.include(plain.text, "<h1>FastWorker documentation</h1>")
      assert.strictEqual((yield* ask(origin, "/docs/index.html")).text, plain.text)

      const brotli = yield* ask(origin, "/docs/", { headers: { "accept-encoding": "gzip, br" } })
      assert.strictEqual(brotli.headers["content-encoding"], "br")
      assert.strictEqual(brotliDecompressSync(brotli.bytes).toString(), plain.text)
      const gzip = yield* ask(origin, "/docs/", { headers: { "accept-encoding": "gzip" } })
      assert.strictEqual(gunzipSync(gzip.bytes).toString(), plain.text)
      const again = yield* ask(origin, "/docs/", { headers: { "if-none-match": String(plain.headers.etag) } })
      assert.deepStrictEqual([again.status, again.text], [304, ""])

      for (const path of ["/docs/tutorial.html", "/docs/howto/retry.html", "/docs/reference/errors.html?x=1"]) {
        assert.strictEqual((yield* ask(origin, path)).status, 200, path)
      }
      const types = [["/docs/docs.css", "text/css; charset=utf-8"], [
        "/docs/theme.js",
        "text/javascript; charset=utf-8"
      ]]
      for (const [path = "", type] of types) {
        assert.strictEqual((yield* ask(origin, path)).headers["content-type"], type)
      }
      assert.include(String(plain.headers["content-security-policy"]), "script-src 'self'")
    }))

  it.live("is found without the last slash, also below a prefix, whether a proxy takes that away or not", () =>
    Effect.gen(function*() {
      const { origin } = yield* startDashboard({ dashboardPrefix: "/ops/queue" })
      for (const path of ["/docs", "/ops/queue/docs"]) {
        const { headers, status } = yield* ask(origin, path)
        assert.strictEqual(status, 302)
        assert.strictEqual(new URL(String(headers.location), origin + path).pathname, `${path}/`)
        assert.include((yield* ask(origin, `${path}/concepts.html`)).text, "<h1>Concepts</h1>")
      }
    }))

  it.live("is no secret, and nothing of it can be changed", () =>
    Effect.gen(function*() {
      const { origin } = yield* startDashboard({ secret: "a secret of the tests, long enough" })
      assert.strictEqual((yield* ask(origin, "/docs/")).status, 200)
      assert.strictEqual((yield* ask(origin, "/docs/", { method: "HEAD" })).text, "")
      assert.strictEqual((yield* ask(origin, "/docs/", { method: "POST" })).status, 405)
      assert.strictEqual((yield* ask(origin, "/api/docs")).status, 401)
    }))

  it.live("says of a page that there is none, and never reads another file", () =>
    Effect.gen(function*() {
      const { origin } = yield* startDashboard()
      const paths = [
        "/docs/none.html",
        "/docs/howto/",
        "/docs/../index.html",
        "/docs/%2e%2e/bin.js",
        "/docs/index.html.gz"
      ]
      for (const path of paths) {
        const { code, status } = yield* ask(origin, path)
        assert.deepStrictEqual([path, status, code], [path, 404, "NotFound"])
      }
      // Of the dashboard, which knows its own paths.
      assert.strictEqual((yield* ask(origin, "/docsy")).status, 200)
    }))

  it("says how to build it where it is not", () => {
    const folder = mkdtempSync(join(tmpdir(), "fastworker-site-"))
    try {
      for (const path of [folder, join(folder, "none")]) {
        const site = makeSite("/docs", path)
        const answer = site.answer({ path: "/docs/", acceptEncoding: undefined, ifNoneMatch: undefined })
        assert.strictEqual(answer.status, 503)
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
