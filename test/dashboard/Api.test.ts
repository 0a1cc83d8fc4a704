/** The HTTP API against a real control plane with real workers: every endpoint, by the contract and as raw HTTP. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Api } from "../../src/domain/Api.ts"
import { Stats } from "../../src/domain/Status.ts"
import * as Task from "../../src/domain/TaskDefinition.ts"
import * as View from "../../src/domain/View.ts"
import { makeOpenApi } from "../../src/layers/DashboardDocs.ts"
import { ask, post, startDashboard } from "../harness/Dashboard.ts"
import { startClient, startWorker } from "../harness/Roles.ts"
import { until } from "../harness/Until.ts"

class Declined extends Schema.TaggedError<Declined>()("Declined", { code: Schema.Int }) {}

const add = Task.define("math.add", {
  description: "Adds",
  args: { x: Schema.Int, y: Schema.Int },
  success: Schema.Int,
  error: Declined,
  progress: Schema.Int,
  tags: ({ x }) => [`x${x}`],
  run: ({ x, y }, task) => {
    task.progress(x)
    return x < 0 ? Effect.fail(new Declined({ code: x })) : Effect.succeed(x + y)
  }
})

/** A task that gives back what it was given, which only the wire knows. */
const echo = Task.define("echo", { run: () => Effect.void })

const makeHold = () => {
  const gate = Latch.makeUnsafe(false)
  const begun = Deferred.makeUnsafe<void>()
  const task = Task.define("video/encode:4k", {
    run: () => Effect.andThen(Deferred.succeed(begun, undefined), gate.await)
  })
  return { gate, begun: Deferred.await(begun), task }
}

/** A control plane with one worker of two slots, and the work of a small day. */
const start = Effect.fnUntraced(function*() {
  const dashboard = yield* startDashboard()
  const hold = makeHold()
  yield* startWorker(dashboard.plane, Layer.mergeAll(add.layer, echo.layer, hold.task.layer), {
    id: "one",
    concurrency: 2
  })
  const client = yield* startClient(dashboard.plane)
  return { ...dashboard, hold, client }
})

const every = Task.every(add, "1 hour", { args: { x: 1, y: 1 }, id: "hourly/sum" })

describe("the HTTP API", () => {
  it.live("answers every question as its contract says, with nothing beside", () =>
    Effect.gen(function*() {
      const { client, hold, origin } = yield* start()
      yield* client.run(add, { x: 1, y: 2 }, { id: "fine", tenant: "acme" })
      yield* Effect.flip(client.run(add, { x: -1, y: 2 }, { id: "failed" }))
      yield* client.delay(hold.task, {}, { id: "held" })
      yield* hold.begun
      yield* client.delay(add, { x: 1, y: 1 }, { id: "later", in: "1 hour" })
      yield* client.schedule(every)

      const questions: ReadonlyArray<readonly [string, Schema.ConstraintDecoder<unknown>]> = [
        ["/api/snapshot", View.Snapshot],
        ["/api/stats", Stats],
        ["/api/series", View.Series],
        ["/api/series?range=24h&type=math.add", View.Series],
        ["/api/errors?range=1h", Schema.Struct({ groups: Schema.Array(View.ErrorGroup), total: Schema.Int })],
        ["/api/system", View.SystemView],
        [
          "/api/tasks?limit=3",
          Schema.Struct({ asOf: Schema.Finite, tasks: Schema.Array(View.TaskRow), next: Schema.NullOr(Schema.String) })
        ],
        ["/api/tasks/fine", View.TaskDetail],
        ["/api/tasks/failed", View.TaskDetail],
        ["/api/tasks/held", View.TaskDetail],
        ["/api/tasks/later", View.TaskDetail],
        ["/api/workers", Schema.Struct({ workers: Schema.Array(View.WorkerRow) })],
        ["/api/workers/one", View.WorkerDetail],
        ["/api/schedules", Schema.Struct({ schedules: Schema.Array(View.ScheduleRow) })],
        ["/api/types", Schema.Struct({ types: Schema.Array(View.TypeRow) })],
        [`/api/types/${encodeURIComponent(hold.task.name)}`, View.TypeDetail],
        ["/api/types/math.add", View.TypeDetail]
      ]
      for (const [path, schema] of questions) {
        const { headers, status, text } = yield* ask(origin, path)
        assert.deepStrictEqual([path, status, headers["content-type"]], [path, 200, "application/json"])
        assert.strictEqual(headers["cache-control"], "no-store", path)
        yield* Schema.decodeUnknownEffect(schema, { onExcessProperty: "error" })(JSON.parse(text)).pipe(
          Effect.mapError((error) => new Error(`${path}: ${error.message}`))
        )
      }
      yield* hold.gate.open
    }))

  it.live("is decoded by a client that is made of the contract", () =>
    Effect.gen(function*() {
      const { api, client, hold } = yield* start()
      yield* client.run(add, { x: 1, y: 2 }, { id: "fine" })
      yield* Effect.flip(client.run(add, { x: -1, y: 2 }, { id: "failed" }))
      yield* client.delay(hold.task, {}, { id: "held" })
      yield* hold.begun

      const list = yield* api.tasks.list({ query: { state: "succeeded,failed", sort: "oldest" } })
      assert.deepStrictEqual(list.tasks.map(({ id, state }) => [id, state]), [["fine", "succeeded"], [
        "failed",
        "failed"
      ]])
      const counts = yield* api.tasks.counts({ query: { type: "math.*", after: 0 } })
      assert.deepInclude(counts, { total: 2, newer: 2 })
      const { tasks } = yield* api.tasks.lookup({ payload: { ids: ["held", "unknown"] as never } })
      assert.deepStrictEqual(tasks.map(({ id }) => id), ["held"])
      const detail = yield* api.tasks.detail({ params: { id: "failed" as never } })
      assert.deepInclude(detail.failure, { reason: "error", type: "Declined" })
      assert.deepStrictEqual(detail.args, { text: "{\"x\":-1,\"y\":2}", size: 14, truncated: false })
      assert.deepStrictEqual(detail.can, { cancel: false, retry: true })
      const bytes = yield* api.tasks.payload({ params: { id: "fine" as never, part: "result" } })
      assert.strictEqual(new TextDecoder().decode(bytes), "3")

      const snapshot = yield* api.overview.snapshot()
      assert.deepInclude(snapshot.stats, { submitted: 3, running: 1, succeeded: 1, failed: 1 })
      assert.strictEqual((yield* api.overview.stats()).submitted, 3)
      assert.strictEqual((yield* api.overview.series({ query: { range: "5m" } })).totals.accepted, 3)
      const errors = yield* api.overview.errors({ query: {} })
      assert.deepStrictEqual(errors.groups.map(({ name, sample }) => [name, sample]), [["math.add", "failed"]])
      assert.strictEqual((yield* api.overview.system()).history.tasks, 2)

      const { workers } = yield* api.workers.list()
      assert.deepStrictEqual(workers.map(({ id, running }) => [id, running]), [["one", 1]])
      assert.deepInclude(yield* api.workers.detail({ params: { id: workers[0]?.key ?? "" } }), { id: "one" })
      const { types } = yield* api.types.list()
      assert.deepStrictEqual(types.map(({ name }) => name).sort(), ["echo", "math.add", "video/encode:4k"])
      const type = yield* api.types.detail({ params: { name: "math.add" } })
      assert.include(type.argsSchema, "\"x\"")
      assert.deepStrictEqual(type.workerIds, ["one"])
      yield* hold.gate.open
    }))

  it.live("changes what clients can change, and says why it does not", () =>
    Effect.gen(function*() {
      const { api, client, hold } = yield* start()
      const id = (text: string) => ({ params: { id: text as never } })

      const submitted = yield* api.tasks.submit({
        payload: { id: "a" as never, name: "math.add", args: "{\"x\":-5,\"y\":1}", priority: "high", tenant: "acme" }
      })
      assert.strictEqual(submitted.id, "a")
      yield* until("its end", Effect.map(api.overview.stats(), ({ failed }) => failed === 1))
      const again = yield* api.tasks.retry(id("a"))
      yield* until("its end too", Effect.map(api.overview.stats(), ({ failed }) => failed === 2))
      assert.strictEqual((yield* api.tasks.detail(id(again.id))).retryOf, "a")
      assert.deepStrictEqual((yield* api.tasks.detail(id("a"))).retriedAs, [again.id])

      yield* client.delay(hold.task, {}, { id: "b" })
      yield* hold.begun
      assert.deepStrictEqual(yield* api.tasks.cancel(id("b")), { state: "cancelling" })
      yield* until("its stop", Effect.map(api.overview.stats(), ({ cancelled }) => cancelled === 1))

      yield* api.overview.pause({ payload: { task: "math.add" } })
      yield* api.tasks.submit({ payload: { id: "c" as never, name: "math.add", args: "{\"x\":1,\"y\":1}" } })
      assert.strictEqual((yield* api.tasks.detail(id("c"))).waiting?.cause, "paused")
      assert.deepStrictEqual((yield* api.overview.snapshot()).paused, ["task:math.add"])
      assert.deepStrictEqual(
        yield* api.tasks.prioritize({ ...id("c"), payload: { to: "high" } }),
        { state: "queued" }
      )
      assert.strictEqual((yield* api.tasks.detail(id("c"))).priority, "high")
      const many = { state: "queued", priority: "high", to: "low" } as const
      assert.deepStrictEqual(yield* api.tasks.prioritizeMany({ payload: many }), { count: 1, skipped: 0 })
      assert.strictEqual((yield* api.tasks.detail(id("c"))).priority, "low")
      assert.deepStrictEqual(
        yield* api.tasks.cancelMany({ payload: { type: "math.*", state: "queued", dryRun: true } }),
        { count: 1, skipped: 0 }
      )
      assert.deepStrictEqual(yield* api.tasks.cancelMany({ payload: { type: "math.*", state: "queued", expect: 1 } }), {
        count: 1,
        skipped: 0
      })
      yield* api.overview.resume({ payload: { task: "math.add" } })
      assert.deepStrictEqual((yield* api.overview.stats()).paused, [])

      const refused = yield* Effect.flip(api.tasks.retryMany({ payload: { state: "failed", expect: 7 } }))
      assert.deepInclude(refused, { _tag: "Conflict", code: "CountChanged" })
      assert.strictEqual((yield* api.tasks.retryMany({ payload: { state: "failed" } })).count, 1)
      yield* until("its end as well", Effect.map(api.overview.stats(), ({ failed }) => failed === 3))
      assert.strictEqual((yield* api.tasks.purgeMany({ payload: { state: "dead" } })).count, 1)

      yield* api.schedules.set({ payload: { ...every } })
      const run = yield* api.schedules.run(id("hourly/sum"))
      yield* until("its end", Effect.map(api.overview.stats(), ({ succeeded }) => succeeded === 1))
      const [schedule] = (yield* api.schedules.list()).schedules
      assert.deepStrictEqual(schedule?.runs.map(({ id, state }) => [id, state]), [[run.id, "succeeded"]])
      yield* api.schedules.remove(id("hourly/sum"))
      assert.deepStrictEqual((yield* api.schedules.list()).schedules, [])

      yield* api.workers.drain(id("one"))
      yield* until("it to leave", Effect.map(api.overview.stats(), ({ workers }) => workers === 0))
      yield* hold.gate.open
    }))

  it.live("says in a problem what is wrong, to programs and to people", () =>
    Effect.gen(function*() {
      const { client, origin } = yield* start()
      yield* client.run(add, { x: 1, y: 2 }, { id: "fine" })
      const jsonHeaders = { "content-type": "application/json" }
      const cases: ReadonlyArray<readonly [string, string, string | undefined, number, string]> = [
        ["GET", "/api/tasks/none", undefined, 404, "TaskNotFound"],
        ["GET", "/api/tasks/fine/progress", undefined, 404, "ResultEvicted"],
        ["GET", "/api/tasks/fine/secret", undefined, 400, "Invalid"],
        ["GET", "/api/workers/none", undefined, 404, "WorkerNotFound"],
        ["GET", "/api/types/none", undefined, 404, "UnknownTask"],
        ["GET", "/api/tasks?limit=0", undefined, 400, "Invalid"],
        ["GET", "/api/tasks?since=yesterday", undefined, 400, "Invalid"],
        ["GET", "/api/tasks?state=sleeping", undefined, 422, "BadRequest"],
        ["GET", "/api/tasks?cursor=x", undefined, 422, "BadRequest"],
        ["GET", "/api/series?range=2y", undefined, 400, "Invalid"],
        ["GET", "/api", undefined, 404, "NotFound"],
        ["GET", "/api/nothing", undefined, 404, "NotFound"],
        ["GET", "/api/tasks/a/b/c", undefined, 404, "NotFound"],
        ["DELETE", "/api/tasks", undefined, 405, "MethodNotAllowed"],
        ["POST", "/api/stats", "{}", 405, "MethodNotAllowed"],
        ["POST", "/api/live", "{}", 405, "MethodNotAllowed"],
        ["POST", "/tasks", "{}", 405, "MethodNotAllowed"],
        ["POST", "/api/tasks/fine/cancel", "{}", 409, "TaskFinished"],
        ["POST", "/api/tasks/fine/retry", "{}", 409, "NotRetryable"],
        ["POST", "/api/tasks/none/cancel", "{}", 404, "TaskNotFound"],
        ["POST", "/api/tasks/fine/prioritize", "{\"to\":\"low\"}", 409, "TaskFinished"],
        ["POST", "/api/tasks/fine/prioritize", "{\"to\":\"soon\"}", 400, "Invalid"],
        ["POST", "/api/tasks/prioritize", "{}", 400, "Invalid"],
        ["POST", "/api/workers/none/drain", "{}", 404, "WorkerNotFound"],
        ["POST", "/api/schedules/none/run", "{}", 404, "ScheduleNotFound"],
        ["DELETE", "/api/schedules/none", undefined, 404, "ScheduleNotFound"],
        ["POST", "/api/pause", "{\"schedule\":\"none\"}", 404, "ScheduleNotFound"],
        ["POST", "/api/tasks", "{\"name\":\"math.add\"", 400, "Invalid"],
        ["POST", "/api/tasks", "[]", 400, "Invalid"],
        ["POST", "/api/tasks", "{\"name\":\"math.add\"}", 400, "Invalid"],
        ["POST", "/api/tasks", "{\"name\":\"math.add\",\"args\":\"{x\"}", 422, "InvalidArguments"],
        ["POST", "/api/tasks", "{\"name\":\"none\",\"args\":\"{}\"}", 422, "UnknownTask"],
        ["POST", "/api/tasks", "{\"name\":\"math.add\",\"id\":\"fine\",\"args\":\"{}\"}", 409, "IdConflict"],
        ["POST", "/api/tasks/cancel", "{\"expect\":3}", 409, "CountChanged"]
      ]
      for (const [method, path, body, status, code] of cases) {
        const answer = yield* ask(origin, path, {
          method,
          ...(body === undefined ? {} : { body, headers: jsonHeaders })
        })
        const what = `${method} ${path} ${body ?? ""}`
        assert.deepStrictEqual([what, answer.status, answer.code], [what, status, code])
        const problem = JSON.parse(answer.text) as Readonly<Record<string, unknown>>
        assert.strictEqual(answer.headers["content-type"], "application/problem+json", what)
        assert.deepInclude(problem, { status, code }, what)
        assert.match(String(problem.type), /^urn:fastworker:problem:[a-z-]+$/u, what)
        assert.match(String(problem.title), /^[A-Z]/u, what)
        assert.isAbove(String(problem.detail).length, 10, what)
      }
      const { headers } = yield* ask(origin, "/api/tasks", { method: "PUT", body: "{}", headers: jsonHeaders })
      assert.strictEqual(headers.allow, "GET, HEAD, POST")
      const { text } = yield* ask(origin, "/api/tasks?limit=0&sort=up")
      assert.match(text, /query\.limit: /u)
      const form = yield* ask(origin, "/api/tasks", {
        method: "POST",
        body: "name=math.add",
        headers: { "content-type": "application/x-www-form-urlencoded" }
      })
      assert.deepStrictEqual([form.status, form.code], [415, "UnsupportedMediaType"])
    }))

  it.live("refuses a body that is too large, whether it says so before or not", () =>
    Effect.gen(function*() {
      const { origin } = yield* startDashboard({ maxPayloadBytes: 1_000 })
      const body = JSON.stringify({ name: "t", args: "x".repeat(3 * 1024 * 1024) })
      const headers = { "content-type": "application/json" }

      const announced = yield* Effect.exit(ask(origin, "/api/tasks", {
        method: "POST",
        body,
        headers: { ...headers, "content-length": String(body.length) }
      }))
      const chunked = yield* Effect.exit(
        ask(origin, "/api/tasks", { method: "POST", body, headers: { ...headers, "transfer-encoding": "chunked" } })
      )
      const next = yield* ask(origin, "/api/stats")

      for (const exit of [announced, chunked]) {
        // Where the answer came before all was sent, the connection may be closed first.
        if (exit._tag === "Success") assert.deepStrictEqual([exit.value.status, exit.value.code], [413, "TooLarge"])
      }
      assert.strictEqual(next.status, 200)
    }))

  it.live("gives payloads byte by byte, with numbers that JavaScript can't hold, and none in lists", () =>
    Effect.gen(function*() {
      const { origin } = yield* start()
      const args = "{ \"big\": 12345678901234567890, \"tiny\": 1.0, \"text\": \"\\u0000<b>ü\" }"
      const { status } = yield* post(origin, "/api/tasks", { id: "big", name: "echo", args })
      assert.strictEqual(status, 200)
      yield* until("its end", Effect.map(ask(origin, "/api/tasks/big"), ({ text }) => text.includes("succeeded")))

      const raw = yield* ask(origin, "/api/tasks/big/args")
      const detail = yield* ask(origin, "/api/tasks/big")
      const list = yield* ask(origin, "/api/tasks")

      assert.strictEqual(raw.text, args)
      assert.strictEqual(raw.headers["content-type"], "application/json")
      assert.strictEqual((JSON.parse(detail.text) as View.TaskDetail).args?.text, args)
      assert.notInclude(list.text, "1234567890")
    }))

  it.live("takes ids, names and keys with any character in a path", () =>
    Effect.gen(function*() {
      const { client, hold, origin } = yield* start()
      const ids = ["a/b", "x?y#z", "50%", "..", "%2e%2e", "~!@$&'()*+,;=:", "l".repeat(128)]
      for (const id of ids) yield* client.run(add, { x: 1, y: 1 }, { id })

      for (const id of ids) {
        const { status, text } = yield* ask(origin, `/api/tasks/${encodeURIComponent(id)}`)
        assert.deepStrictEqual([id, status], [id, 200])
        assert.strictEqual((JSON.parse(text) as View.TaskDetail).id, id)
        assert.strictEqual((yield* ask(origin, `/api/tasks/${encodeURIComponent(id)}/result`)).text, "2")
      }
      const type = yield* ask(origin, `/api/types/${encodeURIComponent(hold.task.name)}`)
      assert.strictEqual((JSON.parse(type.text) as View.TypeDetail).name, hold.task.name)
    }))

  it.live("lists each task exactly once, page by page, while others arrive and end", () =>
    Effect.gen(function*() {
      const { api, client } = yield* start()
      const ids = Array.from({ length: 230 }, (_, index) => `task-${index}`)
      for (const id of ids) yield* client.delay(add, { x: 1, y: 1 }, { id })

      for (const sort of ["newest", "oldest"] as const) {
        const seen: Array<string> = []
        let cursor: string | undefined
        let extra = 0
        do {
          const page = yield* api.tasks.list({
            query: { limit: 25, sort, ...(cursor === undefined ? {} : { cursor }) }
          })
          assert.isAtMost(page.tasks.length, 25)
          seen.push(...page.tasks.map(({ id }) => id))
          cursor = page.next ?? undefined
          yield* client.delay(add, { x: 1, y: 1 }, { id: `extra-${sort}-${extra++}` })
        } while (cursor !== undefined && extra < 100)

        assert.strictEqual(new Set(seen).size, seen.length, sort)
        assert.deepStrictEqual(seen.filter((id) => id.startsWith("task-")).sort(), [...ids].sort(), sort)
      }
    }))

  it("says of every operation what it does, once", () => {
    const { paths } = makeOpenApi("")
    const operations = Object.values(paths).flatMap((methods) => Object.values(methods))
    const summaries = operations.map(({ summary }) => summary)

    assert.isAbove(operations.length, 27)
    assert.strictEqual(new Set(summaries).size, summaries.length)
    assert.notInclude(summaries, undefined)
    assert.sameMembers(Object.keys(Api.groups), ["overview", "tasks", "workers", "schedules", "types"])
  })
})
