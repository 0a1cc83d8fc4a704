/**
 * What REP and RESPONDENT share: questions with a backtrace, answered once each, in any order. Source: nng
 * src/sp/protocol/reqrep0/rep.c, survey0/respond.c; every question is what nng calls a context.
 */
import { copied, keepable, view } from "./Bodies.ts"
import { NngError } from "./Errors.ts"
import { backtraceEnd } from "./Headers.ts"
import type { IntakeLane } from "./Intake.ts"
import { Intake } from "./Intake.ts"
import type { MaxTtlOptions, ReceiveBufferOptions, SocketOptions } from "./Options.ts"
import { heldPerPipe, maxTtlOf, receiveBufferOf } from "./Options.ts"
import type { Payload } from "./Payload.ts"
import type { LivePipe, Pipe, PipeHandler } from "./Pipe.ts"
import { ReceivingSocket } from "./ReceivingSocket.ts"
import type { DropCause } from "./Stats.ts"
import type { Protocol } from "./Wire.ts"
import { word } from "./Wire.ts"

/**
 * Options of a socket that answers. The receive buffer is per pipe, default 128 requests (1 in nng) and 256 KiB; a pipe
 * that has reached either is not read until requests are taken.
 */
export interface AnsweringOptions extends SocketOptions, ReceiveBufferOptions, MaxTtlOptions {}

/** A request or survey received; reply to it once, at any time. */
export interface Request {
  /** The request's bytes: a view of what was received, up to 64 KiB of it; copy to keep. */
  readonly body: Uint8Array
  /** Where it came from. */
  readonly pipe: Pipe
  /** True once replied to or discarded. */
  readonly replied: boolean
  /**
   * Sends the reply; returns false when the peer is gone and the reply was discarded. A second reply throws ESTATE.
   * Bytes above 4 KiB go by reference: do not change them afterwards.
   */
  reply(payload: Payload): boolean
  /** Says that there will be no reply, so that a REP does not count the request as unanswered. A reply throws then. */
  discard(): void
}

/** Limits of a pipe. */
interface LaneSettings {
  readonly maxOutstanding: number
  readonly maxOutstandingBytes: number
  readonly maxTtl: number
}

class Lane implements PipeHandler {
  readonly pipe: LivePipe
  readonly #intake: IntakeLane<Request>
  readonly #settings: LaneSettings
  readonly #drop: (cause: DropCause) => void
  /** Received and not answered. */
  #outstanding = 0
  #outstandingBytes = 0

  constructor(
    intake: IntakeLane<Request>,
    settings: LaneSettings,
    drop: (cause: DropCause) => void
  ) {
    this.pipe = intake.pipe
    this.#intake = intake
    this.#settings = settings
    this.#drop = drop
  }

  frame(bytes: Uint8Array, start: number, end: number): void {
    const at = backtraceEnd(this.pipe, bytes, { start, end, maxTtl: this.#settings.maxTtl })
    if (at < 0) return
    const header = at - start === 4 ? word(bytes, start) : copied(bytes, start, at)
    this.#outstanding++
    this.#outstandingBytes += end - at
    const body = this.#intake.wanted ? view(bytes, at, end) : keepable(bytes, at, end)
    this.#intake.offer(new Question(this, header, body))
    this.#regulate()
  }

  drained(): void {
    this.#regulate()
  }

  closed(): void {}

  answer(header: number | Uint8Array, payload: Payload, bytes: number): boolean {
    if (this.pipe.closed) {
      this.#drop("noPeer")
      return false
    }
    this.pipe.send(header, payload)
    this.settled(bytes)
    return true
  }

  /** A question of this many bytes counts as unanswered no longer. */
  settled(bytes: number): void {
    this.#outstanding--
    this.#outstandingBytes -= bytes
    this.#regulate()
  }

  /** Reads on or not, by what is unanswered and by replies that the peer does not fetch. */
  #regulate(): void {
    const { maxOutstanding, maxOutstandingBytes } = this.#settings
    this.#intake.hold(
      this.#outstanding >= maxOutstanding || this.#outstandingBytes >= maxOutstandingBytes || this.pipe.full
    )
  }
}

class Question implements Request {
  readonly body: Uint8Array
  replied = false
  readonly #lane: Lane
  readonly #header: number | Uint8Array

  constructor(lane: Lane, header: number | Uint8Array, body: Uint8Array) {
    this.#lane = lane
    this.#header = header
    this.body = body
  }

  get pipe(): Pipe {
    return this.#lane.pipe
  }

  reply(payload: Payload): boolean {
    if (this.replied) throw new NngError("ESTATE", "the request has been replied to or discarded: reply once")
    this.replied = true
    return this.#lane.answer(this.#header, payload, this.body.length)
  }

  discard(): void {
    if (this.replied) return
    this.replied = true
    this.#lane.settled(this.body.length)
  }
}

/** A socket that answers. */
export abstract class AnsweringSocket extends ReceivingSocket<Request> {
  readonly #settings: LaneSettings
  readonly #intake: Intake<Request>

  /** How many questions of one pipe may be unanswered before it is not read, and their bytes. */
  protected constructor(
    protocol: Protocol,
    options: AnsweringOptions,
    maxOutstanding: number,
    maxOutstandingBytes = Number.MAX_SAFE_INTEGER
  ) {
    const intake = new Intake<Request>(receiveBufferOf(options, heldPerPipe), (request) => request.body.length)
    super(protocol, options, intake.inbox)
    this.#intake = intake
    this.#settings = { maxOutstanding, maxOutstandingBytes, maxTtl: maxTtlOf(options) }
  }

  protected override attach(pipe: LivePipe): PipeHandler {
    return new Lane(this.#intake.lane(pipe), this.#settings, (cause) => this.drop(cause))
  }

  protected override shut(error: NngError): void {
    this.#intake.inbox.shut(error)
  }
}
