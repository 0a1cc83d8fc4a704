/** Pipes: connections whose greetings have been exchanged, and the time before and after. */
import { randomInt } from "node:crypto"
import { NngError } from "./Errors.ts"
import type { FrameHeader } from "./FrameWriter.ts"
import type { Settings } from "./Options.ts"
import type { Payload } from "./Payload.ts"
import type { DropCause, PipeStats } from "./Stats.ts"
import { Counters } from "./Stats.ts"
import type { Link, LinkEvents } from "./Transport.ts"
import type { Protocol } from "./Wire.ts"

/** A connection with one peer. Messages on one pipe keep their order; there is none across pipes. Source: nng_pipe. */
export interface Pipe {
  /** Unique in this process while the pipe is open; 31 bits, above 0. */
  readonly id: number
  /** Address of the peer; for ipc and inproc, which do not name their peers, the address of the listener. */
  readonly remoteAddress: string
  readonly localAddress: string
  readonly closed: boolean
  /** Counts so far. */
  stats(): PipeStats
  /** Sends what was accepted, within the linger time, and closes. A dialer then connects again. */
  close(): void
}

/** What a protocol does with one of its pipes. */
export interface PipeHandler {
  /** One message, protocol header included: `bytes` from `start` to `end`, a view of what was received. */
  frame(bytes: Uint8Array, start: number, end: number): void
  /** The pipe, which was full, can take more. */
  drained(): void
  /** The pipe is closed; null after an orderly end. Called once, last. */
  closed(reason: NngError | null): void
}

/** The socket a pipe belongs to. */
export interface PipeOwner {
  readonly protocol: Protocol
  readonly settings: Settings
  /** The greetings were exchanged: returns the protocol's part, or why the pipe is refused. */
  opened(pipe: LivePipe, endpoint: PipeWatcher): PipeHandler | NngError
  /** The pipe is ready in every respect. */
  announced(pipe: LivePipe): void
  /** An open pipe closed. */
  closed(pipe: LivePipe, reason: NngError | null): void
  /** An endpoint was closed and has no connections left. */
  left(endpoint: PipeWatcher): void
  /** A connection was turned away, or a pipe closed for what its peer sent. */
  refused(remoteAddress: string, reason: NngError): void
}

/** The endpoint a pipe came from. */
export interface PipeWatcher {
  /** Closes the endpoint and its pipes. */
  close(): Promise<void>
  pipeOpened(pipe: LivePipe): void
  /** No longer usable; `opened` tells whether it ever was. */
  pipeClosed(pipe: LivePipe, reason: NngError | null, opened: boolean): void
  /** Its connection is gone and holds nothing. */
  pipeGone(pipe: LivePipe): void
}

let lastId = randomInt(0x7fff_ffff)

const nextId = (): number => {
  lastId = lastId >= 0x7fff_ffff ? 1 : lastId + 1
  return lastId
}

/** A pipe from its first byte to its last. */
export class LivePipe implements Pipe, LinkEvents {
  readonly id = nextId()
  readonly remoteAddress: string
  readonly localAddress: string
  closed = false
  readonly counters = new Counters()
  readonly #link: Link
  readonly #owner: PipeOwner
  readonly #watcher: PipeWatcher
  #handler: PipeHandler | null = null
  readonly #handshake: NodeJS.Timeout

  constructor(link: Link, owner: PipeOwner, watcher: PipeWatcher) {
    this.#link = link
    this.#owner = owner
    this.#watcher = watcher
    this.remoteAddress = link.remoteAddress
    this.localAddress = link.localAddress
    const millis = owner.settings.handshakeTimeoutMillis
    this.#handshake = setTimeout(() => {
      this.fail(new NngError("ETIMEDOUT", `${this.remoteAddress} sent no complete greeting within ${millis} ms`))
    }, millis)
  }

  /** Exchanges greetings. Apart from the constructor, so that the endpoint knows the pipe by then. */
  start(): void {
    this.#link.open(this.#owner.protocol.self, this)
  }

  /** True once the greetings were exchanged. */
  get opened(): boolean {
    return this.#handler !== null
  }

  /** True while unsent bytes are at the high-water mark; sending is still possible but should wait. */
  get full(): boolean {
    return this.#link.full
  }

  /** Takes a message; on a closed pipe it is dropped. */
  send(header: FrameHeader, payload: Payload): void {
    if (this.closed) return
    this.counters.sent(this.#link.send(header, payload))
  }

  /** Counts a message that this pipe did not carry to the end. */
  drop(cause: DropCause): void {
    this.counters.dropped[cause]++
  }

  stats(): PipeStats {
    return this.counters.snapshot()
  }

  /** Holds back messages, also those already received. */
  pause(): void {
    this.#link.pause()
  }

  resume(): void {
    this.#link.resume()
  }

  close(): void {
    if (this.#finish(null)) this.#link.end(this.opened ? this.#owner.settings.lingerMillis : 0)
  }

  /** Closes at once because of what the peer did, and reports it. */
  fail(error: NngError): void {
    if (!this.#finish(error)) return
    this.#link.destroy()
    this.#owner.refused(this.remoteAddress, error)
  }

  greeted(protocol: number): void {
    if (this.closed) return
    const { name, peer } = this.#owner.protocol
    if (protocol !== peer) {
      const ids = `protocol id 0x${protocol.toString(16)} instead of 0x${peer.toString(16)}`
      this.fail(new NngError("EPROTO", `${this.remoteAddress} has ${ids}: it cannot talk with ${name}`))
      return
    }
    clearTimeout(this.#handshake)
    const handler = this.#owner.opened(this, this.#watcher)
    if (handler instanceof NngError) {
      this.fail(handler)
      return
    }
    this.#handler = handler
    this.#watcher.pipeOpened(this)
    // Last, for it runs the user's callbacks, which may close the pipe.
    this.#owner.announced(this)
  }

  frame(bytes: Uint8Array, start: number, end: number): void {
    if (this.closed) return
    this.counters.received(end - start)
    this.#handler?.frame(bytes, start, end)
  }

  drained(): void {
    if (!this.closed) this.#handler?.drained()
  }

  malformed(error: NngError): void {
    this.fail(error)
  }

  gone(error: NngError | null): void {
    const { opened } = this
    // The peer ended it before it greeted, or within a message; any other loss is no refusal.
    const refused = this.#finish(error) && error !== null && (!opened || error.code === "EPROTO")
    if (refused) this.#owner.refused(this.remoteAddress, error)
    this.#watcher.pipeGone(this)
  }

  #finish(reason: NngError | null): boolean {
    if (this.closed) return false
    this.closed = true
    clearTimeout(this.#handshake)
    this.#handler?.closed(reason)
    if (this.#handler !== null) this.#owner.closed(this, reason)
    this.#watcher.pipeClosed(this, reason, this.#handler !== null)
    return true
  }
}
