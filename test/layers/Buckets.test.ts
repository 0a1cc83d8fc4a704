import { assert, describe, it } from "@effect/vitest"
import type { Buckets } from "../../src/layers/Buckets.ts"
import { kindIndex, kinds, makeBuckets } from "../../src/layers/Buckets.ts"
import * as Histogram from "../../src/layers/Histogram.ts"
import { makeRandom } from "../harness/random.ts"

const tiers = [{ step: 10, size: 8 }, { step: 40, size: 6 }, { step: 120, size: 5 }] as const

interface Counted {
  readonly kind: number
  readonly at: number
}

/** What stands in the buckets of a tier, by their numbers. */
const countsOf = (buckets: Buckets, depth: number, size = 100) =>
  new Map([...buckets.read(depth, size)].map(({ counts, index }) => [index, counts]))

/** The same, counted one by one. */
const naive = (all: ReadonlyArray<Counted>, step: number, index: number) =>
  kinds.map((_, kind) => all.filter((one) => one.kind === kind && Math.floor(one.at / step) === index).length)

describe("buckets", () => {
  it("count what a list counts, in each tier, over random times with gaps", () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = makeRandom(seed)
      let at = 1_000 + Math.floor(random() * 500)
      const buckets = makeBuckets(tiers, at)
      const all: Array<Counted> = []
      for (let i = 0; i < 400; i++) {
        at += random() < 0.03 ? random() * 400 : random() * 6
        const kind = Math.floor(random() * kinds.length)
        buckets.count(kind, at)
        all.push({ kind, at })
        if (random() < 0.1) buckets.roll(at)
        if (i % 50 !== 49) continue
        for (const [depth, { size, step }] of tiers.entries()) {
          const last = Math.floor(at / step)
          const told = countsOf(buckets, depth)
          assert.strictEqual(told.size, size)
          for (let index = last - size + 1; index <= last; index++) {
            assert.deepStrictEqual(told.get(index), naive(all, step, index), `seed ${seed}, tier ${depth}, ${index}`)
          }
        }
      }
    }
  })

  it("add up how long things took, the bucket that is open included", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = makeRandom(seed)
      const buckets = makeBuckets(tiers, 0)
      const all = Histogram.make()
      let at = 0
      for (let i = 0; i < 60; i++) {
        at += random() * 1.5
        buckets.count(kindIndex.started, at)
        const bin = Histogram.binOf(random() * 1_000)
        buckets.waited(bin)
        Histogram.count(all, bin)
      }

      for (const depth of [1, 2]) {
        const wait = Histogram.make()
        for (const bucket of buckets.read(depth, 100)) bucket.addTo(wait, Histogram.make())
        assert.deepStrictEqual(wait, all)
      }
    }
  })

  it("say how much there was at the end of each step, and nothing of before they began", () => {
    let waiting = 0
    const buckets = makeBuckets(tiers, 100, () => ({ waiting, running: 2 * waiting }))
    for (const [at, now] of [[105, 1], [115, 2], [145, 3]] as const) {
      buckets.roll(at)
      waiting = now
    }

    const told = [...buckets.read(0, 8)].map(({ index, levels }) => [index, levels?.waiting])

    // The steps from 120 to 140 had no call: it was as it was when they were over.
    assert.deepStrictEqual(told, [
      [7, undefined],
      [8, undefined],
      [9, undefined],
      [10, 1],
      [11, 2],
      [12, 2],
      [13, 2],
      [14, 3]
    ])
  })

  it("leave the open step out when they are told to", () => {
    const buckets = makeBuckets(tiers, 0)
    for (const at of [1, 11, 21]) buckets.count(kindIndex.accepted, at)

    assert.deepStrictEqual([...buckets.read(0, 2, false)].map(({ index }) => index), [0, 1])
    assert.deepStrictEqual([...buckets.read(0, 2)].map(({ index }) => index), [1, 2])
  })

  it("take back what was counted, in every tier that has it", () => {
    const buckets = makeBuckets(tiers, 0)
    const sums = () =>
      tiers.map((_, depth) => [...buckets.read(depth, 100)].reduce((sum, { counts }) => sum + (counts[0] ?? 0), 0))
    for (const at of [1, 15, 45]) buckets.count(kindIndex.accepted, at)

    buckets.uncount(kindIndex.accepted, 15)
    assert.deepStrictEqual(sums(), [2, 2, 2])
    buckets.uncount(kindIndex.accepted, 45)
    assert.deepStrictEqual(sums(), [1, 1, 1])
    buckets.uncount(kindIndex.accepted, 45)
    buckets.uncount(kindIndex.accepted, 99_999)
    assert.deepStrictEqual(sums(), [1, 1, 1])
  })
})
