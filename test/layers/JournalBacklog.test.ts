import { assert, describe, it } from "@effect/vitest"
import { condense } from "../../src/layers/JournalBacklog.ts"
import type { Change } from "../../src/layers/JournalMessage.ts"
import type { JournalBounds } from "../../src/services/Journal.ts"
import { accepted, bounds, changed, finished } from "../harness/Journals.ts"

const checkpoint = (id: string, byte: number): Change => ({ type: "checkpoint", id, body: Uint8Array.of(byte) })
const put = (key: string, value: string | undefined): Change => ({ type: "put", kind: "unique", key, value })
const ended = (id: string): Change => ({ type: "ended", id })

const condensed = (changes: ReadonlyArray<Change>, limits: JournalBounds = bounds) =>
  condense(changes.map((change, index) => ({ change, position: index + 1 })), limits)

describe("condense", () => {
  it("keeps the last state, checkpoint and value of each thing, with their numbers and in their order", () => {
    const kept = condensed([
      changed("a", 1),
      checkpoint("a", 1),
      changed("b", 1),
      put("k", "1"),
      put("other", "1"),
      changed("a", 2),
      checkpoint("a", 2),
      put("k", undefined)
    ])

    assert.deepStrictEqual(kept, [
      { position: 3, change: changed("b", 1) },
      { position: 5, change: put("other", "1") },
      { position: 6, change: changed("a", 2) },
      { position: 7, change: checkpoint("a", 2) },
      { position: 8, change: put("k", undefined) }
    ])
  })

  it("keeps nothing of a finished task but its outcome, and what a task with the same id was later", () => {
    const kept = condensed([
      changed("a", 1),
      checkpoint("a", 1),
      finished("a"),
      { type: "forgotten", id: "a" },
      accepted("a"),
      changed("a", 2),
      changed("a", 3)
    ])

    assert.deepStrictEqual(kept.map(({ position }) => position), [3, 4, 5, 7])
  })

  it("keeps the state from before an acceptance that is still to be stored, of a task that has ended since", () => {
    const kept = condensed([changed("a", 1), accepted("a"), changed("a", 2)])

    assert.deepStrictEqual(kept.map(({ position }) => position), [1, 2, 3])
  })

  it("keeps no more outcomes than the bounds allow, the newest, and the end of the others", () => {
    const changes = ["a", "b", "c"].map((id) => finished(id, { body: new Uint8Array(85) }))

    const byCount = condensed(changes, { ...bounds, maxOutcomes: 2 })
    // A record of 15 characters and a body of 85 bytes.
    const byBytes = condensed(changes, { ...bounds, maxOutcomeBytes: 199 })

    assert.deepStrictEqual(byCount.map(({ change }) => change), [ended("a"), ...changes.slice(1)])
    assert.deepStrictEqual(byBytes.map(({ change }) => change), [ended("a"), ended("b"), ...changes.slice(2)])
  })

  it("keeps the outcomes of dead tasks within the bounds of those too", () => {
    const changes = ["a", "b", "c", "d"].map((id) => finished(id, { isDead: id !== "b", body: new Uint8Array(85) }))

    const byCount = condensed(changes, { ...bounds, maxOutcomes: 1, maxDead: 2 })
    const byBytes = condensed(changes, { ...bounds, maxOutcomes: 0, maxDeadBytes: 199 })

    assert.deepStrictEqual(byCount.map(({ change }) => change), [ended("a"), ended("b"), ...changes.slice(2)])
    assert.deepStrictEqual(byBytes.map(({ change }) => change), [ended("a"), ended("b"), ended("c"), changes[3]])
  })
})
