/** SUB: receives the messages that begin with one of its topics. Source: nng src/sp/protocol/pubsub0/sub.c. */
import { NngError } from "./Errors.ts"
import type { ReceiveOptions } from "./Inbox.ts"
import { Inbox } from "./Inbox.ts"
import type { SocketOptions } from "./Options.ts"
import { wholeNumber } from "./Options.ts"
import type { PipeHandler } from "./Pipe.ts"
import { Socket } from "./Socket.ts"
import { protocols } from "./Wire.ts"

/** Options of a SUB socket. */
export interface SubOptions extends SocketOptions {
  /** Messages kept until they are received; past it the oldest is dropped. Default 128. Source: NNG_OPT_RECVBUF. */
  readonly maxQueued?: number | undefined
}

const bytesOf = (topic: string | Uint8Array): Uint8Array =>
  typeof topic === "string" ? Buffer.from(topic) : topic.slice()

const begins = (topic: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean => {
  if (end - start < topic.length) return false
  for (let i = 0; i < topic.length; i++) {
    if (bytes[start + i] !== topic[i]) return false
  }
  return true
}

/**
 * A socket that subscribes. A topic is the first bytes of a message; several are alternatives, the empty one is all, and
 * without a topic nothing is received. Filtering is local: publishers send everything.
 */
export class Sub extends Socket {
  readonly #maxQueued: number
  #topics: Array<Uint8Array> = []
  readonly #inbox = new Inbox<Uint8Array>(() => {})
  #dropped = 0

  constructor(options: SubOptions = {}) {
    super(protocols.sub, options)
    this.#maxQueued = wholeNumber("maxQueued", options.maxQueued, { fallback: 128, least: 1 })
  }

  /** Messages dropped so far because nobody received them in time. */
  get dropped(): number {
    return this.#dropped
  }

  /** Adds a topic; one that is there already stays single. Source: NNG_OPT_SUB_SUBSCRIBE. */
  subscribe(topic: string | Uint8Array): void {
    const bytes = bytesOf(topic)
    if (!this.#topics.some((other) => Buffer.compare(other, bytes) === 0)) this.#topics.push(bytes)
  }

  /**
   * Removes a topic, and the messages kept that match no other. Throws ENOENT when it is not subscribed.
   * Source: NNG_OPT_SUB_UNSUBSCRIBE.
   */
  unsubscribe(topic: string | Uint8Array): void {
    const bytes = bytesOf(topic)
    const rest = this.#topics.filter((other) => Buffer.compare(other, bytes) !== 0)
    if (rest.length === this.#topics.length) throw new NngError("ENOENT", "the topic is not subscribed")
    this.#topics = rest
    this.#inbox.retain((body) => this.#matches(body, 0, body.length))
  }

  /**
   * Calls `handler` with every message from now on, synchronously as it arrives; those that wait come first. The body is a
   * view of what was received, up to 64 KiB of it: copy to keep.
   */
  onMessage(handler: (body: Uint8Array) => void): void {
    this.#inbox.handle(handler)
  }

  /** Resolves with the next message. Rejects with ETIMEDOUT, ECANCELED, ECLOSED, or ESTATE beside a handler. */
  receive(options?: ReceiveOptions): Promise<Uint8Array> {
    return this.#inbox.receive(options)
  }

  /** Yields messages until the socket is closed. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this.#inbox[Symbol.asyncIterator]()
  }

  protected override attach(): PipeHandler {
    return {
      frame: (bytes, start, end) => this.#onFrame(bytes, start, end),
      drained() {},
      closed() {}
    }
  }

  protected override shut(error: NngError): void {
    this.#inbox.shut(error)
  }

  #matches(bytes: Uint8Array, start: number, end: number): boolean {
    for (const topic of this.#topics) {
      if (begins(topic, bytes, start, end)) return true
    }
    return false
  }

  #onFrame(bytes: Uint8Array, start: number, end: number): void {
    if (!this.#matches(bytes, start, end)) return
    if (this.#inbox.wanted) {
      this.#inbox.offer(new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start))
      return
    }
    if (this.#inbox.size >= this.#maxQueued) {
      this.#inbox.drop()
      this.#dropped++
    }
    // A view would keep the whole chunk alive for as long as it waits.
    this.#inbox.offer(new Uint8Array(bytes.subarray(start, end)))
  }
}
