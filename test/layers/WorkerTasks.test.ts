import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Lease } from "../../src/layers/WorkerTasks.ts"
import { makeTasks } from "../../src/layers/WorkerTasks.ts"
import type { AttemptResult } from "../../src/services/Executor.ts"

/** A worker's tasks over an executor that runs until it is told how an attempt ends; and what it was told to interrupt. */
const make = Effect.gen(function*() {
  const interrupted: Array<string> = []
  const ends = new Map<string, (result: AttemptResult) => void>()
  const tasks = yield* makeTasks({
    worker: "w",
    slots: 4,
    schedule: () => {},
    executor: {
      start({ attempt, id }, onResult, onEnd) {
        const run = `${id}/${attempt}`
        const end = (result: AttemptResult) => {
          onResult(result)
          onEnd()
        }
        ends.set(run, end)
        return () => {
          interrupted.push(run)
          end({ state: "stopped" })
        }
      }
    }
  })
  const receive = (id: string, attempt: number, exchange: number) => {
    tasks.receive({ id, attempt, name: "t", size: 0 } as Lease, "", undefined, exchange)
    tasks.startReceived()
  }
  return { tasks, interrupted, ends, receive }
})

describe("a reply that comes late", () => {
  it.live("does not stop an attempt that a reply to a later exchange brought", () =>
    Effect.gen(function*() {
      const { ends, interrupted, receive, tasks } = yield* make
      receive("a", 1, 1)
      ends.get("a/1")?.({ state: "crashed", body: "{}" })
      tasks.takeNews()
      receive("a", 2, 10)

      tasks.abandon("a", 2)
      tasks.stop("a", 9)

      assert.deepStrictEqual(interrupted, [])
      assert.deepStrictEqual(tasks.held(), [{ id: "a", attempt: 2 }])
    }))

  it.live("stops what it or an earlier one brought, and tells of it unless it was abandoned", () =>
    Effect.gen(function*() {
      const { interrupted, receive, tasks } = yield* make
      receive("a", 1, 1)
      receive("b", 1, 3)

      tasks.stop("a", 3)
      tasks.abandon("b", 3)

      assert.deepStrictEqual(interrupted, ["a/1", "b/1"])
      assert.deepStrictEqual(tasks.takeNews().reports.map(({ header: { id, state } }) => [id, state]), [[
        "a",
        "stopped"
      ]])
      assert.strictEqual(tasks.free(), 4)
    }))
})
