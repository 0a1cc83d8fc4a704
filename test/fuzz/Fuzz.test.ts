/** A short turn of each target; `npm run fuzz` is the long one. And the fuzzer itself finds what there is to be found. */
import { assert, describe, it } from "@effect/vitest"
import { Buffer } from "node:buffer"
import type { Target } from "./Fuzz.ts"
import { fuzz } from "./Fuzz.ts"
import { simplerBytes } from "./mutate.ts"
import { names, targets } from "./targets.ts"

/** Fails on bytes with an `x` in them, in the way that it is told. */
const broken = (fail: (bytes: Buffer) => Promise<string | undefined>): Target<Buffer> => ({
  name: "broken",
  start: () =>
    Promise.resolve({
      attempt: (bytes) => bytes.includes("x") ? fail(bytes) : Promise.resolve(undefined),
      stop: () => Promise.resolve()
    }),
  generate: (random) => Buffer.from(Array.from({ length: 40 }, () => 97 + Math.floor(random() * 26))),
  simpler: simplerBytes,
  print: (bytes) => bytes.toString()
})

describe("the fuzzer", () => {
  for (
    const [what, fail] of [
      ["an answer that says so", () => Promise.resolve("there is an x")],
      ["an exception", () => Promise.reject(new Error("there is an x"))],
      ["an error that nobody waits for", () => {
        void Promise.reject(new Error("there is an x"))
        return new Promise((resolve) => setImmediate(() => resolve(undefined)))
      }]
    ] as ReadonlyArray<readonly [string, () => Promise<string | undefined>]>
  ) {
    it(`finds ${what}, and makes its input as small as it gets`, async () => {
      const { finding } = await fuzz(broken(fail), { seed: 1, millis: 1_000 })

      assert.include(finding?.message, "there is an x")
      assert.strictEqual(finding?.input, "x")
      if (finding === undefined) return
      const again = await fuzz(broken(fail), { seed: finding.seed, millis: 0 })
      assert.strictEqual(again.finding?.seed, finding.seed)
    })
  }
})

describe("nothing is found in a short turn of", () => {
  for (const name of names) {
    it(name, async () => {
      const { finding, inputs } = await targets[name]((target) => fuzz(target, { seed: 1, millis: 1_000 }))

      assert.strictEqual(finding, undefined, JSON.stringify(finding, undefined, 1))
      assert.isAbove(inputs, 0)
    }, 30_000)
  }
})
