/** What passed and what was dropped, per pipe and per socket. */
import type { NngErrorCode } from "./Errors.ts"

/**
 * Why a message was dropped: `sendBufferFull` and `receiveBufferFull` where the pattern drops instead of waiting, `noPeer`
 * for a reply or broadcast whose peer is gone, `noMatch` for an answer nobody waits for any more (unknown, late or
 * duplicate id), `noTopic` for what a SUB filters out, `hopLimit` for too many devices on the way, `unexpected` for data
 * in a direction that the pattern does not have.
 */
export type DropCause =
  | "hopLimit"
  | "noMatch"
  | "noPeer"
  | "noTopic"
  | "receiveBufferFull"
  | "sendBufferFull"
  | "unexpected"

/** Messages dropped so far, by cause. */
export type Dropped = Readonly<Record<DropCause, number>>

/** Counts since the pipe or socket was made. Bytes are those of messages with their protocol header, without framing. */
export interface Traffic {
  /** Messages that arrived, also those dropped afterwards. */
  readonly messagesIn: number
  /** Messages handed to the connection. */
  readonly messagesOut: number
  readonly bytesIn: number
  readonly bytesOut: number
  readonly dropped: Dropped
}

/** Counts of one pipe. */
export type PipeStats = Traffic

/** Counts of a socket, all its pipes included. Source: nng_stats_get. */
export interface SocketStats extends Traffic {
  /** Pipes open now. */
  readonly pipes: number
  readonly pipesOpened: number
  readonly pipesClosed: number
  /** Pipes that a dialer opened after an earlier one of its own. */
  readonly reconnects: number
  /** Connections turned away and pipes closed for what their peers sent, by the code `onRefused` reports. */
  readonly refused: Readonly<Partial<Record<NngErrorCode, number>>>
}

/** The counters behind a `Traffic`. */
export class Counters {
  messagesIn = 0
  messagesOut = 0
  bytesIn = 0
  bytesOut = 0
  readonly dropped: Record<DropCause, number> = {
    hopLimit: 0,
    noMatch: 0,
    noPeer: 0,
    noTopic: 0,
    receiveBufferFull: 0,
    sendBufferFull: 0,
    unexpected: 0
  }

  received(bytes: number): void {
    this.messagesIn++
    this.bytesIn += bytes
  }

  sent(bytes: number): void {
    this.messagesOut++
    this.bytesOut += bytes
  }

  /** Adds those of a pipe to these. */
  add(other: Counters): void {
    this.messagesIn += other.messagesIn
    this.messagesOut += other.messagesOut
    this.bytesIn += other.bytesIn
    this.bytesOut += other.bytesOut
    for (const cause of Object.keys(other.dropped) as Array<DropCause>) this.dropped[cause] += other.dropped[cause]
  }

  snapshot(): Traffic {
    const { bytesIn, bytesOut, messagesIn, messagesOut } = this
    return { messagesIn, messagesOut, bytesIn, bytesOut, dropped: { ...this.dropped } }
  }
}
