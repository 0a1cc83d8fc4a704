/** What a client may say of its tasks, and what it learns of them, against a control plane and a worker over sockets. */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Errors from "../../src/domain/Errors.ts"
import type { Settings } from "../../src/domain/Settings.ts"
import * as Task from "../../src/domain/TaskDefinition.ts"
import type { SubmitOptions } from "../../src/services/Client.ts"
import { startClient, startControlPlane, startWorker } from "../harness/Roles.ts"
import { until } from "../harness/Until.ts"

/** Control plane, worker and client. */
const start = Effect.fnUntraced(function*<Handlers extends Task.TaskHandler<string>>(
  handlers: Layer.Layer<Handlers>,
  settings: Partial<Settings> = {}
) {
  const plane = yield* startControlPlane({ startGraceMillis: 0, ...settings })
  yield* startWorker(plane, handlers, { id: "one", concurrency: 2, ...settings })
  return { plane, client: yield* startClient(plane, { deadlineMillis: 5_000, ...settings }) }
})

const echo = Task.define("echo", {
  args: { n: Schema.Int },
  success: Schema.Int,
  run: ({ n }) => Effect.succeed(n)
})

describe("terms of a submission", () => {
  it.live("delays a task by a time, and until a time", () =>
    Effect.gen(function*() {
      const { client } = yield* start(echo.layer)
      const tomorrow = yield* Effect.map(DateTime.now, DateTime.add({ days: 1 }))

      const later = yield* client.delay(echo, { n: 1 }, { in: "150 millis" })
      const handles = [
        yield* client.delay(echo, { n: 1 }, { in: "1 day" }),
        yield* client.delay(echo, { n: 1 }, { at: tomorrow }),
        yield* client.delay(echo, { n: 1 }, { at: DateTime.toDate(tomorrow) }),
        yield* client.delay(echo, { n: 1 }, { at: DateTime.toEpochMillis(tomorrow) })
      ]
      const past = yield* client.run(echo, { n: 7 }, { at: 0 })

      assert.strictEqual(past, 7)
      for (const { status } of handles) {
        const { dueAt = 0, state } = yield* status
        assert.strictEqual(state, "delayed")
        assert.closeTo(dueAt, DateTime.toEpochMillis(tomorrow), 5_000)
      }
      assert.strictEqual(yield* later.result, 1)
      const { startedAt = 0, submittedAt } = yield* later.status
      assert.isAtLeast(startedAt - submittedAt, 145)
    }))

  it.live("gives a task up that has expired, and tells whether it had started", () =>
    Effect.gen(function*() {
      const endless = Task.define("endless", { run: () => Effect.never })
      const { client } = yield* start(Layer.merge(endless.layer, echo.layer))

      const running = yield* Effect.flip(client.run(endless, {}, { expiresIn: "100 millis" }))
      const waiting = yield* Effect.flip(client.run(echo, { n: 1 }, { in: "1 hour", expiresIn: "30 millis" }))

      assert.instanceOf(running, Errors.TaskExpired)
      assert.deepInclude(running, { task: "endless", started: true })
      assert.instanceOf(waiting, Errors.TaskExpired)
      assert.deepInclude(waiting, { task: "echo", started: false })
    }))

  it.live("carries tags and tenant, and those that the definition gives", () =>
    Effect.gen(function*() {
      const tagged = Task.make("tagged", { args: { n: Schema.Int }, tags: ({ n }) => [`n:${n}`, "all"] })
      const { client } = yield* start(tagged.toLayer(() => Effect.void))

      const handles = yield* client.delayAll(tagged, [{ n: 1 }, { n: 2 }], { tags: ["mine", "all"], tenant: "acme" })

      const statuses = yield* Effect.forEach(handles, ({ status }) => status)
      assert.deepStrictEqual(statuses.map(({ tags }) => tags), [["n:1", "all", "mine"], ["n:2", "all", "mine"]])
      assert.deepStrictEqual(statuses.map(({ tenant }) => tenant), ["acme", "acme"])
      const found = yield* client.list({ tag: "n:2" })
      assert.deepStrictEqual(found.tasks.map(({ id }) => id), [handles[1]?.id])
    }))

  it.live("tells the outcome of a task whose result is not kept to who waits, and to nobody later", () =>
    Effect.gen(function*() {
      const { client } = yield* start(echo.layer)

      assert.strictEqual(yield* client.run(echo, { n: 3 }, { ignoreResult: true, id: "unkept" }), 3)

      assert.instanceOf(yield* Effect.flip(client.result(echo, "unkept")), Errors.ResultEvicted)
    }))

  it.live("refuses what can't be, naming it, and sends nothing; other callers are not touched", () =>
    Effect.gen(function*() {
      const { client } = yield* start(echo.layer)
      const wrong: ReadonlyArray<readonly [string, SubmitOptions]> = [
        ["in", { in: "soon" as never }],
        ["in", { in: -1 }],
        ["at", { at: new Date(NaN) }],
        ["at", { at: "tomorrow" as never }],
        ["expiresIn", { expiresIn: 0 }],
        ["expiresIn", { expiresIn: "11 years" as never }],
        ["tags.0", { tags: [""] }],
        ["tags", { tags: Array.from({ length: 17 }, (_, i) => `t${i}`) }],
        ["tenant", { tenant: "a\nb" }],
        ["priority", { priority: "urgent" as never }],
        ["id", { id: "a b" }]
      ]

      const [errors, fine] = yield* Effect.all([
        Effect.forEach(wrong, ([, options]) => Effect.flip(client.delay(echo, { n: 1 }, options)), {
          concurrency: "unbounded"
        }),
        client.run(echo, { n: 5 })
      ], { concurrency: "unbounded" })

      assert.strictEqual(fine, 5)
      errors.forEach((error, index) => {
        assert.instanceOf(error, Errors.InvalidArguments)
        assert.include(error.issues.map(({ field }) => field), wrong[index]?.[0], error.message)
      })
      assert.strictEqual((yield* client.stats).submitted, 1)
    }))

  it.live("names the function of a definition that throws, or gives what can't be", () =>
    Effect.gen(function*() {
      const { client } = yield* start(echo.layer)
      const fail = (): never => {
        throw new TypeError("no such field")
      }
      const options = { args: { n: Schema.Int } }
      const cases = [
        ["unique.key", Task.make("t", { ...options, unique: { key: fail, while: "unfinished" } })],
        ["limits.key", Task.make("t", { ...options, limits: { key: fail } })],
        ["fairness.key", Task.make("t", { ...options, fairness: { key: fail } })],
        ["fairness.weight", Task.make("t", { ...options, fairness: { key: () => "k", weight: fail } })],
        ["tags", Task.make("t", { ...options, tags: fail })],
        ["unique.key", Task.make("t", { ...options, unique: { key: () => "", while: "unfinished" } })],
        ["weight", Task.make("t", { ...options, fairness: { key: () => "k", weight: () => 0 } })]
      ] as const

      for (const [field, task] of cases) {
        const error = yield* Effect.flip(client.delay(task, { n: 1 }))
        assert.instanceOf(error, Errors.InvalidArguments)
        assert.deepStrictEqual(error.issues.map((issue) => issue.field), [field], error.message)
      }
      const error = yield* Effect.flip(client.delay(cases[0][1], { n: 1 }))
      assert.include(error.message, "no such field")
      assert.strictEqual((yield* client.stats).submitted, 0)
    }))
})

describe("unique tasks", () => {
  const unique = (onConflict: "existing" | "reject") =>
    Task.make("gate", {
      args: { key: Schema.String },
      success: Schema.String,
      unique: { key: ({ key }) => key, while: "unfinished", onConflict }
    })

  it.live("gives the task that is there: its id, and its outcome to each who waits", () =>
    Effect.gen(function*() {
      const open = yield* Latch.make()
      const task = unique("existing")
      const { client } = yield* start(task.toLayer(() => Effect.as(open.await, "one for all")))

      const first = yield* client.delay(task, { key: "a" }, { id: "first" })
      const second = yield* client.delay(task, { key: "a" }, { id: "second" })
      const [third, fourth] = yield* client.delayAll(task, [{ key: "a" }, { key: "b" }])
      const immediately = { startImmediately: true }
      const running = yield* Effect.forkChild(client.run(task, { key: "a" }), immediately)
      const named = yield* Effect.forkChild(client.run(task, { key: "a" }, { id: "fifth" }), immediately)
      // Requests are answered in the order in which they were sent: after two more, both are accepted.
      yield* Effect.andThen(client.stats, client.stats)
      yield* open.open

      assert.deepStrictEqual([first.id, second.id, third?.id], ["first", "first", "first"])
      assert.notStrictEqual(fourth?.id, "first")
      assert.strictEqual(yield* second.result, "one for all")
      assert.strictEqual(yield* Fiber.join(running), "one for all")
      assert.strictEqual(yield* Fiber.join(named), "one for all")
      assert.strictEqual((yield* client.stats).submitted, 2)
    }))

  it.live("finds the outcome that came before it knew which task was meant", () =>
    Effect.gen(function*() {
      const task = Task.make("past", {
        success: Schema.Int,
        unique: { key: () => "k", while: "1 hour", onConflict: "existing" }
      })
      const { client } = yield* start(task.toLayer(() => Effect.succeed(1)))

      for (let i = 0; i < 20; i++) assert.strictEqual(yield* client.run(task), 1)

      assert.strictEqual((yield* client.stats).submitted, 1)
    }))

  it.live("refuses the second when the definition wants it so, and says who holds the key", () =>
    Effect.gen(function*() {
      const task = unique("reject")
      const { client } = yield* start(task.toLayer(() => Effect.never))

      const { id } = yield* client.delay(task, { key: "a" })
      const error = yield* Effect.flip(client.delay(task, { key: "a" }))

      assert.instanceOf(error, Errors.UniqueConflict)
      assert.deepInclude(error, { id, key: "a", task: "gate" })
    }))
})

describe("more than a connection takes at once", () => {
  const text = "x".repeat(900_000)
  const measure = Task.define("measure", {
    args: { n: Schema.Int, text: Schema.String },
    success: Schema.Int,
    run: ({ n, text }) => Effect.succeed(n + text.length)
  })
  const many = Array.from({ length: 100 }, (_, n) => ({ n, text }))

  it.live("is submitted bit by bit", () =>
    Effect.gen(function*() {
      const { client } = yield* start(measure.layer, { deadlineMillis: 30_000 })

      const handles = yield* client.delayAll(measure, many)
      const lengths = yield* client.runAll(measure, many)

      assert.strictEqual(handles.length, 100)
      assert.deepStrictEqual(lengths, many.map(({ n }) => n + text.length))
    }), 60_000)

  it.live("fails by the deadline, all of it, when there is no control plane", () =>
    Effect.gen(function*() {
      const client = yield* startClient({ address: "tcp://127.0.0.1:1" }, { deadlineMillis: 300 })

      const failures = yield* Effect.forEach(many, (args) => Effect.flip(client.delay(measure, args)), {
        concurrency: "unbounded"
      }).pipe(Effect.timeoutOption(10_000))

      assert.isTrue(Option.isSome(failures))
      if (Option.isSome(failures)) {
        for (const failure of failures.value) assert.instanceOf(failure, Errors.Unreachable)
      }
    }), 30_000)
})

describe("cancel", () => {
  it.live("succeeds when a running task has really stopped, and for one that was cancelled before", () =>
    Effect.gen(function*() {
      const started = yield* Deferred.make<void>()
      let isStopped = false
      const task = Task.define("busy", {
        run: () =>
          Deferred.succeed(started, undefined).pipe(
            Effect.andThen(Effect.never),
            Effect.onInterrupt(() => Effect.sleep(100).pipe(Effect.andThen(Effect.sync(() => (isStopped = true)))))
          )
      })
      const { client } = yield* start(task.layer)
      const handle = yield* client.delay(task)
      const result = yield* Effect.forkChild(Effect.flip(handle.result))
      yield* Deferred.await(started)

      yield* handle.cancel

      assert.isTrue(isStopped)
      assert.strictEqual((yield* handle.status).state, "cancelled")
      assert.instanceOf(yield* Fiber.join(result), Errors.TaskCancelled)
      yield* handle.cancel
    }))

  it.live("says that a task does not stop, when it still runs at the client's deadline", () =>
    Effect.gen(function*() {
      const open = yield* Latch.make()
      const started = yield* Deferred.make<void>()
      const stubborn = Task.define("stubborn", {
        run: () => Effect.uninterruptible(Effect.andThen(Deferred.succeed(started, undefined), open.await))
      })
      const { client } = yield* start(stubborn.layer, { deadlineMillis: 2_000 })
      const handle = yield* client.delay(stubborn)
      yield* Deferred.await(started)

      const error = yield* Effect.flip(handle.cancel)

      assert.instanceOf(error, Errors.TaskStopping)
      assert.strictEqual((yield* handle.status).state, "cancelling")
      yield* open.open
    }))

  it.live("fails for a task that has another outcome, or that nobody knows", () =>
    Effect.gen(function*() {
      const { client } = yield* start(echo.layer)
      yield* client.run(echo, { n: 1 }, { id: "done" })

      const finished = yield* Effect.flip(client.cancel("done"))
      const unknown = yield* Effect.flip(client.cancel("nobody"))

      assert.instanceOf(finished, Errors.TaskFinished)
      assert.strictEqual(finished.state, "succeeded")
      assert.instanceOf(unknown, Errors.TaskNotFound)
    }))
})

describe("progress", () => {
  it.live("streams what the handler reports, the newest first for who comes late, and ends with the outcome", () =>
    Effect.gen(function*() {
      const steps = yield* Latch.make()
      const seen = yield* Deferred.make<void>()
      const task = Task.make("steps", { progress: Schema.Struct({ at: Schema.Date, done: Schema.Int }) })
      const at = new Date(0)
      const { client } = yield* start(task.toLayer(() =>
        Effect.gen(function*() {
          yield* task.progress({ at, done: 1 })
          yield* Deferred.succeed(seen, undefined)
          yield* steps.await
          yield* task.progress({ at, done: 2 })
        })
      ))
      const handle = yield* client.delay(task)
      yield* Deferred.await(seen)

      const values: Array<number> = []
      const following = yield* handle.progress.pipe(
        Stream.runForEach((value) => {
          assert.deepStrictEqual(value.at, at)
          values.push(value.done)
          return Effect.void
        }),
        Effect.forkChild
      )
      yield* until("the first", () => values.length === 1)
      const [late] = yield* handle.progress.pipe(Stream.take(1), Stream.runCollect)
      const [other] = yield* client.progress(task, handle.id).pipe(Stream.take(1), Stream.runCollect)
      yield* steps.open
      yield* Fiber.join(following)

      assert.deepStrictEqual([late?.done, other?.done], [1, 1])
      assert.deepStrictEqual(values.at(0), 1)
      assert.isTrue(values.length === 1 || values[1] === 2)
      assert.deepStrictEqual(yield* Stream.runCollect(handle.progress), [])
    }))

  it.live("leaves out what comes faster than it is taken", () =>
    Effect.gen(function*() {
      const task = Task.make("fast", { progress: Schema.Int })
      const { client } = yield* start(task.toLayer(() =>
        Effect.forEach(
          Array.from({ length: 2_000 }, (_, i) => i),
          (i) => Effect.andThen(task.progress(i), Effect.yieldNow)
        )
          .pipe(Effect.asVoid)
      ))

      const handle = yield* client.delay(task)
      const values = yield* handle.progress.pipe(
        Stream.mapEffect((n) => Effect.as(Effect.sleep(5), n)),
        Stream.runCollect
      )

      assert.isBelow(values.length, 1_000)
      assert.deepStrictEqual(
        [...values].sort((a, b) => a - b),
        [...values]
      )
    }))

  it.live("ends however the task ends, and fails for a task that nobody knows", () =>
    Effect.gen(function*() {
      const task = Task.define("fails", { progress: Schema.Int, run: () => Effect.die(new Error("no")) })
      const { client } = yield* start(task.layer)

      const handle = yield* client.delay(task)

      assert.deepStrictEqual(yield* Stream.runCollect(handle.progress), [])
      assert.instanceOf(
        yield* Effect.flip(Stream.runCollect(client.progress(task, "nobody"))),
        Errors.TaskNotFound
      )
    }))

  it.live("says so when it does not fit the definition of who follows it", () =>
    Effect.gen(function*() {
      const task = Task.make("odd", { progress: Schema.Int })
      const { client } = yield* start(task.toLayer(() => Effect.andThen(task.progress(1), Effect.never)))
      const mine = Task.make("odd", { progress: Schema.String })

      const handle = yield* client.delay(mine)
      const error = yield* Effect.flip(Stream.runCollect(handle.progress))

      assert.instanceOf(error, Errors.InvalidResult)
      assert.include(error.message, "progress")
    }))
})
