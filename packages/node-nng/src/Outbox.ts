/** Sending that never waits: a bounded queue per pipe, which drops when it is full. */
import type { FrameHeader } from "./FrameWriter.ts"
import type { BufferLimits } from "./Options.ts"
import type { Payload } from "./Payload.ts"
import { joinPayload, payloadBytes } from "./Payload.ts"
import type { LivePipe } from "./Pipe.ts"
import { Queue } from "./Queue.ts"

interface Message {
  readonly header: FrameHeader
  readonly payload: Payload
  readonly bytes: number
}

/** How an outbox is bounded. */
export interface OutboxOptions {
  readonly limits: BufferLimits
  /** What goes when it is full. */
  readonly drops: "newest" | "oldest"
}

/** What one pipe has still to send. */
export class Outbox {
  readonly pipe: LivePipe
  readonly #options: OutboxOptions
  readonly #queue = new Queue<Message>()
  #bytes = 0

  constructor(pipe: LivePipe, options: OutboxOptions) {
    this.pipe = pipe
    this.#options = options
  }

  /** Sends, keeps or drops a message; drops are counted by the pipe. */
  send(header: FrameHeader, payload: Payload): void {
    if (!this.pipe.full) {
      this.pipe.send(header, payload)
      return
    }
    const { drops, limits } = this.#options
    const bytes = payloadBytes(payload)
    while (this.#queue.size >= limits.messages || (this.#queue.size > 0 && this.#bytes + bytes > limits.bytes)) {
      this.pipe.drop("sendBufferFull")
      if (drops === "newest" || this.#take() === undefined) return
    }
    this.#queue.push({ header, payload, bytes })
    this.#bytes += bytes
  }

  /** The pipe can take more. */
  drained(): void {
    while (!this.pipe.full && this.#sendNext()) { /* the pipe fills or the queue ends */ }
  }

  /** Hands over all that is kept, however full the pipe is: the linger time decides what of it leaves. */
  flush(): void {
    while (this.#sendNext()) { /* until it is empty */ }
  }

  #sendNext(): boolean {
    const message = this.#take()
    if (message === undefined) return false
    this.pipe.send(message.header, message.payload)
    return true
  }

  #take(): Message | undefined {
    const message = this.#queue.shift()
    if (message !== undefined) this.#bytes -= message.bytes
    return message
  }
}

/** The outboxes of a socket that sends every message to all its pipes. */
export class Broadcast {
  readonly #options: OutboxOptions
  readonly #outboxes = new Map<number, Outbox>()

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  add(pipe: LivePipe): Outbox {
    const outbox = new Outbox(pipe, this.#options)
    this.#outboxes.set(pipe.id, outbox)
    return outbox
  }

  remove(pipe: LivePipe): void {
    this.#outboxes.delete(pipe.id)
  }

  /** The outbox of the open pipe of that id. */
  get(id: number): Outbox | undefined {
    return this.#outboxes.get(id)
  }

  /** Sends to all pipes but the one of id `except`. */
  send(header: FrameHeader, payload: Payload, except = 0): void {
    // Text is encoded once, not once for each pipe.
    const shared = this.#outboxes.size < 2 || payload instanceof Uint8Array ? payload : joinPayload(null, payload)
    for (const outbox of this.#outboxes.values()) {
      if (outbox.pipe.id !== except) outbox.send(header, shared)
    }
  }

  /** The socket closes. */
  flush(): void {
    for (const outbox of this.#outboxes.values()) outbox.flush()
  }
}
