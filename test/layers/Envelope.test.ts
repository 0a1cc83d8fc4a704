import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { Buffer } from "node:buffer"
import { maxTextBytes, toBytes } from "../../src/domain/Body.ts"
import * as Envelope from "../../src/layers/Envelope.ts"
import { makeRandom } from "../harness/random.ts"

const sizesOf = (parts: ReadonlyArray<Uint8Array>) => parts.map(({ length }) => ({ size: length }))

describe("Envelope.bodies", () => {
  it("gives the bytes that were sent, of any bytes and sizes", () => {
    const random = makeRandom(11)
    const bytes = (length: number, most: number) => Uint8Array.from({ length }, () => Math.floor(random() * most))
    for (let round = 0; round < 200; round++) {
      const most = random() < 0.5 ? 128 : 256
      const parts = Array.from(
        { length: Math.floor(random() * 40) },
        () => bytes(Math.floor(random() ** 3 * 3 * maxTextBytes), most)
      )
      const bodies = Envelope.bodies(Buffer.concat(parts), sizesOf(parts))
      if (Result.isFailure(bodies)) return assert.fail(bodies.failure.reason)
      assert.deepStrictEqual(bodies.success.map((body) => [...toBytes(body)]), parts.map((part) => [...part]))
      assert.deepStrictEqual(bodies.success.map(({ length }) => length), parts.map(({ length }) => length))
    }
  })

  it("gives text where all of it is ASCII, also beside what is not", () => {
    const parts = ["{\"x\":1}", "\"é\"", "\"😀\"", "[1]"].map((text) => Buffer.from(text))
    const bodies = Envelope.bodies(Buffer.concat(parts), sizesOf(parts))

    assert.deepStrictEqual(
      Result.map(bodies, (bodies) => bodies.map((body) => typeof body === "string" ? body : "bytes")),
      Result.succeed(["{\"x\":1}", "bytes", "bytes", "[1]"])
    )
  })

  it("does not keep the buffer of a message that it is a small part of", () => {
    const message = Buffer.alloc(1024 * 1024, "é")
    const bodies = Envelope.bodies(message.subarray(0, 2 * maxTextBytes), [{ size: 2 * maxTextBytes }])

    const [body] = Result.isSuccess(bodies) ? bodies.success : []
    assert.isTrue(body instanceof Uint8Array && body.buffer.byteLength < message.length)
  })

  it("refuses sizes that do not add up", () => {
    const bodies = Envelope.bodies(Buffer.from("abc"), [{ size: 1 }, { size: 1 }])
    assert.strictEqual(
      Result.isFailure(bodies) ? bodies.failure.reason : "",
      "the sizes in the header add up to 2 bytes, the body has 3"
    )
  })
})
