import { describe, expect, it } from "vitest"
import type { ByteStream } from "../src/FrameWriter.ts"
import { FrameWriter } from "../src/FrameWriter.ts"
import type { Payload } from "../src/Payload.ts"
import { joinPayload } from "../src/Payload.ts"
import { encodeGreeting, FrameParser, isGreetingStart } from "../src/Wire.ts"
import { makeRandom } from "./random.ts"

const encode = (messages: ReadonlyArray<Uint8Array>, typed = false): Buffer =>
  Buffer.concat(messages.flatMap((message) => {
    const head = Buffer.alloc(8)
    head.writeBigUInt64BE(BigInt(message.length))
    return typed ? [Uint8Array.of(1), head, message] : [head, message]
  }))

/** Frames a parser yields, as copies. */
const collect = (): {
  readonly frames: Array<Buffer>
  readonly frame: (b: Uint8Array, s: number, e: number) => void
} => {
  const frames: Array<Buffer> = []
  return { frames, frame: (bytes, start, end) => void frames.push(Buffer.from(bytes.slice(start, end))) }
}

const head = (high: number, low: number): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt32BE(high, 0)
  bytes.writeUInt32BE(low, 4)
  return bytes
}

describe("encodeGreeting", () => {
  it("announces the protocol id in 16 bits", () => {
    expect([...encodeGreeting(0x30)]).toEqual([0, 0x53, 0x50, 0, 0, 0x30, 0, 0])
  })

  it("is recognised up to any length, and nothing else is", () => {
    const bytes = encodeGreeting(0x1234)

    for (let size = 0; size <= 8; size++) expect(isGreetingStart(bytes, size)).toBe(true)
    for (const at of [0, 1, 2, 3, 6, 7]) {
      const wrong = bytes.slice()
      wrong[at] = 0x7f
      expect(isGreetingStart(wrong, at)).toBe(true)
      expect(isGreetingStart(wrong, at + 1)).toBe(false)
    }
  })
})

describe("FrameParser", () => {
  it("yields the same frames however the bytes are cut", () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = makeRandom(seed)
      const typed = seed % 2 === 0
      const messages = Array.from({ length: random(12) }, () => {
        const size = random(4) === 0 ? random(200_000) : random(40)
        return new Uint8Array(size).fill(random(256))
      })
      const bytes = encode(messages, typed)
      const sink = collect()
      const parser = new FrameParser(sink, { maxBytes: 0, typed })

      for (let at = 0; at < bytes.length;) {
        const size = 1 + random(random(3) === 0 ? 3 : 100_000)
        expect(parser.push(Buffer.from(bytes.subarray(at, at + size)))).toBe(null)
        at += size
      }

      expect(sink.frames.length).toBe(messages.length)
      expect(Buffer.concat(sink.frames).equals(Buffer.concat(messages))).toBe(true)
      expect(sink.frames.map((frame) => frame.length)).toEqual(messages.map((message) => message.length))
      expect(parser.inFrame).toBe(false)
    }
  })

  it("yields messages of no bytes", () => {
    const sink = collect()
    const parser = new FrameParser(sink, { maxBytes: 10, typed: false })

    parser.push(encode([new Uint8Array(0), Uint8Array.of(7), new Uint8Array(0)]))

    expect(sink.frames.map((frame) => [...frame])).toEqual([[], [7], []])
  })

  it("hands over a whole frame in place, without a copy", () => {
    const chunk = encode([Uint8Array.of(1, 2, 3)])
    let seen: Uint8Array | null = null
    const parser = new FrameParser({ frame: (bytes) => void (seen = bytes) }, { maxBytes: 0, typed: false })

    parser.push(chunk)

    expect(seen).toBe(chunk)
  })

  it("accepts the maximum and refuses one byte more, before any of it comes", () => {
    const sink = collect()
    const parser = new FrameParser(sink, { maxBytes: 3, typed: false })

    expect(parser.push(encode([Uint8Array.of(1, 2, 3)]))).toBe(null)
    expect(parser.push(head(0, 4))?.code).toBe("EMSGSIZE")
    expect(parser.push(Buffer.of(1, 2, 3, 4))?.code).toBe("EMSGSIZE")
    expect(sink.frames.length).toBe(1)
  })

  it.each([[1, 0], [1, 2], [0x8000_0000, 2], [0xffff_ffff, 0xffff_ffff], [0x0020_0000, 0], [0, 0xffff_ffff]])(
    "looks at all 64 bits of the length: %i, %i",
    (high, low) => {
      const parser = new FrameParser(collect(), { maxBytes: 1024, typed: false })

      expect(parser.push(head(high, low))?.code).toBe("EMSGSIZE")
    }
  )

  it("refuses a length beyond any number even without a maximum", () => {
    const parser = new FrameParser(collect(), { maxBytes: 0, typed: false })

    expect(parser.push(head(0xffff_ffff, 0xffff_ffff))?.code).toBe("EMSGSIZE")
  })

  it("does not allocate what is only announced", () => {
    const before = process.memoryUsage().arrayBuffers
    const parsers = Array.from({ length: 100 }, () => {
      const parser = new FrameParser(collect(), { maxBytes: 0, typed: false })
      parser.push(Buffer.concat([head(0, 0x4000_0000), Buffer.of(1)]))
      return parser
    })

    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024)
    expect(parsers.every((parser) => parser.inFrame)).toBe(true)
  })

  it("refuses another ipc type byte than 1", () => {
    const parser = new FrameParser(collect(), { maxBytes: 0, typed: true })

    expect(parser.push(Buffer.concat([Buffer.of(2), head(0, 1), Buffer.of(1)]))?.code).toBe("EPROTO")
  })

  it("pauses within a chunk and goes on where it stopped", () => {
    const sink = collect()
    const parser: FrameParser = new FrameParser({
      frame(bytes, start, end) {
        sink.frame(bytes, start, end)
        parser.pause()
      }
    }, { maxBytes: 0, typed: false })

    parser.push(encode([Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)]))
    parser.push(encode([Uint8Array.of(4)]))

    const counts = [sink.frames.length]
    for (let i = 0; i < 4; i++) {
      parser.resume()
      counts.push(sink.frames.length)
    }
    expect(counts).toEqual([1, 2, 3, 4, 4])
    expect(sink.frames.map((frame) => frame[0])).toEqual([1, 2, 3, 4])
    expect(parser.holding).toBe(false)
  })

  it("resumes from within a frame without starting twice", () => {
    const sink = collect()
    const parser: FrameParser = new FrameParser({
      frame(bytes, start, end) {
        parser.pause()
        sink.frame(bytes, start, end)
        parser.resume()
      }
    }, { maxBytes: 0, typed: false })

    parser.push(encode([Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)]))

    expect(sink.frames.map((frame) => frame[0])).toEqual([1, 2, 3])
  })

  it("stops for good from within a frame", () => {
    const sink = collect()
    const parser: FrameParser = new FrameParser({
      frame(bytes, start, end) {
        sink.frame(bytes, start, end)
        parser.stop()
      }
    }, { maxBytes: 0, typed: false })

    parser.push(encode([Uint8Array.of(1), Uint8Array.of(2)]))
    parser.push(encode([Uint8Array.of(3)]))

    expect(sink.frames.length).toBe(1)
  })
})

/** A stream that keeps buffers as they are, and lets go of them on `release`. */
const makeStream = (): ByteStream & { readonly held: Array<Uint8Array>; readonly release: () => Buffer } => {
  const held: Array<Uint8Array> = []
  let callbacks: Array<() => void> = []
  return {
    held,
    get writableLength() {
      return held.reduce((sum, bytes) => sum + bytes.length, 0)
    },
    write(bytes, done) {
      held.push(bytes)
      if (done !== undefined) callbacks.push(done)
      return true
    },
    cork() {},
    uncork() {},
    release() {
      // What was not let go of must read as it was written, whatever was appended since.
      const bytes = Buffer.concat(held)
      held.length = 0
      const done = callbacks
      callbacks = []
      for (const callback of done) callback()
      return bytes
    }
  }
}

describe("FrameWriter", () => {
  it("writes what a parser reads back, for any mix of parts, sizes and flushes", () => {
    for (let seed = 1; seed <= 100; seed++) {
      const random = makeRandom(seed)
      const typed = seed % 2 === 0
      const writer = new FrameWriter({ typed })
      const stream = makeStream()
      const sent: Array<Uint8Array> = []
      const out: Array<Buffer> = []
      const makePart = (): string | Uint8Array => {
        const size = random(8) === 0 ? random(100_000) : random(8) === 0 ? random(6_000) : random(60)
        return random(2) === 0
          ? new Uint8Array(size).fill(random(256))
          : ["a", "é", "€", "😀"][random(4)]?.repeat(Math.ceil(size / 4)) ?? ""
      }

      for (let i = random(200); i > 0; i--) {
        const payload: Payload = random(3) === 0 ? Array.from({ length: random(5) }, makePart) : makePart()
        const header = [null, -1 - random(1000), Uint8Array.of(0, 0, 0, 9, 0x80, 1, 2, 3)][random(3)] ?? null
        writer.append(header, payload)
        const words = typeof header === "number" ? [header >>> 24, header >>> 16, header >>> 8, header] : header
        sent.push(joinPayload(words === null ? null : Uint8Array.from(words), payload))
        if (random(5) === 0) writer.flush(stream)
        if (random(20) === 0) out.push(stream.release())
      }
      writer.flush(stream)
      out.push(stream.release())
      const sink = collect()
      const parser = new FrameParser(sink, { maxBytes: 0, typed })
      parser.push(Buffer.concat(out))

      expect(writer.pendingBytes).toBe(0)
      expect(sink.frames.length).toBe(sent.length)
      expect(Buffer.concat(sink.frames).equals(Buffer.concat(sent))).toBe(true)
    }
  })

  it("uses slabs again once they are written, however many it fills", () => {
    const writer = new FrameWriter({ typed: false })
    const stream = makeStream()
    const slabs = new Set<ArrayBufferLike>()

    for (let i = 0; i < 2_000; i++) {
      for (let j = i % 50; j >= 0; j--) writer.append(null, new Uint8Array(4_000).fill(i))
      writer.flush(stream)
      for (const bytes of stream.held) slabs.add(bytes.buffer)
      stream.release()
    }

    expect(slabs.size).toBeLessThan(20)
  })

  it("counts what is pending exactly", () => {
    const writer = new FrameWriter({ typed: false })

    writer.append(-1, "ab")
    writer.append(null, new Uint8Array(10_000))

    expect(writer.pendingBytes).toBe(8 + 4 + 2 + 8 + 10_000)
  })

  it("leaves small messages of one tick to one write", () => {
    const writer = new FrameWriter({ typed: false })
    const stream = makeStream()

    for (let i = 0; i < 100; i++) writer.append(-1, "hello")
    writer.flush(stream)

    expect(stream.held.length).toBe(1)
  })
})
