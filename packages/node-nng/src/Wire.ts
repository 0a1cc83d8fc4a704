/**
 * The SP wire: protocol ids, the greeting, and frames out of chunks. Pure: no sockets, no timers.
 *
 * Source: nanomsg rfc/sp-tcp-mapping-01, rfc/sp-ipc-mapping-01, nng src/sp/transport/{tcp,ipc}.
 */
import { NngError } from "./Errors.ts"

/** The two ends of a protocol: the id sent in our greeting and the only one accepted from the peer. */
export interface Protocol {
  readonly name: string
  readonly self: number
  readonly peer: number
}

/** The protocols this package speaks. Source: nng `NNG_*_SELF` and `NNG_*_PEER`. */
export const protocols = {
  pair0: { name: "PAIR0", self: 0x10, peer: 0x10 },
  pair1: { name: "PAIR1", self: 0x11, peer: 0x11 },
  pub: { name: "PUB", self: 0x20, peer: 0x21 },
  sub: { name: "SUB", self: 0x21, peer: 0x20 },
  req: { name: "REQ", self: 0x30, peer: 0x31 },
  rep: { name: "REP", self: 0x31, peer: 0x30 },
  push: { name: "PUSH", self: 0x50, peer: 0x51 },
  pull: { name: "PULL", self: 0x51, peer: 0x50 },
  surveyor: { name: "SURVEYOR", self: 0x62, peer: 0x63 },
  respondent: { name: "RESPONDENT", self: 0x63, peer: 0x62 },
  bus: { name: "BUS", self: 0x70, peer: 0x70 }
} as const satisfies Readonly<Record<string, Protocol>>

/** Bytes of a greeting. */
export const greetingBytes = 8

/** Returns the greeting that announces protocol id `self`: 00 "SP" 00, the id in 16 bits, 00 00. */
export const encodeGreeting = (self: number): Uint8Array =>
  Uint8Array.of(0, 0x53, 0x50, 0, self >>> 8, self & 0xff, 0, 0)

/**
 * Tells whether the first `size` bytes can begin a greeting, so that a stranger is refused at its first wrong byte.
 */
export const isGreetingStart = (bytes: Uint8Array, size: number): boolean => {
  for (let i = 0; i < size; i++) {
    if (i === 4 || i === 5) continue
    if (bytes[i] !== (i === 1 ? 0x53 : i === 2 ? 0x50 : 0)) return false
  }
  return true
}

/** Takes the frames of one connection, in order. */
export interface FrameSink {
  /** One whole message, protocol header included: `bytes` from `start` to `end`, written once and never reused. */
  frame(bytes: Uint8Array, start: number, end: number): void
}

/** Largest first allocation for a frame that has not arrived whole, on a connection that never carried a larger one. */
const firstBodyBytes = 64 * 1024

/** Frames from this size on are worth a read of their own. */
const largeBytes = 32 * 1024

/** The rest of a frame is read together with what follows when it is shorter than this. */
const leastRoom = 4 * 1024

const empty = new Uint8Array(0)

/**
 * Cuts chunks into frames: 64-bit big-endian length, then the message; over ipc a byte 0x01 comes first.
 *
 * **Details** A frame that lies whole in a chunk is handed over in place, without a copy. One that does not is gathered
 * in a buffer that starts at no more than 64 KiB, or what the largest frame so far took, and doubles as bytes arrive: an
 * announced length costs nothing that the peer has not sent at least once.
 * `pause` holds even within a chunk. An error is final: EMSGSIZE for a length above the maximum (0 = none), EPROTO for a
 * wrong ipc type byte.
 */
export class FrameParser {
  readonly #sink: FrameSink
  readonly #maxBytes: number
  /** Bytes in front of the length: 1 for ipc, else 0. */
  readonly #prefix: number
  readonly #head: Uint8Array
  #headSize = 0
  #body: Uint8Array = empty
  #bodySize = 0
  /** Length of the frame being gathered, -1 outside one. */
  #bodyLength = -1
  /** Length of the largest frame that was gathered whole. */
  #largest = firstBodyBytes
  /** True when the last frame was worth a read of its own: the next may be as well. */
  large = false
  #held: Array<Uint8Array> = []
  #heldAt = 0
  #running = false
  #paused = false
  #error: NngError | null = null
  #stopped = false

  constructor(sink: FrameSink, options: { readonly maxBytes: number; readonly typed: boolean }) {
    this.#sink = sink
    this.#maxBytes = options.maxBytes === 0 ? Number.MAX_SAFE_INTEGER : options.maxBytes
    this.#prefix = options.typed ? 1 : 0
    this.#head = new Uint8Array(8 + this.#prefix)
  }

  /** True while frames are held back. */
  get paused(): boolean {
    return this.#paused
  }

  /** True when chunks wait for `resume`. */
  get holding(): boolean {
    return this.#held.length > 0
  }

  /** True when the bytes so far end within a frame. */
  get inFrame(): boolean {
    return this.#headSize > 0 || this.#bodyLength >= 0
  }

  /** Where the next bytes of the frame being gathered can be read to; null when they had better come by `push`. */
  get room(): Uint8Array | null {
    if (this.#bodyLength - this.#bodySize < leastRoom || this.#held.length > 0 || this.#stopped) return null
    if (this.#bodySize === this.#body.length) this.#grow(this.#bodySize)
    return this.#body.subarray(this.#bodySize)
  }

  /** Says that `bytes` bytes were written to `room`; as `push` otherwise. */
  filled(bytes: number): NngError | null {
    if (this.#stopped) return this.#error
    this.#bodySize += bytes
    // No chunk is held, so there is nothing to go on with.
    if (this.#bodySize === this.#bodyLength) this.#finish()
    return this.#error
  }

  /** Holds back further frames, also those of the chunk being read. */
  pause(): void {
    this.#paused = true
  }

  /** Ends parsing for good: what is held and what comes is dropped. May be called from within `frame`. */
  stop(): void {
    this.#stopped = true
    this.#held = []
    this.#body = empty
  }

  /** Goes on after `pause`; the error, if any, is as for `push`. From within `frame` it only lifts the pause. */
  resume(): NngError | null {
    this.#paused = false
    return this.#run()
  }

  /** Takes a chunk, which is the parser's from here on; returns the error that ends this connection, or null. */
  push(chunk: Uint8Array): NngError | null {
    if (this.#stopped || chunk.length === 0) return this.#error
    this.#held.push(chunk)
    return this.#run()
  }

  #run(): NngError | null {
    if (this.#running) return null
    this.#running = true
    try {
      while (this.#held.length > 0 && !this.#paused && !this.#stopped) {
        const chunk = this.#held[0] ?? empty
        this.#heldAt = this.#parse(chunk, this.#heldAt)
        if (this.#heldAt < chunk.length) break
        this.#held.shift()
        this.#heldAt = 0
      }
    } finally {
      this.#running = false
    }
    return this.#error
  }

  /** Parses from `from` until the chunk ends, the parser is paused or stopped, or an error; returns where it got to. */
  #parse(chunk: Uint8Array, from: number): number {
    const size = chunk.length
    const headBytes = 8 + this.#prefix
    let at = from
    while (at < size) {
      if (this.#paused || this.#stopped) return at
      if (this.#bodyLength >= 0) {
        at = this.#gather(chunk, at)
        continue
      }
      let length: number
      if (this.#headSize === 0 && size - at >= headBytes) {
        length = this.#length(chunk, at)
        at += headBytes
      } else {
        const taken = Math.min(headBytes - this.#headSize, size - at)
        this.#head.set(chunk.subarray(at, at + taken), this.#headSize)
        this.#headSize += taken
        at += taken
        if (this.#headSize < headBytes) return at
        this.#headSize = 0
        length = this.#length(this.#head, 0)
      }
      if (length < 0) {
        this.stop()
        return size
      }
      if (length <= size - at) {
        this.large = false
        const start = at
        at += length
        // The place to go on from must stand before the sink runs: it may throw.
        this.#heldAt = at
        this.#sink.frame(chunk, start, at)
      } else {
        this.#bodyLength = length
        this.#bodySize = 0
        // Not zeroed: all of it is written before any of it is handed over.
        this.#body = Buffer.allocUnsafeSlow(Math.min(length, Math.max(this.#largest, size - at)))
      }
    }
    return at
  }

  /** Reads the frame head at `at`; -1 after setting the error. */
  #length(bytes: Uint8Array, at: number): number {
    if (this.#prefix === 1) {
      if (bytes[at] !== 1) {
        this.#error = new NngError(
          "EPROTO",
          `ipc message of type ${bytes[at]}: only type 1 is known; the peer is not SP`
        )
        return -1
      }
      at += 1
    }
    const low = word(bytes, at + 4) >>> 0
    const high = word(bytes, at)
    const length = high === 0 ? low : (high >>> 0) * 0x1_0000_0000 + low
    if (length > this.#maxBytes) {
      const limit = `the maximum is ${this.#maxBytes}; raise receiveMaxBytes or send less`
      this.#error = new NngError("EMSGSIZE", `message of ${length} bytes announced: ${limit}`)
      return -1
    }
    return length
  }

  /** Adds to the frame being gathered and hands it over when it is whole. */
  #gather(chunk: Uint8Array, at: number): number {
    const taken = Math.min(this.#bodyLength - this.#bodySize, chunk.length - at)
    const size = this.#bodySize + taken
    if (size > this.#body.length) this.#grow(size)
    this.#body.set(chunk.subarray(at, at + taken), this.#bodySize)
    this.#bodySize = size
    if (size === this.#bodyLength) {
      // The place to go on from must stand before the sink runs: it may throw.
      this.#heldAt = at + taken
      this.#finish()
    }
    return at + taken
  }

  /** Makes room for at least `size` bytes of the frame, and for one more if there are more. */
  #grow(size: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.min(this.#bodyLength, Math.max(size, this.#body.length * 2)))
    grown.set(this.#body.subarray(0, this.#bodySize))
    this.#body = grown
  }

  /** Hands over the frame that was gathered. */
  #finish(): void {
    const body = this.#body
    const size = this.#bodyLength
    this.#body = empty
    this.#bodyLength = -1
    this.large = size >= largeBytes
    if (size > this.#largest) this.#largest = size
    this.#sink.frame(body, 0, size)
  }
}

/** Reads a big-endian 32-bit word as a signed number: a protocol id with its top bit set is negative. */
export const word = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)
