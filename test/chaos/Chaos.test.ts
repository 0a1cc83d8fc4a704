/** A short chaos run of each kind. `npm run chaos` runs many long ones; what is checked is the same. */
import { assert, describe, it } from "@effect/vitest"
import { run } from "./Run.ts"
import { makeScript } from "./Script.ts"

describe("processes that are killed, stopped and cut off at random", () => {
  it("lose nothing with a journal, whoever is killed", async () => {
    const { accepted, lost, violations } = await run({ seed: 55, seconds: 6, mode: "journal" })

    assert.deepStrictEqual(violations, [])
    assert.strictEqual(lost, 0)
    assert.isAbove(accepted, 80)
  }, 150_000)

  it("lose nothing without a journal, as long as the control plane lives", async () => {
    const { accepted, lost, violations } = await run({ seed: 31, seconds: 6, mode: "memory" })

    assert.deepStrictEqual(violations, [])
    assert.strictEqual(lost, 0)
    assert.isAbove(accepted, 80)
  }, 150_000)
})

describe("makeScript", () => {
  it("makes the same script from the same seed, and never kills a control plane that would forget", () => {
    const cast = { seed: 3, seconds: 60, workers: ["w"], clients: ["c"] } as const
    const script = makeScript({ ...cast, mode: "memory" })

    assert.deepStrictEqual(makeScript({ ...cast, mode: "memory" }), script)
    assert.notDeepEqual(makeScript({ ...cast, seed: 4, mode: "memory" }), script)
    assert.isAbove(script.length, 10)
    assert.isFalse(script.some(({ kind, target }) => target === "plane" && (kind === "kill" || kind === "restart")))
  })
})
