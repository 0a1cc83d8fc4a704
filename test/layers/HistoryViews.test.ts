import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as View from "../../src/domain/View.ts"
import { makeRandom } from "../harness/random.ts"
import { epochMillis, live, makePlane } from "./histories.ts"

const check = (schema: Schema.ConstraintDecoder<unknown>) => {
  const decode = Schema.decodeUnknownSync(schema)
  return (value: unknown) => {
    // As it goes over the wire: what is `undefined` is not there.
    assert.deepStrictEqual(JSON.parse(JSON.stringify(value)), value)
    decode(value)
  }
}

describe("history", () => {
  it.live("counts what the core counts, in every range, over random lives", () =>
    Effect.gen(function*() {
      for (let seed = 1; seed <= 20; seed++) {
        const plane = makePlane()
        live(plane, makeRandom(seed), 800)
        const { counts } = plane.core

        for (const range of ["5m", "15m", "1h", "6h", "24h"] as const) {
          const { totals, ...series } = yield* plane.history.series(range)
          assert.deepStrictEqual([
            totals.accepted,
            totals.succeeded,
            totals.failed,
            totals.cancelled,
            totals.expired,
            totals.retried
          ], [
            counts.submitted,
            counts.succeeded,
            counts.failed,
            counts.cancelled,
            counts.expired,
            counts.retries
          ], `seed ${seed}, ${range}`)
          assert.strictEqual(series.from % series.stepMillis, 0)
          assert.deepStrictEqual([series.waiting.at(-1), series.running.at(-1)], [plane.core.waiting(), counts.running])
        }
        const { states } = yield* plane.history.counts({})
        const { cancelled, expired, failed, succeeded } = counts
        assert.deepStrictEqual(
          { cancelled: states.cancelled, expired: states.expired, failed: states.failed, succeeded: states.succeeded },
          { cancelled, expired, failed, succeeded }
        )
        const types = yield* plane.history.types
        const finished = cancelled + expired + failed + succeeded
        assert.strictEqual(types.reduce((sum, type) => sum + type.finished, 0), finished)
        assert.strictEqual(types.reduce((sum, type) => sum + type.running, 0), counts.running)
        assert.strictEqual(types.reduce((sum, type) => sum + type.waiting + type.delayed, 0), plane.core.waiting())
        let ofTypes = 0
        for (const { name } of types) ofTypes += (yield* plane.history.series("15m", name)).totals.accepted
        assert.strictEqual(ofTypes, counts.submitted)
      }
    }))

  it.live("says what the schemas of the API say, whatever happened", () =>
    Effect.gen(function*() {
      for (let seed = 1; seed <= 6; seed++) {
        const plane = makePlane()
        live(plane, makeRandom(seed), 500)
        plane.core.setSchedule(
          {
            id: "s1",
            name: "report",
            args: "{}",
            kind: { cron: "0 2 * * *", timeZone: "Europe/Berlin" },
            catchUp: "once",
            overlap: "skip"
          },
          plane.now()
        )
        const { history } = plane

        check(View.Snapshot)({ seq: 1, ...yield* history.snapshot })
        check(View.Series)(yield* history.series("15m"))
        check(View.Series)(yield* history.series("1h", "report"))
        check(Schema.Array(View.ErrorGroup))((yield* history.errors("1h")).groups)
        check(Schema.Array(View.WorkerRow))(yield* history.workers)
        check(View.WorkerDetail)(yield* history.worker("w1"))
        check(Schema.Array(View.ScheduleRow))(yield* history.schedules)
        check(Schema.Array(View.TypeRow))(yield* history.types)
        check(View.TypeDetail)(yield* history.type("report"))
        check(View.SystemView)({ dashboards: 0, ...yield* history.system })
        check(Schema.Array(View.Second))(history.feed.seconds(0))
        check(Schema.Array(View.TaskTuple))(history.feed.changes(0).tasks)
        for (const { id } of plane.core.tasks()) check(View.TaskDetail)(yield* history.task(id))
        for (const id of plane.outcomes.keys()) check(View.TaskDetail)(yield* history.task(id))
      }
    }))

  it.live("tells the states and attempts of a task, with their times, workers and errors", () =>
    Effect.gen(function*() {
      const plane = makePlane()
      plane.hire("w1")
      const id = plane.submit("mail.send", { args: { to: "a" } })
      plane.pass(10)
      for (const [message, retryIn] of [["connect failed", 50], ["declined", undefined]] as const) {
        const [task] = plane.dispatch()
        plane.pass(5)
        if (task !== undefined) {
          plane.report(task, "failed", {
            body: { _tag: "Down", message, card: "secret" },
            ...(retryIn === undefined ? {} : { retryIn })
          })
        }
        plane.pass(60)
      }

      const detail = yield* plane.history.task(id)

      const at = (millis: number) => epochMillis + 1_000 + millis
      assert.deepStrictEqual(detail.path, [
        { state: "queued", at: at(0) },
        { state: "running", at: at(10) },
        { state: "delayed", at: at(15), note: "attempt 1 failed" },
        { state: "queued", at: at(65) },
        { state: "running", at: at(75), note: "w1" },
        { state: "failed", at: at(80), note: "error" }
      ])
      assert.deepStrictEqual(
        detail.attempts.map(({ attempt, endedAt, failure, startedAt, state, worker }) => [
          attempt,
          worker,
          startedAt,
          endedAt,
          state,
          failure?.type,
          failure?.message
        ]),
        [
          [1, "w1", at(10), at(15), "failed", "Down", "connect failed"],
          [2, "w1", at(75), at(80), "failed", "Down", "declined"]
        ]
      )
      assert.deepStrictEqual(
        [detail.state, detail.error, detail.args?.text, detail.can],
        ["failed", "Down: declined", `{"to":"a"}`, { cancel: false, retry: true }]
      )
      assert.include(detail.failure?.payload?.text, "secret")
    }))

  it.live("tells why a task waits, until when, and how many are ahead of it", () =>
    Effect.gen(function*() {
      const plane = makePlane()
      plane.hire("w1", 1)
      const later = plane.submit("report", { dueAt: plane.now() + 5_000 })
      plane.submit("report")
      plane.submit("report", { level: 0 })
      plane.submit("report", { level: 3 })
      const third = plane.submit("report")
      const unknown = plane.submit("nobody.does")
      plane.dispatch()

      const [busy, due, nobody] = yield* Effect.all([third, later, unknown].map(plane.history.task))

      assert.deepStrictEqual(busy?.waiting, {
        cause: "busy",
        text: "all slots of the 1 worker that can run it are busy",
        ahead: 1
      })
      assert.deepStrictEqual([due?.waiting?.cause, due?.waiting?.until], ["due", due?.dueAt])
      assert.strictEqual(nobody?.waiting?.cause, "no-worker")
      plane.core.setPaused({}, true)
      assert.strictEqual((yield* plane.history.task(third)).waiting?.cause, "paused")
    }))

  it.live("cuts payloads at 64 KiB between two characters, and has the whole of them", () =>
    Effect.gen(function*() {
      const plane = makePlane()
      plane.hire("w1")
      const id = plane.submit("report", { args: "é".repeat(40_000) })

      const { args } = yield* plane.history.task(id)
      const whole = yield* plane.history.payload(id, "args")

      assert.deepStrictEqual([args?.size, args?.truncated, whole.length], [80_002, true, 80_002])
      assert.strictEqual(args?.text, `"${"é".repeat((65_536 - 2) / 2)}`)
      const [task] = plane.dispatch()
      if (task !== undefined) plane.report(task, "succeeded", { body: { ok: true } })
      assert.strictEqual(Buffer.from(yield* plane.history.payload(id, "result")).toString(), `{"ok":true}`)
      assert.strictEqual((yield* Effect.flip(plane.history.payload(id, "error")))._tag, "ResultEvicted")
      assert.strictEqual((yield* Effect.flip(plane.history.payload("nobody", "args")))._tag, "TaskNotFound")
    }))

  it.live("groups failures that are the same but for their numbers, retried ones and lost workers too", () =>
    Effect.gen(function*() {
      const plane = makePlane()
      plane.hire("w1", 8)
      for (let i = 0; i < 6; i++) plane.submit("web.hook")
      const tasks = plane.dispatch()
      for (const [i, task] of tasks.slice(0, 5).entries()) {
        plane.report(task, "failed", {
          body: { _tag: "Timeout", message: `Request ${i} took ${100 + i} ms` },
          ...(i < 2 ? { retryIn: 60_000 } : {})
        })
      }
      plane.lose("w1")

      const { groups, total } = yield* plane.history.errors("5m")

      assert.strictEqual(total, 6)
      assert.deepStrictEqual(
        groups.map(({ count, isNew, isRising, message, reason, retried, retryable, type, workers }) => [
          count,
          isNew,
          isRising,
          message,
          reason,
          retried,
          retryable,
          type,
          workers
        ]),
        [
          [5, true, false, "Request 4 took 104 ms", "error", 2, 3, "Timeout", ["w1"]],
          [1, true, false, "The worker was lost while it ran", "lost", 1, 0, "WorkerLost", ["w1"]]
        ]
      )
      const key = groups[0]?.key ?? ""
      const { tasks: found } = yield* plane.history.list({ error: key })
      // Those that wait for another attempt have failed with it too.
      assert.deepStrictEqual(found.map(({ state }) => state).sort(), [
        "delayed",
        "delayed",
        "failed",
        "failed",
        "failed"
      ])
      assert.deepStrictEqual((yield* plane.history.errors("5m", "report")).groups, [])
    }))

  it.live("keeps what is known of a worker that was lost, for a while", () =>
    Effect.gen(function*() {
      const plane = makePlane()
      const worker = plane.hire("w1", 2)
      plane.submit("report")
      plane.dispatch()
      plane.pass(1_000)
      plane.tick()
      plane.lose("w1")
      plane.tick()
      const row = () => Effect.map(plane.history.workers, ([row]) => row)

      assert.deepStrictEqual([(yield* row())?.state, (yield* row())?.running], ["lost", 0])
      assert.strictEqual((yield* plane.history.worker(worker.key)).id, "w1")
      assert.strictEqual((yield* plane.history.snapshot).headline.kind, "no-worker")
      plane.pass(11 * 60_000)
      plane.tick()
      assert.isUndefined(yield* row())
      assert.strictEqual((yield* Effect.flip(plane.history.worker("w1")))._tag, "WorkerNotFound")
    }))

  it.live("tells a stream what changed since it asked, each task once, the newest first", () =>
    Effect.gen(function*() {
      const plane = makePlane()
      plane.hire("w1", 2)
      const { feed } = plane.history
      const [a, b] = [plane.submit("report"), plane.submit("report")]
      const first = feed.changes(feed.position() - 3)
      for (const task of plane.dispatch()) plane.report(task, "succeeded")
      const second = feed.changes(first.next)

      assert.deepStrictEqual(first.tasks.map(([id, , state]) => [id, state]), [[b, "queued"], [a, "queued"]])
      assert.deepStrictEqual(second.tasks.map(([id, , state]) => [id, state]), [[b, "succeeded"], [a, "succeeded"]])
      assert.deepStrictEqual([second.over, feed.changes(second.next)], [
        false,
        { tasks: [], over: false, next: second.next }
      ])
      for (let i = 0; i < 600; i++) plane.submit("report")
      const many = feed.changes(second.next)
      assert.deepStrictEqual([many.tasks.length, many.over], [500, true])
      for (let i = 0; i < 6_000; i++) plane.submit("report")
      assert.isTrue(feed.changes(many.next).over)
      yield* Effect.void
    }))

  it.live("tells each second once it is over, by the wall clock", () =>
    Effect.gen(function*() {
      const plane = makePlane()
      plane.submit("report")
      plane.pass(1_100)
      plane.submit("report")
      plane.submit("report")
      plane.pass(900)
      const { feed } = plane.history

      const seconds = feed.seconds(0)

      assert.deepStrictEqual(seconds.map(({ accepted, at }) => [at - epochMillis, accepted]), [[1_000, 1], [2_000, 2]])
      assert.deepStrictEqual(feed.seconds(epochMillis + 2_000), [])
      yield* Effect.void
    }))

  it.live("says that it falls behind, when more becomes ready than starts for a minute", () =>
    Effect.gen(function*() {
      const plane = makePlane()
      plane.hire("w1", 1)
      for (let second = 0; second < 70; second++) {
        for (let i = 0; i < 3; i++) plane.submit("report", { level: 1 })
        for (const task of plane.dispatch()) {
          plane.pass(1_000)
          plane.report(task, "succeeded")
        }
        plane.dispatch()
        plane.tick()
        const [running] = [...plane.core.tasks()].filter(({ worker }) => worker !== undefined)
        if (second < 69 && running !== undefined) plane.report(running, "succeeded")
      }

      const { flow, headline, lanes } = yield* plane.history.snapshot

      assert.strictEqual(headline.kind, "falling-behind")
      assert.strictEqual(lanes[1]?.priority, "high")
      assert.isAbove(lanes[1]?.oldestMillis ?? 0, 10_000)
      assert.isAbove(lanes[1]?.changePerSecond ?? 0, 0.5)
      assert.isAbove(flow.arriving, flow.finishing)
    }))
})
