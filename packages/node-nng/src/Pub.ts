/** PUB: sends every message to all subscribers. Source: nng src/sp/protocol/pubsub0/pub.c. */
import { NngError } from "./Errors.ts"
import type { SocketOptions } from "./Options.ts"
import { wholeNumber } from "./Options.ts"
import type { Payload } from "./Payload.ts"
import { joinPayload } from "./Payload.ts"
import type { LivePipe, Pipe, PipeHandler } from "./Pipe.ts"
import { Queue } from "./Queue.ts"
import { Socket } from "./Socket.ts"
import { protocols } from "./Wire.ts"

/** Options of a PUB socket. */
export interface PubOptions extends SocketOptions {
  /**
   * Messages kept for a subscriber whose pipe is not ready; past it its oldest is dropped. Default 128.
   * Source: NNG_OPT_SENDBUF, which is 16 for PUB.
   */
  readonly maxQueuedPerPipe?: number | undefined
}

class Subscriber implements PipeHandler {
  readonly pipe: LivePipe
  readonly #queue = new Queue<Payload>()
  readonly #maxQueued: number
  readonly #onClosed: () => void

  constructor(pipe: LivePipe, maxQueued: number, onClosed: () => void) {
    this.pipe = pipe
    this.#maxQueued = maxQueued
    this.#onClosed = onClosed
  }

  /** Sends or keeps a message; returns how many were dropped for it. */
  send(payload: Payload): 0 | 1 {
    if (!this.pipe.full) {
      this.pipe.send(null, payload)
      return 0
    }
    this.#queue.push(payload)
    if (this.#queue.size <= this.#maxQueued) return 0
    this.#queue.shift()
    return 1
  }

  /** Hands over all that is kept, however full the pipe is: the linger time decides what of it leaves. */
  flush(): void {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.pipe.send(null, next)
  }

  frame(): void {
    this.pipe.fail(new NngError("EPROTO", `${this.pipe.remoteAddress} is a SUB and sent data`))
  }

  drained(): void {
    while (!this.pipe.full) {
      const next = this.#queue.shift()
      if (next === undefined) return
      this.pipe.send(null, next)
    }
  }

  closed(): void {
    this.#onClosed()
  }
}

/**
 * A socket that publishes. A message begins with its topic; subscribers filter. Sending never waits and never fails:
 * without subscribers the message is gone, and one that comes later gets nothing old.
 *
 * **Details** A subscriber that does not keep up first fills its pipe (`sendHighWaterBytes` and the system's buffers), then
 * a queue of `maxQueuedPerPipe`; then its oldest messages are dropped, for it alone.
 *
 * **Gotchas** Bytes go by reference: do not change them after sending.
 */
export class Pub extends Socket {
  readonly #subscribers = new Map<Pipe, Subscriber>()
  readonly #maxQueued: number
  #dropped = 0

  constructor(options: PubOptions = {}) {
    super(protocols.pub, options)
    this.#maxQueued = wholeNumber("maxQueuedPerPipe", options.maxQueuedPerPipe, { fallback: 128, least: 1 })
  }

  /** Messages dropped so far, counted once for each subscriber that misses it. */
  get dropped(): number {
    return this.#dropped
  }

  /** Sends to all subscribers. Throws ECLOSED on a closed socket. */
  send(payload: Payload): void {
    this.#checkOpen()
    // Text is encoded once, not once for each subscriber.
    const shared = this.#subscribers.size < 2 || payload instanceof Uint8Array ? payload : joinPayload(null, payload)
    for (const subscriber of this.#subscribers.values()) this.#dropped += subscriber.send(shared)
  }

  /**
   * Sends to one subscriber, such as a snapshot to one that just came; nothing happens when it is gone. Throws ECLOSED on a
   * closed socket. Not in nng.
   */
  sendTo(pipe: Pipe, payload: Payload): void {
    this.#checkOpen()
    this.#dropped += this.#subscribers.get(pipe)?.send(payload) ?? 0
  }

  protected override attach(pipe: LivePipe): PipeHandler {
    const subscriber = new Subscriber(pipe, this.#maxQueued, () => this.#subscribers.delete(pipe))
    this.#subscribers.set(pipe, subscriber)
    return subscriber
  }

  protected override shut(): void {
    for (const subscriber of this.#subscribers.values()) subscriber.flush()
  }

  #checkOpen(): void {
    if (this.closed) throw new NngError("ECLOSED", "the socket was closed; make a new one")
  }
}
