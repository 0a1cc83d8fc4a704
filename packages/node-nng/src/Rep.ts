/**
 * REP: answers requests, in any order. Source: nanomsg rfc/sp-request-reply-01, nng src/sp/protocol/reqrep0/rep.c.
 */
import { NngError } from "./Errors.ts"
import type { ReceiveOptions } from "./Inbox.ts"
import { Inbox } from "./Inbox.ts"
import type { SocketOptions } from "./Options.ts"
import { wholeNumber } from "./Options.ts"
import type { Payload } from "./Payload.ts"
import type { LivePipe, Pipe, PipeHandler } from "./Pipe.ts"
import { Socket } from "./Socket.ts"
import { protocols, word } from "./Wire.ts"

/** Options of a REP socket. */
export interface RepOptions extends SocketOptions {
  /** Requests of one pipe that may be unanswered; past it the pipe is not read until replies go out. Default 1024. */
  readonly maxOutstandingPerPipe?: number | undefined
  /** Most words in front of a request, its id included; longer ones are dropped. Default 8, 1 to 15. Source: NNG_OPT_MAXTTL. */
  readonly maxTtl?: number | undefined
}

/** A request received; reply to it once, at any time. */
export interface Request {
  /** The request's bytes: a view of what was received, up to 64 KiB of it; copy to keep. */
  readonly body: Uint8Array
  /** Where it came from. */
  readonly pipe: Pipe
  readonly replied: boolean
  /**
   * Sends the reply; returns false when the peer is gone and the reply was discarded. A second reply throws ESTATE.
   * Bytes above 4 KiB go by reference: do not change them afterwards.
   */
  reply(payload: Payload): boolean
}

/** Requests of one pipe that nobody has taken yet: past either limit the pipe is not read. */
const untakenMax = 64
const untakenBytesMax = 64 * 1024

class Lane implements PipeHandler {
  readonly pipe: LivePipe
  readonly #inbox: Inbox<RepRequest>
  readonly #maxOutstanding: number
  readonly #maxTtl: number
  /** Received and not answered. */
  #outstanding = 0
  #untaken = 0
  #untakenBytes = 0
  #paused = false

  constructor(
    pipe: LivePipe,
    inbox: Inbox<RepRequest>,
    limits: { readonly maxOutstanding: number; readonly maxTtl: number }
  ) {
    this.pipe = pipe
    this.#inbox = inbox
    this.#maxOutstanding = limits.maxOutstanding
    this.#maxTtl = limits.maxTtl
  }

  frame(bytes: Uint8Array, start: number, end: number): void {
    let at = start
    let last = 0
    // The stack ends with the first word whose top bit is set, the request's id.
    for (let hops = 1; last >= 0; hops++) {
      if (hops > this.#maxTtl) return
      if (end - at < 4) {
        this.pipe.fail(new NngError("EPROTO", `${this.pipe.remoteAddress} sent a request without an id`))
        return
      }
      last = word(bytes, at)
      at += 4
    }
    const header = at - start === 4 ? last : bytes.slice(start, at)
    const body = new Uint8Array(bytes.buffer, bytes.byteOffset + at, end - at)
    this.#outstanding++
    if (!this.#inbox.wanted) {
      this.#untaken++
      this.#untakenBytes += body.length
    }
    this.#inbox.offer(new RepRequest(this, header, body))
    this.#regulate()
  }

  drained(): void {
    this.#regulate()
  }

  closed(): void {
    this.#paused = false
  }

  taken(request: RepRequest): void {
    this.#untaken--
    this.#untakenBytes -= request.body.length
    this.#regulate()
  }

  answer(header: number | Uint8Array, payload: Payload): boolean {
    this.#outstanding--
    if (this.pipe.closed) return false
    this.pipe.send(header, payload)
    this.#regulate()
    return true
  }

  /** Reads on or not, by what is unanswered, untaken, and by replies that the peer does not fetch. */
  #regulate(): void {
    const pause = this.#outstanding >= this.#maxOutstanding || this.#untaken >= untakenMax ||
      this.#untakenBytes >= untakenBytesMax || this.pipe.full
    if (pause === this.#paused || this.pipe.closed) return
    this.#paused = pause
    if (pause) this.pipe.pause()
    else this.pipe.resume()
  }
}

class RepRequest implements Request {
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

  get lane(): Lane {
    return this.#lane
  }

  reply(payload: Payload): boolean {
    if (this.replied) throw new NngError("ESTATE", "the request has been replied to: reply once")
    this.replied = true
    return this.#lane.answer(this.#header, payload)
  }
}

/**
 * A socket that answers requests. They come by `onRequest`, which is the fast way, by `receive`, or by iteration; until
 * somebody takes them they wait, up to 64 or 64 KiB for each pipe, and the pipe is not read further. All of them may come
 * in the same tick and be answered in any order.
 */
export class Rep extends Socket {
  readonly #limits: { readonly maxOutstanding: number; readonly maxTtl: number }
  readonly #inbox = new Inbox<RepRequest>((request) => request.lane.taken(request))

  constructor(options: RepOptions = {}) {
    super(protocols.rep, options)
    this.#limits = {
      maxOutstanding: wholeNumber("maxOutstandingPerPipe", options.maxOutstandingPerPipe, { fallback: 1024, least: 1 }),
      maxTtl: wholeNumber("maxTtl", options.maxTtl, { fallback: 8, least: 1, most: 15 })
    }
  }

  /** Calls `handler` with every request from now on, synchronously as it arrives; those that wait come first. */
  onRequest(handler: (request: Request) => void): void {
    this.#inbox.handle(handler)
  }

  /** Resolves with the next request. Rejects with ETIMEDOUT, ECANCELED, ECLOSED, or ESTATE beside a handler. */
  receive(options?: ReceiveOptions): Promise<Request> {
    return this.#inbox.receive(options)
  }

  /** Yields requests until the socket is closed. */
  [Symbol.asyncIterator](): AsyncIterator<Request> {
    return this.#inbox[Symbol.asyncIterator]()
  }

  protected override attach(pipe: LivePipe): PipeHandler {
    return new Lane(pipe, this.#inbox, this.#limits)
  }

  protected override shut(error: NngError): void {
    this.#inbox.shut(error)
  }
}
