/** PUSH: hands each message to one of its peers. Source: nng src/sp/protocol/pipeline0/push.c. */
import type { SendBufferOptions, SocketOptions } from "./Options.ts"
import { sendBufferOf } from "./Options.ts"
import type { Payload } from "./Payload.ts"
import type { LivePipe, PipeHandler } from "./Pipe.ts"
import { SendQueue } from "./SendQueue.ts"
import { Socket } from "./Socket.ts"
import type { WaitOptions } from "./Wait.ts"
import { protocols } from "./Wire.ts"

/** Options of a PUSH socket: `sendBufferMessages` is for the whole socket, default 0. */
export interface PushOptions extends SocketOptions, SendBufferOptions {}

/**
 * A socket that gives its messages out: each goes to one peer, in turn among those that are ready. It drops nothing by
 * itself: with no ready peer messages are buffered, and with a full buffer sending waits.
 *
 * **Gotchas** What was handed to a pipe is lost if that pipe dies (at most once): up to `sendHighWaterBytes` and what the
 * system buffers. Lower it where a peer should get little ahead of its work. Bytes go by reference: do not change them
 * after sending.
 */
export class Push extends Socket {
  readonly #queue: SendQueue

  constructor(options: PushOptions = {}) {
    super(protocols.push, options)
    this.#queue = new SendQueue(sendBufferOf(options, 0))
  }

  /** Messages in the send buffer, which no pipe has taken yet. */
  get buffered(): number {
    return this.#queue.buffered
  }

  /**
   * Resolves when a pipe or the buffer took the message, mostly at once. Rejects with ETIMEDOUT or ECANCELED, and the
   * message is not sent then; with ECLOSED, or EAGAIN when tens of thousands of sends wait already.
   */
  send(payload: Payload, options?: WaitOptions): Promise<void> {
    return this.#queue.send(null, payload, options)
  }

  /** Sends without waiting; false when `send` would have to wait. Throws ECLOSED. Source: NNG_FLAG_NONBLOCK. */
  trySend(payload: Payload): boolean {
    return this.#queue.trySend(null, payload)
  }

  protected override attach(pipe: LivePipe): PipeHandler {
    const lane = { pipe }
    this.#queue.ready(lane)
    return {
      // nng discards it as well: a PULL has nothing to say.
      frame: () => pipe.drop("unexpected"),
      drained: () => this.#queue.ready(lane),
      closed: () => this.#queue.remove(lane)
    }
  }

  protected override shut(error: Parameters<SendQueue["shut"]>[0]): void {
    this.#queue.shut(error, this.openPipes)
  }
}
