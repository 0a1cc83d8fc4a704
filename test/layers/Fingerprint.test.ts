import { assert, describe, it } from "@effect/vitest"
import { fingerprint } from "../../src/layers/Fingerprint.ts"
import { makeRandom } from "../model/Random.ts"

const of = (name: string, args: string) => fingerprint(name, Buffer.from(args))

describe("fingerprint", () => {
  it("is the same for the same name and arguments, wherever their bytes lie", () => {
    const buffer = Buffer.from("xx{\"a\":1}yy")

    assert.strictEqual(fingerprint("t", buffer.subarray(2, 9)), of("t", "{\"a\":1}"))
  })

  it("is a number that JSON and JavaScript keep exactly", () => {
    for (const args of ["", "a", "x".repeat(10_000)]) {
      const value = of("t", args)
      assert.isTrue(Number.isSafeInteger(value) && value >= 0)
    }
  })

  it("tells where the name ends", () => {
    assert.notStrictEqual(of("a{", "}"), of("a", "{}"))
    assert.notStrictEqual(of("", "ab"), of("ab", ""))
  })

  it.each([64, 520])("tells every single bit of the arguments, and their order and length, of %i bytes", (size) => {
    const random = makeRandom(1)
    const bytes = Buffer.from(Array.from({ length: size }, () => random.below(256)))
    const seen = new Set([fingerprint("t", bytes)])
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const changed = Buffer.from(bytes)
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7))
      seen.add(fingerprint("t", changed))
    }
    for (let length = 0; length < bytes.length; length++) seen.add(fingerprint("t", bytes.subarray(0, length)))

    assert.strictEqual(seen.size, 1 + 8 * bytes.length + bytes.length)
  })

  it("is different for each of 200,000 similar tasks", () => {
    const seen = new Set<number>()
    for (let i = 0; i < 100_000; i++) {
      seen.add(of("add", `{"x":${i},"y":1}`))
      seen.add(of("mail", `{"x":${i},"y":1}`))
    }

    assert.strictEqual(seen.size, 200_000)
  })
})
