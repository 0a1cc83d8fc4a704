/** BUS: sends to all direct peers and receives from them. Source: nng src/sp/protocol/bus0/bus.c. */
import { DroppingInbox } from "./DroppingInbox.ts"
import type { NngError } from "./Errors.ts"
import type { ReceiveBufferOptions, SendBufferOptions, SocketOptions } from "./Options.ts"
import { keptBeforeDropping, receiveBufferOf, sendBufferOf } from "./Options.ts"
import { Broadcast } from "./Outbox.ts"
import type { Payload } from "./Payload.ts"
import type { LivePipe, PipeHandler } from "./Pipe.ts"
import { ReceivingSocket } from "./ReceivingSocket.ts"
import { protocols } from "./Wire.ts"

/**
 * Options of a BUS socket: `sendBufferMessages` is for each peer, default 128 (16 in nng); the receive buffer is for the
 * socket, default 8192 messages (16 in nng) and 16 MiB.
 */
export interface BusOptions extends SocketOptions, SendBufferOptions, ReceiveBufferOptions {}

/**
 * A socket among equals: what one sends, every direct peer receives, as well as it can. Nothing is passed on, so connect
 * all with all, or run a `device`. A peer that does not keep up misses new messages, counted as `sendBufferFull` there or
 * `receiveBufferFull` here.
 *
 * **Gotchas** Bytes go by reference: do not change them after sending.
 */
export class Bus extends ReceivingSocket<Uint8Array> {
  readonly #peers: Broadcast
  readonly #inbox: DroppingInbox

  constructor(options: BusOptions = {}) {
    const inbox = new DroppingInbox({ limits: receiveBufferOf(options, keptBeforeDropping), drops: "newest" })
    super(protocols.bus, options, inbox)
    this.#inbox = inbox
    this.#peers = new Broadcast({ limits: sendBufferOf(options, 128), drops: "newest" })
  }

  /** Sends to all peers there are. Never waits; throws ECLOSED on a closed socket. */
  send(payload: Payload): void {
    this.checkOpen()
    this.#peers.send(null, payload)
  }

  /**
   * Calls `handler` with every message from now on, synchronously as it arrives; those that wait come first. The body is a
   * view of what was received, up to 64 KiB of it: copy to keep.
   */
  onMessage(handler: (body: Uint8Array) => void): void {
    this.handle(handler)
  }

  protected override attach(pipe: LivePipe): PipeHandler {
    const outbox = this.#peers.add(pipe)
    return {
      frame: (bytes, start, end) => this.#inbox.put(pipe, bytes, start, end),
      drained: () => outbox.drained(),
      closed: () => this.#peers.remove(pipe)
    }
  }

  protected override shut(error: NngError): void {
    this.#peers.flush()
    this.#inbox.shut(error)
  }
}
