/** What PAIR version 0 and 1 share: one peer at a time, both ways waiting. Source: nng src/sp/protocol/pair{0,1}/pair.c. */
import { keepable, lengthOf, view } from "./Bodies.ts"
import { NngError } from "./Errors.ts"
import type { FrameHeader } from "./FrameWriter.ts"
import { Intake } from "./Intake.ts"
import type { ReceiveBufferOptions, SendBufferOptions, SocketOptions } from "./Options.ts"
import { heldPerPipe, receiveBufferOf, sendBufferOf } from "./Options.ts"
import type { Payload } from "./Payload.ts"
import type { LivePipe, PipeHandler } from "./Pipe.ts"
import { ReceivingSocket } from "./ReceivingSocket.ts"
import { SendQueue } from "./SendQueue.ts"
import type { WaitOptions } from "./Wait.ts"
import type { Protocol } from "./Wire.ts"

/**
 * Options of a PAIR socket: `sendBufferMessages` defaults to 0; the receive buffer to 128 messages (0 in nng) and 256 KiB,
 * past which the peer is not read.
 */
export interface PairOptions extends SocketOptions, SendBufferOptions, ReceiveBufferOptions {}

/** Returns why a second peer is refused. */
export const pairBusy = (pipe: LivePipe): NngError =>
  new NngError("EBUSY", `${pipe.remoteAddress} was refused: the PAIR has a peer already`)

/** How a version of PAIR puts its header on. */
export interface PairHeader {
  /** In front of every message sent. */
  readonly header: FrameHeader
  /** Returns where the body begins, or -1 when the message was dropped or the pipe closed because of it. */
  readonly bodyAt: (pipe: LivePipe, bytes: Uint8Array, start: number, end: number) => number
}

/** A socket that talks with one peer, each side sending as it likes. A second peer is refused while there is one. */
export abstract class PairSocket extends ReceivingSocket<Uint8Array> {
  readonly #header: PairHeader
  readonly #queue: SendQueue
  readonly #intake: Intake<Uint8Array>

  protected constructor(protocol: Protocol, options: PairOptions, header: PairHeader) {
    const intake = new Intake(receiveBufferOf(options, heldPerPipe), lengthOf)
    super(protocol, options, intake.inbox)
    this.#header = header
    this.#intake = intake
    this.#queue = new SendQueue(sendBufferOf(options, 0))
  }

  /** Messages in the send buffer, which the peer's pipe has not taken yet. */
  get buffered(): number {
    return this.#queue.buffered
  }

  /**
   * Resolves when the pipe or the buffer took the message, mostly at once; what the pipe took is lost if it dies. Rejects
   * with ETIMEDOUT or ECANCELED, and the message is not sent then; with ECLOSED, or EAGAIN when tens of thousands wait.
   */
  send(payload: Payload, options?: WaitOptions): Promise<void> {
    return this.#queue.send(this.#header.header, payload, options)
  }

  /** Sends without waiting; false when `send` would have to wait. Throws ECLOSED. Source: NNG_FLAG_NONBLOCK. */
  trySend(payload: Payload): boolean {
    return this.#queue.trySend(this.#header.header, payload)
  }

  /**
   * Calls `handler` with every message from now on, synchronously as it arrives and without back pressure; those that wait
   * come first. The body is a view of what was received, up to 64 KiB of it: copy to keep.
   */
  onMessage(handler: (body: Uint8Array) => void): void {
    this.handle(handler)
  }

  protected override attach(pipe: LivePipe): PipeHandler | NngError {
    if (this.openPipes.size > 0) return pairBusy(pipe)
    const lane = this.#intake.lane(pipe)
    const { bodyAt } = this.#header
    this.#queue.ready(lane)
    return {
      frame(bytes, start, end) {
        const at = bodyAt(pipe, bytes, start, end)
        if (at >= 0) lane.offer(lane.wanted ? view(bytes, at, end) : keepable(bytes, at, end))
      },
      drained: () => this.#queue.ready(lane),
      closed: () => this.#queue.remove(lane)
    }
  }

  protected override shut(error: NngError): void {
    this.#queue.shut(error, this.openPipes)
    this.#intake.inbox.shut(error)
  }
}
