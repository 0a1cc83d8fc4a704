import { assert, describe, it } from "@effect/vitest"
import type { Unique } from "../../src/domain/Task.ts"
import { makeUniqueKeys } from "../../src/layers/UniqueKeys.ts"
import { makeRandom } from "../model/Random.ts"
import { makeTask } from "./records.ts"

const make = (maxUniqueKeys = 100) => {
  const expired: Array<string> = []
  return { expired, uniques: makeUniqueKeys({ maxUniqueKeys }, (name, key) => expired.push(`${name} ${key}`)) }
}

const task = (id: string, key: string, options: Partial<Unique> = {}, name = "t") =>
  makeTask(0, { id, name, options: { unique: { key, while: "unfinished", onConflict: "reject", ...options } } })

describe("a unique key", () => {
  it("is held by the task that took it, for its own name only", () => {
    const { uniques } = make()

    uniques.hold(task("1", "k"), 0)
    uniques.hold(task("2", "k", {}, "other"), 0)

    const found = [["t", "k"], ["other", "k"], ["t", "other"], ["none", "k"]] as const
    assert.deepStrictEqual(found.map(([name, key]) => uniques.find(name, key, 0)), ["1", "2", undefined, undefined])
    assert.strictEqual(uniques.size(), 2)
  })

  it("is not taken from its holder by another task, and freed by its holder only", () => {
    const { uniques } = make()
    const [holder, other] = [task("1", "k"), task("2", "k")]
    uniques.hold(holder, 0)

    assert.isUndefined(uniques.hold(other, 0))
    uniques.release(other)
    uniques.release(makeTask(0, { id: "1" }))
    assert.strictEqual(uniques.find("t", "k", 0), "1")
    uniques.release(holder)
    uniques.release(holder)

    assert.deepStrictEqual([uniques.find("t", "k", 0), uniques.size()], [undefined, 0])
  })

  it("can be freed for another task, whoever holds it", () => {
    const { expired, uniques } = make()
    uniques.hold(task("1", "k", { while: "period", period: 100 }), 0)

    uniques.free("t", "k")
    uniques.free("t", "k")
    uniques.hold(task("2", "k"), 0)
    uniques.release(task("1", "k"))

    assert.strictEqual(uniques.find("t", "k", 1_000), "2", "the period of the one before does not end it")
    assert.deepStrictEqual(expired, [])
  })

  it("is not asked for by a task without one", () => {
    const { uniques } = make(1)

    assert.isUndefined(uniques.hold(makeTask(0), 0))
    assert.strictEqual(uniques.size(), 0)
  })
})

describe("a period", () => {
  it("ends at its time, by itself, and is told", () => {
    const { expired, uniques } = make()
    uniques.hold(task("1", "a", { while: "period", period: 100 }), 50)
    uniques.hold(task("2", "b", { while: "period", period: 200 }), 50)

    assert.strictEqual(uniques.find("t", "a", 149), "1")
    assert.isUndefined(uniques.find("t", "a", 150))
    assert.deepStrictEqual([expired, uniques.size()], [["t a"], 1])
    uniques.expire(1_000)

    assert.deepStrictEqual([expired, uniques.size()], [["t a", "t b"], 0])
  })

  it("goes on where it stood after it was brought back, unless somebody holds the key", () => {
    const { uniques } = make()
    uniques.hold(task("3", "b"), 0)

    uniques.restore("t", "a", "1", 100)
    uniques.restore("t", "b", "2", 100)

    assert.deepStrictEqual([uniques.find("t", "a", 99), uniques.find("t", "b", 99)], ["1", "3"])
    assert.deepStrictEqual([uniques.find("t", "a", 100), uniques.find("t", "b", 100)], [undefined, "3"])
  })
})

describe("the bound", () => {
  it("refuses a key that is one too many, says so, and changes nothing", () => {
    const { uniques } = make(2)
    for (const key of ["a", "b"]) uniques.hold(task(key, key), 0)

    const refused = uniques.hold(task("c", "c"), 0)

    assert.strictEqual(refused?._tag, "BadRequest")
    assert.include(refused?.message, "the bound is 2")
    assert.deepStrictEqual([uniques.find("t", "c", 0), uniques.size()], [undefined, 2])
    uniques.release(task("a", "a"))
    assert.isUndefined(uniques.hold(task("c", "c"), 0))
    assert.strictEqual(uniques.find("t", "c", 0), "c")
  })

  it("keeps nothing of 100,000 keys that were held and released or ran out", () => {
    const { uniques } = make(1_000)
    for (let i = 0; i < 100_000; i++) {
      const key = `${i}`
      const each = task(key, key, i % 2 === 0 ? {} : { while: "period", period: 10 }, `n${i % 7}`)
      if (uniques.hold(each, i) !== undefined) assert.fail(`no room for key ${i}`)
      if (i % 2 === 0) uniques.release(each)
      uniques.expire(i)
    }
    uniques.expire(1_000_000)

    assert.strictEqual(uniques.size(), 0)
  })
})

describe("unique keys", () => {
  it("are held as a list of who holds what until when says, over random sequences", () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = makeRandom(seed)
      const max = random.between(1, 8)
      const { expired, uniques } = make(max)
      const model = new Map<string, { readonly id: string; readonly until: number }>()
      const gone: Array<string> = []
      let now = 0
      const expire = () => {
        for (const [at, { until }] of [...model].toSorted(([, a], [, b]) => a.until - b.until)) {
          if (until > now) continue
          model.delete(at)
          gone.push(at)
        }
      }
      for (let step = 0; step < 200; step++) {
        const name = random.pick(["t", "u"])
        const key = random.pick(["a", "b", "c", "d", "e"])
        const at = `${name} ${key}`
        const id = `${random.below(12)}`
        const isPeriod = random.chance(0.5)
        // Different times for each: what runs out at the same time may be told in any order.
        const period = 100 * random.between(1, 20) + step % 100
        const each = task(id, key, isPeriod ? { while: "period", period } : {}, name)
        const what = random.below(10)
        if (what < 4) {
          const isRefused = !model.has(at) && model.size >= max
          assert.strictEqual(uniques.hold(each, now) !== undefined, isRefused)
          if (!isRefused && !model.has(at)) model.set(at, { id, until: isPeriod ? now + period : Infinity })
        } else if (what < 6) {
          uniques.release(each)
          if (model.get(at)?.id === id) model.delete(at)
        } else if (what < 7) {
          uniques.free(name, key)
          model.delete(at)
        } else {
          now += random.below(400)
          uniques.expire(now)
          expire()
        }
        assert.strictEqual(uniques.find(name, key, now), model.get(at)?.id, `seed ${seed}, step ${step}`)
        assert.strictEqual(uniques.size(), model.size)
      }
      assert.deepStrictEqual(expired.toSorted(), gone.toSorted())
    }
  })
})
