import { describe, expect, it } from "vitest"
import { Ids } from "../src/Ids.ts"
import { makeRandom } from "./random.ts"

describe("Ids", () => {
  it("count up, wrap within the ids with the top bit set, and pass over those in use", () => {
    const ids = new Ids<{ readonly id: number }>(0xffff_fffe)
    ids.set({ id: 0x8000_0001 | 0 })

    const taken = Array.from({ length: 4 }, () => ids.take() >>> 0)

    expect(taken).toEqual([0xffff_fffe, 0xffff_ffff, 0x8000_0000, 0x8000_0002])
  })

  it("start at random", () => {
    expect(new Set(Array.from({ length: 20 }, () => new Ids().take())).size).toBeGreaterThan(15)
  })

  it("find what is set and not deleted, in the order it came, across the wrap and however much it is", () => {
    const ids = new Ids<{ readonly id: number; readonly number: number }>(0xffff_f000)
    const kept = new Map<number, { readonly id: number; readonly number: number }>()
    const random = makeRandom(7)
    let most = 0
    for (let number = 0; number < 60_000; number++) {
      // Waves: up to thousands at once, then down to none.
      const grows = Math.floor(number / 10_000) % 2 === 0
      if (kept.size === 0 || random(10) < (grows ? 8 : 2)) {
        const item = { id: ids.take(), number }
        expect(kept.has(item.id)).toBe(false)
        ids.set(item)
        kept.set(item.id, item)
      } else {
        // One of the oldest.
        let gone = 0
        let skipped = random(50)
        for (const id of kept.keys()) {
          gone = id
          if (skipped-- === 0) break
        }
        ids.delete(gone)
        ids.delete(gone)
        kept.delete(gone)
        expect(ids.get(gone)).toBe(undefined)
      }
      most = Math.max(most, kept.size)
      expect(ids.size).toBe(kept.size)
    }

    expect(most).toBeGreaterThan(5_000)
    for (const [id, item] of kept) expect(ids.get(id)).toBe(item)
    expect(ids.all()).toEqual([...kept.values()])
    for (const id of kept.keys()) ids.delete(id)
    expect([ids.size, ids.all()]).toEqual([0, []])
    expect(ids.get(ids.take())).toBe(undefined)
  })
})
