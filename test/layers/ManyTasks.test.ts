import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { makeRandom } from "../harness/random.ts"
import { live, makePlane } from "./histories.ts"

/** A plane with some tasks of each kind. */
const busy = (seed = 1) => {
  const plane = makePlane()
  live(plane, makeRandom(seed), 600)
  return plane
}

describe("many tasks", () => {
  it.live("are cancelled when a list would show them, and no others", () =>
    Effect.gen(function*() {
      const plane = busy()
      const query = { type: "mail.*", state: "waiting,running" }
      const { total } = yield* plane.history.counts(query)
      const before = plane.core.counts.cancelled

      const counted = yield* plane.history.cancelMany({ ...query, dryRun: true })
      const changed = yield* plane.history.cancelMany({ ...query, expect: total })

      assert.deepStrictEqual([counted, changed], [{ count: total, skipped: 0 }, { count: total, skipped: 0 }])
      assert.isAbove(plane.core.counts.cancelled, before)
      assert.strictEqual((yield* plane.history.counts(query)).total, 0)
    }))

  it.live("have another priority when a list would show them with another one", () =>
    Effect.gen(function*() {
      const plane = busy()
      const query = { type: "mail.*", state: "waiting" }
      const { total } = yield* plane.history.counts(query)
      const high = (yield* plane.history.counts({ ...query, priority: "high" })).total

      const counted = yield* plane.history.prioritizeMany({ ...query, dryRun: true }, "high")
      const changed = yield* plane.history.prioritizeMany({ ...query, expect: total - high }, "high")
      const again = yield* plane.history.prioritizeMany(query, "high")

      assert.isAbove(total - high, 0)
      assert.deepStrictEqual([counted.count, changed], [total - high, { count: total - high, skipped: 0 }])
      assert.deepStrictEqual(again, { count: 0, skipped: 0 })
      assert.strictEqual((yield* plane.history.counts({ ...query, priority: "high" })).total, total)
    }))

  it.live("are not changed at all when their number is another one", () =>
    Effect.gen(function*() {
      const plane = busy()
      const { total } = yield* plane.history.counts({ state: "dead" })

      const refused = yield* Effect.flip(plane.history.purgeMany({ state: "dead", expect: total + 1 }))

      assert.deepStrictEqual([refused._tag, refused._tag === "CountChanged" && refused.count], ["CountChanged", total])
      assert.strictEqual((yield* plane.history.counts({ state: "dead" })).total, total)
    }))

  it.live("run again as new tasks, with a word of it on the old ones", () =>
    Effect.gen(function*() {
      const plane = busy()
      const { tasks } = yield* plane.history.list({ state: "dead" }, { limit: 1_000 })
      const ids = tasks.slice(0, 5).map(({ id }) => id)

      const changed = yield* plane.history.retryMany({ ids: [...ids, "nobody"] as never })

      assert.deepStrictEqual(changed, { count: 5, skipped: 0 })
      for (const id of ids) {
        const { can, retriedAs = [] } = yield* plane.history.task(id)
        const again = yield* plane.history.task(retriedAs[0] ?? "")
        assert.deepStrictEqual([can.retry, retriedAs.length, again.retryOf], [false, 1, id])
      }
    }))

  it.live("that were purged can't be retried and are in no list", () =>
    Effect.gen(function*() {
      const plane = busy()
      const { total } = yield* plane.history.counts({ state: "dead" })
      const all = (yield* plane.history.counts({})).total

      const { count } = yield* plane.history.purgeMany({ state: "dead" })

      assert.deepStrictEqual([count, plane.core.dead.size()], [total, 0])
      assert.strictEqual((yield* plane.history.counts({})).total, all - total)
    }))

  it.live("are left alone when nobody can have seen them as they are", () =>
    Effect.gen(function*() {
      const plane = makePlane()
      plane.hire("w1")
      const [seen, failedLater] = [plane.submit("report"), plane.submit("report")]
      const first = plane.dispatch().find(({ id }) => id === seen)
      if (first !== undefined) plane.report(first, "failed")
      const { asOf } = yield* plane.history.list({})
      plane.pass(10)
      const unseen = plane.submit("report")
      const second = plane.core.task(failedLater)
      if (second !== undefined) plane.report(second, "failed")

      const retried = yield* plane.history.retryMany({ asOf, dryRun: true })
      const cancelled = yield* plane.history.cancelMany({ asOf })

      assert.deepStrictEqual([retried.count, cancelled.count], [1, 0])
      assert.strictEqual(plane.core.task(unseen)?.state, "queued")
    }))

  it.live("that changed while they were looked for are skipped", () =>
    Effect.gen(function*() {
      const plane = makePlane()
      plane.hire("w1", 4)
      for (let i = 0; i < 20; i++) plane.submit("report")
      const changing = plane.history.cancelMany({ type: "report" })
      const running = plane.dispatch()

      const changed = yield* changing
      const again = yield* plane.history.cancelMany({ ids: running.map(({ id }) => id) as never })

      // Those that run are told to stop; told once more they are not.
      assert.deepStrictEqual([changed, again], [{ count: 20, skipped: 0 }, { count: 0, skipped: 0 }])
      assert.strictEqual(plane.core.counts.cancelling, 4)
    }))
})
