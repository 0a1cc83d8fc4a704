/** Sensitive values: the handler and the caller have them, and nobody who looks on. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Tracer from "effect/Tracer"
import * as Task from "../../src/domain/TaskDefinition.ts"
import * as JournalSqlite from "../../src/layers/JournalSqlite.ts"
import { Cluster } from "../harness/Cluster.ts"
import { makeTracer } from "../harness/Collector.ts"
import { ask, post, startDashboard } from "../harness/Dashboard.ts"
import { newFile } from "../harness/Journals.ts"
import { startClient, startWorker } from "../harness/Roles.ts"
import { until } from "../harness/Until.ts"

const secret = "4242-4242-4242"
const receipt = "receipt-for-nobody"
const secrets = [secret, receipt]

class Declined extends Schema.TaggedError<Declined>()("Declined", {
  message: Schema.String,
  account: Task.sensitive(Schema.String)
}) {}

const charge = Task.make("charge", {
  args: {
    card: Schema.Struct({ number: Task.sensitive(Schema.String), holder: Schema.String }),
    token: Schema.optionalKey(Schema.RedactedFromValue(Schema.String)),
    amount: Schema.Int
  },
  success: Schema.Struct({ receipt: Task.sensitive(Schema.String), amount: Schema.Int }),
  error: Declined,
  progress: Schema.Struct({ step: Schema.Int, account: Task.sensitive(Schema.String) }),
  retry: { attempts: 2, schedule: Schedule.spaced("1 milli"), while: (error) => error.account !== "" }
})

const makeHandlers = () => {
  const seen: Array<string> = []
  const gate = Latch.makeUnsafe(false)
  const layer = charge.toLayer(({ amount, card, token }) =>
    Effect.gen(function*() {
      seen.push(card.number, ...(token === undefined ? [] : [Redacted.value(token)]))
      yield* charge.progress({ step: 1, account: secret })
      if (amount === 0) return yield* Effect.die(new Error(`the card ${card.number} makes no sense`))
      if (amount < 0) return yield* new Declined({ message: `${card.number} was declined`, account: receipt })
      if (amount === 7) yield* gate.await
      return { receipt, amount }
    })
  )
  return { seen, gate, layer }
}

const args = (amount: number) => ({ card: { number: secret, holder: "Ada" }, token: Redacted.make(secret), amount })

const assertClean = (where: string, text: string) => {
  for (const value of secrets) assert.notInclude(text, value, where)
}

const paths = [
  "/api/snapshot",
  "/api/tasks?limit=100",
  "/api/tasks/fine",
  "/api/tasks/held",
  "/api/tasks/later",
  "/api/tasks/declined",
  "/api/tasks/defect",
  "/api/errors?range=1h",
  "/api/schedules",
  "/api/types/charge",
  "/api/workers/one",
  "/api/system",
  "/metrics",
  ...["fine", "held", "later", "declined", "defect"].map((id) => `/api/tasks/${id}/args`),
  "/api/tasks/fine/result",
  "/api/tasks/held/progress",
  "/api/tasks/declined/error",
  "/api/tasks/defect/error"
]

describe("sensitive values", () => {
  it.live(
    "are had by handlers and callers, and not shown in lists, details, payloads, errors, schedules and commands",
    () =>
      Effect.gen(function*() {
        const dashboard = yield* startDashboard()
        const { origin, plane } = dashboard
        const handlers = makeHandlers()
        yield* startWorker(plane, handlers.layer, { id: "one", concurrency: 2 })
        const client = yield* startClient(plane)

        const value = yield* client.run(charge, args(1), { id: "fine" })
        const declined = yield* Effect.flip(client.run(charge, args(-1), { id: "declined" }))
        const defect = yield* Effect.flip(client.run(charge, args(0), { id: "defect" }))
        yield* client.delay(charge, args(7), { id: "held" })
        yield* client.delay(charge, args(1), { id: "later", in: "1 hour" })
        yield* client.schedule(Task.every(charge, "1 hour", { args: args(1), id: "hourly" }))

        // Those that it is for.
        assert.deepStrictEqual(value, { receipt, amount: 1 })
        assert.deepInclude(declined, { _tag: "Declined", account: receipt, message: `${secret} was declined` })
        assert.include(String(defect), secret)
        assert.deepStrictEqual(new Set(handlers.seen), new Set([secret]))

        // Those that it is not for.
        const heldProgress = () => plane.history.payload("held", "progress").pipe(Effect.isSuccess)
        while (!(yield* heldProgress())) yield* Effect.sleep("10 millis")
        for (const path of paths) {
          const { status, text } = yield* ask(origin, path)
          assert.strictEqual(status, 200, `${path}: ${text}`)
          assertClean(path, text)
        }
        const detail = yield* client.describe("declined")
        assert.deepStrictEqual(detail.args, {
          text: `{"card":{"number":"<redacted>","holder":"Ada"},"token":"<redacted>","amount":-1}`,
          size: 80,
          truncated: false,
          redacted: ["/card/number", "/token"]
        })
        assert.strictEqual(detail.failure?.message, "<redacted> was declined")
        assert.deepInclude(JSON.parse(detail.failure?.payload?.text ?? ""), { account: "<redacted>", _tag: "Declined" })
        const { failure } = yield* client.describe("defect")
        assert.strictEqual(failure?.message, "the card <redacted> makes no sense")
        const [schedule] = yield* client.schedules
        assert.include(schedule?.args, `"number":"<redacted>"`)
        assert.deepStrictEqual((yield* client.find({ q: secret })).tasks, [])
        const status = yield* plane.status("declined")
        assert.strictEqual(status.history?.length, 1)
        assertClean("status", JSON.stringify(status))

        // Nobody sends what they were shown.
        const again = yield* post(origin, "/api/tasks", { name: "charge", args: detail.args?.text })
        assert.deepStrictEqual([again.status, again.code], [422, "InvalidArguments"])
        assert.include(again.text, "/card/number")
        const set = yield* post(origin, "/api/schedules", { ...schedule, id: "again" })
        assert.deepStrictEqual([set.status, set.code], [422, "InvalidArguments"])
        const retried = yield* post(origin, "/api/tasks/declined/retry", {})
        const { id } = JSON.parse(retried.text) as { readonly id: string }
        handlers.seen.length = 0
        yield* until("it was run again", () => handlers.seen.length > 0)
        assert.strictEqual(handlers.seen[0], secret)
        assertClean("retried", (yield* ask(origin, `/api/tasks/${id}`)).text)
        yield* handlers.gate.open

        const cluster = yield* Effect.acquireRelease(
          Effect.promise(() => Cluster.make()),
          (cluster) => Effect.promise(() => cluster[Symbol.asyncDispose]())
        )
        const commands = [["show", "declined"], ["list"], ["logs"]].map((command) =>
          Effect.promise(() => cluster.run([...command, "--json", "--control-plane", plane.address]))
        )
        for (const output of yield* Effect.all(commands, { concurrency: 2 })) {
          assert.strictEqual(output.code, 0, output.stderr)
          assert.include(output.stdout, "declined")
          assertClean("command", output.stdout + output.stderr)
        }
      }),
    30_000
  )

  it.live("are hidden by what the submission says where no worker has announced the type, and by the type where it does not", () =>
    Effect.gen(function*() {
      const { origin, plane } = yield* startDashboard({ startGraceMillis: 60_000 })
      const client = yield* startClient(plane)
      yield* client.delay(charge, args(1), { id: "typed", in: "1 hour" })
      const untyped = Task.untyped("charge")
      yield* client.delay(untyped, { card: { number: secret, holder: "Ada" }, amount: 1 }, {
        id: "untyped",
        in: "1 hour"
      })

      assertClean("typed", (yield* ask(origin, "/api/tasks/typed")).text)
      assert.include((yield* ask(origin, "/api/tasks/untyped")).text, secret)
      yield* startWorker(plane, makeHandlers().layer, { id: "one" })
      for (const path of ["/api/tasks/untyped", "/api/tasks/untyped/args"]) {
        assertClean(path, (yield* ask(origin, path)).text)
      }
    }))

  it.live("stay hidden after a restart with a journal, before a worker of the type has come", () =>
    Effect.gen(function*() {
      const file = yield* newFile
      const start = Effect.flatMap(
        Layer.build(JournalSqlite.layer(file)),
        (context) => Effect.provideContext(startDashboard({ startGraceMillis: 60_000 }), context)
      )
      yield* Effect.scoped(Effect.gen(function*() {
        const { plane } = yield* start
        yield* startWorker(plane, makeHandlers().layer, { id: "one" })
        const client = yield* startClient(plane)
        yield* client.delay(charge, args(1), { id: "typed", in: "1 hour" })
        // Its type says it for it.
        const given = { card: { number: secret, holder: "Ada" }, amount: 1 }
        yield* client.delay(Task.untyped("charge"), given, { id: "untyped", in: "1 hour" })
        yield* client.schedule(Task.every(charge, "1 hour", { args: args(1), id: "hourly" }))
      }))

      const { origin } = yield* start
      for (const path of ["/api/tasks/typed", "/api/tasks/untyped", "/api/tasks/untyped/args", "/api/schedules"]) {
        const { status, text } = yield* ask(origin, path)
        assert.strictEqual(status, 200, path)
        assert.include(text, "<redacted>")
        assertClean(path, text)
      }
    }))

  it.live("are not in spans: neither what failed nor why", () =>
    Effect.gen(function*() {
      const { spans, tracer } = makeTracer()
      const { plane } = yield* startDashboard()
      yield* startWorker(plane, makeHandlers().layer, { id: "one" }).pipe(
        Effect.provideService(Tracer.Tracer, tracer)
      )
      const client = yield* startClient(plane)
      for (const amount of [0, -1]) yield* Effect.flip(client.run(charge, args(amount)))
      yield* until("the spans have ended", () => spans.filter(({ status }) => status._tag === "Ended").length >= 3)

      assert.deepStrictEqual(new Set(spans.map(({ name }) => name)), new Set(["process charge"]))
      for (const { attributes, status } of spans) {
        assertClean("attributes", JSON.stringify([...attributes]))
        if (status._tag !== "Ended" || status.exit._tag !== "Failure") return assert.fail("it failed")
        assert.strictEqual(status.exit.cause.toString().includes("<redacted>"), true)
        for (const value of secrets) assert.notInclude(String(status.exit.cause), value)
      }
    }))
})
