/**
 * REQ: asks a question of one of its peers and gets the answer, at least once. Source: nanomsg rfc/sp-request-reply-01,
 * nng src/sp/protocol/reqrep0/req.c; every request is what nng calls a context.
 */
import { view } from "./Bodies.ts"
import type { Due } from "./Deadlines.ts"
import { Deadlines } from "./Deadlines.ts"
import { NngError, raiseLater } from "./Errors.ts"
import { answerId } from "./Headers.ts"
import { Ids } from "./Ids.ts"
import type { BufferLimits, SendBufferOptions, SocketOptions } from "./Options.ts"
import { sendBufferOf, wholeNumber } from "./Options.ts"
import type { Payload } from "./Payload.ts"
import { payloadBytes } from "./Payload.ts"
import type { LivePipe, PipeHandler } from "./Pipe.ts"
import { ReadyPipes } from "./ReadyPipes.ts"
import { ReqContext } from "./ReqContext.ts"
import { Socket } from "./Socket.ts"
import type { WaitOptions } from "./Wait.ts"
import { canceled, closedError } from "./Wait.ts"
import { protocols } from "./Wire.ts"

/**
 * Options of a REQ socket: the send buffer holds requests that wait for a ready pipe, default 100_000 and 64 MiB; more fail
 * with EAGAIN. In nng each context waits on its own.
 */
export interface ReqOptions extends SocketOptions, SendBufferOptions {
  /**
   * Time after which an unanswered request is sent again, and again at its multiples, milliseconds. Default 60_000.
   * 0 = never send again: a lost pipe fails the request with ECONNRESET. Source: NNG_OPT_REQ_RESENDTIME.
   */
  readonly resendMillis?: number | undefined
}

/** Options of one request by callback. */
export interface RequestWithOptions {
  /** Fails the request with ETIMEDOUT after this many milliseconds. Default: waits for ever. Source: NNG_OPT_RECVTIMEO. */
  readonly timeoutMillis?: number | undefined
  /** As `ReqOptions.resendMillis`, for this request. */
  readonly resendMillis?: number | undefined
}

/** Options of one request; its signal cancels it. */
export interface RequestOptions extends RequestWithOptions, WaitOptions {}

/** Takes a reply, or the failure. */
export type ReplyCallback = (error: NngError | null, reply: Uint8Array | null) => void

/** A request on its way: in the queue, or in flight on a lane. */
class Entry implements Due {
  dueAt = Infinity
  heapIndex = -1
  list: EntryList | null = null
  previous: Entry | null = null
  next: Entry | null = null
  settled = false
  readonly id: number
  readonly payload: Payload
  readonly bytes: number
  readonly callback: ReplyCallback
  readonly resendMillis: number
  expiresAt = Infinity
  resendsAt = Infinity

  constructor(id: number, payload: Payload, callback: ReplyCallback, resendMillis: number) {
    this.id = id
    this.payload = payload
    this.bytes = payloadBytes(payload)
    this.callback = callback
    this.resendMillis = resendMillis
  }
}

/** Entries in order, removable from anywhere. */
class EntryList {
  first: Entry | null = null
  last: Entry | null = null
  size = 0
  bytes = 0

  append(entry: Entry): void {
    entry.list = this
    entry.previous = this.last
    entry.next = null
    if (this.last === null) this.first = entry
    else this.last.next = entry
    this.last = entry
    this.size++
    this.bytes += entry.bytes
  }

  prepend(entry: Entry): void {
    entry.list = this
    entry.next = this.first
    entry.previous = null
    if (this.first === null) this.last = entry
    else this.first.previous = entry
    this.first = entry
    this.size++
    this.bytes += entry.bytes
  }

  remove(entry: Entry): void {
    if (entry.previous === null) this.first = entry.next
    else entry.previous.next = entry.next
    if (entry.next === null) this.last = entry.previous
    else entry.next.previous = entry.previous
    entry.list = null
    entry.previous = null
    entry.next = null
    this.size--
    this.bytes -= entry.bytes
  }
}

/** A pipe and what is in flight on it. */
interface Lane {
  readonly pipe: LivePipe
  readonly flight: EntryList
}

/**
 * A socket that sends requests and matches replies; any number may be outstanding, and replies may come in any order.
 *
 * **Details** Requests go to the ready pipes in turn. With none they wait in a queue bounded by `sendBufferMessages`
 * and `sendBufferBytes`. When the pipe that carried a request closes, the request is sent again at once on another, or as soon
 * as there is one; likewise after `resendMillis`. So a server may see a request more than once, and the first reply wins.
 *
 * **Gotchas** The payload is kept by reference until the request is answered: do not change it before.
 */
export class Req extends Socket {
  readonly #resendMillis: number
  readonly #limits: BufferLimits
  readonly #entries = new Ids<Entry>()
  readonly #queue = new EntryList()
  readonly #ready = new ReadyPipes<Lane>()
  readonly #deadlines = new Deadlines<Entry>((entry, now) => this.#onDue(entry, now))

  constructor(options: ReqOptions = {}) {
    super(protocols.req, options)
    this.#resendMillis = wholeNumber("resendMillis", options.resendMillis, { fallback: 60_000 })
    this.#limits = sendBufferOf(options, 100_000, 64 * 1024 * 1024)
  }

  /** Requests not answered yet. */
  get outstanding(): number {
    return this.#entries.size
  }

  /** Requests that wait for a ready pipe. */
  get queued(): number {
    return this.#queue.size
  }

  /**
   * Sends a request and resolves with the reply, which is a view of what was received: copy a small one to keep it.
   * Rejects with ETIMEDOUT, ECANCELED, ECONNRESET (only without resending), EAGAIN (queue full) or ECLOSED.
   */
  request(payload: Payload, options: RequestOptions = {}): Promise<Uint8Array> {
    const { signal } = options
    if (signal?.aborted === true) return Promise.reject(canceled("the request", signal))
    return new Promise((resolve, reject) => {
      const cancel = this.requestWith(payload, options, (error, reply) => {
        signal?.removeEventListener("abort", onAbort)
        if (reply === null) reject(error)
        else resolve(reply)
      })
      const onAbort = (): void => {
        cancel()
        reject(canceled("the request", signal))
      }
      signal?.addEventListener("abort", onAbort, { once: true })
    })
  }

  /**
   * Sends a request and calls back once with the reply or the failure (as `request`); returns a function that cancels it,
   * after which the callback is not called. The callback never runs before this returns.
   */
  requestWith(payload: Payload, options: RequestWithOptions, callback: ReplyCallback): () => void {
    const entry = new Entry(this.#entries.take(), payload, callback, options.resendMillis ?? this.#resendMillis)
    const lane = this.#ready.next()
    const failure = this.closed
      ? closedError()
      : lane === null
      ? this.#overflow(entry)
      : null
    this.#entries.set(entry)
    if (failure !== null) process.nextTick(() => this.#settle(entry, failure, null))
    else {
      this.#start(entry, options.timeoutMillis)
      if (lane === null) this.#queue.append(entry)
      else this.#send(lane, entry)
    }
    return () => {
      this.#forget(entry)
    }
  }

  /** Returns a context, which has one request at a time: the two steps of nng, send and receive. Source: nng_ctx_open. */
  context(): ReqContext {
    return new ReqContext(this)
  }

  protected override attach(pipe: LivePipe): PipeHandler {
    const lane: Lane = { pipe, flight: new EntryList() }
    this.#ready.add(lane)
    this.#pump()
    return {
      frame: (bytes, start, end) => this.#onReply(pipe, bytes, start, end),
      drained: () => {
        this.#ready.add(lane)
        this.#pump()
      },
      closed: () => this.#onLost(lane)
    }
  }

  protected override shut(error: NngError): void {
    this.#deadlines.clear()
    // A callback may ask anew, and must not keep this loop going.
    for (const entry of this.#entries.all()) this.#settle(entry, error, null)
  }

  #overflow(entry: Entry): NngError | null {
    const { bytes, size } = this.#queue
    const limits = this.#limits
    if (size < limits.messages && (size === 0 || bytes + entry.bytes <= limits.bytes)) return null
    const why = `no pipe is ready and ${size} requests of ${bytes} bytes wait already`
    return new NngError("EAGAIN", `${why} (sendBufferMessages ${limits.messages}, sendBufferBytes ${limits.bytes})`)
  }

  #start(entry: Entry, timeoutMillis: number | undefined): void {
    const now = performance.now()
    // Also keeps NaN out of the heap, whose order it would break.
    if (timeoutMillis !== undefined && timeoutMillis < Infinity) entry.expiresAt = now + timeoutMillis
    if (entry.resendMillis > 0) entry.resendsAt = now + entry.resendMillis
    entry.dueAt = Math.min(entry.expiresAt, entry.resendsAt)
    this.#deadlines.add(entry)
  }

  #send(lane: Lane, entry: Entry): void {
    lane.flight.append(entry)
    lane.pipe.send(entry.id, entry.payload)
    if (lane.pipe.full) this.#ready.remove(lane)
  }

  #pump(): void {
    for (let entry = this.#queue.first; entry !== null; entry = this.#queue.first) {
      const lane = this.#ready.next()
      if (lane === null) return
      this.#queue.remove(entry)
      this.#send(lane, entry)
    }
  }

  #onReply(pipe: LivePipe, bytes: Uint8Array, start: number, end: number): void {
    const id = answerId(pipe, bytes, start, end)
    if (id === 0) return
    const entry = this.#entries.get(id)
    if (entry === undefined) pipe.drop("noMatch")
    else this.#settle(entry, null, view(bytes, start + 4, end))
  }

  #onLost(lane: Lane): void {
    this.#ready.remove(lane)
    const failed: Array<Entry> = []
    for (let entry = lane.flight.last; entry !== null; entry = lane.flight.last) {
      lane.flight.remove(entry)
      if (entry.resendsAt === Infinity) failed.push(entry)
      // In front, and from the last to the first: they are older than what waits.
      else this.#queue.prepend(entry)
    }
    this.#pump()
    if (failed.length === 0) return
    const error = new NngError("ECONNRESET", `${lane.pipe.remoteAddress} closed the connection before it replied`)
    for (const entry of failed.toReversed()) this.#settle(entry, error, null)
  }

  #onDue(entry: Entry, now: number): void {
    if (entry.expiresAt <= now) {
      this.#settle(entry, new NngError("ETIMEDOUT", "no reply came in time"), null)
      return
    }
    // Multiples of the resend time from the first sending on, however late the timer is.
    if (entry.resendsAt <= now) {
      entry.resendsAt += (Math.floor((now - entry.resendsAt) / entry.resendMillis) + 1) * entry.resendMillis
    }
    entry.dueAt = Math.min(entry.expiresAt, entry.resendsAt)
    this.#deadlines.add(entry)
    if (entry.list === this.#queue) return
    entry.list?.remove(entry)
    const lane = this.#ready.next()
    if (lane === null) this.#queue.append(entry)
    else this.#send(lane, entry)
  }

  #forget(entry: Entry): boolean {
    if (entry.settled) return false
    entry.settled = true
    this.#entries.delete(entry.id)
    entry.list?.remove(entry)
    this.#deadlines.remove(entry)
    return true
  }

  #settle(entry: Entry, error: NngError | null, reply: Uint8Array | null): void {
    if (!this.#forget(entry)) return
    try {
      entry.callback(error, reply)
    } catch (thrown) {
      raiseLater(thrown)
    }
  }
}
