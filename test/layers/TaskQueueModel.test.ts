import { assert, describe, it } from "@effect/vitest"
import type { PriorityLevel } from "../../src/domain/Priority.ts"
import type { TaskRecord } from "../../src/domain/Task.ts"
import { makeRandom } from "../model/Random.ts"
import { keyOf, makeQueue, maker, optionsFor } from "./queues.ts"

/** The rules of the queue, one line each, over a plain list; limit keys that are shut are never asked about. */
const makeModel = (maxPassed: number) => {
  const levels = [0, 1, 2, 3].map(() => ({
    tasks: new Array<TaskRecord>(),
    flows: new Map<string, { pass: number; weight: number; size: number }>(),
    time: 0,
    passed: 0
  }))
  type Level = (typeof levels)[number]

  const add = (task: TaskRecord) => {
    const level = levels[task.level] as Level
    const { flows, tasks, time } = level
    const flow = flows.get(keyOf(task)) ?? { pass: 0, weight: 1, size: 0 }
    flows.set(keyOf(task), flow)
    flow.weight = task.options?.weight ?? 1
    const hasTurns = [...flows].some(([key, { pass, size }]) =>
      (key !== "" && (size > 0 || pass > time)) || key === keyOf(task) && key !== ""
    )
    if (flow.size++ === 0 && hasTurns) flow.pass = Math.max(flow.pass, time + Math.min(0.5, 0.5 / flow.weight))
    tasks.push(task)
  }

  const remove = (task: TaskRecord) => {
    const level = levels[task.level] as Level
    level.tasks = level.tasks.filter((each) => each !== task)
    const flow = level.flows.get(keyOf(task))
    if (flow !== undefined) flow.size--
    const hadTurns = [...level.flows].some(([key, { pass, size }]) =>
      key !== "" && (size > 0 || pass > level.time || key === keyOf(task))
    )
    if (level.tasks.length > 0 || !hadTurns) return
    level.flows.clear()
    level.time = 0
  }

  const firstOf = ({ flows, tasks }: Level, canGo: (task: TaskRecord) => boolean): TaskRecord | undefined =>
    tasks.filter(canGo).toSorted((a, b) =>
      (flows.get(keyOf(a))?.pass ?? 0) - (flows.get(keyOf(b))?.pass ?? 0) || a.sequence - b.sequence
    )[0]

  const take = (canGo: (task: TaskRecord) => boolean): TaskRecord | undefined => {
    const starved = levels
      .filter((level) => level.passed >= maxPassed && firstOf(level, canGo) !== undefined)
      .toSorted((a, b) => b.passed - a.passed)[0]
    const level = starved ?? levels.find((level) => firstOf(level, canGo) !== undefined)
    const task = level === undefined ? undefined : firstOf(level, canGo)
    if (level === undefined || task === undefined) return undefined
    const flow = level.flows.get(keyOf(task))
    const hasTurns = [...level.flows].some(([key, { pass, size }]) => key !== "" && (size > 0 || pass > level.time))
    if (flow !== undefined && hasTurns) {
      level.time = Math.max(level.time, flow.pass)
      flow.pass = level.time + 1 / flow.weight
    }
    remove(task)
    for (const each of levels) each.passed = each.tasks.length > 0 ? each.passed + 1 : 0
    level.passed = 0
    return task
  }

  return {
    add,
    remove,
    take,
    waiting: () => levels.flatMap(({ tasks }) => tasks),
    levelOf: (number: PriorityLevel) => (levels[number] as Level).tasks
  }
}

const inOrder = (tasks: ReadonlyArray<TaskRecord>) =>
  tasks.toSorted((a, b) => a.level - b.level || a.sequence - b.sequence)

describe("the queue", () => {
  it("does what its rules say, over random sequences of everything that it can do", () => {
    let taken = 0
    let parked = 0
    for (let seed = 1; seed <= 60; seed++) {
      const random = makeRandom(seed)
      const maxPassed = random.pick([1, 3, 64])
      const queue = makeQueue(maxPassed)
      const model = makeModel(maxPassed)
      const newTask = maker()
      const shut = new Set<string>()
      const out: Array<TaskRecord> = []
      const size = random.pick([5, 40])

      for (let step = 0; step < 300; step++) {
        const what = random.below(12)
        const waiting = model.waiting()
        if (what < 4 && waiting.length < size) {
          const level = random.below(random.pick([1, 4])) as PriorityLevel
          const task = newTask(optionsFor(random), random.pick(["a", "b"]), level)
          if (random.chance(0.5)) queue.append(task)
          else assert.isTrue(queue.offer(task))
          model.add(task)
        } else if (what < 8) {
          const able = new Set(random.shuffle(["a", "b"]).slice(0, random.between(0, 2)))
          const isShut = (name: string, key = "") => shut.has(`${name} ${key}`)
          const expected = model.take(({ name, options }) => able.has(name) && !isShut(name, options?.limitKey))
          const actual = queue.take((name) => able.has(name), (name, key) => {
            assert.notStrictEqual(key, "")
            if (isShut(name, key)) parked++
            return !isShut(name, key)
          })
          assert.strictEqual(actual?.id, expected?.id, `seed ${seed}, step ${step}`)
          if (actual !== undefined) {
            taken++
            out.push(actual)
          }
        } else if (what < 9 && out.length > 0) {
          const back = out.splice(random.below(out.length), 1)[0] as TaskRecord
          queue.restore(back)
          model.add(back)
        } else if (what < 10 && waiting.length > 0) {
          const gone = random.pick(waiting)
          queue.remove(gone)
          model.remove(gone)
        } else if (what < 11) shut.add(`${random.pick(["a", "b"])} ${random.pick(["l", "m"])}`)
        else {
          const name = random.pick(["a", "b"])
          const keys = random.chance(0.3) ? ["l", "m"] : [random.pick(["l", "m"])]
          for (const key of keys) shut.delete(`${name} ${key}`)
          if (keys.length > 1) queue.unparkAll(name)
          else queue.unpark(name, keys[0] as string)
        }
        const left = inOrder(model.waiting())
        assert.strictEqual(queue.size(), left.length)
        for (const level of [0, 1, 2, 3] as const) assert.strictEqual(queue.sizeOf(level), model.levelOf(level).length)
        for (const name of ["a", "b"]) {
          assert.deepStrictEqual(
            queue.tasksOf(name).map(({ id }) => id),
            left.filter((task) => task.name === name).map(({ id }) => id)
          )
        }
      }
    }
    assert.isAbove(taken, 4_000)
    assert.isAbove(parked, 400)
  })
})
