/** What sockets that receive share: promises, attempts and iteration over one inbox. */
import type { Inbox } from "./Inbox.ts"
import type { SocketOptions } from "./Options.ts"
import { Socket } from "./Socket.ts"
import type { WaitOptions } from "./Wait.ts"
import type { Protocol } from "./Wire.ts"

/** A socket that hands out an `A` for every message it receives. */
export abstract class ReceivingSocket<A> extends Socket {
  readonly #inbox: Inbox<A>

  protected constructor(protocol: Protocol, options: SocketOptions, inbox: Inbox<A>) {
    super(protocol, options)
    this.#inbox = inbox
  }

  /** Resolves with the next message. Rejects with ETIMEDOUT, ECANCELED, ECLOSED, or ESTATE beside a handler. */
  receive(options?: WaitOptions): Promise<A> {
    return this.#inbox.receive(options)
  }

  /** Returns the next message if there is one already. Throws ESTATE beside a handler. Source: NNG_FLAG_NONBLOCK. */
  tryReceive(): A | undefined {
    return this.#inbox.tryReceive()
  }

  /** Yields messages until the socket is closed; `options` limit the wait for each, and end it with their error. */
  messages(options?: WaitOptions): AsyncIterableIterator<A> {
    return this.#inbox.messages(options)
  }

  /** As `messages`, without limits. */
  [Symbol.asyncIterator](): AsyncIterableIterator<A> {
    return this.#inbox.messages()
  }

  /** Hands every message to `handler` from now on, those that wait first. */
  protected handle(handler: (message: A) => void): void {
    this.#inbox.handle(handler)
  }
}
