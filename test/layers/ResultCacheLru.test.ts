import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { defaults } from "../../src/domain/Settings.ts"
import * as ResultCacheLru from "../../src/layers/ResultCacheLru.ts"
import { ResultCache } from "../../src/services/ResultCache.ts"
import { Settings } from "../../src/services/Settings.ts"
import { makeOutcome } from "./records.ts"

const make = (options: Partial<Parameters<typeof ResultCacheLru.makeUnsafe>[0]> = {}) =>
  ResultCacheLru.makeUnsafe({
    resultCacheSize: 100,
    resultCacheBytes: 1_000_000,
    resultCacheTtlMillis: 1_000,
    tombstones: 100,
    ...options
  })

const kept = (cache: ResultCache["Service"]) => [...cache.outcomes()].map(({ id }) => id)
const { outcomeOverheadBytes } = ResultCacheLru

describe("bounds", () => {
  it("keeps as many outcomes as the bound says, the least recently used go first", () => {
    const cache = make({ resultCacheSize: 2 })

    for (const id of ["a", "b", "c"]) cache.put(makeOutcome(id), 1, 0, Infinity)

    assert.deepStrictEqual([cache.size(), kept(cache)], [2, ["c", "b"]])
  })

  it("never keeps more than a large bound, nearly as many, and traces of all others", () => {
    const bound = 10_000
    const cache = make({ resultCacheSize: bound, resultCacheBytes: Infinity, tombstones: 25_000 })
    const ids = Array.from({ length: 25_000 }, (_, i) => `task-${i}`)

    for (const [i, id] of ids.entries()) {
      cache.put(makeOutcome(id), i, 0, Infinity)
      assert.isAtMost(cache.size(), bound)
    }

    assert.isAbove(cache.size(), 0.99 * bound)
    assert.deepStrictEqual(kept(cache), ids.slice(-cache.size()).toReversed())
    assert.strictEqual(cache.bytes(), cache.size() * outcomeOverheadBytes)
    for (const [i, id] of ids.entries()) assert.strictEqual(cache.recall(id)?.fingerprint, i)
  })

  it("takes one that is asked for as used", () => {
    const cache = make({ resultCacheSize: 2 })
    cache.put(makeOutcome("a"), 1, 0, Infinity)
    cache.put(makeOutcome("b"), 1, 0, Infinity)

    const asked = cache.get("a", 0)
    cache.put(makeOutcome("c"), 1, 0, Infinity)

    assert.strictEqual(asked?.id, "a")
    assert.deepStrictEqual(kept(cache), ["c", "a"])
  })

  it("does not take one that is merely remembered as used", () => {
    const cache = make({ resultCacheSize: 2 })
    cache.put(makeOutcome("a"), 1, 0, Infinity)
    cache.put(makeOutcome("b"), 1, 0, Infinity)

    cache.recall("a")
    cache.put(makeOutcome("c"), 1, 0, Infinity)

    assert.deepStrictEqual(kept(cache), ["c", "b"])
  })

  it("keeps as many bytes as the bound says", () => {
    const cache = make({ resultCacheBytes: 2 * outcomeOverheadBytes + 100 })

    cache.put(makeOutcome("a", 50), 1, 0, Infinity)
    cache.put(makeOutcome("b", 50), 1, 0, Infinity)
    const full = [cache.size(), cache.bytes()]
    cache.put(makeOutcome("c", 51), 1, 0, Infinity)

    assert.deepStrictEqual(full, [2, 2 * outcomeOverheadBytes + 100])
    assert.deepStrictEqual(kept(cache), ["c"])
    assert.strictEqual(cache.bytes(), outcomeOverheadBytes + 51)
  })

  it("keeps only the trace of an outcome that is larger than the bound, and drops no other for it", () => {
    const cache = make({ resultCacheBytes: outcomeOverheadBytes + 10 })
    cache.put(makeOutcome("small", 10), 1, 0, Infinity)

    cache.put(makeOutcome("large", 11), 2, 0, Infinity)

    assert.isUndefined(cache.get("large", 0))
    assert.deepStrictEqual(cache.recall("large"), { state: "succeeded", fingerprint: 2 })
    assert.deepStrictEqual(kept(cache), ["small"])
  })

  it("keeps no outcome, but traces, with a size of 0", () => {
    const cache = make({ resultCacheSize: 0 })

    cache.put(makeOutcome("a"), 3, 0, Infinity)

    assert.strictEqual(cache.size(), 0)
    assert.deepStrictEqual(cache.recall("a"), { state: "succeeded", fingerprint: 3 })
  })
})

describe("age", () => {
  for (const start of [0, 12_345.6]) {
    it(`gives an outcome out until it is as old as the bound says, from ${start}`, () => {
      const cache = make()
      cache.put(makeOutcome("a"), 1, start, Infinity)

      const young = cache.get("a", start + 1_000)
      const old = cache.get("a", start + 1_001)

      assert.strictEqual(young?.id, "a")
      assert.isUndefined(old)
      assert.deepStrictEqual(cache.recall("a"), { state: "succeeded", fingerprint: 1 })
    })
  }

  it("is not renewed by asking", () => {
    const cache = make()
    cache.put(makeOutcome("a"), 1, 0, Infinity)

    for (let now = 0; now <= 1_000; now += 100) assert.isDefined(cache.get("a", now))

    assert.isUndefined(cache.get("a", 1_001))
  })

  it("frees the bytes of what is past it when told the time", () => {
    const cache = make()
    cache.put(makeOutcome("a", 10), 1, 0, Infinity)
    cache.put(makeOutcome("b", 10), 1, 500, Infinity)

    cache.expire(1_200)

    assert.deepStrictEqual([cache.size(), cache.bytes()], [1, outcomeOverheadBytes + 10])
    assert.deepStrictEqual(kept(cache), ["b"])
    assert.isDefined(cache.recall("a"))
  })
})

describe("forget", () => {
  it("leaves nothing of an outcome, kept or evicted, and all of the others", () => {
    const cache = make({ resultCacheSize: 1 })
    for (const id of ["a", "b"]) cache.put(makeOutcome(id), 1, 0, Infinity)
    cache.put(makeOutcome("c", 10), 1, 0, Infinity)

    cache.forget("a")
    cache.forget("c")
    cache.forget("never there")

    assert.deepStrictEqual([cache.recall("a"), cache.recall("c"), cache.size(), cache.bytes()], [
      undefined,
      undefined,
      0,
      0
    ])
    assert.isDefined(cache.recall("b"))
  })
})

describe("recall", () => {
  it("tells state and fingerprint of an outcome while it is kept and after it was evicted", () => {
    const cache = make({ resultCacheSize: 1 })
    cache.put({ ...makeOutcome("a"), state: "failed" }, 7, 0, Infinity)
    const whileKept = cache.recall("a")
    cache.put(makeOutcome("b"), 8, 0, Infinity)

    assert.strictEqual(whileKept?.state, "failed")
    assert.strictEqual(whileKept?.fingerprint, 7)
    assert.deepStrictEqual(cache.recall("a"), { state: "failed", fingerprint: 7 })
    assert.isUndefined(cache.recall("never"))
  })

  it("remembers as many evicted outcomes as there are tombstones", () => {
    const cache = make({ resultCacheSize: 1, tombstones: 3 })

    for (let i = 0; i < 10; i++) cache.put(makeOutcome(`${i}`), i, 0, Infinity)

    const remembered = Array.from({ length: 10 }, (_, i) => cache.recall(`${i}`)?.fingerprint)
    assert.deepStrictEqual(remembered.slice(0, 3), [undefined, undefined, undefined])
    assert.deepStrictEqual(remembered.slice(6), [6, 7, 8, 9])
  })

  it("forgets last what was asked for last", () => {
    const cache = make({ resultCacheSize: 0, tombstones: 2 })
    cache.put(makeOutcome("a"), 1, 0, Infinity)

    for (let i = 0; i < 10; i++) {
      cache.put(makeOutcome(`${i}`), 2, 0, Infinity)
      assert.isDefined(cache.recall("a"))
    }

    assert.isUndefined(cache.recall("0"))
  })
})

describe("layer", () => {
  it.effect("is bounded by the settings", () =>
    Effect.gen(function*() {
      const cache = yield* ResultCache
      for (let i = 0; i < 10; i++) cache.put(makeOutcome(`${i}`), 1, 0, Infinity)

      assert.strictEqual(cache.size(), 4)
    }).pipe(
      Effect.provide(ResultCacheLru.layer),
      Effect.provideService(Settings, { ...defaults, resultCacheSize: 4 })
    ))
})
