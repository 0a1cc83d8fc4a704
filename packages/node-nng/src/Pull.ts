/** PULL: takes messages from its peers. Source: nng src/sp/protocol/pipeline0/pull.c. */
import { keepable, lengthOf, view } from "./Bodies.ts"
import type { NngError } from "./Errors.ts"
import { Intake } from "./Intake.ts"
import type { ReceiveBufferOptions, SocketOptions } from "./Options.ts"
import { heldPerPipe, receiveBufferOf } from "./Options.ts"
import type { LivePipe, PipeHandler } from "./Pipe.ts"
import { ReceivingSocket } from "./ReceivingSocket.ts"
import { protocols } from "./Wire.ts"

/**
 * Options of a PULL socket: the receive buffer is per pipe, default 128 messages (1 in nng) and 256 KiB; a pipe that has
 * reached either is not read until messages are taken.
 */
export interface PullOptions extends SocketOptions, ReceiveBufferOptions {}

/**
 * A socket that takes in messages, those of all peers in the order they came. What is not taken is not read from the
 * connection for long, so that the peers wait; nothing is dropped.
 */
export class Pull extends ReceivingSocket<Uint8Array> {
  readonly #intake: Intake<Uint8Array>

  constructor(options: PullOptions = {}) {
    const intake = new Intake(receiveBufferOf(options, heldPerPipe), lengthOf)
    super(protocols.pull, options, intake.inbox)
    this.#intake = intake
  }

  /**
   * Calls `handler` with every message from now on, synchronously as it arrives and without back pressure; those that wait
   * come first. The body is a view of what was received, up to 64 KiB of it: copy to keep.
   */
  onMessage(handler: (body: Uint8Array) => void): void {
    this.handle(handler)
  }

  protected override attach(pipe: LivePipe): PipeHandler {
    const lane = this.#intake.lane(pipe)
    return {
      frame: (bytes, start, end) => lane.offer(lane.wanted ? view(bytes, start, end) : keepable(bytes, start, end)),
      drained() {},
      closed() {}
    }
  }

  protected override shut(error: NngError): void {
    this.#intake.inbox.shut(error)
  }
}
