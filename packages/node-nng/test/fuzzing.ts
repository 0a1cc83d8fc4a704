/** Streams with errors in them, and what a parser must make of any stream. */
import { crc32 } from "node:zlib"
import type { NngErrorCode } from "../src/index.ts"
import { FrameParser } from "../src/Wire.ts"

type Random = (below: number) => number

/** A stream of frames, mostly valid. */
export const makeFrames = (random: Random, typed: boolean): Buffer => {
  const parts: Array<Uint8Array> = []
  for (let i = random(12); i >= 0; i--) {
    const size = [random(8), random(300), random(5_000), random(70_000), random(300_000)][Math.min(random(12), 4)] ?? 0
    const head = Buffer.alloc(8)
    head.writeBigUInt64BE(BigInt(size))
    parts.push(...typed ? [Uint8Array.of(1)] : [], head, new Uint8Array(size).fill(random(256)))
  }
  return Buffer.concat(parts)
}

/** Changes a stream in a few places: bits, bytes, whole ranges, lengths; cut short, doubled, or spliced. */
export const mutate = (stream: Buffer, random: Random): Buffer => {
  let bytes = stream
  for (let i = random(4); i >= 0; i--) {
    const at = random(Math.max(1, Math.min(bytes.length, random(2) === 0 ? 64 : bytes.length)))
    const to = at + random(64)
    const flipped = Buffer.from(bytes)
    switch (random(7)) {
      case 0:
        if (at < flipped.length) flipped[at] = (flipped[at] ?? 0) ^ (1 << random(8))
        bytes = flipped
        break
      case 1:
        if (at < flipped.length) flipped[at] = [0, 1, 0x7f, 0x80, 0xff][random(5)] ?? 0
        bytes = flipped
        break
      case 2:
        bytes = bytes.subarray(0, at)
        break
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)])
        break
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)])
        break
      case 5:
        bytes = Buffer.concat([bytes.subarray(0, at), Buffer.alloc(8, random(256)), bytes.subarray(at)])
        break
      default:
        flipped.subarray(at, to).fill(random(256))
        bytes = flipped
    }
  }
  return bytes
}

interface Outcome {
  /** How long each frame was, and a sum of it. */
  readonly frames: ReadonlyArray<string>
  readonly error: NngErrorCode | null
}

const describe = (frame: Uint8Array): string => `${frame.length} ${crc32(frame)}`

/** The plainest reading of a whole stream: what the parser is held against. */
export const readPlainly = (stream: Buffer, maxBytes: number, typed: boolean): Outcome => {
  const frames: Array<string> = []
  const headBytes = typed ? 9 : 8
  for (let at = 0; stream.length - at >= headBytes;) {
    if (typed && stream[at] !== 1) return { frames, error: "EPROTO" }
    const length = stream.readBigUInt64BE(at + headBytes - 8)
    if (length > BigInt(maxBytes)) return { frames, error: "EMSGSIZE" }
    const end = at + headBytes + Number(length)
    if (end > stream.length) break
    frames.push(describe(stream.subarray(at + headBytes, end)))
    at = end
  }
  return { frames, error: null }
}

/** What the parser makes of a stream in chunks of any size and reads into its room, with pauses. */
export const readInChunks = (
  stream: Buffer,
  options: { readonly maxBytes: number; readonly typed: boolean },
  random: Random
): Outcome => {
  const frames: Array<string> = []
  const parser: FrameParser = new FrameParser({
    frame(bytes, start, end) {
      frames.push(describe(bytes.subarray(start, end)))
      if (random(20) === 0) parser.pause()
    }
  }, options)
  const style = stream.length < 20_000 ? random(3) : 1 + random(2)
  let error: NngErrorCode | null = null
  for (let at = 0; at < stream.length && error === null;) {
    const size = style === 0 ? 1 + random(9) : style === 1 ? 1 + random(5_000) : 65_536
    const room = random(2) === 0 ? parser.room : null
    if (room === null) {
      error = parser.push(Buffer.from(stream.subarray(at, at + size)))?.code ?? null
      at += size
    } else {
      // As a read straight into the frame does.
      const taken = stream.copy(room, 0, at, at + size)
      error = parser.filled(taken)?.code ?? null
      at += taken
    }
    while (parser.paused && error === null) error = parser.resume()?.code ?? null
  }
  return { frames, error }
}

/** One round: throws when the parser and the plain reading differ. */
export const fuzzParser = (random: Random): void => {
  const typed = random(2) === 0
  const maxBytes = [200, 5_000, 100_000, 1_000_000][random(4)] ?? 0
  const whole = makeFrames(random, typed)
  const stream = random(4) === 0 ? whole : mutate(whole, random)
  const expected = JSON.stringify(readPlainly(stream, maxBytes, typed))
  const actual = JSON.stringify(readInChunks(stream, { maxBytes, typed }, random))
  if (actual !== expected) {
    throw new Error(`the parser read ${actual.slice(0, 500)} instead of ${expected.slice(0, 500)}`)
  }
}
