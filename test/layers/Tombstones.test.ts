import { assert, describe, it } from "@effect/vitest"
import { FinalState } from "../../src/domain/TaskState.ts"
import { makeTombstones } from "../../src/layers/Tombstones.ts"
import { makeRandom } from "../harness/random.ts"

describe("makeTombstones", () => {
  it("tells of each what was said last, and nothing of others", () => {
    const random = makeRandom(1)
    const tombstones = makeTombstones(20_000)
    const expected = new Map<string, { state: FinalState; fingerprint: number }>()

    for (let i = 0; i < 9_000; i++) {
      const id = `task-${Math.floor(random() * 5_000)}`
      const state = FinalState.literals[Math.floor(random() * 4)] as FinalState
      const fingerprint = Math.floor(random() * Number.MAX_SAFE_INTEGER)
      tombstones.set(id, state, fingerprint)
      expected.set(id, { state, fingerprint })
    }

    for (const [id, said] of expected) assert.deepStrictEqual(tombstones.get(id), said)
    for (let i = 0; i < 5_000; i++) assert.isUndefined(tombstones.get(`other-${i}`))
  })

  it("remembers those that were named last, and at most twice as many", () => {
    const tombstones = makeTombstones(10)
    const ids = Array.from({ length: 500 }, (_, i) => `${i}`)

    ids.forEach((id, i) => {
      tombstones.set(id, "failed", i)
      assert.isDefined(tombstones.get("0"))
      for (const newer of ids.slice(Math.max(0, i - 7), i + 1)) assert.isDefined(tombstones.get(newer))
      if (i > 20) assert.isUndefined(tombstones.get(`${i - 20}`))
    })
  })

  it("takes back what it was told of one, and of nothing else", () => {
    const tombstones = makeTombstones(60)
    const ids = Array.from({ length: 80 }, (_, i) => `${i}`)
    for (const id of ids) tombstones.set(id, "succeeded", Number(id))

    for (const id of ids) {
      if (Number(id) % 2 === 0) tombstones.delete(id)
    }
    tombstones.delete("never")

    for (const id of ids) {
      assert.strictEqual(tombstones.get(id)?.fingerprint, Number(id) % 2 === 0 ? undefined : Number(id))
    }
    tombstones.set("4", "failed", 44)
    assert.deepStrictEqual(tombstones.get("4"), { state: "failed", fingerprint: 44 })
  })

  it("remembers the newest with the smallest bound", () => {
    const tombstones = makeTombstones(1)

    tombstones.set("a", "succeeded", 1)
    tombstones.set("b", "cancelled", 2)

    assert.deepStrictEqual(tombstones.get("b"), { state: "cancelled", fingerprint: 2 })
  })
})
