import { assert, describe, it } from "@effect/vitest"
import { makeFlows } from "../../src/layers/Flows.ts"

describe("memory of flows", () => {
  it("knows only the flow without a key when nothing waits", () => {
    const flows = makeFlows()
    const made = Array.from({ length: 1_000 }, (_, index) => flows.of(`${index}`))
    for (const flow of made) flows.joined(flow, 0.001)
    for (const flow of made) {
      flows.served(flow)
      flows.left(flow)
    }

    assert.strictEqual(flows.size(), 1)
  })

  it("is bounded by the keys that wait, when 1,000,000 keys pass through", () => {
    const flows = makeFlows()
    const waiting: Array<ReturnType<typeof flows.of>> = []
    let most = 0
    for (let i = 0; i < 1_000_000; i++) {
      const flow = flows.of(`${i}`)
      flows.joined(flow, 1)
      waiting.push(flow)
      if (waiting.length <= 100) continue
      const first = waiting.shift()
      if (first === undefined) continue
      flows.served(first)
      flows.left(first)
      most = Math.max(most, flows.size())
    }

    assert.isAtMost(most, 500)
  })

  it("is bounded when very many are ahead at the same time", () => {
    const flows = makeFlows()
    flows.joined(flows.of("waits"), 1)
    const made = Array.from({ length: 150_000 }, (_, index) => flows.of(`${index}`))
    for (const flow of made) flows.joined(flow, 0.001)

    for (const flow of made) {
      flows.served(flow)
      flows.left(flow)
    }

    assert.isAtMost(flows.size(), 100_010)
    assert.isAbove(flows.size(), 90_000)
  })

  it("keeps how far a flow is ahead until the others have come there", () => {
    const flows = makeFlows()
    const [a, b] = [flows.of("a"), flows.of("b")]
    for (const flow of [a, b, a]) flows.joined(flow, 1)
    flows.served(a)
    flows.left(a)
    flows.left(a)
    const { pass } = a

    const again = flows.of("a")
    flows.joined(again, 1)

    assert.strictEqual(again.pass, pass)
    assert.isBelow(b.pass, pass)
  })
})
