/** The history of a control plane with real workers, and with a journal: over sockets. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Task from "../../src/domain/TaskDefinition.ts"
import * as JournalSqlite from "../../src/layers/JournalSqlite.ts"
import { layerControlPlane } from "../../src/layers/Node.ts"
import { layerSettings } from "../../src/layers/NodeClient.ts"
import { ControlPlane } from "../../src/services/ControlPlane.ts"
import { newFile } from "../harness/Journals.ts"
import { startClient, startControlPlane, startWorker } from "../harness/Roles.ts"
import { until } from "../harness/Until.ts"

class Declined extends Schema.TaggedError<Declined>()("Declined", { message: Schema.String }) {}

const pay = Task.define("pay", {
  args: { amount: Schema.Int },
  success: Schema.Struct({ paid: Schema.Int }),
  error: Declined,
  retry: { attempts: 2 },
  run: ({ amount }) =>
    amount > 100
      ? Effect.fail(new Declined({ message: `${amount} is too much` }))
      : Effect.succeed({ paid: amount })
})

const anyPort = "tcp://127.0.0.1:0"

/** Starts a control plane with a journal, which ends with the scope. */
const startDurable = (file: string) =>
  Layer.build(
    layerControlPlane.pipe(
      Layer.provide(JournalSqlite.layer(file)),
      Layer.provide(layerSettings({ address: anyPort, workerAddress: anyPort, discovery: anyPort }))
    )
  ).pipe(Effect.map((context) => Context.get(context, ControlPlane)))

const finished = (plane: ControlPlane["Service"], count: number) =>
  until(
    `${count} are finished`,
    Effect.map(plane.stats, ({ failed, succeeded }) => failed + succeeded === count)
  )

describe("the history of a control plane", () => {
  it.live("knows what happened to every task, with the numbers of the control plane", () =>
    Effect.gen(function*() {
      const plane = yield* startControlPlane()
      yield* startWorker(plane, pay.layer, { id: "one" })
      const client = yield* startClient(plane)
      yield* client.delayAll(pay, Array.from({ length: 30 }, (_, i) => ({ amount: i < 24 ? i : 100 + i })))
      yield* finished(plane, 30)
      const { history } = plane

      const stats = yield* plane.stats
      const { totals } = yield* history.series("5m")
      const { states } = yield* history.counts({})
      const { groups } = yield* history.errors("15m")

      assert.deepStrictEqual(
        [totals.accepted, totals.succeeded, totals.failed, totals.retried],
        [stats.submitted, stats.succeeded, stats.failed, stats.retries]
      )
      assert.deepStrictEqual([states.succeeded, states.failed], [24, 6])
      assert.deepStrictEqual(
        groups.map(({ count, name, retried, retryable, type }) => [name, type, count, retried, retryable]),
        [
          ["pay", "Declined", 12, 6, 6]
        ]
      )
      const { tasks } = yield* history.list({ error: groups[0]?.key ?? "" })
      assert.strictEqual(tasks.length, 6)
      const { attempts, errorGroup, failure, path } = yield* history.task(tasks[0]?.id ?? "")
      assert.deepStrictEqual(attempts.map(({ state, worker }) => [state, worker]), [["failed", "one"], [
        "failed",
        "one"
      ]])
      assert.deepStrictEqual(path.map(({ state }) => state), [
        "queued",
        "running",
        "delayed",
        "queued",
        "running",
        "failed"
      ])
      assert.deepStrictEqual([errorGroup, failure?.type], [groups[0]?.key, "Declined"])
      const [worker] = yield* history.workers
      assert.deepStrictEqual([worker?.id, worker?.succeeded, worker?.failed], ["one", 24, 12])
    }))

  it.live("begins after a restart with what the journal knows", () =>
    Effect.gen(function*() {
      const file = yield* newFile
      const before = yield* Effect.scoped(Effect.gen(function*() {
        const plane = yield* startDurable(file)
        yield* startWorker(plane, pay.layer, { id: "one" })
        const client = yield* startClient(plane)
        yield* client.delayAll(pay, [{ amount: 1 }, { amount: 2 }, { amount: 500 }])
        yield* finished(plane, 3)
        const { tasks } = yield* plane.history.list({}, { sort: "changed" })
        yield* plane.drain
        return tasks
      }))

      const plane = yield* startDurable(file)
      const { tasks } = yield* plane.history.list({}, { sort: "changed" })

      const said = (rows: typeof tasks) =>
        rows.map(({ attempt, error, id, name, state, worker }) => ({ attempt, error, id, name, state, worker }))
          .sort((a, b) => a.id < b.id ? -1 : 1)
      assert.deepStrictEqual(said(tasks), said(before))
      const failed = tasks.find(({ state }) => state === "failed")
      const detail = yield* plane.history.task(failed?.id ?? "")
      assert.deepStrictEqual(
        [detail.args?.text, detail.attempts.length, detail.can.retry, detail.failure?.message],
        [`{"amount":500}`, 2, true, "500 is too much"]
      )
      const { groups } = yield* plane.history.errors("15m")
      assert.deepStrictEqual(groups.map(({ count, retryable }) => [count, retryable]), [[1, 1]])
      // Nothing of it happened in this run.
      assert.strictEqual((yield* plane.history.series("5m")).totals.succeeded, 0)
    }))

  it.live("tells of a task from beside the wire when it is stored, and refuses as the wire does", () =>
    Effect.gen(function*() {
      const file = yield* newFile
      const id = yield* Effect.scoped(Effect.gen(function*() {
        const plane = yield* startDurable(file)
        const id = yield* plane.submit({ name: "pay", args: `{"amount":3}`, tags: ["a"] })
        yield* plane.pause({ task: "pay" })
        const refusals = yield* Effect.all([
          Effect.flip(plane.submit({ name: "pay", args: "x".repeat(2_000_000) })),
          Effect.flip(plane.retry(id)),
          Effect.flip(plane.unschedule("nothing")),
          Effect.flip(plane.trigger("nothing")),
          Effect.flip(plane.drainWorker("nobody")),
          Effect.flip(plane.cancel("nobody"))
        ])
        assert.deepStrictEqual(refusals.map(({ _tag }) => _tag), [
          "TooLarge",
          "NotRetryable",
          "ScheduleNotFound",
          "ScheduleNotFound",
          "WorkerNotFound",
          "TaskNotFound"
        ])
        // No goodbye: what was told must have been stored.
        return id
      }))

      const plane = yield* startDurable(file)
      const detail = yield* plane.history.task(id)

      assert.deepStrictEqual([detail.state, detail.tags, detail.waiting?.cause], ["queued", ["a"], "paused"])
      assert.deepStrictEqual((yield* plane.history.snapshot).paused, ["task:pay"])
      assert.strictEqual(yield* plane.cancel(id), "cancelled")
    }))
})
