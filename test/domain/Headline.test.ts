import { assert, describe, it } from "@effect/vitest"
import type { Situation } from "../../src/domain/Headline.ts"
import { headline } from "../../src/domain/Headline.ts"

const well: Situation = {
  isDraining: false,
  paused: [],
  ready: 3,
  running: 8,
  workers: 2,
  slots: 16,
  arriving: 20,
  finishing: 20,
  finished: 1_200,
  failed: 12,
  lost: []
}
const lost = [{ id: "wkr-lon-01", key: "k/1", millis: 38_000 }]
const growth = { perSecond: 2.6, priority: "normal", change: 2.6 } as const

const said = (changes: Partial<Situation>) => {
  const { cause, kind, title, tone } = headline({ ...well, ...changes })
  return [tone, kind, title, ...cause.map(({ text, to }) => to === undefined ? text : `${text} → ${to}`)]
}

describe("headline", () => {
  it("says that it shuts down before anything else", () => {
    assert.deepStrictEqual(said({ isDraining: true, journal: "disk full", paused: ["all"] }), [
      "warn",
      "draining",
      "Shutting down.",
      "Waiting for 8 tasks to finish; nothing new starts."
    ])
    assert.deepStrictEqual(said({ isDraining: true, running: 0 }).at(-1), "Nothing runs any more.")
  })

  it("says that the journal can't be written, then that it is paused", () => {
    assert.deepStrictEqual(said({ journal: "the disk is full", paused: ["all"] }), [
      "bad",
      "journal",
      "The journal can't be written.",
      "New tasks are refused until it can: the disk is full. → /system"
    ])
    assert.deepStrictEqual(said({ paused: ["task:a", "all"], workers: 0 }), [
      "warn",
      "paused",
      "Paused.",
      "Nothing starts until it is resumed; 3 tasks are ready to run. → /tasks?state=queued"
    ])
  })

  it("does not call itself paused when a task type is", () => {
    assert.strictEqual(said({ paused: ["task:a"] })[1], "well")
  })

  it("says that tasks are ready and no worker is there", () => {
    assert.deepStrictEqual(said({ workers: 0, slots: 0, ready: 1_234, growth, lost }), [
      "bad",
      "no-worker",
      "No worker.",
      "1,234 tasks are ready and nobody can run them. → /workers",
      "wkr-lon-01 stopped answering 38 s ago; what it ran was queued again. → /workers/k%2F1"
    ])
    assert.strictEqual(said({ workers: 0, ready: 1 })[3], "1 task is ready and nobody can run it. → /workers")
  })

  it("says that it falls behind when what is ready grows and all slots are busy, and how many workers are missing", () => {
    const behind = { growth, running: 16, arriving: 24, finishing: 20, failed: 600, lost }
    assert.deepStrictEqual(said(behind), [
      "warn",
      "falling-behind",
      "Falling behind, one worker short.",
      "wkr-lon-01 stopped answering 38 s ago; what it ran was queued again. → /workers/k%2F1",
      "Normal grows by 2.6 tasks a second, and all 16 slots are busy. → /tasks?state=queued&priority=normal"
    ])
    assert.strictEqual(said({ ...behind, arriving: 60 })[2], "Falling behind, four workers short.")
    assert.strictEqual(said({ ...behind, arriving: 20 })[2], "Falling behind.")
    assert.strictEqual(said({ ...behind, finishing: 0 })[2], "Falling behind.")
  })

  it("does not fall behind while there are free slots", () => {
    assert.strictEqual(said({ growth, running: 15 })[1], "well")
  })

  it("says that tasks fail, from more than 5 % of at least 20", () => {
    assert.deepStrictEqual(said({ finished: 20, failed: 2, failingMost: "webhook.deliver", lost }), [
      "bad",
      "failing",
      "10 % of tasks fail.",
      "2 of the 20 that finished in the last minute failed, most of them webhook.deliver. → /errors"
    ])
    assert.strictEqual(said({ finished: 20, failed: 1 })[1], "well")
    assert.strictEqual(said({ finished: 19, failed: 19 })[1], "well")
  })

  it("says that workers were lost", () => {
    assert.deepStrictEqual(said({ lost }).slice(0, 3), ["warn", "worker-lost", "A worker was lost."])
    const two = [...lost, { id: "b", key: "b", millis: 93_000 }]
    assert.deepStrictEqual([said({ lost: two })[2], said({ lost: two })[4]], [
      "2 workers were lost.",
      "b stopped answering 1 m 33 s ago; what it ran was queued again. → /workers/b"
    ])
  })

  it("says that there is nothing to do, or that all is well", () => {
    assert.deepStrictEqual(said({ ready: 0, running: 0 }), ["idle", "idle", "Nothing to do."])
    assert.deepStrictEqual(said({ ready: 0, running: 0, workers: 0 }), [
      "idle",
      "idle",
      "Nothing to do.",
      "No worker is connected. → /workers"
    ])
    assert.deepStrictEqual(said({}), ["good", "well", "Running well."])
    assert.strictEqual(said({ ready: 0 })[1], "well")
  })
})
