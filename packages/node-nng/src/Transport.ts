/**
 * What a transport must offer. A byte transport (tcp, ipc, later tls) yields `StreamLink`s; a message transport (inproc,
 * later ws) yields links of its own.
 */
import type { Address } from "./Address.ts"
import type { NngError } from "./Errors.ts"
import type { FrameHeader } from "./FrameWriter.ts"
import type { Payload } from "./Payload.ts"
import type { FrameSink } from "./Wire.ts"

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
  /** Starts: announces protocol id `self` and reports to `events`. Called once. */
  open(self: number, events: LinkEvents): void
  /** Takes a message; it leaves at the end of the tick. */
  send(header: FrameHeader, payload: Payload): void
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

/** Something bound. */
export interface Bound {
  /** The address with its real port. */
  readonly address: string
  /** Stops accepting; calls `done` when the address is free again. */
  close(done: () => void): void
}

/** What a listener tells its endpoint. */
export interface AcceptEvents {
  accept(link: Link): void
  /** A connection could not be accepted, by reason of the system. */
  failed(error: NngError): void
}

/** A way of carrying connections. */
export interface Transport<A extends Address = Address> {
  /** Binds; rejects with EADDRINUSE, EADDRINVAL, EACCES. */
  listen(address: A, settings: LinkSettings, events: AcceptEvents): Promise<Bound>
  /** Connects and calls `done` once, later; returns a function that gives up, after which `done` is not called. */
  connect(address: A, settings: LinkSettings, done: (error: NngError | null, link: Link | null) => void): () => void
}
