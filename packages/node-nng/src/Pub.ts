/** PUB: sends every message to all subscribers. Source: nng src/sp/protocol/pubsub0/pub.c. */
import { NngError } from "./Errors.ts"
import type { SendBufferOptions, SocketOptions } from "./Options.ts"
import { sendBufferOf } from "./Options.ts"
import { Broadcast } from "./Outbox.ts"
import type { Payload } from "./Payload.ts"
import type { LivePipe, Pipe, PipeHandler } from "./Pipe.ts"
import { Socket } from "./Socket.ts"
import { protocols } from "./Wire.ts"

/** Options of a PUB socket: `sendBufferMessages` is for each subscriber, default 128 (16 in nng). */
export interface PubOptions extends SocketOptions, SendBufferOptions {}

/**
 * A socket that publishes. A message begins with its topic; subscribers filter. Sending never waits and never fails:
 * without subscribers the message is gone, and one that comes later gets nothing old.
 *
 * **Details** A subscriber that does not keep up first fills its pipe (`sendHighWaterBytes` and the system's buffers), then
 * its send buffer; then its oldest messages are dropped, for it alone, and counted as `sendBufferFull`.
 *
 * **Gotchas** Bytes go by reference: do not change them after sending.
 */
export class Pub extends Socket {
  readonly #subscribers: Broadcast

  constructor(options: PubOptions = {}) {
    super(protocols.pub, options)
    this.#subscribers = new Broadcast({ limits: sendBufferOf(options, 128), drops: "oldest" })
  }

  /** Sends to all subscribers. Throws ECLOSED on a closed socket. */
  send(payload: Payload): void {
    this.checkOpen()
    this.#subscribers.send(null, payload)
  }

  /**
   * Sends to one subscriber, such as a snapshot to one that just came; nothing happens when it is gone. Throws ECLOSED on a
   * closed socket. Not in nng.
   */
  sendTo(pipe: Pipe, payload: Payload): void {
    this.checkOpen()
    this.#subscribers.get(pipe.id)?.send(null, payload)
  }

  protected override attach(pipe: LivePipe): PipeHandler {
    const outbox = this.#subscribers.add(pipe)
    return {
      frame: () => pipe.fail(new NngError("EPROTO", `${pipe.remoteAddress} is a SUB and sent data`)),
      drained: () => outbox.drained(),
      closed: () => this.#subscribers.remove(pipe)
    }
  }

  protected override shut(): void {
    this.#subscribers.flush()
  }
}
