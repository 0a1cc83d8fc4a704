/** What `top` draws: fits the screen whatever there is to show, and says rates only of what it has seen. */
import { assert, describe, it } from "@effect/vitest"
import { lines, ratesOf, type Sample } from "../../src/cli/TopScreen.ts"
import type { Stats } from "../../src/domain/Status.ts"
import type { TaskRow } from "../../src/domain/View.ts"

const stats: Stats = {
  version: "1.2.3",
  namespace: "default",
  epoch: "0".repeat(32),
  upMillis: 60_000,
  draining: false,
  submitted: 100,
  waiting: 7,
  waitingByPriority: { critical: 0, high: 6, normal: 1, low: 0 },
  delayed: 0,
  waitingBytes: 0,
  running: 1,
  cancelling: 0,
  succeeded: 90,
  failed: 2,
  cancelled: 0,
  expired: 0,
  retries: 0,
  crashes: 0,
  lateReports: 0,
  workers: 0,
  sessions: 1,
  results: 0,
  resultBytes: 0,
  dead: 0,
  schedules: 0,
  paused: []
}

const task = (index: number): TaskRow => ({
  id: `task-${index}`,
  name: "mail",
  priority: "normal",
  state: "failed",
  attempt: 1,
  submittedAt: 0,
  startedAt: 1,
  finishedAt: 2,
  error: `\u001B[2Jowned ${"x".repeat(500)}`
})

const sample: Sample = {
  at: 10_000,
  rates: null,
  stats,
  workers: [],
  latest: Array.from({ length: 100 }, (_, index) => task(index)),
  errors: []
}

describe("lines", () => {
  it("fits every screen", () => {
    for (const rows of [1, 5, 10, 24, 60]) {
      for (const columns of [1, 40, 200]) {
        const drawn = lines(sample, { columns, rows })

        assert.isAtMost(drawn.length, rows)
        for (const { text } of drawn) assert.isAtMost(text.length, columns)
      }
    }
    const tall = lines(sample, { columns: 80, rows: 30 }).map(({ text }) => text)
    assert.match(tall.at(-1) ?? "", /^… and \d+ more$/u)
    assert.include(tall, `high             6 ${"█".repeat(30)}`)
  })

  it("shows the control characters of tasks, and does not obey them", () => {
    const text = lines(sample, { columns: 200, rows: 60 }).map(({ text }) => text).join("")

    assert.include(text, "owned")
    assert.notInclude(text, "\u001B")
  })
})

describe("ratesOf", () => {
  it("counts by the second, and not over a restart", () => {
    const later = { ...stats, submitted: 130, succeeded: 95 }

    assert.deepStrictEqual(ratesOf(sample, 12_000, later), { submitted: 15, succeeded: 2.5, failed: 0, retries: 0 })
    assert.isNull(ratesOf(undefined, 12_000, later))
    assert.isNull(ratesOf(sample, 12_000, { ...later, epoch: "1".repeat(32) }))
  })
})
