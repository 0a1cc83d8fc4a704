import { assert, describe, it } from "vitest"
import type { ByteStream } from "../src/FrameWriter.ts"
import { FrameWriter } from "../src/FrameWriter.ts"
import type { Part, Payload } from "../src/Payload.ts"
import { makeRandom } from "./random.ts"

/** Keeps what is written as it is when the stream lets go of it, which is later: only then may it be written over. */
const makeStream = () => {
  const written: Array<Buffer> = []
  let pending: Array<{ readonly bytes: Uint8Array; readonly done: ((error?: Error | null) => void) | undefined }> = []
  const stream: ByteStream = {
    get writableLength() {
      return pending.reduce((sum, { bytes }) => sum + bytes.length, 0)
    },
    write(bytes, done) {
      pending.push({ bytes, done })
      return true
    },
    cork() {},
    uncork() {}
  }
  const letGo = () => {
    const taken = pending
    pending = []
    for (const { bytes, done } of taken) {
      written.push(Buffer.from(bytes))
      done?.(null)
    }
  }
  return { stream, letGo, all: () => Buffer.concat(written) }
}

const bytesOf = (payload: Payload): Buffer =>
  Buffer.concat(
    (Array.isArray(payload) ? payload as ReadonlyArray<Part> : [payload as Part]).map((part) =>
      Buffer.from(part as string)
    )
  )

const frameOf = (header: number, payload: Payload): Buffer => {
  const body = bytesOf(payload)
  const head = Buffer.alloc(12)
  head.writeBigUInt64BE(BigInt(4 + body.length))
  head.writeUInt32BE(header, 8)
  return Buffer.concat([head, body])
}

describe("FrameWriter", () => {
  it("writes texts of any length and bytes side by side, whatever characters meet where a slab ends", () => {
    const below = makeRandom(7)
    const pick = <A>(of: ReadonlyArray<A>): A => of[below(of.length)] as A
    const units = ["x", "ü", "漢", "😀", "\ud800", "a😀", "{\"a\":1}"]
    const text = () => {
      const length = pick([3, 900, 5_000, 16_383, 16_384, 16_385, 40_000, 200_000])
      return `${"p".repeat(below(3))}${pick(units).repeat(length)}`.slice(0, length)
    }
    const part = (): Part => below(3) === 0 ? Buffer.alloc(pick([0, 100, 5_000, 70_000]), "b") : text()
    const writer = new FrameWriter({ typed: false })
    const { all, letGo, stream } = makeStream()
    const expected: Array<Buffer> = []

    for (let i = 0; i < 300; i++) {
      const payload = below(4) === 0 ? part() : Array.from({ length: 1 + below(4) }, part)
      const frame = frameOf(i, payload)
      expected.push(frame)
      assert.strictEqual(writer.append(i, payload), frame.length - 8)
      if (below(3) === 0) writer.flush(stream)
      if (below(3) === 0) letGo()
    }
    writer.flush(stream)
    letGo()

    assert.isTrue(all().equals(Buffer.concat(expected)))
  })
})
