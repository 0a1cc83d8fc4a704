/** Traces of tasks: one from the caller to the result, across processes; and nothing where nobody traces. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { SubmitTask } from "../../src/domain/Message.ts"
import { Task } from "../../src/index.ts"
import * as JournalSqlite from "../../src/layers/JournalSqlite.ts"
import { connect } from "../../src/layers/NodeClient.ts"
import * as Sampler from "../../src/layers/Sampler.ts"
import { flaky, thread } from "../fixtures/tasks/traced.ts"
import { Cluster, fixture } from "../harness/Cluster.ts"
import { makeTracer, startCollector } from "../harness/Collector.ts"
import { newFile } from "../harness/Journals.ts"
import { startClient, startControlPlane, startWorker } from "../harness/Roles.ts"
import { until } from "../harness/Until.ts"

const scopedCluster = Effect.acquireRelease(
  Effect.promise(() => Cluster.make()),
  (cluster) => Effect.promise(() => cluster[Symbol.asyncDispose]())
)

const consumer = 5
const failed = 2

/** What the service sees of the tracer's context. */
const traced = (tracer: Tracer.Tracer) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.provideService(effect, Tracer.Tracer, tracer)

const nothing = Task.define("nothing", { run: () => Effect.void })

describe("traces", () => {
  it.live("are one from the caller through the queue and each attempt, across processes", () =>
    Effect.gen(function*() {
      const collector = yield* startCollector
      const cluster = yield* scopedCluster
      const env = {
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_BSP_SCHEDULE_DELAY: "50"
      }
      const plane = yield* Effect.promise(() => cluster.controlPlane(["--discovery", "tcp://127.0.0.1:0"], env))
      const target = ["--control-plane", plane.ready.workerAddress]
      yield* Effect.promise(() => cluster.worker(["--tasks", fixture("traced.ts"), ...target], env))
      const client = yield* Effect.acquireRelease(
        connect({ controlPlane: plane.ready.address }),
        ({ close }) => close
      )
      const { spans, tracer } = makeTracer()

      yield* client.run(flaky).pipe(Effect.withSpan("request"), traced(tracer))
      const handle = yield* client.delay(thread).pipe(Effect.withSpan("request"), traced(tracer))
      yield* handle.result

      const names = (traceId: string | undefined) =>
        collector.spans.filter((span) => span.traceId === traceId).map(({ name }) => name).sort()
      const [request, send, other, sendOther] = spans
      assert.deepStrictEqual(spans.map(({ name }) => name), [
        "request",
        "send traced.flaky",
        "request",
        "send traced.thread"
      ])
      const three = (name: string) => [name, name, name]
      yield* until("all spans came", () => names(other?.traceId).length === 3 && names(request?.traceId).length === 9)
      assert.deepStrictEqual(names(request?.traceId), [
        ...three("inside flaky"),
        ...three("process traced.flaky"),
        ...three("queue traced.flaky")
      ])
      assert.deepStrictEqual(names(other?.traceId), [
        "inside thread",
        "process traced.thread",
        "queue traced.thread"
      ])

      // One trace, in which everything that became of the task stands below the span that submitted it.
      assert.strictEqual(send?.traceId, request?.traceId)
      assert.strictEqual(send?.kind, "producer")
      const ofTask = collector.spans.filter(({ traceId }) => traceId === send?.traceId)
      const attempts = ofTask.filter(({ name }) => name === "process traced.flaky").sort((a, b) =>
        Number(a.attributes["fastworker.attempt"]) - Number(b.attributes["fastworker.attempt"])
      )
      assert.deepStrictEqual(attempts.map(({ kind, parentSpanId, service }) => [service, kind, parentSpanId]), [
        ["fastworker-worker", consumer, send?.spanId],
        ["fastworker-worker", consumer, send?.spanId],
        ["fastworker-worker", consumer, send?.spanId]
      ])
      assert.deepStrictEqual(attempts.map(({ status }) => status.code === failed), [true, true, false])
      for (const [i, attempt] of attempts.entries()) {
        // Linked with all attempts before it.
        assert.deepStrictEqual(
          attempt.links.map(({ spanId, traceId }) => [traceId, spanId]),
          attempts.slice(0, i).map(({ spanId, traceId }) => [traceId, spanId])
        )
        assert.strictEqual(ofTask.filter(({ parentSpanId }) => parentSpanId === attempt.spanId).length, 1)
        const waited = ofTask.find(({ attributes, name }) =>
          name === "queue traced.flaky" && Number(attributes["fastworker.attempt"]) === i + 1
        )
        assert.strictEqual(waited?.service, "fastworker-control-plane")
        assert.strictEqual(waited?.parentSpanId, send?.spanId)
        assert.isAtLeast(Number(waited?.endTimeUnixNano), Number(waited?.startTimeUnixNano))
        assert.strictEqual(waited?.attributes["messaging.message.id"], attempt.attributes["messaging.message.id"])
      }
      const inThread = collector.spans.find(({ name }) => name === "process traced.thread")
      assert.deepStrictEqual([inThread?.parentSpanId, inThread?.links], [sendOther?.spanId, []])
    }), 120_000)

  it.live("follow the decision of the caller: what is not sampled there is not sampled here", () =>
    Effect.gen(function*() {
      const theirs = makeTracer()
      const ours = makeTracer()
      const plane = yield* startControlPlane().pipe(traced(theirs.tracer))
      yield* startWorker(plane, nothing.layer, { id: "one" }).pipe(traced(theirs.tracer))
      const client = yield* startClient(plane)

      yield* client.run(nothing).pipe(
        Effect.provideService(Tracer.MinimumTraceLevel, "None"),
        traced(ours.tracer)
      )
      yield* client.run(nothing).pipe(traced(ours.tracer))

      const of = (name: string) => theirs.spans.filter((span) => span.name === name).map(({ sampled }) => sampled)
      assert.deepStrictEqual(ours.spans.map(({ name, sampled }) => [name, sampled]), [
        ["send nothing", false],
        ["send nothing", true]
      ])
      assert.deepStrictEqual(of("process nothing"), [false, true])
      assert.deepStrictEqual(of("queue nothing"), [true])
    }))

  it.live("are sampled as a whole: whoever begins one decides for all", () =>
    Effect.gen(function*() {
      const theirs = makeTracer()
      const ours = makeTracer()
      const sampler = Sampler.sampled(ours.tracer, { isParentBased: true, ratio: 0.5 })
      // They would sample nothing that begins with them.
      const following = traced(Sampler.sampled(theirs.tracer, { isParentBased: true, ratio: 0 }))
      const plane = yield* startControlPlane().pipe(following)
      yield* startWorker(plane, nothing.layer, { id: "one" }).pipe(following)
      const client = yield* startClient(plane)

      for (let i = 0; i < 40; i++) yield* client.run(nothing).pipe(traced(sampler))
      yield* client.run(nothing)

      const decided = new Map(ours.spans.map(({ sampled, traceId }) => [traceId, sampled]))
      const attempts = theirs.spans.filter(({ name }) => name === "process nothing")
      assert.lengthOf(attempts, 41)
      for (const { sampled, traceId } of attempts) assert.strictEqual(sampled, decided.get(traceId) ?? false)
      assert.strictEqual(new Set(decided.values()).size, 2)
    }))

  it.live("go on after a restart of the control plane with its journal", () =>
    Effect.gen(function*() {
      const theirs = makeTracer()
      const ours = makeTracer()
      const file = yield* newFile
      const start = Effect.flatMap(
        Layer.build(JournalSqlite.layer(file)),
        (context) => Effect.provideContext(startControlPlane(), context)
      ).pipe(traced(theirs.tracer))
      const id = yield* Effect.scoped(Effect.gen(function*() {
        const client = yield* startClient(yield* start)
        const handle = yield* client.delay(nothing).pipe(Effect.withSpan("request"), traced(ours.tracer))
        return handle.id
      }))

      const plane = yield* start
      yield* startWorker(plane, nothing.layer, { id: "one" }).pipe(traced(theirs.tracer))
      const isOver = Effect.map(plane.status(id), ({ state }) => state === "succeeded")
      yield* until("it has run", Effect.orElseSucceed(isOver, () => false))
      const [request, send] = ours.spans
      assert.deepStrictEqual(
        theirs.spans.map(({ name, parent, traceId }) => [name, traceId, Option.map(parent, ({ spanId }) => spanId)]),
        ["queue nothing", "process nothing"].map((name) => [name, request?.traceId, Option.some(send?.spanId)])
      )
    }))

  it.live("begin with the attempt when nobody traced the submission", () =>
    Effect.gen(function*() {
      const theirs = makeTracer()
      const plane = yield* startControlPlane().pipe(traced(theirs.tracer))
      yield* startWorker(plane, nothing.layer, { id: "one" }).pipe(traced(theirs.tracer))
      const client = yield* startClient(plane)

      // Spans of a program that exports none are nobody's business.
      yield* client.run(nothing).pipe(Effect.withSpan("request"))

      const ofTasks = theirs.spans.filter(({ name }) => name.endsWith("nothing"))
      assert.deepStrictEqual(ofTasks.map(({ kind, name, parent }) => [name, kind, parent._tag]), [
        ["process nothing", "consumer", "None"]
      ])
    }))

  it.live("are part of what a retried task keeps", () =>
    Effect.gen(function*() {
      const { spans, tracer } = makeTracer()
      const sour = Task.define("sour", { run: () => Effect.die("no") })
      const plane = yield* startControlPlane()
      yield* startWorker(plane, Layer.mergeAll(sour.layer), { id: "one" }).pipe(traced(tracer))
      const client = yield* startClient(plane)
      const handle = yield* client.delay(sour).pipe(traced(tracer))
      yield* Effect.exit(handle.result)

      const again = yield* plane.retry(handle.id)
      yield* until(
        "the new task has failed too",
        Effect.map(Effect.result(plane.status(again)), (status) =>
          status._tag === "Success" && status.success.state === "failed")
      )

      const [send, ...attempts] = spans
      assert.strictEqual(send?.name, "send sour")
      assert.deepStrictEqual(attempts.map(({ name, traceId }) => [name, traceId]), [
        ["process sour", send?.traceId],
        ["process sour", send?.traceId]
      ])
    }))

  it("are named in docs/protocol.md", () => {
    const page = readFileSync(fileURLToPath(new URL("../../docs/protocol.md", import.meta.url)), "utf8")
    assert.property(SubmitTask.fields, "trace")
    assert.match(page, /^\| `tasks\[\]\.trace` .*W3C `traceparent`/mu)
    assert.match(page, /^\| `trace` .*parent of the attempt's span/mu)
    assert.match(page, /`span`\? \(as it was reported\)/u)
    assert.match(page, /^\| `span` .*the attempt's span/mu)
  })
})
