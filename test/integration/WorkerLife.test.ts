/** What workers tell of themselves and of their handlers, and how one is told to leave; over sockets. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { maxSchemaLength } from "../../src/domain/Message.ts"
import * as Task from "../../src/domain/TaskDefinition.ts"
import { layerLocalWorker } from "../../src/layers/Node.ts"
import * as TaskRegistryModules from "../../src/layers/TaskRegistryModules.ts"
import { ControlPlane } from "../../src/services/ControlPlane.ts"
import { Worker } from "../../src/services/Worker.ts"
import { Cluster, fixture } from "../harness/Cluster.ts"
import { startClient, startControlPlane, startWorker } from "../harness/Roles.ts"
import { talk } from "../harness/Talk.ts"
import { until } from "../harness/Until.ts"

class Refused extends Schema.TaggedError<Refused>()("Refused", { code: Schema.Int }) {}

const typed = Task.define("typed", {
  args: { to: Schema.String, at: Schema.Date },
  success: Schema.Struct({ n: Schema.Int }),
  error: Refused,
  timeout: "3 seconds",
  retry: { attempts: 4 },
  run: () => Effect.succeed({ n: 1 })
})

const plain = Task.define("plain", { run: () => Effect.void })

const session = "d".repeat(32)

describe("a worker", () => {
  it.live("tells how busy its process is, once in a heartbeat, and which version it is", () =>
    Effect.gen(function*() {
      const plane = yield* startControlPlane({ heartbeatMillis: 200 })
      yield* startWorker(plane, plain.layer, { id: "one" })
      const { workers } = yield* startClient(plane)
      yield* until("its load", Effect.map(workers, ([worker]) => worker?.load !== undefined))
      const [first] = yield* workers
      yield* until(
        "its next load",
        Effect.map(workers, ([worker]) => JSON.stringify(worker?.load) !== JSON.stringify(first?.load))
      )
      const [worker] = yield* workers

      assert.strictEqual(worker?.about.version, "0.1.0")
      assert.match(worker?.key ?? "", /^[0-9a-z]{6,12}$/u)
      const { cpu = -1, heapLimit = 0, heapUsed = 0, loopLag = -1, rss = 0 } = worker?.load ?? {}
      assert.isAbove(heapUsed, 1e6)
      assert.isAbove(heapLimit, heapUsed)
      assert.isAbove(rss, heapUsed)
      assert.isAtLeast(cpu, 0)
      assert.isBelow(cpu, 64)
      assert.isAtLeast(loopLag, 0)
    }))

  it.live("announces of its handlers the schemas, how they retry, and their time", () =>
    Effect.gen(function*() {
      const plane = yield* startControlPlane()
      yield* startWorker(plane, Layer.merge(typed.layer, plain.layer), { id: "one" })
      const client = yield* startClient(plane)

      const type = yield* client.taskType("typed")
      const all = yield* client.tasks
      const unknown = yield* Effect.flip(client.taskType("nobody"))

      const { argsSchema = "", errorSchema = "", resultSchema = "", ...rest } = type
      assert.deepStrictEqual(rest, {
        name: "typed",
        retry: "Up to 4 attempts, 200 ms apart, doubled each time up to a minute",
        timeout: 3_000,
        workers: ["one"]
      })
      const args = JSON.parse(argsSchema) as { type: string; required: Array<string>; properties: object }
      assert.deepStrictEqual([args.type, args.required], ["object", ["to", "at"]])
      assert.deepStrictEqual(Object.keys(args.properties), ["to", "at"])
      assert.include(resultSchema, "\"n\"")
      assert.include(errorSchema, "\"Refused\"")
      // Together they could be more than a message holds.
      assert.deepStrictEqual(all.map(({ name }) => name), ["plain", "typed"])
      assert.isTrue(all.every((type) => !("argsSchema" in type) && !("resultSchema" in type)))
      assert.strictEqual(unknown._tag, "UnknownTask")
    }))

  it.live("leaves out a schema that is too long, and nothing else", () =>
    Effect.gen(function*() {
      const literals = Array.from({ length: 2_000 }, (_, index) => `value-${index}`)
      const wide = Task.define("wide", {
        args: { one: Schema.Literals(literals) },
        success: Schema.Int,
        run: () => Effect.succeed(1)
      })
      const plane = yield* startControlPlane()
      yield* startWorker(plane, wide.layer, { id: "one" })
      const client = yield* startClient(plane)

      const type = yield* client.taskType("wide")

      assert.isAbove(wide.args.jsonSchema()?.length ?? 0, maxSchemaLength)
      assert.isUndefined(type.argsSchema)
      assert.include(type.resultSchema, "integer")
    }))

  it.live("is told to leave: it finishes what it runs, gets no more, and does not come back", () =>
    Effect.gen(function*() {
      const gate = yield* Latch.make(false)
      const begun = yield* Deferred.make<void>()
      const hold = Task.define("hold", {
        success: Schema.String,
        run: () => Effect.andThen(Deferred.succeed(begun, undefined), gate.await).pipe(Effect.as("done"))
      })
      const plane = yield* startControlPlane({ heartbeatMillis: 20_000 })
      const worker = yield* startWorker(plane, hold.layer, { id: "one" })
      const client = yield* startClient(plane)
      const first = yield* client.delay(hold)
      yield* Deferred.await(begun)

      const count = yield* client.drainWorker("one")
      const again = yield* client.drainWorker("one")
      const second = yield* client.delay(hold)
      const [during] = yield* client.workers
      yield* gate.open
      const result = yield* first.result
      const interrupted = yield* worker.left
      yield* until("the worker to be gone", Effect.map(client.workers, ({ length }) => length === 0))
      const status = yield* second.status
      const gone = yield* Effect.flip(client.drainWorker("one"))

      assert.deepStrictEqual([count, again, result, interrupted], [1, 1, "done", 0])
      assert.deepInclude(during, { state: "draining", running: 1 })
      assert.deepInclude(status, { state: "queued", attempt: 0 })
      assert.strictEqual(gone._tag, "WorkerNotFound")
    }))

  it.live("of several with the same id is told to leave by its key alone", () =>
    Effect.gen(function*() {
      const plane = yield* startControlPlane()
      const one = yield* startWorker(plane, plain.layer, { id: "same" })
      yield* startWorker(plane, plain.layer, { id: "same" })
      const client = yield* startClient(plane)
      const [first, second] = yield* client.workers

      assert.notStrictEqual(first?.key, second?.key)
      assert.strictEqual(yield* client.drainWorker(first?.key ?? ""), 1)
      yield* one.left
      yield* until("one to be left", Effect.map(client.workers, ({ length }) => length === 1))
      assert.strictEqual((yield* client.workers)[0]?.key, second?.key)
    }))

  it.live("of another program is told with every reply, until it says that it drains", () =>
    Effect.gen(function*() {
      const plane = yield* startControlPlane({ heartbeatMillis: 20_000 })
      const doer = yield* talk(plane.workerAddress)
      const client = yield* startClient(plane)
      yield* doer.say({ op: "register", session, worker: "w", slots: 1, tasks: [{ name: "t" }] })
      const waiting = yield* doer.begin({ op: "exchange", session, seq: 1, free: 1 })
      yield* client.drainWorker("w")
      const first = yield* waiting
      // It has not understood: what it offers is not taken.
      const second = yield* doer.begin({ op: "exchange", session, seq: 2, free: 1 })
      const superseding = yield* doer.begin({ op: "exchange", session, seq: 3, settled: 1, free: 0, draining: true })
      const third = yield* doer.begin({ op: "exchange", session, seq: 4, settled: 1, free: 0, draining: true })

      assert.deepStrictEqual(first.header, { v: 1, seq: 1, leases: [], drain: true })
      assert.deepInclude((yield* second).header, { leases: [] })
      assert.deepStrictEqual((yield* superseding).header, { v: 1, seq: 3, leases: [] })
      assert.strictEqual((yield* client.workers)[0]?.state, "draining")
      yield* doer.say({ op: "leave", session })
      yield* Effect.exit(third)
    }))

  it.live("inside the control plane can't be told to leave", () =>
    Effect.gen(function*() {
      const plane = yield* startControlPlane()
      const context = yield* Layer.build(
        layerLocalWorker().pipe(
          Layer.provide(TaskRegistryModules.layer(plain.layer)),
          Layer.provide(Layer.succeed(ControlPlane, plane))
        )
      )
      yield* Effect.flatMap(Worker, ({ ready }) => ready).pipe(Effect.provideContext(context))
      const client = yield* startClient(plane)

      const refused = yield* Effect.flip(client.drainWorker("control-plane"))

      assert.strictEqual(refused._tag, "WorkerIsLocal")
      assert.match(refused.message, /part of the control plane/u)
    }))
})

describe("fastworker drain", () => {
  it("ends a worker's process with 0 when the control plane tells it to leave", async () => {
    await using cluster = await Cluster.make()
    await cluster.controlPlane()
    const worker = await cluster.worker(["--tasks", fixture("basic.ts"), "--id", "one"])

    const drained = await cluster.run(["drain", "one", "--json"])
    const missing = await cluster.run(["drain", "two"])

    assert.deepStrictEqual([drained.code, drained.stdout], [0, "{\"count\":1}\n"])
    assert.strictEqual(await worker.exit(), 0)
    assert.include(worker.stdout(), "{\"event\":\"stopped\",\"interrupted\":0}")
    assert.deepStrictEqual([missing.code, missing.stdout], [1, ""])
    assert.match(missing.stderr, /No connected worker has the id "two"/u)
  })
})

describe("parent", () => {
  it.live("of a task that a handler submits is the handler's task", () =>
    Effect.gen(function*() {
      const plane = yield* startControlPlane()
      const client = yield* startClient(plane)
      const family = Task.define("family", {
        success: Schema.Array(Schema.String),
        run: () =>
          Effect.gen(function*() {
            const one = yield* client.delay(plain)
            yield* client.run(plain, {}, { id: "two" })
            const [three] = yield* client.delayAll(plain, [{}])
            return [one.id, "two", three?.id ?? ""]
          }).pipe(Effect.orDie)
      })
      yield* startWorker(plane, Layer.merge(family.layer, plain.layer), { id: "one" })
      const handle = yield* client.delay(family)
      const children = yield* handle.result
      const orphan = yield* client.delay(plain)

      for (const id of children) assert.strictEqual((yield* client.status(id)).parent, handle.id)
      assert.strictEqual(children.length, 3)
      assert.isUndefined((yield* orphan.status).parent)
    }))
})
