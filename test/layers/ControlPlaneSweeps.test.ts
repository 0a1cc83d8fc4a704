import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { defaults } from "../../src/domain/Settings.ts"
import { makeSweeps } from "../../src/layers/ControlPlaneSweeps.ts"

/** Sweeps that are counted, while nothing is due until it is said. */
const start = Effect.fnUntraced(function*(settings = defaults) {
  const state = { isQuiet: true, sweeps: 0, every: 0 }
  const sweeps = yield* makeSweeps({
    settings,
    isQuiet: () => state.isQuiet,
    sweep(every) {
      state.sweeps++
      state.every = every
    }
  })
  yield* Effect.forkScoped(sweeps.run)
  yield* Effect.yieldNow
  /** How often it sweeps in a second from now. */
  const inASecond = Effect.gen(function*() {
    const before = state.sweeps
    yield* TestClock.adjust(1_000)
    return state.sweeps - before
  })
  return { state, sweeps, inASecond }
})

describe("a control plane", () => {
  it.effect("sweeps ten times a second, and twice while nothing can be due", () =>
    Effect.gen(function*() {
      const { inASecond, state } = yield* start()

      assert.strictEqual(yield* inASecond, 2)
      assert.strictEqual(state.every, 500)
      state.isQuiet = false
      yield* TestClock.adjust(500)
      assert.strictEqual(yield* inASecond, 10)
      assert.strictEqual(state.every, 100)
    }))

  it.effect("does not wait for the end of its rest when something has come", () =>
    Effect.gen(function*() {
      const { inASecond, state, sweeps } = yield* start()
      yield* TestClock.adjust(50)
      const before = state.sweeps

      sweeps.changed()
      yield* TestClock.adjust(50)
      assert.strictEqual(state.sweeps, before)
      state.isQuiet = false
      sweeps.changed()
      yield* TestClock.adjust(1)

      assert.strictEqual(state.sweeps, before + 1)
      assert.strictEqual(yield* inASecond, 10)
    }))

  it.effect("does not rest when its workers are to be lost sooner", () =>
    Effect.gen(function*() {
      const { inASecond } = yield* start({ ...defaults, reconnectGraceMillis: 200 })

      assert.strictEqual(yield* inASecond, 10)
    }))
})
