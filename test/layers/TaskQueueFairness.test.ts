import { assert, describe, it } from "@effect/vitest"
import type { TaskOptions, TaskRecord } from "../../src/domain/Task.ts"
import { makeRandom } from "../model/Random.ts"
import { all, costOfTurns, keyOf, makeQueue, maker, takeMany } from "./queues.ts"

const countOf = (tasks: ReadonlyArray<TaskRecord>, key: string) => tasks.filter((task) => keyOf(task) === key).length

describe("fairness", () => {
  it("keeps any two keys that always have work within 1 / weight + 1 / weight, over any row of takes", () => {
    for (let seed = 1; seed <= 25; seed++) {
      const random = makeRandom(seed)
      const queue = makeQueue()
      const newTask = maker()
      const weights = new Map(["a", "b", "c"].map((key) => [key, random.pick([0.1, 0.5, 1, 1, 3, 20])]))
      const offer = (key: string) => {
        const weight = weights.get(key) ?? random.pick([0.01, 1, 100])
        queue.offer(newTask({ tenant: key, weight }, random.pick(["n", "m"])))
      }
      const waiting = new Map<string, number>()
      // Skewed: who has more waiting gets no more, whatever comes and goes besides.
      for (const [index, key] of [...weights.keys()].entries()) {
        for (let i = 0; i < 10 ** index; i++) offer(key)
      }
      const served = new Map([...weights.keys()].map((key) => [key, 0]))
      const highest = new Map<string, number>()
      const lowest = new Map<string, number>()

      for (let step = 0; step < 1_000; step++) {
        for (const key of weights.keys()) {
          for (const name of ["n", "m"]) {
            const id = `${key} ${name}`
            if ((waiting.get(id) ?? 0) > 0) continue
            queue.offer(newTask({ tenant: key, weight: weights.get(key) as number }, name))
            waiting.set(id, 1)
          }
        }
        if (random.chance(0.4)) offer(random.pick(["guest", `once ${step}`]))
        const only = random.pick(["n", "m", "nm"])
        const task = queue.take((name) => only.includes(name), all) as TaskRecord
        const id = `${keyOf(task)} ${task.name}`
        if (waiting.has(id)) waiting.set(id, 0)
        if (served.has(keyOf(task))) served.set(keyOf(task), (served.get(keyOf(task)) as number) + 1)
        for (const [a, b] of [["a", "b"], ["a", "c"], ["b", "c"]] as const) {
          const [weightA, weightB] = [weights.get(a) as number, weights.get(b) as number]
          const apart = (served.get(a) as number) / weightA - (served.get(b) as number) / weightB
          highest.set(a + b, Math.max(highest.get(a + b) ?? 0, apart))
          lowest.set(a + b, Math.min(lowest.get(a + b) ?? 0, apart))
          const most = (highest.get(a + b) as number) - (lowest.get(a + b) as number)
          assert.isAtMost(most, 1 / weightA + 1 / weightB + 1e-6, `seed ${seed}, step ${step}, ${a} and ${b}`)
        }
      }
      assert.isAbove(Math.min(...served.values()), 0)
    }
  })

  it("shares by weight: a key of weight 3 gets three times what one of weight 1 gets", () => {
    const queue = makeQueue()
    const newTask = maker()
    for (let i = 0; i < 1_000; i++) queue.offer(newTask({ tenant: "light" }))
    for (let i = 0; i < 1_000; i++) queue.offer(newTask({ tenant: "heavy", weight: 3 }))

    const taken = takeMany(queue, 800)

    assert.closeTo(countOf(taken, "heavy"), 600, 4)
  })

  it("takes the fairness key before the tenant, and neither for a key of its own", () => {
    const queue = makeQueue()
    const newTask = maker()
    for (let i = 0; i < 100; i++) queue.offer(newTask({ tenant: "x" }))
    for (let i = 0; i < 100; i++) queue.offer(newTask({ tenant: "x", fairKey: "y" }))
    for (let i = 0; i < 100; i++) queue.offer(newTask())

    const taken = takeMany(queue, 90)

    assert.deepStrictEqual(["x", "y", ""].map((key) => countOf(taken, key)), [30, 30, 30])
  })

  it("counts a key's tasks of all types together", () => {
    const queue = makeQueue()
    const newTask = maker()
    for (let i = 0; i < 100; i++) {
      for (const name of ["a", "b", "c"]) queue.offer(newTask({ tenant: "many" }, name))
      queue.offer(newTask({ tenant: "one" }, "d"))
    }

    const taken = takeMany(queue, 100)

    assert.strictEqual(countOf(taken, "one"), 50)
  })

  it("delays a tenant's single task by at most one of each other, behind 100,000 waiting tasks", () => {
    for (let seed = 1; seed <= 2; seed++) {
      const random = makeRandom(seed)
      const queue = makeQueue()
      const newTask = maker()
      const others = Array.from({ length: 20 }, (_, index) => `other ${index}`)
      for (let i = 0; i < 100_000; i++) queue.offer(newTask({ tenant: "flood" }))
      for (let i = 0; i < 200; i++) queue.offer(newTask({ tenant: random.pick(others) }))
      takeMany(queue, random.between(0, 300))
      const single = newTask({ tenant: "single" })
      queue.offer(single)

      const before: Array<string> = []
      for (let task = queue.take(all, all); task !== single; task = queue.take(all, all)) {
        before.push(keyOf(task as TaskRecord))
      }

      assert.isAtMost(before.length, others.length + 1)
      assert.strictEqual(new Set(before).size, before.length, "nobody comes twice")
    }
  })

  it("gives whoever submits one task at a time no more than whoever submits all at once", () => {
    const queue = makeQueue()
    const newTask = maker()
    for (let i = 0; i < 1_000; i++) queue.offer(newTask({ tenant: "all at once" }))
    takeMany(queue, 10)

    const taken = Array.from({ length: 200 }, () => {
      if (queue.tasksOf("one").length === 0) queue.offer(newTask({ tenant: "one at a time" }, "one"))
      return queue.take(all, all) as TaskRecord
    })

    assert.closeTo(countOf(taken, "one at a time"), 100, 2)
  })

  it("lets no endless sequence of new keys pass over the others for ever", () => {
    for (const newcomers of [1, 3, 20]) {
      const queue = makeQueue()
      const newTask = maker()
      let made = 0
      for (let i = 0; i < 1_000; i++) queue.offer(newTask())
      for (let i = 0; i < 1_000; i++) queue.offer(newTask({ tenant: "regular" }))
      const since = new Map([["", 0], ["regular", 0]])

      for (let step = 0; step < 2_000; step++) {
        while (queue.tasksOf("once").length < newcomers) queue.offer(newTask({ tenant: `new ${made++}` }, "once"))
        const key = keyOf(queue.take(all, all) as TaskRecord)
        for (const [other, passed] of since) {
          since.set(other, other === key ? 0 : passed + 1)
          // Two rows of newcomers, the other one, and what they began with.
          assert.isAtMost(since.get(other) as number, 2 * newcomers + 3, `${newcomers} newcomers, step ${step}`)
        }
      }
    }
  })

  it("does not make up for what a key missed while nobody was free for it", () => {
    const queue = makeQueue()
    const newTask = maker()
    for (let i = 0; i < 1_000; i++) queue.offer(newTask({ tenant: "late" }, "rare"))
    for (let i = 0; i < 1_000; i++) queue.offer(newTask({ tenant: "steady" }, "common"))
    takeMany(queue, 500, (name) => name === "common")

    const taken = takeMany(queue, 200)

    assert.closeTo(countOf(taken, "late"), 100, 2)
  })

  it("forgets the past of a priority in which nothing waits", () => {
    const queue = makeQueue()
    const newTask = maker()
    for (let i = 0; i < 100; i++) queue.offer(newTask({ tenant: "busy", weight: 0.001 }))
    takeMany(queue, 100)
    for (let i = 0; i < 10; i++) for (const tenant of ["other", "busy"]) queue.offer(newTask({ tenant }))

    const taken = takeMany(queue, 10)

    assert.strictEqual(countOf(taken, "busy"), 5)
  })

  it("holds weights within 0.001 and 1,000", () => {
    const queue = makeQueue()
    const newTask = maker()
    for (let i = 0; i < 3_000; i++) queue.offer(newTask({ tenant: "greedy", weight: 1e9 }))
    for (let i = 0; i < 10; i++) queue.offer(newTask({ tenant: "plain" }))
    for (let i = 0; i < 10; i++) queue.offer(newTask({ tenant: "none", weight: 0 }))

    const taken = takeMany(queue, 3_000)

    assert.closeTo(countOf(taken, "plain"), 3, 1)
    assert.isAtLeast(countOf(taken, "none"), 1)
  })
})

describe("size", () => {
  const shapes: ReadonlyArray<readonly [string, (i: number) => TaskOptions]> = [
    ["tenants", (i) => ({ tenant: `${i}` })],
    ["limit keys of one tenant", (i) => ({ tenant: "x", limitKey: `${i}` })],
    ["tenants with a limit key each", (i) => ({ tenant: `${i}`, limitKey: `${i}` })]
  ]
  for (const [what, options] of shapes) {
    it(`serves 100,000 ${what} without walking over them`, () => {
      const queue = makeQueue()
      const newTask = maker()
      const next = (i: number) => newTask(options(i % 100_000))
      for (let i = 0; i < 200_000; i++) queue.offer(next(i))

      const micros = costOfTurns(queue, next, 20_000)

      // Measured: 2. A walk would look at a hundred thousand lanes.
      assert.isBelow(micros, 100)
      assert.strictEqual(queue.size(), 200_000)
    })
  }

  it("gives every one of 100,000 tenants a turn before any gets a second one", () => {
    const queue = makeQueue()
    const newTask = maker()
    for (let i = 0; i < 200_000; i++) queue.offer(newTask({ tenant: `${i % 100_000}` }))

    const taken = takeMany(queue, 100_000)

    assert.strictEqual(new Set(taken.map(keyOf)).size, 100_000)
  })
})
