import { assert, describe, it } from "@effect/vitest"
import { makeIdIndex } from "../../src/layers/IdIndex.ts"
import { makeRandom } from "../harness/random.ts"

describe("index of ids", () => {
  it("finds what a map finds, over random sequences that fill it", () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = makeRandom(seed)
      const places = 1 + Math.floor(random() * 40)
      const ids = Array.from({ length: places }, () => "")
      const index = makeIdIndex(places, (place) => ids[place] as string)
      const model = new Map<string, number>()
      for (let i = 0; i < 2_000; i++) {
        const place = Math.floor(random() * places)
        const before = ids[place] as string
        if (before !== "") {
          index.remove(place)
          ids[place] = ""
          model.delete(before)
        }
        const id = `task-${Math.floor(random() * 3 * places)}`
        if (random() < 0.8) {
          ids[place] = id
          const known = index.add(place, id)
          assert.strictEqual(known, model.get(id) ?? -1)
          if (known >= 0) ids[place] = ""
          else model.set(id, place)
        }
        const asked = `task-${Math.floor(random() * 3 * places)}`
        assert.strictEqual(index.find(asked), model.get(asked) ?? -1, `seed ${seed}, step ${i}`)
      }
    }
  })

  it("finds every one of many ids, and none that is gone", () => {
    const ids = Array.from({ length: 20_000 }, (_, i) => `${i}-${(i * 7_919) % 10_007}`)
    const index = makeIdIndex(ids.length, (place) => ids[place] as string)
    for (const [place, id] of ids.entries()) index.add(place, id)

    assert.isTrue(ids.every((id, place) => index.find(id) === place))
    for (let place = 0; place < ids.length; place += 2) index.remove(place)

    assert.isTrue(ids.every((id, place) => index.find(id) === (place % 2 === 0 ? -1 : place)))
  })
})
