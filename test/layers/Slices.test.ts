import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { makeSlices } from "../../src/layers/Slices.ts"
import { until } from "../harness/Until.ts"

/** Slices on a clock on which each look at it takes a millisecond: two steps are a slice. */
const makeSlow = () => {
  let now = 0
  return makeSlices(() => now++)
}

/** Counts how often the event loop came round while something ran. */
const turnsOf = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function*() {
    let turns = 0
    let isOver = false
    const count = () => {
      turns++
      if (!isOver) setImmediate(count)
    }
    setImmediate(count)
    const result = yield* effect
    isOver = true
    return { turns, result }
  })

describe("slices", () => {
  it.live("let the event loop come round between them", () =>
    Effect.gen(function*() {
      const slices = makeSlow()

      const { result, turns } = yield* turnsOf(slices(function*() {
        for (let i = 0; i < 100; i++) yield
        return "done"
      }))

      assert.strictEqual(result, "done")
      assert.isAtLeast(turns, 30)
    }))

  it.live("are those of one computation at a time", () =>
    Effect.gen(function*() {
      const slices = makeSlow()
      const order: Array<string> = []
      const run = (name: string) =>
        slices(function*() {
          for (let i = 0; i < 10; i++) {
            order.push(name)
            yield
          }
        })

      yield* Effect.all([run("a"), run("b")], { concurrency: 2 })

      assert.strictEqual(order.join(""), "aaaaaaaaaabbbbbbbbbb")
    }))

  it.live("end with whoever wanted them", () =>
    Effect.gen(function*() {
      const slices = makeSlow()
      let steps = 0
      const endless = yield* Effect.forkChild(slices(function*() {
        for (;;) {
          steps++
          yield
        }
      }))
      yield* until("some steps", () => steps >= 10)

      yield* Fiber.interrupt(endless)

      const seen = steps
      assert.strictEqual(
        yield* slices(function*() {
          yield
          return "next"
        }),
        "next"
      )
      assert.strictEqual(steps, seen)
    }))
})
