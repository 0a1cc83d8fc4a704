import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { Buffer } from "node:buffer"
import type { CollectReply } from "../../src/domain/Message.ts"
import { defaults } from "../../src/domain/Settings.ts"
import type { Calls } from "../../src/layers/Calls.ts"
import type { ClientResults, Waiter } from "../../src/layers/ClientResults.ts"
import { makeResults } from "../../src/layers/ClientResults.ts"

/** Results whose collect is answered with outcomes and reports of tasks. */
const make = () => {
  let answer: (reply: unknown) => void = () => {}
  const send = ((_payload, _decode, _wait, done: (reply: never) => void) => {
    answer = (reply) => done(Result.succeed(reply) as never)
    return () => {}
  }) as Calls["send"]
  const results: ClientResults = makeResults({
    calls: { send, ask: () => assert.fail("nothing is asked"), isClosed: () => false },
    session: "0".repeat(32),
    settings: defaults,
    scheduleFlush: () => {}
  })
  let last = 0
  const collected = (header: Partial<typeof CollectReply.Type>, body: string) => {
    results.flush()
    const { outcomes = [] } = header
    last += outcomes.length
    answer({ header: { v: 1, epoch: "e".repeat(32), last, outcomes, ...header }, body: Buffer.from(body) })
  }
  const said: Array<string> = []
  const waiter = (name: string, onReport = () => {}): Waiter => ({
    end: () => said.push(`${name} ends`),
    report(body) {
      said.push(`${name} hears ${body}`)
      onReport()
    },
    next: undefined
  })
  return { results, collected, waiter, said }
}

const outcome = (id: string) => ({ id, name: "t", state: "succeeded", attempt: 1, size: 1 }) as never

describe("who waits", () => {
  it("is told of the task that it waits for now, not of one that it waited for before", () => {
    const { collected, results, said, waiter } = make()
    const [first, second, third] = [waiter("first"), waiter("second"), waiter("third")]
    for (const each of [first, second, third]) results.add("a", each)
    results.remove("a", first)
    results.add("b", first)
    results.remove("a", third)
    results.add("b", third)

    collected({ outcomes: [outcome("b")] }, "1")
    assert.deepStrictEqual(said, ["first ends", "third ends"])
    assert.isFalse(results.has("b"))

    collected({ outcomes: [outcome("a")] }, "1")
    assert.deepStrictEqual(said, ["first ends", "third ends", "second ends"])
  })

  it("may stop waiting when it is told something, and the others are told all the same", () => {
    const { collected, results, said, waiter } = make()
    const first: Waiter = waiter("first", () => results.remove("a", first))
    results.add("a", first)
    results.add("a", waiter("second"))

    const progress = [{ id: "a", size: 2 }] as never
    collected({ progress }, "10")
    collected({ progress }, "20")
    assert.deepStrictEqual(said, ["first hears 10", "second hears 10", "second hears 20"])
  })

  it("is nobody any more when the last has gone", () => {
    const { results, waiter } = make()
    const [first, second] = [waiter("first"), waiter("second")]
    results.add("a", first)
    results.add("a", second)
    results.remove("a", waiter("another"))
    results.remove("a", second)
    assert.isTrue(results.has("a"))
    results.remove("a", first)
    assert.isFalse(results.has("a"))
  })
})
