import { assert, describe, it } from "@effect/vitest"
import type { EndedAttempt } from "../../src/domain/Task.ts"
import type { DeadTask, DeadTasks } from "../../src/layers/DeadTasks.ts"
import { makeDeadTasks } from "../../src/layers/DeadTasks.ts"
import { makeRandom } from "../model/Random.ts"
import { makeOutcome } from "./records.ts"

const dead = (id: string, bytes = 0, body = 0, history: ReadonlyArray<EndedAttempt> = []): DeadTask => ({
  outcome: { ...makeOutcome(id, body), state: "failed", reason: "error", history },
  args: new Uint8Array(bytes)
})

const ids = (tasks: DeadTasks) => [...tasks.values()].map(({ outcome }) => outcome.id)

/** What a dead task without arguments and error accounts for. */
const overhead = (() => {
  const tasks = makeDeadTasks({ maxDead: 1, maxDeadBytes: 1_000_000 })
  tasks.put(dead("a"))
  return tasks.bytes()
})()

describe("dead tasks", () => {
  it("are kept with their arguments and outcome, newest first", () => {
    const tasks = makeDeadTasks({ maxDead: 10, maxDeadBytes: 1_000_000 })
    const [a, b] = [dead("a", 3), dead("b")]

    assert.deepStrictEqual([tasks.put(a), tasks.put(b)], [[], []])

    assert.deepStrictEqual([tasks.get("a"), tasks.get("b"), tasks.get("c")], [a, b, undefined])
    assert.deepStrictEqual([ids(tasks), tasks.size()], [["b", "a"], 2])
    assert.strictEqual(tasks.bytes(), 2 * overhead + 3)
  })

  it("go when they are removed, once", () => {
    const tasks = makeDeadTasks({ maxDead: 10, maxDeadBytes: 1_000_000 })
    tasks.put(dead("a", 5))

    assert.deepStrictEqual([tasks.remove("a"), tasks.remove("a")], [true, false])
    assert.deepStrictEqual([tasks.get("a"), tasks.size(), tasks.bytes()], [undefined, 0, 0])
    assert.deepStrictEqual(tasks.put(dead("b")), [], "what was removed is not told as forgotten")
  })

  it("go oldest first when there are too many, and are told", () => {
    const tasks = makeDeadTasks({ maxDead: 2, maxDeadBytes: 1_000_000 })

    const told = ["a", "b", "c", "d"].map((id) => tasks.put(dead(id)))

    assert.deepStrictEqual(told, [[], [], ["a"], ["b"]])
    assert.deepStrictEqual(ids(tasks), ["d", "c"])
  })

  it("are not younger because somebody looked at them", () => {
    const tasks = makeDeadTasks({ maxDead: 2, maxDeadBytes: 1_000_000 })
    for (const id of ["a", "b"]) tasks.put(dead(id))

    tasks.get("a")

    assert.deepStrictEqual(tasks.put(dead("c")), ["a"])
  })

  it("go oldest first when they are too large, as many as it takes", () => {
    const tasks = makeDeadTasks({ maxDead: 100, maxDeadBytes: 3 * overhead + 100 })
    for (const id of ["a", "b", "c"]) tasks.put(dead(id, 30))

    const told = tasks.put(dead("d", overhead + 20))

    assert.deepStrictEqual(told, ["a", "b"])
    assert.deepStrictEqual([ids(tasks), tasks.bytes()], [["d", "c"], 3 * overhead + 50])
  })

  it("account for their error and for their earlier attempts", () => {
    const attempt: EndedAttempt = {
      attempt: 1,
      worker: "w",
      startedAt: 0,
      endedAt: 0,
      reason: "error",
      body: new Uint8Array(1_000)
    }
    const tasks = makeDeadTasks({ maxDead: 10, maxDeadBytes: 1_000_000 })

    tasks.put(dead("a", 10, 200, [attempt, attempt]))

    assert.isAtLeast(tasks.bytes(), overhead + 10 + 200 + 2 * 1_000)
  })

  it("are not kept when one alone is too large, or none is to be: the others stay", () => {
    const tasks = makeDeadTasks({ maxDead: 2, maxDeadBytes: overhead + 100 })
    tasks.put(dead("a"))
    const none = makeDeadTasks({ maxDead: 0, maxDeadBytes: 1_000_000 })

    assert.deepStrictEqual([tasks.put(dead("large", 101)), none.put(dead("a"))], [["large"], ["a"]])
    assert.deepStrictEqual([ids(tasks), none.size()], [["a"], 0])
  })

  it("that died again are kept as they died last", () => {
    const tasks = makeDeadTasks({ maxDead: 3, maxDeadBytes: 3 * overhead })
    const again = dead("a")
    for (const id of ["a", "b"]) tasks.put(dead(id))

    const told = tasks.put(again)

    assert.deepStrictEqual([told, ids(tasks), tasks.bytes()], [[], ["a", "b"], 2 * overhead])
    assert.strictEqual(tasks.get("a"), again)
    assert.deepStrictEqual([tasks.put(dead("a", 3 * overhead)), ids(tasks)], [["a"], ["b"]])
  })

  it("are a bounded list, over random sequences", () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = makeRandom(seed)
      const bounds = { maxDead: random.between(1, 10), maxDeadBytes: random.between(1, 12) * overhead }
      const tasks = makeDeadTasks(bounds)
      let list: Array<{ readonly id: string; readonly size: number }> = []
      const bytes = () => list.reduce((sum, { size }) => sum + size, 0)
      for (let step = 0; step < 200; step++) {
        const id = `${random.below(30)}`
        if (random.chance(0.7)) {
          const args = random.below(2 * overhead)
          const size = overhead + args
          const told: Array<string> = []
          list = list.filter((each) => each.id !== id)
          if (size > bounds.maxDeadBytes) told.push(id)
          else {
            list.push({ id, size })
            while (list.length > bounds.maxDead || bytes() > bounds.maxDeadBytes) told.push(list.shift()?.id ?? "")
          }
          assert.deepStrictEqual(tasks.put(dead(id, args)), told, `seed ${seed}, step ${step}`)
        } else {
          assert.strictEqual(tasks.remove(id), list.some((each) => each.id === id))
          list = list.filter((each) => each.id !== id)
        }
        assert.deepStrictEqual(ids(tasks), list.map(({ id }) => id).toReversed())
        assert.strictEqual(tasks.bytes(), bytes())
      }
    }
  })

  it("are dropped from the front without walking over those that went before", () => {
    const tasks = makeDeadTasks({ maxDead: 50_000, maxDeadBytes: 1_000_000_000 })
    const all = Array.from({ length: 150_000 }, (_, index) => dead(`${index}`))

    const before = process.cpuUsage()
    for (const task of all) tasks.put(task)
    const { system, user } = process.cpuUsage(before)

    assert.strictEqual(tasks.size(), 50_000)
    // Measured: 1 microsecond each.
    assert.isBelow((system + user) / all.length, 50)
  })
})
