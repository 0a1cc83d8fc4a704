/** SUB: receives the messages that begin with one of its topics. Source: nng src/sp/protocol/pubsub0/sub.c. */
import { DroppingInbox } from "./DroppingInbox.ts"
import type { DroppingInboxOptions } from "./DroppingInbox.ts"
import type { NngError } from "./Errors.ts"
import type { ReceiveBufferOptions, SocketOptions } from "./Options.ts"
import { keptBeforeDropping, receiveBufferOf } from "./Options.ts"
import type { LivePipe, PipeHandler } from "./Pipe.ts"
import { ReceivingSocket } from "./ReceivingSocket.ts"
import { Subscription } from "./Subscription.ts"
import { protocols } from "./Wire.ts"

/** Options of a SUB socket: the receive buffer is per subscription, default 8192 messages (128 in nng) and 16 MiB. */
export interface SubOptions extends SocketOptions, ReceiveBufferOptions {
  /**
   * What goes when the receive buffer is full: the oldest message kept (true) or the one that comes (false). Default true.
   * Source: NNG_OPT_SUB_PREFNEW.
   */
  readonly preferNew?: boolean | undefined
}

/**
 * A socket that subscribes. A topic is the first bytes of a message; several are alternatives, the empty one is all, and
 * without a topic nothing is received. Filtering is local: publishers send everything. What nobody takes in time is dropped
 * and counted as `receiveBufferFull`, what matches no topic as `noTopic`.
 */
export class Sub extends ReceivingSocket<Uint8Array> {
  readonly #options: DroppingInboxOptions
  readonly #own: Subscription
  readonly #subscriptions = new Set<Subscription>()

  constructor(options: SubOptions = {}) {
    const { preferNew = true } = options
    const inboxOptions: DroppingInboxOptions = {
      limits: receiveBufferOf(options, keptBeforeDropping),
      drops: preferNew ? "oldest" : "newest"
    }
    const inbox = new DroppingInbox(inboxOptions)
    super(protocols.sub, options, inbox)
    this.#options = inboxOptions
    this.#own = new Subscription(inbox, () => {})
    this.#subscriptions.add(this.#own)
  }

  /** Adds a topic; one that is there already stays single. Source: NNG_OPT_SUB_SUBSCRIBE. */
  subscribe(topic: string | Uint8Array): void {
    this.#own.subscribe(topic)
  }

  /**
   * Removes a topic, and the messages kept that match no other. Throws ENOENT when it is not subscribed.
   * Source: NNG_OPT_SUB_UNSUBSCRIBE.
   */
  unsubscribe(topic: string | Uint8Array): void {
    this.#own.unsubscribe(topic)
  }

  /**
   * Returns a further subscription, with topics and a buffer of its own, beside those of the socket itself. Throws ECLOSED.
   * Source: nng_ctx_open.
   */
  subscription(...topics: ReadonlyArray<string | Uint8Array>): Subscription {
    this.checkOpen()
    const close = (closed: Subscription): void => void this.#subscriptions.delete(closed)
    const subscription = new Subscription(new DroppingInbox(this.#options), close)
    for (const topic of topics) subscription.subscribe(topic)
    this.#subscriptions.add(subscription)
    return subscription
  }

  /**
   * Calls `handler` with every message from now on, synchronously as it arrives; those that wait come first. The body is a
   * view of what was received, up to 64 KiB of it: copy to keep.
   */
  onMessage(handler: (body: Uint8Array) => void): void {
    this.handle(handler)
  }

  protected override attach(pipe: LivePipe): PipeHandler {
    return {
      frame: (bytes, start, end) => {
        let matched = false
        for (const subscription of this.#subscriptions) {
          if (subscription.put(pipe, bytes, start, end)) matched = true
        }
        if (!matched) pipe.drop("noTopic")
      },
      drained() {},
      closed() {}
    }
  }

  protected override shut(error: NngError): void {
    for (const subscription of this.#subscriptions) subscription.shut(error)
  }
}
