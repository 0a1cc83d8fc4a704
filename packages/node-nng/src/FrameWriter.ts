/**
 * Frames on their way out of one connection: small pieces are copied side by side into a slab, large ones kept by
 * reference, and everything since the last flush leaves in one write.
 */
import type { Part, Payload } from "./Payload.ts"

/** What stands in front of the body: a single word, words kept as they came, or nothing. */
export type FrameHeader = number | Uint8Array | null

/** The bytes of a header. */
export const wordHeader = (header: FrameHeader): Uint8Array | null =>
  typeof header === "number" ? Uint8Array.of(header >>> 24, header >>> 16, header >>> 8, header) : header

/** Where frames are written to; a node:net socket is one. */
export interface ByteStream {
  readonly writableLength: number
  write(bytes: Uint8Array, done?: (error?: Error | null) => void): boolean
  cork(): void
  uncork(): void
}

const slabBytes = 64 * 1024

/** Bytes up to this size are copied, which is cheaper than one more buffer in the write. */
const copyBytes = 4 * 1024

/** Frames that cannot exceed this are written without measuring them first. */
const smallFrameBytes = 16 * 1024

/** Text up to this length is written by a loop: below it the call into the native encoder costs more. */
const loopChars = 24

/** Less room than this is not worth a call into the encoder. */
const leastTextRoom = 4 * 1024

/** Bytes of UTF-8 that a UTF-16 unit takes at most. */
const maxUnitBytes = 3

/**
 * Slabs that no write reads any more. Shared by all connections, so that an idle one holds no memory. As many as a few
 * messages of a megabyte need, of those who send such: with 32 a client took 3 ms for each, with these 1.5.
 */
const spareSlabs: Array<Buffer> = []
const spareSlabsMax = 128

const spare = (slab: Buffer): void => {
  if (spareSlabs.length < spareSlabsMax) spareSlabs.push(slab)
}

/** Gives slabs back once they are written; those of a write that failed may still be read, and are left to the collector. */
const whenWritten = (slabs: ReadonlyArray<Buffer>, done: (() => void) | undefined) => (error?: Error | null): void => {
  if (error === undefined || error === null) { for (const slab of slabs) spare(slab) }
  done?.()
}

const writeText = (slab: Buffer, text: string, at: number): number => {
  const size = text.length
  if (size > loopChars) return slab.write(text, at)
  for (let i = 0; i < size; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7f) return slab.write(text, at)
    slab[at + i] = code
  }
  return size
}

const writePart = (slab: Buffer, part: Part, at: number): number => {
  if (typeof part === "string") return writeText(slab, part, at)
  slab.set(part, at)
  return part.length
}

const writeWord = (slab: Buffer, value: number, at: number): void => {
  slab[at] = value >>> 24
  slab[at + 1] = value >>> 16
  slab[at + 2] = value >>> 8
  slab[at + 3] = value
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit < 0xdc00

/** Returns an upper bound of the bytes `part` takes when copied; Infinity when it goes by reference. */
const copyBound = (part: Part): number => {
  if (typeof part === "string") return part.length * maxUnitBytes
  return part.length > copyBytes ? Infinity : part.length
}

const payloadBound = (payload: Payload): number => {
  if (typeof payload === "string" || payload instanceof Uint8Array) return copyBound(payload)
  let bound = 0
  for (const part of payload) bound += copyBound(part)
  return bound
}

/**
 * Collects frames and writes them to a stream.
 *
 * **Gotchas** A region of a slab is never written twice before the stream has let go of it: the slab is used on to its
 * end, and goes back to the spare ones only when the stream has nothing pending.
 */
export class FrameWriter {
  /** Bytes in front of the length: the 0x01 of ipc, or none. */
  readonly #prefix: number
  #slab: Buffer | null = null
  #from = 0
  #to = 0
  /** Slabs that were filled to their end since the last flush. */
  #filled: Array<Buffer> = []
  /** Closed regions and referenced parts, in front of the open region of the slab. */
  #chunks: Array<Uint8Array> = []
  #chunkBytes = 0

  constructor(options: { readonly typed: boolean }) {
    this.#prefix = options.typed ? 1 : 0
  }

  /** Bytes appended since the last flush. */
  get pendingBytes(): number {
    return this.#chunkBytes + this.#to - this.#from
  }

  /** Adds one frame. Returns the bytes of its message, header included. */
  append(header: FrameHeader, payload: Payload): number {
    const headerBytes = header === null ? 0 : typeof header === "number" ? 4 : header.length
    const headBytes = this.#prefix + 8 + headerBytes
    const bound = payloadBound(payload)
    if (bound > smallFrameBytes) {
      return this.#appendLarge(header, headerBytes, payload)
    }
    const slab = this.#room(headBytes + bound)
    const from = this.#to
    let at = from + headBytes
    if (typeof payload === "string") at += writeText(slab, payload, at)
    else if (payload instanceof Uint8Array) {
      slab.set(payload, at)
      at += payload.length
    } else {
      for (const part of payload) at += writePart(slab, part, at)
    }
    const length = at - from - this.#prefix - 8
    this.#writeHead(slab, from, header, length)
    this.#to = at
    return length
  }

  /** Writes what was appended; `done`, when given, is called after the stream let go of all of it. */
  flush(stream: ByteStream, done?: () => void): void {
    const slab = this.#slab
    const last = slab !== null && this.#to > this.#from ? slab.subarray(this.#from, this.#to) : null
    this.#from = this.#to
    const chunks = this.#chunks
    if (chunks.length > 0 || last !== null) {
      const written = this.#filled.length === 0 ? done : whenWritten(this.#filled, done)
      if (this.#filled.length > 0) this.#filled = []
      if (chunks.length === 0 && last !== null) stream.write(last, written)
      else {
        if (last !== null) chunks.push(last)
        this.#chunks = []
        this.#chunkBytes = 0
        stream.cork()
        for (const [i, chunk] of chunks.entries()) stream.write(chunk, i === chunks.length - 1 ? written : undefined)
        stream.uncork()
      }
    }
    this.release(stream)
  }

  /** Gives the slab back when nothing is appended and nothing pending in `stream`. */
  release(stream: ByteStream): void {
    const slab = this.#slab
    if (slab === null || this.#to > this.#from || stream.writableLength > 0) return
    this.#slab = null
    spare(slab)
  }

  /** Returns the slab with at least `bytes` free behind `#to`. */
  #room(bytes: number): Buffer {
    const slab = this.#slab
    if (slab !== null && this.#to + bytes <= slabBytes) return slab
    this.#closeRegion()
    // Its last bytes are on their way, or about to be: it is free once those that follow are written.
    if (slab !== null) this.#filled.push(slab)
    // A frame fits a slab: its bound is far below, save for a backtrace no peer can send.
    const next = spareSlabs.pop() ?? Buffer.allocUnsafeSlow(slabBytes)
    this.#slab = next
    this.#from = 0
    this.#to = 0
    return next
  }

  /** Moves the open region behind the chunks. */
  #closeRegion(): void {
    if (this.#slab === null || this.#to === this.#from) return
    this.#chunks.push(this.#slab.subarray(this.#from, this.#to))
    this.#chunkBytes += this.#to - this.#from
    this.#from = this.#to
  }

  #writeHead(slab: Buffer, from: number, header: FrameHeader, length: number): void {
    let at = from
    if (this.#prefix === 1) slab[at++] = 1
    writeWord(slab, Math.floor(length / 0x1_0000_0000), at)
    writeWord(slab, length, at + 4)
    at += 8
    if (typeof header === "number") writeWord(slab, header, at)
    else if (header !== null) slab.set(header, at)
  }

  #appendLarge(header: FrameHeader, headerBytes: number, payload: Payload): number {
    const parts = typeof payload === "string" || payload instanceof Uint8Array ? [payload] : payload
    const headBytes = this.#prefix + 8 + headerBytes
    const slab = this.#room(headBytes)
    const from = this.#to
    this.#to += headBytes
    let length = headerBytes
    for (const part of parts) {
      if (typeof part === "string") length += this.#appendText(part)
      else {
        length += part.length
        this.#appendBytes(part)
      }
    }
    // Last: to measure a text takes longer than to write it.
    this.#writeHead(slab, from, header, length)
    return length
  }

  #appendBytes(part: Uint8Array): void {
    if (part.length <= copyBytes) {
      this.#room(part.length).set(part, this.#to)
      this.#to += part.length
      return
    }
    this.#closeRegion()
    this.#chunks.push(part)
    this.#chunkBytes += part.length
  }

  /**
   * Writes a text that may be long bit by bit, into slabs that come back when they are written: a buffer for each is
   * memory that the collector has to be told of. Returns its bytes.
   */
  #appendText(text: string): number {
    let bytes = 0
    for (let from = 0; from < text.length;) {
      const slab = this.#room(Math.min((text.length - from) * maxUnitBytes, leastTextRoom))
      let to = Math.min(text.length, from + Math.floor((slabBytes - this.#to) / maxUnitBytes))
      // Both halves of a pair are one character.
      if (to < text.length && isHighSurrogate(text.charCodeAt(to - 1))) to--
      const written = slab.write(text.slice(from, to), this.#to)
      this.#to += written
      bytes += written
      from = to
    }
    return bytes
  }
}
