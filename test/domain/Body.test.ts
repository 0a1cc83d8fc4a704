import { assert, describe, it } from "@effect/vitest"
import * as Body from "../../src/domain/Body.ts"

const bytes = (text: string) => new TextEncoder().encode(text)

describe("Body", () => {
  it("is text while each character is a byte and it is short", () => {
    assert.strictEqual(Body.fromText("{\"x\":1}"), "{\"x\":1}")
    assert.strictEqual(Body.fromText("x".repeat(Body.maxTextBytes)), "x".repeat(Body.maxTextBytes))
    assert.instanceOf(Body.fromText("x".repeat(Body.maxTextBytes + 1)), Uint8Array)
    assert.instanceOf(Body.fromText("\"é\""), Uint8Array)
  })

  it.each(["", "{\"x\":1}", "\"é 😀\"", "\ufeff1", "x".repeat(5_000)])("keeps text, bytes and size (%#)", (text) => {
    const body = Body.fromText(text)
    assert.strictEqual(body.length, bytes(text).length)
    assert.strictEqual(Body.toText(body), text)
    assert.deepStrictEqual([...Body.toBytes(body)], [...bytes(text)])
  })

  it("is the same in both forms", () => {
    assert.isTrue(Body.isSame("abc", "abc"))
    assert.isTrue(Body.isSame("abc", bytes("abc")))
    assert.isTrue(Body.isSame(bytes("abc"), "abc"))
    assert.isTrue(Body.isSame(bytes("é"), bytes("é")))
    assert.isFalse(Body.isSame("abc", "abd"))
    assert.isFalse(Body.isSame("abc", bytes("abd")))
    assert.isFalse(Body.isSame("abc", "abcd"))
    assert.isFalse(Body.isSame("a", bytes("é")))
  })
})
