import { assert, describe, it } from "@effect/vitest"
import { IdMap } from "../../src/domain/IdMap.ts"
import { makeRandom } from "../harness/random.ts"

interface Item {
  readonly id: string | number
  readonly value: number
}

describe("IdMap", () => {
  it("does what a Map does, in the same order", () => {
    const random = makeRandom(7)
    for (let round = 0; round < 200; round++) {
      const map = new IdMap<Item>()
      const model = new Map<string | number, Item>()
      const choices = 1 + Math.floor(random() * 80)
      const sets = random()
      for (let step = 0; step < 400; step++) {
        const number = Math.floor(random() * choices)
        const id = random() < 0.5 ? number : `task ${number}`
        const known = model.get(id)
        assert.strictEqual(map.get(id), known)
        assert.strictEqual(map.has(id), known !== undefined)
        if (random() < sets) {
          const item = { id, value: step }
          assert.strictEqual(map.set(item), known)
          model.set(id, item)
        } else if (random() < 0.2) {
          const [oldest] = model.values()
          assert.strictEqual(map.shift(), oldest)
          if (oldest !== undefined) model.delete(oldest.id)
        } else {
          assert.strictEqual(map.take(id), known)
          model.delete(id)
        }
        assert.strictEqual(map.size, model.size)
        assert.strictEqual(map.first(), [...model.values()][0])
      }
      assert.deepStrictEqual([...map], [...model.values()])
    }
  })

  it("closes its gaps while items come and go, and keeps their order", () => {
    const map = new IdMap<Item>()
    for (let i = 0; i < 100_000; i++) {
      map.set({ id: i, value: i })
      if (i >= 1_000) assert.isTrue(map.delete(i - 1_000))
      if (i % 9_973 === 0) {
        const from = Math.max(0, i - 999)
        assert.deepStrictEqual(
          map.values().map(({ id }) => id),
          Array.from({ length: i - from + 1 }, (_, k) => from + k)
        )
      }
    }
    assert.strictEqual(map.size, 1_000)
  })

  it("begins anew when everything has gone", () => {
    const map = new IdMap<Item>()
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 20_000; i++) map.set({ id: `task ${i}`, value: round })
      for (let i = 0; i < 20_000; i++) assert.strictEqual(map.take(`task ${i}`)?.value, round)
      assert.deepStrictEqual([map.size, map.first(), map.values()], [0, undefined, []])
    }
  })

  it("lets a loop delete what it goes through", () => {
    const map = new IdMap<Item>()
    for (let i = 0; i < 100; i++) map.set({ id: i, value: i })
    let seen = 0
    for (const { id } of map) {
      seen++
      map.delete(id)
      map.set({ id: `${id}`, value: 0 })
    }
    assert.deepStrictEqual([seen, map.size], [100, 100])
  })
})
