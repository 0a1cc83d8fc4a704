import { assert, describe, it } from "@effect/vitest"
import type { Limits as Declared } from "../../src/domain/Message.ts"
import { makeLimits } from "../../src/layers/Limits.ts"
import { makeRandom } from "../model/Random.ts"

type Limits = ReturnType<typeof makeLimits>

const make = (declared?: Declared): Limits => {
  const limits = makeLimits()
  limits.configure("t", declared, 0)
  return limits
}

/** Asks as the core does. */
const admits = (limits: Limits, key: string, now: number) =>
  limits.admitsName("t", now) && limits.admitsKey("t", key, now)

/** Starts as many as may start, at most 1,000. */
const startAll = (limits: Limits, key: string, now: number): number => {
  let started = 0
  for (; started < 1_000 && admits(limits, key, now); started++) limits.started("t", key, now)
  return started
}

const name = { name: "t", key: "" }
const keyed = (key: string) => ({ name: "t", key })

describe("a bound", () => {
  it("lets so many run at once, and the next when one has ended", () => {
    const limits = make({ concurrency: 3 })

    assert.strictEqual(startAll(limits, "", 0), 3)
    assert.strictEqual(limits.explain("t", "", 0)?.text, `3 of 3 of "t" run at once`)
    assert.deepStrictEqual(limits.ended("t", "", 0), [name])
    assert.isUndefined(limits.explain("t", "", 0)?.text)
    assert.strictEqual(startAll(limits, "", 0), 1)
    assert.isUndefined(limits.nextWake())
  })

  it("per key lets so many of each key run at once, and tells which key may go on", () => {
    const limits = make({ keyConcurrency: 2 })

    assert.deepStrictEqual(["a", "b", "a"].map((key) => startAll(limits, key, 0)), [2, 2, 0])
    assert.strictEqual(limits.explain("t", "a", 0)?.text, `2 of 2 of "t" with the key "a" run at once`)
    assert.isUndefined(limits.explain("t", "c", 0)?.text)
    assert.deepStrictEqual(limits.ended("t", "b", 0), [keyed("b")])
    assert.deepStrictEqual([admits(limits, "a", 0), admits(limits, "b", 0)], [false, true])
  })

  it("per key is none for tasks without a key, and none of another name", () => {
    const limits = make({ keyConcurrency: 1, keyRate: { limit: 1, per: 1_000 } })

    assert.strictEqual(startAll(limits, "", 0), 1_000)
    limits.started("t", "k", 0)
    assert.isTrue(limits.admitsKey("other", "k", 0))
  })

  it("counts what ran before it was known", () => {
    const limits = makeLimits()
    for (const key of ["a", "a", ""]) limits.started("t", key, 0)

    limits.configure("t", { concurrency: 3, keyConcurrency: 2 }, 0)

    assert.deepStrictEqual([admits(limits, "", 0), limits.admitsKey("t", "a", 0)], [false, false])
    limits.ended("t", "a", 0)
    assert.deepStrictEqual([admits(limits, "", 0), limits.admitsKey("t", "a", 0)], [true, true])
  })

  it("tells nobody when nobody was turned away", () => {
    const limits = make({ concurrency: 1, keyConcurrency: 1 })
    limits.started("t", "a", 0)

    assert.deepStrictEqual(limits.ended("t", "a", 0), [])
  })
})

describe("a rate", () => {
  it("lets a full bucket start at once, then one in each part of its time", () => {
    const limits = make({ rate: { limit: 10, per: 1_000 } })

    assert.strictEqual(startAll(limits, "", 0), 10)
    assert.strictEqual(limits.explain("t", "", 60)?.text, `the rate of "t" is 10 in 1s, the next may start in 40 ms`)
    assert.deepStrictEqual([99, 100, 150, 200, 550].map((now) => startAll(limits, "", now)), [0, 1, 0, 1, 3])
    assert.strictEqual(startAll(limits, "", 100_000), 10)
  })

  it("counts starts, not ends", () => {
    const limits = make({ rate: { limit: 2, per: 1_000 } })
    startAll(limits, "", 0)

    limits.ended("t", "", 0)
    limits.ended("t", "", 0)

    assert.isFalse(admits(limits, "", 0))
  })

  it("per key is one for each key", () => {
    const limits = make({ keyRate: { limit: 2, per: 100 } })

    assert.deepStrictEqual(["a", "b", "a"].map((key) => startAll(limits, key, 0)), [2, 2, 0])
    assert.strictEqual(
      limits.explain("t", "a", 0)?.text,
      `the rate of "t" with the key "a" is 2 in 100ms, the next may start in 50 ms`
    )
  })

  it("wakes what it turned away when its token is there, and nobody else", () => {
    const limits = make({ keyRate: { limit: 1, per: 1_000 } })
    for (const [at, key] of ["a", "b", "c"].entries()) limits.started("t", key, 10 * at)
    for (const key of ["c", "a"]) assert.isFalse(limits.admitsKey("t", key, 50))

    const first = limits.nextWake() ?? NaN
    const woken = [limits.wake(first - 1), limits.wake(first)]
    assert.closeTo(first, 1_000, 0.01)
    assert.deepStrictEqual(woken, [[], [keyed("a")]])
    assert.isTrue(limits.admitsKey("t", "a", first))
    assert.deepStrictEqual(limits.wake(1_015), [])
    assert.deepStrictEqual(limits.wake(1_020), [keyed("c")])
    assert.isUndefined(limits.nextWake())
  })

  it("gives a token that was not used back", () => {
    const limits = make({ rate: { limit: 2, per: 1_000 }, keyRate: { limit: 1, per: 1_000 } })
    limits.started("t", "a", 0)
    limits.started("t", "b", 0)
    assert.isFalse(admits(limits, "a", 10))

    assert.deepStrictEqual(limits.refund("t", "a", 10), [name])
    assert.isTrue(admits(limits, "a", 10))
    limits.started("t", "a", 10)
    assert.isFalse(limits.admitsKey("t", "a", 10))
    assert.deepStrictEqual(limits.refund("t", "a", 10), [keyed("a")])
  })

  it("is not blocked for longer than one bucket by leases that were taken over without asking", () => {
    const limits = make({ rate: { limit: 2, per: 1_000 } })
    for (let i = 0; i < 100; i++) limits.started("t", "", 0)

    assert.deepStrictEqual([0, 499, 500].map((now) => startAll(limits, "", now)), [0, 0, 1])
  })

  it("does not wake anybody for a token while a place is lacking", () => {
    const limits = make({ concurrency: 1, rate: { limit: 10, per: 1_000 } })
    limits.started("t", "", 0)
    for (const now of [0, 50, 100, 200]) {
      assert.isFalse(admits(limits, "", now))
      assert.isUndefined(limits.nextWake(), `at ${now}`)
    }

    assert.deepStrictEqual(limits.ended("t", "", 300), [name])
  })

  it("admits at the very time for which it wakes, however that rounds", () => {
    for (const now of [0, 0.1, 12_345.678, 86_400_000.123, 5_000_000_000.7]) {
      for (const limit of [1, 3, 7, 1_000, 9_991]) {
        for (const per of [1, 100, 1_000, 3_600_000]) {
          const limits = make({ rate: { limit, per } })
          let started = 0
          for (; started <= limit && admits(limits, "", now); started++) limits.started("t", "", now)
          assert.strictEqual(started, limit, `${limit} in ${per} at ${now}`)
          const at = limits.nextWake() ?? NaN
          assert.isAbove(at, now)
          assert.deepStrictEqual(limits.wake(at), [name])
          assert.isTrue(admits(limits, "", at), `${limit} in ${per} at ${now}`)
        }
      }
    }
  })
})

describe("limits that change", () => {
  it("count what runs, also what started before there were any", () => {
    const limits = makeLimits()
    for (let i = 0; i < 5; i++) limits.started("t", "k", 0)

    assert.isTrue(limits.configure("t", { concurrency: 3, keyConcurrency: 4 }, 0))
    const admitted = [5, 4, 3, 2].map(() => {
      const is = admits(limits, "k", 0)
      limits.ended("t", "k", 0)
      return is
    })

    assert.deepStrictEqual(admitted, [false, false, false, true])
  })

  it("are not new when a worker announces the same again", () => {
    const limits = make({ concurrency: 1, rate: { limit: 1, per: 1_000 } })
    limits.started("t", "", 0)

    assert.isFalse(limits.configure("t", { concurrency: 1, rate: { limit: 1, per: 1_000 } }, 500))
    limits.ended("t", "", 500)
    assert.deepStrictEqual([admits(limits, "", 999), admits(limits, "", 1_000)], [false, true])
    assert.isTrue(limits.configure("t", { concurrency: 1 }, 1_000))
  })

  it("leave used tokens used: of ten that were used of ten, as many are of twenty", () => {
    const limits = make({ rate: { limit: 10, per: 1_000 } })
    startAll(limits, "", 0)

    limits.configure("t", { rate: { limit: 20, per: 1_000 } }, 0)

    assert.strictEqual(startAll(limits, "", 0), 10)
    assert.strictEqual(startAll(limits, "", 50), 1)
  })

  it("do not keep to the old time: a slow rate that becomes a fast one blocks no longer", () => {
    const limits = make({ keyRate: { limit: 1, per: 3_600_000 } })
    limits.started("t", "k", 0)
    assert.isFalse(admits(limits, "k", 0))

    limits.configure("t", { keyRate: { limit: 10, per: 1_000 } }, 10)

    assert.strictEqual(startAll(limits, "k", 10), 9)
    assert.isTrue(admits(limits, "k", 110))
  })

  it("are gone when they are taken away, and nobody is woken for them", () => {
    const limits = make({ concurrency: 1, keyConcurrency: 1, rate: { limit: 1, per: 1_000 } })
    limits.started("t", "k", 0)
    assert.isFalse(admits(limits, "k", 0))

    limits.configure("t", undefined, 0)

    assert.strictEqual(startAll(limits, "k", 0), 1_000)
    assert.isUndefined(limits.nextWake())
  })

  it("are gone when a rate is taken away: nobody is woken for its tokens, and no key is remembered for them", () => {
    const limits = make({ keyRate: { limit: 1, per: 3_600_000 }, rate: { limit: 2, per: 3_600_000 } })
    for (const key of ["a", "b"]) {
      limits.started("t", key, 0)
      assert.isFalse(admits(limits, key, 0))
      limits.ended("t", key, 0)
    }
    assert.isAbove(limits.nextWake() ?? 0, 1_000_000)

    limits.configure("t", {}, 0)

    assert.deepStrictEqual([limits.nextWake(), limits.size()], [undefined, 0])
  })
})

describe("limits over random schedules", () => {
  const choices: ReadonlyArray<Declared | undefined> = [
    undefined,
    { concurrency: 2 },
    { keyConcurrency: 1 },
    { rate: { limit: 5, per: 1_000 } },
    { keyRate: { limit: 2, per: 400 } },
    { concurrency: 3, keyConcurrency: 2, rate: { limit: 10, per: 1_000 }, keyRate: { limit: 4, per: 1_000 } },
    { concurrency: 1, rate: { limit: 2, per: 100 } },
    { keyConcurrency: 1, keyRate: { limit: 1, per: 50 } }
  ]
  const keys = ["", "a", "b", "c"]

  /** The rules over plain counts and buckets that are filled by hand. */
  const makeModel = () => {
    let declared: Declared = {}
    const used = new Map<string, number>()
    const running: Array<string> = []
    const gauges = (key: string) => key === "" ? [""] : ["", key]
    const rateOf = (gauge: string) => gauge === "" ? declared.rate : declared.keyRate
    const boundOf = (gauge: string) => gauge === "" ? declared.concurrency : declared.keyConcurrency
    const countOf = (gauge: string) => gauge === "" ? running.length : running.filter((key) => key === gauge).length
    const use = (key: string, by: number) => {
      for (const gauge of gauges(key)) {
        const rate = rateOf(gauge)
        if (rate !== undefined) used.set(gauge, Math.min(rate.limit, Math.max(0, (used.get(gauge) ?? 0) + by)))
      }
    }
    return {
      running,
      configure(next: Declared | undefined) {
        const before = declared
        declared = next ?? {}
        for (const gauge of keys) {
          const was = gauge === "" ? before.rate : before.keyRate
          const rate = rateOf(gauge)
          const left = was === undefined || rate === undefined ? 0 : Math.min(rate.limit, used.get(gauge) ?? 0)
          used.set(gauge, left)
        }
      },
      pass(millis: number) {
        for (const gauge of keys) {
          const rate = rateOf(gauge)
          if (rate !== undefined) used.set(gauge, Math.max(0, (used.get(gauge) ?? 0) - millis * rate.limit / rate.per))
        }
      },
      use,
      /** `undefined`: so close to a token that rounding decides. */
      admits(key: string): boolean | undefined {
        const free = gauges(key).map((gauge) => {
          const rate = rateOf(gauge)
          const bound = boundOf(gauge)
          if (bound !== undefined && countOf(gauge) >= bound) return -1
          return rate === undefined ? 1 : rate.limit - (used.get(gauge) ?? 0) - 1
        })
        return free.some((tokens) => tokens < -1e-3) ? false : free.some((tokens) => tokens < 1e-3) ? undefined : true
      }
    }
  }

  it("admit what the rules say, wake in time whoever was turned away, and never wake without end", () => {
    let [admitted, refused, woken] = [0, 0, 0]
    for (let seed = 1; seed <= 200; seed++) {
      const random = makeRandom(seed)
      const limits = makeLimits()
      const model = makeModel()
      /** Keys whose lanes would be parked; the empty one stands for the name. */
      const parked = new Set<string>()
      let now = random.pick([0, 1_000_000])

      for (let step = 0; step < 250; step++) {
        const what = random.below(20)
        if (what === 0) {
          const declared = random.pick(choices)
          model.configure(declared)
          if (limits.configure("t", declared, now)) parked.clear()
        } else if (what < 8) {
          const key = random.pick(keys)
          const expected = model.admits(key)
          const byName = limits.admitsName("t", now)
          const actual = byName && limits.admitsKey("t", key, now)
          if (expected !== undefined) assert.strictEqual(actual, expected, `seed ${seed}, step ${step}`)
          if (expected !== undefined) assert.strictEqual(limits.explain("t", key, now)?.text === undefined, actual)
          if (!actual) {
            refused++
            parked.add(byName ? key : "")
          } else {
            admitted++
            limits.started("t", key, now)
            model.running.push(key)
            model.use(key, 1)
          }
        } else if (what < 12 && model.running.length > 0) {
          const [key = ""] = model.running.splice(random.below(model.running.length), 1)
          const isRefund = random.chance(0.2)
          if (isRefund) model.use(key, -1)
          const freed = isRefund ? limits.refund("t", key, now) : limits.ended("t", key, now)
          for (const { key } of freed) parked.delete(key)
        } else if (what === 12) {
          const key = random.pick(keys)
          limits.started("t", key, now)
          model.running.push(key)
          model.use(key, 1)
        } else {
          const millis = random.chance(0.5) ? random.below(300) : (limits.nextWake() ?? now) - now
          now += Math.max(0, millis)
          model.pass(Math.max(0, millis))
          for (const { key } of limits.wake(now)) {
            woken++
            parked.delete(key)
          }
          assert.isAbove(limits.nextWake() ?? Infinity, now, `seed ${seed}, step ${step}`)
        }
        for (const key of parked) {
          if (key === "") assert.isFalse(model.admits("") ?? false, `the name, seed ${seed}, step ${step}`)
          else if (model.admits("") === true) {
            assert.isFalse(model.admits(key) ?? false, `${key}, seed ${seed}, step ${step}`)
          }
        }
      }

      while (model.running.length > 0) limits.ended("t", model.running.pop() ?? "", now)
      limits.wake(now + 1_000_000)
      assert.deepStrictEqual([limits.size(), limits.nextWake()], [0, undefined], `seed ${seed}`)
    }
    assert.isAbove(Math.min(admitted, refused, woken), 300)
  })

  it("start no more in any time than a full bucket and what comes in meanwhile", () => {
    for (let seed = 1; seed <= 30; seed++) {
      const random = makeRandom(seed)
      const rate = { limit: random.between(1, 20), per: random.pick([100, 333, 1_000]) }
      const limits = make({ rate })
      const starts: Array<number> = []
      for (let now = 0; starts.length < 300; now += random.next() * random.pick([1, 30, 300])) {
        if (!admits(limits, "", now)) continue
        limits.started("t", "", now)
        starts.push(now)
      }

      for (let from = 0; from < starts.length; from++) {
        for (let to = from; to < starts.length; to++) {
          const millis = (starts[to] as number) - (starts[from] as number)
          const most = rate.limit + (millis + 0.01) * rate.limit / rate.per
          if (to - from + 1 > most) assert.fail(`${to - from + 1} in ${millis} ms of ${JSON.stringify(rate)}`)
        }
      }
    }
  })
})

describe("memory of limits", () => {
  it("is that of the keys in use, when 1,000,000 keys pass through", () => {
    const limits = make({ keyConcurrency: 2, keyRate: { limit: 5, per: 100 } })
    let most = 0
    for (let i = 0; i < 1_000_000; i++) {
      const now = i / 10
      limits.started("t", `${i}`, now)
      if (i >= 50) limits.ended("t", `${i - 50}`, now)
      if (i % 100 === 0) {
        limits.wake(now)
        most = Math.max(most, limits.size())
      }
    }

    // 20 ms until a bucket is full again are 200 keys.
    assert.isAtMost(most, 400)
    for (let i = 999_950; i < 1_000_000; i++) limits.ended("t", `${i}`, 100_000)
    limits.wake(200_000)
    assert.deepStrictEqual([limits.size(), limits.nextWake()], [0, undefined])
  })

  it("keeps no key without limits per key longer than its tasks run", () => {
    const limits = make({ concurrency: 10 })
    for (const key of ["a", "b"]) limits.started("t", key, 0)

    limits.ended("t", "a", 0)

    assert.strictEqual(limits.size(), 1)
  })

  it("forgets names that were announced long ago and of which nothing runs, after 10,000", () => {
    const limits = makeLimits()
    limits.configure("idle", { concurrency: 1 }, 0)
    limits.configure("busy", { concurrency: 1 }, 0)
    limits.started("idle", "", 0)
    limits.ended("idle", "", 0)
    limits.started("busy", "", 0)

    for (let i = 0; i < 20_000; i++) limits.configure(`${i}`, { concurrency: 1 }, 0)

    assert.isFalse(limits.admitsName("busy", 0))
    limits.started("idle", "", 0)
    assert.isTrue(limits.admitsName("idle", 0), "its limits are those of the next announcement")
  })
})
