/** A link over a byte stream: TLS if need be, greeting, frames, flush once a tick, pause and end. */
import type * as Net from "node:net"
import { fromSystem, NngError } from "./Errors.ts"
import type { FrameHeader } from "./FrameWriter.ts"
import { FrameWriter } from "./FrameWriter.ts"
import type { Payload } from "./Payload.ts"
import type { Reader } from "./Reader.ts"
import type { Secure } from "./Secure.ts"
import type { Link, LinkEvents } from "./Transport.ts"
import { encodeGreeting, FrameParser, greetingBytes, isGreetingStart, word } from "./Wire.ts"

/**
 * What comes to this much in a tick is written at once when nothing else is on its way: what the system takes leaves the
 * same slab free, and the peer begins meanwhile. With 4 KiB messages that saves a tenth of the time both sides compute.
 * Writing less at a time costs more than it gains: each write wakes the peer.
 */
const eagerBytes = 60 * 1024

/** How a `StreamLink` is set up. */
export interface StreamLinkOptions {
  readonly receiveMaxBytes: number
  readonly sendHighWaterBytes: number
  /** True for ipc, whose messages carry a type byte. */
  readonly typed: boolean
  /** What comes before the greeting, or null. */
  readonly secure: Secure | null
  /** What the socket reads by, or null when it emits what it reads. */
  readonly reader: Reader | null
  readonly remoteAddress: string
  readonly localAddress: string
}

/** Speaks SP over a connected node:net socket. */
export class StreamLink implements Link {
  readonly remoteAddress: string
  readonly localAddress: string
  full = false
  /** The connected socket, and once it is secured the stream on top of it. */
  #stream: Net.Socket
  readonly #writer: FrameWriter
  readonly #highWaterBytes: number
  readonly #options: StreamLinkOptions
  #parser: FrameParser | null = null
  #events: LinkEvents | null = null
  readonly #greeting = new Uint8Array(greetingBytes)
  #greetingSize = 0
  #scheduled = false
  /** We closed: nothing is delivered any more. */
  #ended = false
  #closed = false
  #securing = false
  #error: NngError | null = null
  #linger: NodeJS.Timeout | null = null

  constructor(stream: Net.Socket, options: StreamLinkOptions) {
    this.#stream = stream
    this.#options = options
    this.#writer = new FrameWriter(options)
    this.#highWaterBytes = options.sendHighWaterBytes
    this.remoteAddress = options.remoteAddress
    this.localAddress = options.localAddress
    this.#watch(stream)
  }

  open(self: number, events: LinkEvents): void {
    this.#events = events
    this.#parser = new FrameParser(events, { maxBytes: this.#options.receiveMaxBytes, typed: this.#options.typed })
    const { secure } = this.#options
    if (secure === null || this.#stream.destroyed) {
      this.#start(self)
      return
    }
    this.#securing = true
    secure(this.#stream, (error, stream) => {
      if (error !== null) {
        // The stream of a failed handshake closes by itself; this says why.
        this.#error = error
        this.#stream.destroy()
      } else if (stream !== null) {
        this.#securing = false
        this.#stream = stream
        this.#watch(stream)
        if (this.#ended) stream.destroy()
        else this.#start(self)
      }
    })
  }

  send(header: FrameHeader, payload: Payload): number {
    const bytes = this.#writer.append(header, payload)
    if (!this.#scheduled) {
      this.#scheduled = true
      // The tick queue runs after all promise jobs and before the next event: replies and requests that one chunk
      // sets off leave together, and a lone one does not wait.
      process.nextTick(this.#flush)
    }
    if (this.full) return bytes
    const { writableLength } = this.#stream
    const { pendingBytes } = this.#writer
    if (writableLength + pendingBytes >= this.#highWaterBytes) this.full = true
    if (writableLength > 0 || pendingBytes < eagerBytes) return bytes
    this.#flush()
    if (this.#stream.writableLength === 0) this.full = false
    return bytes
  }

  pause(): void {
    // The socket itself is paused when the next chunk comes: a short pause costs nothing.
    this.#parser?.pause()
  }

  resume(): void {
    const parser = this.#parser
    if (parser === null || this.#ended || !parser.paused) return
    if (parser.holding) process.nextTick(this.#continue)
    else this.#continue()
  }

  end(lingerMillis: number): void {
    if (this.#ended) return
    this.#ended = true
    this.#parser?.stop()
    if (lingerMillis === 0) this.#stream.destroy()
    if (this.#stream.destroyed) return
    this.#flush()
    this.#stream.end()
    // What still comes is read and dropped: unread bytes would turn the end into a reset and cost the peer our last ones.
    this.#stream.resume()
    this.#linger = setTimeout(() => this.#stream.destroy(), lingerMillis)
  }

  destroy(): void {
    this.#ended = true
    this.#parser?.stop()
    this.#stream.destroy()
  }

  readonly #flush = (): void => {
    this.#scheduled = false
    if (this.#stream.destroyed || this.#stream.writableEnded) return
    this.#writer.flush(this.#stream, this.full ? this.#written : undefined)
  }

  readonly #written = (): void => {
    this.#writer.release(this.#stream)
    if (!this.full || this.#stream.writableLength + this.#writer.pendingBytes >= this.#highWaterBytes) return
    this.full = false
    if (!this.#ended && !this.#closed) this.#events?.drained()
  }

  readonly #continue = (): void => {
    const parser = this.#parser
    if (parser === null || this.#ended) return
    this.#check(parser.resume())
    if (!parser.paused) this.#stream.resume()
  }

  #watch(stream: Net.Socket): void {
    stream.on("error", (error) => {
      this.#error ??= fromSystem(error, `connection with ${this.remoteAddress}`)
    })
    stream.on("close", () => {
      // That of the socket below a secured stream comes with the stream's own.
      if (stream !== this.#stream) return
      // Why a handshake failed is said in the same turn, but not always before.
      if (this.#securing) setImmediate(() => this.#onClose())
      else this.#onClose()
    })
  }

  #start(self: number): void {
    const parser = this.#parser
    if (this.#options.reader === null || parser === null) this.#stream.on("data", (chunk) => this.#onData(chunk))
    else {
      this.#options.reader.sink = {
        parser,
        onData: (chunk) => this.#onData(chunk),
        onFilled: (bytes) => this.#onFilled(parser, bytes)
      }
      // Nothing is emitted, and the end only to a stream that flows.
      this.#stream.resume()
    }
    this.#stream.on("end", () => this.#onEnd())
    if (!this.#stream.destroyed) this.#stream.write(encodeGreeting(self))
  }

  #onFilled(parser: FrameParser, bytes: number): void {
    if (this.#ended) return
    this.#check(parser.filled(bytes))
    if (parser.paused) this.#stream.pause()
  }

  #onData(chunk: Uint8Array): void {
    const parser = this.#parser
    if (this.#ended || parser === null) return
    let rest: Uint8Array = chunk
    if (this.#greetingSize < greetingBytes) {
      rest = this.#greet(chunk)
      if (this.#ended || this.#greetingSize < greetingBytes) return
    }
    this.#check(parser.push(rest))
    if (parser.paused) this.#stream.pause()
  }

  /** Takes the greeting's bytes off `chunk` and returns the others. */
  #greet(chunk: Uint8Array): Uint8Array {
    const taken = Math.min(greetingBytes - this.#greetingSize, chunk.length)
    this.#greeting.set(chunk.subarray(0, taken), this.#greetingSize)
    this.#greetingSize += taken
    if (!isGreetingStart(this.#greeting, this.#greetingSize)) {
      this.#check(new NngError("EPROTO", `${this.remoteAddress} sent no SP greeting: it speaks another protocol`))
    } else if (this.#greetingSize === greetingBytes) {
      this.#events?.greeted(word(this.#greeting, 4) >>> 16)
    }
    return chunk.subarray(taken)
  }

  #check(error: NngError | null): void {
    if (error !== null && !this.#ended) this.#events?.malformed(error)
  }

  #onEnd(): void {
    if (this.#ended || this.#error !== null) return
    if (this.#greetingSize < greetingBytes) {
      this.#error = new NngError("ECONNRESET", `${this.remoteAddress} closed before its greeting was complete`)
    } else if (this.#parser?.inFrame === true) {
      this.#error = new NngError("EPROTO", `${this.remoteAddress} closed in the middle of a message`)
    }
  }

  #onClose(): void {
    if (this.#linger !== null) clearTimeout(this.#linger)
    if (this.#securing && !this.#ended) {
      this.#error ??= new NngError("ECONNRESET", `${this.remoteAddress} closed during the TLS handshake`)
    }
    this.#closed = true
    this.#ended = true
    // What is held back is dropped: only REP holds back, and it has nobody to answer any more.
    this.#parser?.stop()
    this.#events?.gone(this.#error)
  }
}
