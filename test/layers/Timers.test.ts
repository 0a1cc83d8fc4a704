import { assert, describe, it } from "@effect/vitest"
import type { Timer, Timers } from "../../src/layers/Timers.ts"
import { makeTimers } from "../../src/layers/Timers.ts"
import { makeRandom } from "../model/Random.ts"

const allDue = <A>(timers: Timers<A>, now: number): ReadonlyArray<A> => {
  const due: Array<A> = []
  for (let value = timers.due(now); value !== undefined; value = timers.due(now)) due.push(value)
  return due
}

describe("timers", () => {
  it("are due in order of their times, those of one time in the order in which they were set", () => {
    const timers = makeTimers<string>()
    for (const [value, at] of [["c", 3], ["a1", 1], ["b", 2], ["a2", 1], ["a3", 1]] as const) timers.add(value, at)

    assert.strictEqual(timers.next(), 1)
    assert.deepStrictEqual(allDue(timers, 2), ["a1", "a2", "a3", "b"])
    assert.strictEqual(timers.next(), 3)
    assert.deepStrictEqual(allDue(timers, 3), ["c"])
    assert.isUndefined(timers.next())
  })

  it("are due at their time, not before", () => {
    const timers = makeTimers<string>()
    timers.add("a", 10)

    assert.isUndefined(timers.due(9.999))
    assert.strictEqual(timers.due(10), "a")
    assert.isUndefined(timers.due(10))
  })

  it("do not run any more when they are cleared, or were due; and run again when they are set", () => {
    const timers = makeTimers<string>()
    const [a, b] = [timers.add("a", 1), timers.add("b", 2)]

    timers.clear(a)
    timers.clear(a)
    assert.deepStrictEqual([timers.size(), a.index], [1, -1])
    assert.deepStrictEqual(allDue(timers, 5), ["b"])
    timers.clear(b)
    timers.set(a, 7)
    timers.set(b, 6)

    assert.deepStrictEqual(allDue(timers, 7), ["b", "a"])
  })

  it("do what a sorted list does, over random sequences", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = makeRandom(seed)
      const timers = makeTimers<number>()
      const made: Array<Timer<number>> = []
      let list: Array<{ readonly timer: Timer<number>; readonly at: number }> = []
      let now = 0
      // A stable sort: what was set later stands behind.
      const put = (timer: Timer<number>, at: number) => {
        list = [...list.filter((each) => each.timer !== timer), { timer, at }].toSorted((a, b) => a.at - b.at)
      }
      for (let step = 0; step < 200; step++) {
        const what = random.below(10)
        const at = now + random.below(30)
        if (what < 4) {
          const timer = timers.add(made.length, at)
          made.push(timer)
          put(timer, at)
        } else if (what < 7 && made.length > 0) {
          const timer = random.pick(made)
          const isSame = list.some((each) => each.timer === timer && each.at === at)
          timers.set(timer, at)
          if (!isSame) put(timer, at)
        } else if (what < 8 && made.length > 0) {
          const timer = random.pick(made)
          timers.clear(timer)
          list = list.filter((each) => each.timer !== timer)
        } else {
          now += random.below(6)
          const expected = list.filter((each) => each.at <= now).map(({ timer }) => timer.value)
          list = list.filter((each) => each.at > now)
          assert.deepStrictEqual(allDue(timers, now), expected, `seed ${seed}, step ${step}`)
        }
        assert.strictEqual(timers.size(), list.length)
        assert.strictEqual(timers.next(), list[0]?.at)
      }
      assert.deepStrictEqual(
        made.filter(({ index }) => index !== -1).map(({ value }) => value),
        list.map(({ timer }) => timer.value).toSorted((a, b) => a - b)
      )
      assert.deepStrictEqual(allDue(timers, Infinity), list.map(({ timer }) => timer.value))
    }
  })

  it("are set, moved and cleared without walking over 200,000 others", () => {
    const random = makeRandom(1)
    const timers = makeTimers<number>()
    const made = Array.from({ length: 200_000 }, (_, value) => timers.add(value, random.below(1_000_000)))

    const before = process.cpuUsage()
    for (const timer of made) timers.set(timer, random.below(1_000_000))
    for (const timer of made) if (timer.value % 2 === 0) timers.clear(timer)
    const due = allDue(timers, Infinity)
    const { system, user } = process.cpuUsage(before)

    const times = due.map((value) => made[value]?.at ?? NaN)
    assert.strictEqual(due.length, 100_000)
    assert.deepStrictEqual(times, times.toSorted((a, b) => a - b))
    // Measured: 1 microsecond each.
    assert.isBelow((system + user) / 400_000, 50)
  })
})
