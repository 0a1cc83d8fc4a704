import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { once } from "node:events"
import { createServer, request } from "node:http"
import type { AddressInfo } from "node:net"
import type { Stats, WorkersReply } from "../../src/domain/Message.ts"
import * as Chromium from "../harness/Chromium.ts"
import { until } from "../harness/Until.ts"
import { markup } from "./hostile-tasks.ts"
import { file, startPlane } from "./Plane.ts"
import { fail, hold, succeed } from "./tasks.ts"

const textOf = (selector: string) => `document.querySelector(${JSON.stringify(selector)})?.textContent`
const statOf = (key: string) => textOf(`[data-stat="${key}"]`)

/** The numbers of the page as `/api/stats` names them. */
const numbersOfPage = `Object.fromEntries([...document.querySelectorAll("[data-stat]")].map((element) =>
  [element.dataset.stat, Number(element.textContent.replaceAll(",", ""))]))`

const numbersOf = (stats: Stats) => ({
  waiting: stats.waiting,
  "waitingByPriority.critical": stats.waitingByPriority.critical,
  "waitingByPriority.high": stats.waitingByPriority.high,
  "waitingByPriority.normal": stats.waitingByPriority.normal,
  "waitingByPriority.low": stats.waitingByPriority.low,
  succeeded: stats.succeeded,
  failed: stats.failed,
  cancelled: stats.cancelled,
  expired: stats.expired
})

if (Chromium.executable === undefined) console.log("Skipped: the dashboard in a browser, for want of Chromium")

/** A test in a real browser, where there is one. */
const itInBrowser = (
  name: string,
  test: (open: (url: string) => Effect.Effect<Chromium.Page, never, Scope.Scope>) => Effect.Effect<
    void,
    unknown,
    Scope.Scope
  >
) => {
  const { executable } = Chromium
  if (executable === undefined) it.skip(name)
  else it.live(name, () => test((url) => Chromium.open(executable, url)), 90_000)
}

describe("dashboard page", () => {
  itInBrowser("shows the numbers of /api/stats and follows them without a reload", (open) =>
    Effect.gen(function*() {
      const { client, plane, stats, url } = yield* startPlane(["--tasks", file("tasks.ts"), "--namespace", "orders"])
      const page = yield* open(url)
      yield* page.until(`${textOf("#verdict")} === "Idle."`)
      assert.strictEqual(yield* page.evaluate(textOf("#detail")), "Nothing is waiting.")

      for (const { result } of yield* client.delayAll(succeed, [{}, {}, {}])) yield* result
      yield* Effect.flip((yield* client.delay(fail)).result)
      const holding = yield* client.delayAll(hold, Array.from({ length: 1_006 }, () => ({})))
      yield* client.delay(hold, {}, { priority: "low" })
      yield* client.delay(hold, {}, { priority: "critical" })
      yield* until("four running tasks", Effect.map(stats, ({ running }) => running === 4))
      yield* holding[1_005]?.cancel ?? Effect.die("too few handles")

      yield* page.until(`${statOf("cancelled")} === "1"`)
      const expected = yield* stats
      assert.deepInclude(numbersOf(expected), { waiting: 1_003, succeeded: 3, failed: 1, cancelled: 1 })
      assert.deepStrictEqual(yield* page.evaluate(numbersOfPage), numbersOf(expected))
      assert.strictEqual(yield* page.evaluate(statOf("waiting")), "1,003")
      assert.strictEqual(yield* page.evaluate(textOf("#detail")), "4 of 4 slots, 1,003 tasks waiting.")
      assert.strictEqual(yield* page.evaluate(textOf("#namespace")), "orders")
      assert.strictEqual(yield* page.evaluate(textOf("[data-state=succeeded] .share")), "60.0\u202f%")
      assert.strictEqual(yield* page.evaluate("document.querySelectorAll('.worker .busy').length"), 4)
      assert.deepStrictEqual(
        yield* page.evaluate("[...document.querySelectorAll('.type > code')].map(({ textContent }) => textContent)"),
        ["invoice.charge", "mail.send", "video.encode"]
      )
      const states = "[...document.querySelectorAll('tbody .state > span')].map(({ textContent }) => textContent)"
      assert.sameMembers([...new Set(yield* page.evaluate<Array<string>>(states))], [
        "Waiting",
        "Running",
        "Succeeded",
        "Failed",
        "Cancelled"
      ])

      yield* page.evaluate("document.querySelector('.tabs [href=\"#failed\"]').click()")
      yield* page.until("document.querySelectorAll('tbody tr').length === 1")
      assert.deepStrictEqual(yield* page.evaluate(states), ["Failed"])

      yield* client.delay(hold, {}, { priority: "critical" })
      yield* page.until(`${statOf("waitingByPriority.critical")} === "2"`)
      assert.deepStrictEqual(page.problems, [])
      assert.deepStrictEqual(page.requests.filter((request) => !request.startsWith(`${url}/`)), [])
      plane.signal("SIGKILL")
    }))

  itInBrowser("says who waits for a worker, and which worker drains", (open) =>
    Effect.gen(function*() {
      const { client, cluster, plane, read, stats, url } = yield* startPlane()
      const page = yield* open(url)
      const target = ["--tasks", file("tasks.ts"), "--control-plane", plane.ready.workerAddress]
      const start = (id: string) => Effect.promise(() => cluster.worker([...target, "--id", id, "--concurrency", "2"]))
      // A worker that was there once: the type is known, and its tasks wait for the next worker.
      const first = yield* start("ams-1")
      first.signal("SIGTERM")
      yield* Effect.promise(first.exit)
      yield* client.delay(hold)
      yield* page.until(`${textOf("#verdict")} === "No worker can run video.encode."`)

      const worker = yield* start("fra-1")
      yield* page.until(`${textOf("#verdict")} === "Busy:"`)
      assert.strictEqual(yield* page.evaluate(textOf("#detail")), "1 of 2 slots, nothing is waiting.")
      assert.strictEqual((yield* stats).running, 1)

      worker.signal("SIGTERM")
      yield* page.until(`${textOf(".worker em")} === "draining"`)
      const { workers } = yield* read<typeof WorkersReply.Type>("/api/workers")
      assert.deepStrictEqual(workers.map(({ id, state }) => ({ id, state })), [{ id: "fra-1", state: "draining" }])
      yield* page.until(`document.querySelector(".worker .cells").getAttribute("aria-label") === "1 of 2 slots busy"`)
      assert.deepStrictEqual(page.problems, [])
    }))

  itInBrowser("shows markup in names of tasks, workers and namespaces as text", (open) =>
    Effect.gen(function*() {
      const namespace = "<b>shop</b>"
      const id = "<svg/onload=\"document.title='owned'\">"
      const { client, cluster, plane, url } = yield* startPlane(["--namespace", namespace])
      const target = ["--tasks", file("hostile-tasks.ts"), "--control-plane", plane.ready.workerAddress]
      yield* Effect.promise(() => cluster.worker([...target, "--id", id, "--namespace", namespace]))
      yield* client.delay(markup)

      const page = yield* open(url)
      yield* page.until(`${textOf("tbody .state > span")} === "Running"`)

      assert.strictEqual(yield* page.evaluate(textOf("tbody td:nth-child(2)")), markup.name)
      assert.strictEqual(yield* page.evaluate(textOf("tbody td:nth-child(5)")), id)
      assert.strictEqual(yield* page.evaluate(textOf(".worker .name")), id)
      assert.strictEqual(yield* page.evaluate(textOf(".type code")), markup.name)
      assert.strictEqual(yield* page.evaluate(textOf(".type p")), markup.description)
      assert.strictEqual(yield* page.evaluate(textOf("#namespace")), namespace)
      assert.strictEqual(yield* page.evaluate("document.querySelectorAll('img, main b b, main script').length"), 0)
      assert.notInclude(yield* page.evaluate("document.title"), "owned")
      assert.deepStrictEqual(page.problems, [])
    }))

  itInBrowser("says when the control plane is gone, and recovers when it is back", (open) =>
    Effect.gen(function*() {
      const { client, plane, start, url } = yield* startPlane(["--tasks", file("tasks.ts")])
      yield* (yield* client.delay(succeed)).result
      const page = yield* open(url)
      yield* page.until(`${textOf("#live")} === "Live" && ${statOf("succeeded")} === "1"`)

      plane.signal("SIGKILL")
      yield* Effect.promise(plane.exit)
      yield* page.until(`${textOf("#live")} === "No connection"`)
      assert.strictEqual(yield* page.evaluate(textOf("#verdict")), "The control plane can’t be reached.")
      assert.isTrue(yield* page.evaluate("document.body.classList.contains('offline')"))
      assert.strictEqual(yield* page.evaluate(statOf("succeeded")), "1")

      yield* start(new URL(url).host)
      yield* page.until(`${textOf("#live")} === "Live"`)
      assert.strictEqual(yield* page.evaluate(statOf("succeeded")), "0")
      assert.strictEqual(yield* page.evaluate(textOf("#verdict")), "Idle.")
      assert.include(yield* page.evaluate<string>(textOf("#note")), "restarted")
      assert.isFalse(yield* page.evaluate("document.body.classList.contains('offline')"))
    }))

  itInBrowser("asks nothing while nobody can see it, and at once when someone can", (open) =>
    Effect.gen(function*() {
      const { client, stats, url } = yield* startPlane(["--tasks", file("tasks.ts")])
      const page = yield* open(url)
      yield* page.until(`${textOf("#verdict")} === "Idle."`)
      const setHidden = (hidden: boolean) =>
        page.evaluate(`Object.defineProperty(document, "hidden", { value: ${hidden}, configurable: true })
          document.dispatchEvent(new Event("visibilitychange"))`)

      yield* setHidden(true)
      yield* (yield* client.delay(succeed)).result
      const { upMillis } = yield* stats
      const asked = page.requests.length
      yield* until("time for two polls", Effect.map(stats, (now) => now.upMillis > upMillis + 2_500))
      // What was under way when the page was hidden may still have been sent.
      assert.isAtMost(page.requests.length, asked + 4)
      assert.strictEqual(yield* page.evaluate(statOf("succeeded")), "0")

      yield* setHidden(false)
      yield* page.until(`${statOf("succeeded")} === "1"`)
    }))

  itInBrowser("works under a path prefix of a proxy", (open) =>
    Effect.gen(function*() {
      const { url } = yield* startPlane()
      const proxy = yield* Effect.acquireRelease(
        Effect.promise(async () => {
          const proxy = createServer(({ method, url: path = "" }, response) => {
            const { hostname: host, port } = new URL(url)
            if (!path.startsWith("/queue/")) response.writeHead(404).end()
            else {
              request({ host, port, path: path.slice("/queue".length), method }, (answer) => {
                response.writeHead(answer.statusCode ?? 502, answer.headers)
                answer.pipe(response)
              }).end()
            }
          }).listen(0, "127.0.0.1")
          await once(proxy, "listening")
          return proxy
        }),
        (proxy) =>
          Effect.sync(() => {
            proxy.close()
            proxy.closeAllConnections()
          })
      )
      const { port } = proxy.address() as AddressInfo

      const page = yield* open(`http://127.0.0.1:${port}/queue/`)

      yield* page.until(`${textOf("#live")} === "Live"`)
      assert.notStrictEqual(yield* page.evaluate("getComputedStyle(document.querySelector('.flow')).display"), "block")
      assert.deepStrictEqual(page.problems, [])
    }))

  itInBrowser("fits a phone: nothing is wider than the page", (open) =>
    Effect.gen(function*() {
      const { client, url } = yield* startPlane(["--tasks", file("tasks.ts")])
      yield* client.delayAll(hold, Array.from({ length: 20 }, () => ({})))
      const page = yield* open(url)
      yield* page.send("Emulation.setDeviceMetricsOverride", {
        width: 390,
        height: 844,
        deviceScaleFactor: 2,
        mobile: true
      })
      yield* page.until(`${statOf("waiting")} === "16"`)

      assert.deepStrictEqual(yield* page.evaluate("[innerWidth, document.documentElement.scrollWidth]"), [390, 390])
      yield* page.evaluate("scrollTo(0, 400); document.querySelector('.tabs [href=\"#queued\"]').click()")
      yield* page.until("document.querySelectorAll('tbody tr').length === 16")
      assert.strictEqual(yield* page.evaluate("scrollY"), 400)
    }))
})
