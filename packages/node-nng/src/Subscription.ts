/** A view of what a SUB receives, with topics and a buffer of its own. Source: nng_ctx of nng pubsub0/sub.c. */
import type { DroppingInbox } from "./DroppingInbox.ts"
import type { NngError } from "./Errors.ts"
import type { LivePipe } from "./Pipe.ts"
import { Topics } from "./Topics.ts"
import { closedError } from "./Wait.ts"
import type { WaitOptions } from "./Wait.ts"

/**
 * Receives the messages that begin with one of its topics. A topic is the first bytes of a message; several are
 * alternatives, the empty one is all, and without a topic nothing is received.
 */
export class Subscription implements Disposable {
  readonly #topics = new Topics()
  readonly #inbox: DroppingInbox
  readonly #onClose: (subscription: Subscription) => void

  /** Made by `Sub.subscription`. */
  constructor(inbox: DroppingInbox, onClose: (subscription: Subscription) => void) {
    this.#inbox = inbox
    this.#onClose = onClose
  }

  /** Adds a topic; one that is there already stays single. Source: NNG_OPT_SUB_SUBSCRIBE. */
  subscribe(topic: string | Uint8Array): void {
    this.#topics.add(topic)
  }

  /**
   * Removes a topic, and the messages kept that match no other. Throws ENOENT when it is not subscribed.
   * Source: NNG_OPT_SUB_UNSUBSCRIBE.
   */
  unsubscribe(topic: string | Uint8Array): void {
    this.#topics.remove(topic)
    this.#inbox.retain((body) => this.#topics.matches(body, 0, body.length))
  }

  /**
   * Calls `handler` with every message from now on, synchronously as it arrives; those that wait come first. The body is a
   * view of what was received, up to 64 KiB of it: copy to keep.
   */
  onMessage(handler: (body: Uint8Array) => void): void {
    this.#inbox.handle(handler)
  }

  /** Resolves with the next message. Rejects with ETIMEDOUT, ECANCELED, ECLOSED, or ESTATE beside a handler. */
  receive(options?: WaitOptions): Promise<Uint8Array> {
    return this.#inbox.receive(options)
  }

  /** Returns the next message if there is one already. Throws ESTATE beside a handler. Source: NNG_FLAG_NONBLOCK. */
  tryReceive(): Uint8Array | undefined {
    return this.#inbox.tryReceive()
  }

  /** Yields messages until it is closed; `options` limit the wait for each, and end it with their error. */
  messages(options?: WaitOptions): AsyncIterableIterator<Uint8Array> {
    return this.#inbox.messages(options)
  }

  /** As `messages`, without limits. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    return this.#inbox.messages()
  }

  /** Ends it, and its socket goes on; what waits fails with ECLOSED. */
  close(): void {
    this.#onClose(this)
    this.shut(closedError())
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** Takes a message of the socket; returns false when no topic matches. */
  put(pipe: LivePipe, bytes: Uint8Array, start: number, end: number): boolean {
    if (!this.#topics.matches(bytes, start, end)) return false
    this.#inbox.put(pipe, bytes, start, end)
    return true
  }

  /** The socket closes. */
  shut(error: NngError): void {
    this.#inbox.shut(error)
  }
}
