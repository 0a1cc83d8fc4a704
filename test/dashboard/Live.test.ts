/** What frames and seconds make of what is shown. */
import { assert, describe, it } from "@effect/vitest"
import { appended, highest, isolated, pointsOf, rates, summed } from "../../src/dashboard/charts/series.ts"
import { sparkPath } from "../../src/dashboard/charts/spark.ts"
import { merge, rowOf } from "../../src/dashboard/live/merge.ts"
import { addressOf, notable } from "../../src/dashboard/pages/overview/notable.ts"
import type { Second, Series, Snapshot, TaskRow, TaskTuple, WorkerRow } from "../../src/domain/View.ts"

const worker = (key: string, more: Partial<WorkerRow> = {}): WorkerRow => ({
  id: key,
  key,
  state: "active",
  local: false,
  slots: 4,
  running: 0,
  busy: [],
  registeredAt: 0,
  lastSeenAt: 0,
  succeeded: 0,
  failed: 0,
  perMinute: 0,
  lag: 0,
  loads: [],
  ...more
})

const tuple = (id: string, state: TaskTuple[2] = "running", attempt = 1): TaskTuple => [
  id,
  "mail",
  state,
  2,
  attempt,
  1_000,
  2_000,
  0,
  "w",
  ""
]

const snapshot = {
  seq: 1,
  at: 1_000,
  stats: {},
  headline: {},
  lanes: [],
  flow: {},
  upNext: [],
  workers: [worker("a"), worker("b")],
  errors: 0,
  paused: [],
  latest: [tuple("1"), tuple("2")]
} as unknown as Snapshot

const second = (at: number, succeeded: number): Second => ({
  at,
  accepted: 0,
  started: 0,
  succeeded,
  failed: 0,
  retried: 0,
  cancelled: 0,
  expired: 0
})

const series = (from: number, stepMillis: number, succeeded: ReadonlyArray<number>): Series => {
  const none = succeeded.map(() => 0)
  const unknown = succeeded.map(() => null)
  return {
    from,
    stepMillis,
    accepted: none,
    started: none,
    succeeded,
    failed: none,
    retried: none,
    cancelled: none,
    expired: none,
    waiting: unknown,
    running: unknown,
    wait: { p50: unknown, p95: unknown, p99: unknown },
    run: { p50: unknown, p95: unknown, p99: unknown },
    totals: { accepted: 0, started: 0, succeeded: 0, failed: 0, retried: 0, cancelled: 0, expired: 0 }
  }
}

describe("a frame", () => {
  it("changes only what is in it", () => {
    const next = merge(snapshot, { seq: 2, at: 1_200, errors: 3 })
    assert.deepStrictEqual(next, { ...snapshot, seq: 2, at: 1_200, errors: 3 })
    assert.strictEqual(next.workers, snapshot.workers)
  })

  it("replaces workers in their place, adds new ones behind and takes away those that are gone", () => {
    const next = merge(snapshot, {
      seq: 2,
      at: 0,
      workers: [worker("c"), worker("a", { running: 3 })],
      gone: ["b"]
    })
    assert.deepStrictEqual(next.workers.map(({ key, running }) => [key, running]), [["a", 3], ["c", 0]])
  })

  it("puts tasks that changed in front, each once, and keeps 30", () => {
    const next = merge(snapshot, { seq: 2, at: 0, tasks: [tuple("2", "succeeded"), tuple("3")] })
    assert.deepStrictEqual(next.latest.map(([id, , state]) => [id, state]), [
      ["3", "running"],
      ["2", "succeeded"],
      ["1", "running"]
    ])
    const many = merge(next, { seq: 3, at: 0, tasks: Array.from({ length: 50 }, (_, index) => tuple(`m${index}`)) })
    assert.lengthOf(many.latest, 30)
    assert.strictEqual(many.latest[0]?.[0], "m49")
  })

  it("keeps what a tuple does not say and forgets what is over", () => {
    const known: TaskRow = {
      id: "1",
      name: "mail",
      priority: "normal",
      state: "delayed",
      attempt: 1,
      submittedAt: 1_000,
      retrying: true,
      dueAt: 9_000,
      error: "E: x",
      tags: ["a"]
    }
    assert.deepStrictEqual(rowOf(tuple("1", "running", 2), known), {
      id: "1",
      name: "mail",
      priority: "normal",
      state: "running",
      attempt: 2,
      submittedAt: 1_000,
      startedAt: 2_000,
      worker: "w",
      tags: ["a"]
    })
    assert.isTrue(rowOf(tuple("1", "delayed", 1)).retrying)
    assert.isUndefined(rowOf(tuple("1", "delayed", 0)).retrying)
  })
})

describe("a series", () => {
  it("of seconds moves on with each that ended", () => {
    const next = appended(series(10_000, 1_000, [1, 2, 0]), [second(12_000, 5), second(13_000, 6)])
    assert.deepStrictEqual([next?.from, next?.succeeded, next?.totals.succeeded], [12_000, [5, 6, 0], 11])
  })

  it("keeps its length and the right places when a second is missing", () => {
    const next = appended(series(10_000, 1_000, [1, 2, 0]), [second(13_000, 6)])
    assert.deepStrictEqual([next?.from, next?.succeeded], [12_000, [0, 6, 0]])
  })

  it("is left alone by seconds that it has already", () => {
    const before = series(10_000, 1_000, [1, 2, 0])
    assert.strictEqual(appended(before, [second(11_000, 9)]), before)
  })

  it("of longer steps counts in the one that goes on, and asks when that is over", () => {
    const before = series(0, 10_000, [1, 2, 3])
    assert.deepStrictEqual(appended(before, [second(21_000, 4)])?.succeeded, [1, 2, 7])
    assert.isUndefined(appended(before, [second(30_000, 4)]))
  })

  it("is drawn in points at round times, the step that goes on by the time that it has had", () => {
    const long = series(3_000, 1_000, Array.from({ length: 240 }, () => 10))
    const points = pointsOf(long, 242_500, 0)
    assert.deepStrictEqual([points.factor, points.skip, points.from, points.lastMillis], [2, 1, 4_000, 500])
    const drawn = rates(long.succeeded, points)
    assert.lengthOf(drawn, 120)
    assert.strictEqual(drawn.at(0), 10)
    assert.strictEqual(drawn.at(-1), 20)
  })

  it("leaves out a step that has only begun, and says nothing of the time before the start", () => {
    const points = pointsOf(series(0, 10_000, [0, 0, 10, 20, 1]), 42_000, 15_000)
    assert.deepStrictEqual(rates([0, 0, 10, 20, 1], points), [null, 0, 1, 2])
    assert.deepStrictEqual(highest([null, null, 4, 2, 9], points), [null, null, 4, 2])
    assert.deepStrictEqual(summed([1, 2, 3, 4, 5], 2), [6, 9])
  })

  it("shows by itself what happened in one step alone", () => {
    assert.deepStrictEqual(isolated([5, null, null, 0, undefined, 3, 4, null, 7]), [0, 3, 8])
    assert.deepStrictEqual(isolated([]), [])
    assert.deepStrictEqual(isolated([1]), [0])
    assert.deepStrictEqual(isolated([1, 2, 3]), [])
  })

  it("of one value or none still makes a line", () => {
    assert.strictEqual(sparkPath([], 10, 10), "M0.0 8.0L10.0 8.0")
    assert.strictEqual(sparkPath([2], 10, 10), "M0.0 2.0L10.0 2.0")
  })
})

describe("many workers", () => {
  it("are cut to those that need a look and the busiest, in the order of their names", () => {
    const workers = [
      ...Array.from({ length: 38 }, (_, index) => worker(`w${index}`, { running: index % 5 })),
      worker("w90", { state: "lost" }),
      worker("w91", { state: "draining" })
    ]
    const shown = notable(workers).map(({ id }) => id)
    assert.lengthOf(shown, 8)
    assert.includeMembers(shown, ["w90", "w91", "w4"])
    assert.deepStrictEqual(shown, shown.toSorted((a, b) => a.localeCompare(b, "en", { numeric: true })))
  })

  it("with the same id are told apart by their keys", () => {
    const workers = [worker("a"), worker("b"), worker("c", { id: "b" })]
    assert.deepStrictEqual(workers.map((one) => addressOf(one, workers)), ["a", "b", "c"])
  })
})
