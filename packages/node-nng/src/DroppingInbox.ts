/** Receiving that never holds back the sender: a bounded inbox, which drops when it is full. */
import { keepable, lengthOf, view } from "./Bodies.ts"
import { Inbox } from "./Inbox.ts"
import type { BufferLimits } from "./Options.ts"
import type { LivePipe } from "./Pipe.ts"

/** How it is bounded. */
export interface DroppingInboxOptions {
  readonly limits: BufferLimits
  /** What goes when it is full. */
  readonly drops: "newest" | "oldest"
}

/** An inbox for bodies, which copies those that nobody takes at once. */
export class DroppingInbox extends Inbox<Uint8Array> {
  readonly #options: DroppingInboxOptions

  constructor(options: DroppingInboxOptions) {
    super(lengthOf)
    this.#options = options
  }

  /** Hands over, keeps or drops the body in `bytes` from `start` to `end`; drops are counted by `pipe`. */
  put(pipe: LivePipe, bytes: Uint8Array, start: number, end: number): void {
    if (this.wanted) {
      this.offer(view(bytes, start, end))
      return
    }
    const { drops, limits } = this.#options
    while (this.size >= limits.messages || (this.size > 0 && this.bytes + end - start > limits.bytes)) {
      pipe.drop("receiveBufferFull")
      if (drops === "newest") return
      this.drop()
    }
    this.offer(keepable(bytes, start, end))
  }
}
