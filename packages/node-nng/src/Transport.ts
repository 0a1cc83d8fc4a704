/**
 * What a transport must offer. A byte transport (tcp, tls, ipc) yields `StreamLink`s; a message transport (inproc, ws)
 * yields links of its own.
 */
import type { Address } from "./Address.ts"
import type { NngError } from "./Errors.ts"
import type { FrameHeader } from "./FrameWriter.ts"
import type { Payload } from "./Payload.ts"
import type { DialOptions, ListenOptions } from "./TransportOptions.ts"
import type { FrameSink, Protocol } from "./Wire.ts"

/** What a link tells its pipe. */
export interface LinkEvents extends FrameSink {
  /** The peer announced protocol id `protocol`; frames follow. */
  greeted(protocol: number): void
  /** The link, which was `full`, can take more. */
  drained(): void
  /** The peer sent what it must not: the pipe ends because of it. */
  malformed(error: NngError): void
  /** Called once, last: the link is gone and holds nothing; null after an orderly end by either side. */
  gone(error: NngError | null): void
}

/** One connection as its pipe sees it: greetings and whole messages. */
export interface Link {
  readonly remoteAddress: string
  readonly localAddress: string
  /** True from the moment unsent bytes reach the high-water mark until they are below it again. */
  readonly full: boolean
  /** Starts: secures the connection if need be, announces protocol id `self` and reports to `events`. Called once. */
  open(self: number, events: LinkEvents): void
  /** Takes a message, which leaves at the end of the tick; returns its bytes, header included. */
  send(header: FrameHeader, payload: Payload): number
  /** Holds back frames, also those already received. */
  pause(): void
  resume(): void
  /** Stops delivery, sends what was taken within `lingerMillis`, then closes. */
  end(lingerMillis: number): void
  /** Closes at once and drops what was not sent. */
  destroy(): void
}

/** The settings a link needs. */
export interface LinkSettings {
  readonly receiveMaxBytes: number
  readonly sendHighWaterBytes: number
  readonly keepAliveMillis: number
}

/** What an endpoint brings along. */
export interface Setup<Options> {
  readonly protocol: Protocol
  readonly settings: LinkSettings
  readonly options: Options
}

/** Something bound. */
export interface Bound {
  /** The address with its real port. */
  readonly address: string
  /** Stops accepting; calls `done` when the address is free again. */
  close(done: () => void): void
}

/** What a listener tells its endpoint. */
export interface AcceptEvents {
  /**
   * A connection has come. What it must still do before its first message, TLS and the upgrade to WebSocket included,
   * it does after `Link.open`, under the deadline and the limits for greetings.
   */
  accept(link: Link): void
  /** A connection could not be accepted, by reason of the system. */
  failed(error: NngError): void
}

/** Connects and calls `done` once, later; returns a function that gives up, after which `done` is not called. */
export type Connect = (done: (error: NngError | null, link: Link | null) => void) => () => void

/** A way of carrying connections. */
export interface Transport<A extends Address = Address> {
  /** Binds; rejects with EADDRINUSE, EADDRINVAL, EACCES, EINVAL (options), ENOTSUP. */
  listen(address: A, setup: Setup<ListenOptions>, events: AcceptEvents): Promise<Bound>
  /** Prepares what each connection attempt needs; throws EINVAL when the options are no good. */
  connector(address: A, setup: Setup<DialOptions>): Connect
}
