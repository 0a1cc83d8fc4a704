/**
 * Sending that waits and never drops: each message goes to one ready pipe, in turn; without one it is kept in a bounded
 * buffer, and when that is full the sender waits. Source: nng src/sp/protocol/pipeline0/push.c.
 */
import { NngError } from "./Errors.ts"
import type { FrameHeader } from "./FrameWriter.ts"
import type { BufferLimits } from "./Options.ts"
import type { Payload } from "./Payload.ts"
import { payloadBytes } from "./Payload.ts"
import type { LivePipe } from "./Pipe.ts"
import { Queue } from "./Queue.ts"
import { ReadyPipes } from "./ReadyPipes.ts"
import type { WaitOptions } from "./Wait.ts"
import { canceled, closedError, Wait } from "./Wait.ts"

interface Message {
  readonly header: FrameHeader
  readonly payload: Payload
  readonly bytes: number
}

class WaitingSend extends Wait<void> {
  readonly message: Message

  constructor(set: Set<Wait<void>>, message: Message, options: WaitOptions) {
    super(set, "send", options)
    this.message = message
  }
}

/** A pipe of a `SendQueue`. */
export interface SendLane {
  readonly pipe: LivePipe
}

/** Waiting sends are the caller's to bound, by awaiting them; this stops one that never does. */
const waitingMax = 65_536

/** One for all sends that need not wait. */
const accepted = Promise.resolve()

/** Messages on their way to whichever pipe is ready next. Order is kept up to the choice of the pipe. */
export class SendQueue {
  readonly #limits: BufferLimits
  readonly #ready = new ReadyPipes<SendLane>()
  readonly #buffer = new Queue<Message>()
  #bufferBytes = 0
  readonly #waits = new Set<WaitingSend>()
  #shut = false

  constructor(limits: BufferLimits) {
    this.#limits = limits
  }

  /** Messages in the buffer. */
  get buffered(): number {
    return this.#buffer.size
  }

  /** Sends or buffers a message; false when it would have to wait. Throws ECLOSED. */
  trySend(header: FrameHeader, payload: Payload): boolean {
    if (this.#shut) throw closedError()
    const lane = this.#ready.next()
    if (lane !== null) {
      this.#hand(lane, header, payload)
      return true
    }
    // Those that wait were first.
    if (this.#limits.messages === 0 || this.#waits.size > 0) return false
    const message = { header, payload, bytes: payloadBytes(payload) }
    if (!this.#fits(message)) return false
    this.#keep(message)
    return true
  }

  /** As `trySend`, and waits when it must. Rejects with ETIMEDOUT, ECANCELED, ECLOSED, EAGAIN. */
  send(header: FrameHeader, payload: Payload, options: WaitOptions = {}): Promise<void> {
    const { signal } = options
    if (signal?.aborted === true) return Promise.reject(canceled("send", signal))
    if (this.#shut) return Promise.reject(closedError())
    if (this.trySend(header, payload)) return accepted
    if (this.#waits.size >= waitingMax) {
      return Promise.reject(new NngError("EAGAIN", `${waitingMax} sends wait already: await each before the next`))
    }
    const message = { header, payload, bytes: payloadBytes(payload) }
    return new WaitingSend(this.#waits, message, options).promise
  }

  /** A pipe opened, or one that was full has drained. */
  ready(lane: SendLane): void {
    if (lane.pipe.closed || lane.pipe.full) return
    this.#ready.add(lane)
    this.#pump()
  }

  /** A pipe closed; what was handed to it is its own. */
  remove(lane: SendLane): void {
    this.#ready.remove(lane)
  }

  /**
   * The socket closes: what waits fails, what is buffered goes to `pipes`, however full they are: the linger time decides
   * what of it leaves.
   */
  shut(error: NngError, pipes: Iterable<LivePipe>): void {
    this.#shut = true
    for (const wait of this.#waits) wait.reject(error)
    const open = Array.from(pipes)
    for (let turn = 0; open.length > 0 && this.#buffer.size > 0; turn++) {
      const message = this.#take()
      if (message !== undefined) open[turn % open.length]?.send(message.header, message.payload)
    }
    this.#buffer.clear()
  }

  #fits(message: Message): boolean {
    const { bytes, messages } = this.#limits
    return this.#buffer.size < messages && (this.#buffer.size === 0 || this.#bufferBytes + message.bytes <= bytes)
  }

  #keep(message: Message): void {
    this.#buffer.push(message)
    this.#bufferBytes += message.bytes
  }

  #take(): Message | undefined {
    const message = this.#buffer.shift()
    if (message !== undefined) this.#bufferBytes -= message.bytes
    return message
  }

  #hand(lane: SendLane, header: FrameHeader, payload: Payload): void {
    lane.pipe.send(header, payload)
    if (lane.pipe.full) this.#ready.remove(lane)
  }

  #pump(): void {
    // Every message goes through here in the order it came: the buffer first, then those that wait.
    for (let more = this.#buffer.size + this.#waits.size; more > 0; more = this.#buffer.size + this.#waits.size) {
      const lane = this.#ready.next()
      if (lane === null) break
      const message = this.#take() ?? this.#admit()
      if (message !== undefined) this.#hand(lane, message.header, message.payload)
    }
    for (const wait of this.#waits) {
      if (!this.#fits(wait.message)) return
      this.#keep(wait.message)
      wait.resolve()
    }
  }

  /** Takes the message of the send that waits longest. */
  #admit(): Message | undefined {
    for (const wait of this.#waits) {
      wait.resolve()
      return wait.message
    }
    return undefined
  }
}
