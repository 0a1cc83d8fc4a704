import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { PriorityLevel } from "../../src/domain/Priority.ts"
import { defaults } from "../../src/domain/Settings.ts"
import type { TaskRecord } from "../../src/domain/Task.ts"
import * as TaskQueuePriority from "../../src/layers/TaskQueuePriority.ts"
import { Settings } from "../../src/services/Settings.ts"
import { TaskQueue } from "../../src/services/TaskQueue.ts"
import { makeRandom } from "../model/Random.ts"
import { makeTask } from "./records.ts"

let sequence = 0

const task = (level: PriorityLevel, name = "t", bytes = 0): TaskRecord => makeTask(sequence++, { level, name, bytes })

const make = (options: { maxWaiting?: number; maxWaitingBytes?: number; maxPassed?: number } = {}) =>
  TaskQueuePriority.makeUnsafe({ maxWaiting: 1_000_000, maxWaitingBytes: 1_000_000, maxPassed: 1_000_000, ...options })

const all = () => true

const drain = (queue: TaskQueue["Service"], eligible: (name: string) => boolean = all): ReadonlyArray<TaskRecord> => {
  const taken: Array<TaskRecord> = []
  for (let next = queue.take(eligible, all); next !== undefined; next = queue.take(eligible, all)) taken.push(next)
  return taken
}

const ids = (tasks: ReadonlyArray<TaskRecord>) => tasks.map(({ id }) => id)

const inOrder = (tasks: ReadonlyArray<TaskRecord>) =>
  tasks.toSorted((a, b) => a.level - b.level || a.sequence - b.sequence)

describe("order", () => {
  it("is by priority, then by age, whatever the names", () => {
    const queue = make()
    const low = task(3, "b")
    const normal = task(2, "a")
    const critical = task(0, "b")
    const critical2 = task(0, "a")
    for (const each of [low, normal, critical, critical2]) queue.offer(each)

    assert.deepStrictEqual(drain(queue), [critical, critical2, normal, low])
  })

  it("is the one of a sorted array, over random sequences of everything the queue can do", () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = makeRandom(seed)
      const bounds = { maxWaiting: random.between(1, 30), maxWaitingBytes: random.between(1, 100) }
      const queue = make(bounds)
      let waiting: Array<TaskRecord> = []
      const taken: Array<TaskRecord> = []

      for (let step = 0; step < 300; step++) {
        const what = random.below(10)
        if (what < 4) {
          const each = task(random.below(4) as PriorityLevel, random.pick(["a", "b", "c"]), random.below(12))
          const bytes = waiting.reduce((sum, { args }) => sum + args.length, 0)
          const fits = waiting.length < bounds.maxWaiting && bytes + each.args.length <= bounds.maxWaitingBytes
          assert.strictEqual(queue.offer(each), fits)
          if (fits) waiting = inOrder([...waiting, each])
        } else if (what < 7) {
          const able = new Set(random.shuffle(["a", "b", "c"]).slice(0, random.between(0, 3)))
          const expected = waiting.find(({ name }) => able.has(name))
          const actual = queue.take((name) => able.has(name), all)
          assert.strictEqual(actual, expected)
          waiting = waiting.filter((each) => each !== expected)
          if (actual !== undefined) taken.push(actual)
        } else if (what < 9 && taken.length > 0) {
          const back = taken.splice(random.below(taken.length), 1)[0] as TaskRecord
          queue.restore(back)
          waiting = inOrder([...waiting, back])
        } else if (waiting.length > 0) {
          const gone = random.pick(waiting)
          queue.remove(gone)
          waiting = waiting.filter((each) => each !== gone)
        }
        assert.strictEqual(queue.size(), waiting.length)
        assert.strictEqual(queue.bytes(), waiting.reduce((sum, { args }) => sum + args.length, 0))
        for (const level of [0, 1, 2, 3] as const) {
          assert.strictEqual(queue.sizeOf(level), waiting.filter((each) => each.level === level).length)
        }
        assert.deepStrictEqual(ids(queue.tasksOf("a")), ids(waiting.filter(({ name }) => name === "a")))
      }

      assert.deepStrictEqual(ids(drain(queue)), ids(waiting))
    }
  })

  it("puts tasks that are restored back to where they stood, in whatever order they come", () => {
    const queue = make()
    const tasks = Array.from({ length: 50 }, () => task(1))
    for (const each of tasks) queue.offer(each)
    const half = Array.from({ length: 25 }, () => queue.take(all, all) as TaskRecord)
    const younger = task(1)
    queue.offer(younger)

    for (const each of makeRandom(1).shuffle(half)) queue.restore(each)

    assert.deepStrictEqual(ids(drain(queue)), ids([...tasks, younger]))
  })
})

describe("eligibility", () => {
  it("lets a name for which nobody is free block no other, of its priority or of a lower one", () => {
    const queue = make()
    const blocked = Array.from({ length: 100 }, () => task(0, "blocked"))
    const free = task(0, "free")
    const lower = task(3, "free")
    for (const each of [...blocked, free, lower]) queue.offer(each)

    const taken = drain(queue, (name) => name === "free")

    assert.deepStrictEqual(taken, [free, lower])
    assert.strictEqual(queue.size(), 100)
    assert.deepStrictEqual(drain(queue), blocked)
  })

  it("takes nothing, and loses nothing, when nobody is free", () => {
    const queue = make()
    queue.offer(task(0))

    const taken = queue.take(() => false, all)

    assert.isUndefined(taken)
    assert.strictEqual(queue.size(), 1)
  })
})

describe("bounds", () => {
  it("refuses the task after the last one, and changes nothing", () => {
    const queue = make({ maxWaiting: 2 })
    const [a, b, c] = [task(3), task(2), task(0)]

    const answers = [queue.offer(a), queue.offer(b), queue.offer(c)]

    assert.deepStrictEqual(answers, [true, true, false])
    assert.deepStrictEqual([queue.size(), queue.sizeOf(0), queue.tasksOf("t").length], [2, 0, 2])
    assert.deepStrictEqual(drain(queue), [b, a])
    assert.isTrue(queue.offer(c))
  })

  it("refuses the byte after the last one, and changes nothing", () => {
    const queue = make({ maxWaitingBytes: 10 })

    const answers = [queue.offer(task(1, "t", 6)), queue.offer(task(1, "t", 5)), queue.offer(task(1, "t", 4))]

    assert.deepStrictEqual(answers, [true, false, true])
    assert.deepStrictEqual([queue.size(), queue.bytes()], [2, 10])
    assert.isFalse(queue.offer(task(1, "t", 1)))
    assert.isTrue(queue.offer(task(1, "t", 0)))
  })

  it("does not refuse a task that comes back, which was admitted once", () => {
    const queue = make({ maxWaiting: 1, maxWaitingBytes: 1 })
    const first = task(1, "t", 1)
    queue.offer(first)
    queue.take(all, all)
    queue.offer(task(1, "t", 1))

    queue.restore(first)

    assert.deepStrictEqual([queue.size(), queue.bytes()], [2, 2])
    assert.strictEqual(queue.take(all, all), first)
  })
})

/** The most takes in a row that passed over a level which had an eligible task. */
const longestWait = (
  queue: TaskQueue["Service"],
  takes: number,
  refill: (step: number) => void,
  eligible: (step: number) => (name: string) => boolean = () => all
): ReadonlyArray<number> => {
  const longest = [0, 0, 0, 0]
  const current = [0, 0, 0, 0]
  for (let step = 0; step < takes; step++) {
    refill(step)
    const able = eligible(step)
    const had = [0, 1, 2, 3].map((level) =>
      ["a", "b"].some((name) => able(name) && queue.tasksOf(name).some((each) => each.level === level))
    )
    const taken = queue.take(able, all)
    for (const level of [0, 1, 2, 3] as const) {
      current[level] = had[level] === true && taken?.level !== level ? (current[level] as number) + 1 : 0
      longest[level] = Math.max(longest[level] as number, current[level])
    }
  }
  return longest
}

describe("starvation", () => {
  const keep = (queue: TaskQueue["Service"], levels: ReadonlyArray<PriorityLevel>) => () => {
    for (const level of levels) if (queue.sizeOf(level) < 2) queue.offer(task(level, "a"))
  }

  for (const maxPassed of [1, 2, 3, 7, 64]) {
    it(`passes one lower priority over ${maxPassed} times in a row, then serves it`, () => {
      const queue = make({ maxPassed })

      const longest = longestWait(queue, 10 * maxPassed + 20, keep(queue, [0, 3]))

      assert.strictEqual(longest[3], maxPassed)
      assert.strictEqual(longest[0], 1)
    })

    it(`passes the last of three starved priorities over ${maxPassed} + 2 times in a row, and never more`, () => {
      const queue = make({ maxPassed })

      const longest = longestWait(queue, 20 * maxPassed + 50, keep(queue, [0, 1, 2, 3]))

      assert.strictEqual(Math.max(...longest), maxPassed + 2)
    })

    it(`never passes ${maxPassed} + 2, however work comes and workers are free`, () => {
      for (let seed = 1; seed <= 40; seed++) {
        const random = makeRandom(seed * 1_000 + maxPassed)
        const queue = make({ maxPassed })
        const refill = () => {
          for (const level of [0, 0, 0, 1, 2, 3] as const) {
            if (queue.sizeOf(level) < 6 && random.chance(0.4)) queue.offer(task(level, random.pick(["a", "b"])))
          }
        }
        const names = random.chance(0.5)
        const eligible = () => {
          const free = names ? random.pick(["a", "b", "ab"]) : "ab"
          return (name: string) => free.includes(name)
        }

        const longest = longestWait(queue, 400, refill, eligible)

        assert.isAtMost(Math.max(...longest), maxPassed + 2, `seed ${seed}`)
      }
    })
  }

  it("serves a priority that comes late within the bound, also when two others are overdue", () => {
    const maxPassed = 8
    const queue = make({ maxPassed })
    for (let i = 0; i < 100; i++) queue.offer(task(0, "a"))
    for (let i = 0; i < 10; i++) for (const level of [2, 3] as const) queue.offer(task(level, "a"))
    for (let i = 0; i < maxPassed; i++) queue.take(all, all)
    const late = task(1, "a")
    queue.offer(late)

    let passed = 0
    while (passed < 1_000 && queue.take(all, all) !== late) passed++

    assert.isAtMost(passed, maxPassed + 2)
  })

  it("takes as few as one for a bound below one", () => {
    const queue = make({ maxPassed: 0 })

    const longest = longestWait(queue, 100, keep(queue, [0, 3]))

    assert.deepStrictEqual(longest, [1, 0, 0, 1])
  })

  it.effect("has the bound of the layer's option, 64 without one", () =>
    Effect.gen(function*() {
      const passedOver = Effect.map(TaskQueue, (queue) => {
        const low = task(3, "a")
        queue.offer(low)
        let passed = 0
        queue.offer(task(0, "a"))
        while (passed < 1_000 && queue.take(all, all) !== low) {
          passed++
          queue.offer(task(0, "a"))
        }
        return passed
      })

      assert.strictEqual(yield* Effect.provide(passedOver, TaskQueuePriority.layer(), { local: true }), 64)
      assert.strictEqual(
        yield* Effect.provide(passedOver, TaskQueuePriority.layer({ maxPassed: 5 }), { local: true }),
        5
      )
    }))
})

describe("size", () => {
  it("stays correct with 100,000 waiting tasks, taken, removed and restored at random", () => {
    const random = makeRandom(1)
    const queue = make()
    const tasks = Array.from(
      { length: 100_000 },
      () => task(random.below(4) as PriorityLevel, `n${random.below(20)}`, 1)
    )
    for (const each of tasks) queue.offer(each)
    const removed = new Set(random.shuffle(tasks).slice(0, 30_000))
    for (const each of removed) queue.remove(each)
    const left = inOrder(tasks.filter((each) => !removed.has(each)))

    const first = Array.from({ length: 20_000 }, () => queue.take(all, all) as TaskRecord)
    assert.deepStrictEqual([queue.size(), queue.bytes()], [50_000, 50_000])
    for (const each of first) queue.restore(each)
    const taken = drain(queue)

    assert.deepStrictEqual(ids(first), ids(left.slice(0, 20_000)))
    assert.deepStrictEqual(ids(taken), ids(left))
    assert.deepStrictEqual([queue.size(), queue.bytes()], [0, 0])
  })

  it("restores the leases of a wide worker without walking over all of them each time", () => {
    const queue = make()
    const tasks = Array.from({ length: 100_000 }, () => task(2))
    for (const each of tasks) queue.offer(each)
    const leased = Array.from({ length: 100_000 }, () => queue.take(all, all) as TaskRecord)

    const start = performance.now()
    for (const each of leased) queue.restore(each)

    // A walk from the head would look at five thousand million tasks.
    assert.isBelow(performance.now() - start, 2_000)
    assert.deepStrictEqual(ids(drain(queue)), ids(tasks))
  })

  it.effect("is bounded by the settings", () =>
    Effect.gen(function*() {
      const queue = yield* TaskQueue

      assert.deepStrictEqual([queue.maxWaiting, queue.maxWaitingBytes], [3, 4])
    }).pipe(
      Effect.provide(TaskQueuePriority.layer()),
      Effect.provideService(Settings, { ...defaults, maxWaiting: 3, maxWaitingBytes: 4 })
    ))
})
