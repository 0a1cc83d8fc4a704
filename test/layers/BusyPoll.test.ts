import { assert, describe, it } from "@effect/vitest"
import { makeBusyPoll } from "../../src/layers/BusyPoll.ts"

const micros = 300

/** A poll on a clock and an event loop that stand still: `turns` is how often it comes round while `millis` pass. */
const make = ({ isWorthIt = true, longest = micros } = {}) => {
  let now = 1_000
  let next: (() => void) | undefined
  const poll = makeBusyPoll({
    micros: longest,
    now: () => now,
    isWorthIt: () => isWorthIt,
    turn(then) {
      assert.isUndefined(next, "one loop at a time")
      next = then
    }
  })
  const step = () => {
    const then = next
    next = undefined
    then?.()
  }
  return {
    /** Time passes, then a message comes and is dealt with. */
    messageAfter: (millis: number) => {
      now += millis
      poll.heard()
      poll.rest()
    },
    /** A message comes, and is not dealt with yet. */
    hear: () => poll.heard(),
    /** A turn ends. */
    rest: () => poll.rest(),
    isPolling: () => next !== undefined,
    /** The event loop comes round. */
    pass: (millis: number) => {
      now += millis
      step()
    }
  }
}

describe("makeBusyPoll", () => {
  it("polls after two short pauses in a row, until the time is over", () => {
    const { isPolling, messageAfter, pass } = make()

    messageAfter(0)
    messageAfter(0.1)
    assert.isFalse(isPolling(), "one short pause")
    messageAfter(0.299)
    assert.isTrue(isPolling())
    pass(0.1)
    pass(0.1)
    assert.isTrue(isPolling())
    pass(0.1)
    assert.isFalse(isPolling())
  })

  it("goes on for as long as messages come in time", () => {
    const { isPolling, messageAfter, pass } = make()
    messageAfter(0)

    for (let i = 0; i < 100; i++) {
      messageAfter(0.2)
      pass(0.05)
      assert.strictEqual(isPolling(), i > 0)
    }
  })

  it("sleeps while pauses are long, or long now and then", () => {
    const { isPolling, messageAfter } = make()

    for (let i = 0; i < 100; i++) {
      messageAfter(i % 2 === 0 ? 0.1 : 5)
      assert.isFalse(isPolling())
    }
  })

  it("does not poll while a message is dealt with", () => {
    const { hear, isPolling, messageAfter, pass, rest } = make()
    for (let i = 0; i < 3; i++) messageAfter(0.1)
    assert.isTrue(isPolling())

    hear()
    pass(0.1)
    assert.isFalse(isPolling())
    rest()
    assert.isTrue(isPolling())
  })

  it("does not take a turn without a message for one", () => {
    const { isPolling, messageAfter, pass, rest } = make()
    for (let i = 0; i < 3; i++) messageAfter(0.1)

    pass(0.2)
    rest()
    pass(0.2)
    assert.isFalse(isPolling())
    rest()
    messageAfter(0.1)
    assert.isFalse(isPolling(), "the pause was of 0.5 ms")
  })

  it("does not poll when that is worth nothing, or never", () => {
    const few = make({ isWorthIt: false })
    const none = make({ longest: 0 })
    for (let i = 0; i < 10; i++) {
      few.messageAfter(0.1)
      none.messageAfter(0)
      assert.isFalse(few.isPolling() || none.isPolling())
    }
  })

  it("polls for 10 ms at most", () => {
    const { isPolling, messageAfter, pass } = make({ longest: 1e9 })
    for (let i = 0; i < 3; i++) messageAfter(0.1)

    pass(9.9)
    assert.isTrue(isPolling())
    pass(0.1)
    assert.isFalse(isPolling())
  })
})
