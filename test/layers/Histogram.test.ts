import { assert, describe, it } from "@effect/vitest"
import * as Histogram from "../../src/layers/Histogram.ts"
import { makeRandom } from "../harness/random.ts"

const counted = (durations: ReadonlyArray<number>) => {
  const histogram = Histogram.make()
  for (const millis of durations) Histogram.count(histogram, Histogram.binOf(millis))
  return histogram
}

/** By the nearest rank. */
const exactly = (sorted: ReadonlyArray<number>, share: number) => sorted[Math.ceil(share * sorted.length) - 1] as number

/** Durations as they are: most short, some very long. */
const durations = (random: () => number, count: number) =>
  Array.from({ length: count }, () => 0.02 * Math.exp(random() * random() * 20))

describe("histogram", () => {
  it("has nothing to tell when nothing was counted", () => {
    assert.isUndefined(Histogram.percentiles(Histogram.make()))
    assert.isUndefined(Histogram.freeze(Histogram.make()))
  })

  it("tells percentiles that are less than 3 % off, over random durations", () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = makeRandom(seed)
      const all = durations(random, 1 + Math.floor(random() * 2_000))
      const sorted = all.toSorted((a, b) => a - b)

      const told = Histogram.percentiles(counted(all))

      assert.strictEqual(told?.count, all.length)
      for (const [share, value] of [[0.5, told?.p50], [0.95, told?.p95], [0.99, told?.p99]] as const) {
        const exact = exactly(sorted, share)
        assert.isBelow(Math.abs((value ?? 0) - exact) / exact, 0.035, `seed ${seed}, ${share}: ${value} and ${exact}`)
      }
    }
  })

  it("tells of one duration what is less than 3 % off, wherever it stands", () => {
    for (let millis = 0.02; millis < 8e8; millis *= 1.013) {
      const bin = Histogram.binOf(millis)
      const middle = 2 ** ((bin + 0.5) / 12 - 6)

      assert.isBelow(Math.abs(middle - millis) / millis, 0.03)
    }
  })

  it("takes what is too short, too long or no number at all", () => {
    assert.deepStrictEqual([0, -1, NaN, 1e-9].map(Histogram.binOf), [0, 0, 0, 0])
    assert.deepStrictEqual([1e12, Infinity].map(Histogram.binOf), [Histogram.bins - 1, Histogram.bins - 1])
  })

  it("says the same when it is added up from parts", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = makeRandom(seed)
      const parts = Array.from({ length: 5 }, () => durations(random, Math.floor(random() * 300)))

      const sum = Histogram.make()
      for (const part of parts) {
        const frozen = Histogram.freeze(counted(part))
        if (frozen !== undefined) Histogram.add(sum, frozen)
      }

      assert.deepStrictEqual(sum, counted(parts.flat()))
    }
  })

  it("is empty again after a reset", () => {
    const histogram = counted([1, 10, 100])

    Histogram.reset(histogram)

    assert.deepStrictEqual(histogram, Histogram.make())
  })
})
