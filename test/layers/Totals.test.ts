import { assert, describe, it } from "@effect/vitest"
import { kindIndex, kinds, makeBuckets } from "../../src/layers/Buckets.ts"
import * as Histogram from "../../src/layers/Histogram.ts"
import { makeTypeRates } from "../../src/layers/TypeRates.ts"
import { makeRandom } from "../harness/random.ts"

const tiers = [{ step: 10, size: 8 }, { step: 40, size: 6 }] as const

const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0)

describe("totals", () => {
  it("are what was counted since the start, whatever has left the buckets, and never fall", () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = makeRandom(seed)
      const buckets = makeBuckets(tiers, 0)
      const counted = kinds.map(() => 0)
      let at = 0
      let waits = 0
      let millis = 0
      let before = buckets.totals()
      for (let i = 0; i < 500; i++) {
        at += random() < 0.05 ? random() * 300 : random() * 5
        const kind = Math.floor(random() * kinds.length)
        buckets.count(kind, at)
        counted[kind] = (counted[kind] ?? 0) + 1
        // Taken back: it was counted all the same.
        if (random() < 0.1) buckets.uncount(kind, at - random() * 20)
        if (random() < 0.5) {
          const waited = random() * 10_000
          buckets.waited(Histogram.binOf(waited))
          waits++
          millis += waited
        }
        const now = buckets.totals()
        for (const index of kinds.keys()) {
          assert.isAtLeast(now.counts[index] ?? -1, before.counts[index] ?? 0, `seed ${seed}, step ${i}`)
        }
        assert.isAtLeast(now.wait.micros, before.wait.micros)
        before = now
      }
      assert.deepStrictEqual([...before.counts], counted, `seed ${seed}`)
      assert.strictEqual(sum(before.wait.counts), waits)
      assert.closeTo(before.wait.micros / 1_000, millis, 0.03 * millis)
      assert.strictEqual(sum(before.run.counts), 0)
    }
  })

  it("put a duration below the first bound that is not shorter than it", () => {
    const buckets = makeBuckets(tiers, 0)
    const random = makeRandom(7)
    for (let i = 0; i < 2_000; i++) {
      const millis = 2 ** (random() * 30 - 4)
      const before = buckets.totals().run.counts
      buckets.ran(Histogram.binOf(millis))
      const octave = buckets.totals().run.counts.findIndex((count, index) => count !== before[index])
      assert.isBelow(millis, Histogram.endOf(octave))
      assert.isAtLeast(millis, Histogram.endOf(octave - 1))
    }
  })

  it("of types beyond the two hundredth are counted together", () => {
    const types = makeTypeRates()
    for (let i = 0; i < 230; i++) types.touch(`type-${i}`, 1_000).buckets.count(kindIndex.accepted, 1_000)

    const all = [...types.all()].map(({ buckets, name }) => [name, buckets.totals().counts[kindIndex.accepted]])

    assert.strictEqual(all.length, 201)
    assert.deepStrictEqual(all.at(-1), ["", 30])
    assert.isTrue(all.slice(0, 200).every(([, count]) => count === 1))
  })
})
