import { assert, describe, it } from "@effect/vitest"
import { bytesInUse } from "../harness/Memory.ts"
import { makeRandom } from "../model/Random.ts"
import { all, makeQueue, maker, optionsFor, takeMany } from "./queues.ts"

describe("parking", () => {
  it("asks about a limit key that is not admitted once, until it is unparked", () => {
    const queue = makeQueue()
    const newTask = maker()
    for (let i = 0; i < 100; i++) queue.offer(newTask({ limitKey: "k" }))
    const asked: Array<string> = []
    const refuse = (name: string, key: string) => {
      asked.push(`${name} ${key}`)
      return false
    }

    for (let i = 0; i < 5; i++) queue.take(all, refuse)
    queue.offer(newTask({ limitKey: "k" }))
    queue.take(all, refuse)
    queue.unpark("t", "other")
    queue.unpark("other", "k")
    queue.take(all, refuse)
    assert.deepStrictEqual(asked, ["t k"])
    queue.unpark("t", "k")
    queue.take(all, refuse)

    assert.deepStrictEqual(asked, ["t k", "t k"])
    assert.strictEqual(queue.size(), 101)
  })

  it("holds nothing up behind a parked key, and puts it back in its place", () => {
    const queue = makeQueue()
    const newTask = maker()
    const parked = Array.from({ length: 3 }, () => newTask({ limitKey: "k" }))
    const free = Array.from({ length: 3 }, () => newTask())
    for (const task of [...parked, ...free]) queue.offer(task)

    const first = queue.take(all, () => false)
    queue.unpark("t", "k")

    assert.strictEqual(first, free[0])
    assert.deepStrictEqual(takeMany(queue, 10), [...parked, ...free.slice(1)])
  })

  it("counts, lists, removes and restores parked tasks like others", () => {
    const queue = makeQueue()
    const newTask = maker()
    const [a, b, c] = [newTask({ limitKey: "k" }), newTask({ limitKey: "k" }), newTask({ limitKey: "k", tenant: "x" })]
    for (const task of [a, b, c]) queue.offer(task)
    queue.take(all, all)
    queue.take(all, () => false)

    queue.restore(a)
    assert.deepStrictEqual(queue.tasksOf("t"), [a, b, c])
    assert.isUndefined(queue.take(all, all), "what is parked is not asked about")
    queue.remove(a)
    assert.deepStrictEqual([queue.size(), queue.sizeOf(2)], [2, 2])
    queue.unparkAll("t")

    assert.deepStrictEqual(takeMany(queue, 5).toSorted((x, y) => x.sequence - y.sequence), [b, c])
  })

  it("knows nothing any more of a parked key whose tasks are all gone", () => {
    const queue = makeQueue()
    const newTask = maker()
    const gone = newTask({ limitKey: "k" })
    queue.offer(gone)
    queue.take(all, () => false)
    queue.remove(gone)
    const task = newTask({ limitKey: "k" })
    queue.offer(task)

    const taken = queue.take(all, all)

    assert.strictEqual(taken, task)
  })

  it("keeps the starvation bound for what is eligible and admitted, whatever is parked", () => {
    const maxPassed = 7
    for (let seed = 1; seed <= 30; seed++) {
      const random = makeRandom(seed)
      const queue = makeQueue(maxPassed)
      const newTask = maker()
      const shut = new Set<string>()
      const current = [0, 0, 0, 0]
      for (let step = 0; step < 400; step++) {
        for (const level of [0, 0, 1, 2, 3] as const) {
          if (queue.sizeOf(level) > 6 || random.chance(0.5)) continue
          queue.offer(newTask(optionsFor(random), random.pick(["a", "b"]), level))
        }
        const what = random.below(10)
        if (what < 3) shut.add(random.pick(["l", "m"]))
        else if (what < 5) {
          const key = random.pick(["l", "m"])
          shut.delete(key)
          for (const name of ["a", "b"]) queue.unpark(name, key)
        }
        const able = random.pick(["a", "b", "ab"])
        const had = [0, 1, 2, 3].map((level) =>
          ["a", "b"].some((name) =>
            able.includes(name) &&
            queue.tasksOf(name).some((task) => task.level === level && !shut.has(task.options?.limitKey ?? ""))
          )
        )
        const taken = queue.take((name) => able.includes(name), (_, key) => !shut.has(key))
        assert.strictEqual(taken !== undefined, had.includes(true))
        for (const level of [0, 1, 2, 3] as const) {
          current[level] = had[level] === true && taken?.level !== level ? (current[level] as number) + 1 : 0
          assert.isAtMost(current[level], maxPassed + 2, `seed ${seed}, step ${step}`)
        }
      }
    }
  })

  it("parks and unparks 100,000 limit keys one by one", () => {
    const queue = makeQueue()
    const newTask = maker()
    for (let i = 0; i < 100_000; i++) queue.offer(newTask({ limitKey: `${i}` }))
    queue.take(all, () => false)

    const before = process.cpuUsage()
    let taken = 0
    for (let i = 0; i < 50_000; i++) {
      queue.unpark("t", `${2 * i}`)
      if (queue.take(all, (_, key) => key === `${2 * i}`) !== undefined) taken++
    }

    const { system, user } = process.cpuUsage(before)
    assert.strictEqual(taken, 50_000)
    assert.isBelow((system + user) / taken, 100)
  })

  it("keeps nothing of 300,000 names, tenants and limit keys that passed through", () => {
    const queue = makeQueue()
    const newTask = maker()
    queue.offer(newTask({ limitKey: "waits" }))
    const pass = (from: number, to: number) => {
      for (let i = from; i < to; i++) {
        queue.offer(newTask({ limitKey: `${i}` }))
        queue.offer(newTask({ tenant: `${i}`, limitKey: "x" }, `${i}`))
        queue.take(all, (_, key) => key === "x")
        queue.unparkAll("t")
        queue.take(all, (_, key) => key === `${i}`)
      }
    }
    pass(0, 10_000)
    assert.strictEqual(queue.size(), 1)

    const before = bytesInUse()
    pass(10_000, 310_000)

    assert.strictEqual(queue.size(), 1)
    // A lane is 200 bytes, its name not counted.
    assert.isBelow(bytesInUse() - before, 5_000_000)
  })
})
