/**
 * REQ: asks a question of one of its peers and gets the answer, at least once. Source: nanomsg rfc/sp-request-reply-01,
 * nng src/sp/protocol/reqrep0/req.c; every request is what nng calls a context.
 */
import { randomInt } from "node:crypto"
import type { Due } from "./Deadlines.ts"
import { Deadlines } from "./Deadlines.ts"
import { NngError, raiseLater } from "./Errors.ts"
import { canceled } from "./Inbox.ts"
import type { SocketOptions } from "./Options.ts"
import { wholeNumber } from "./Options.ts"
import type { Payload } from "./Payload.ts"
import { payloadBytes } from "./Payload.ts"
import type { LivePipe, PipeHandler } from "./Pipe.ts"
import { Socket } from "./Socket.ts"
import { protocols, word } from "./Wire.ts"

/** Options of a REQ socket. */
export interface ReqOptions extends SocketOptions {
  /**
   * Time after which an unanswered request is sent again, and again at its multiples, milliseconds. Default 60_000.
   * 0 = never send again: a lost pipe fails the request with ECONNRESET. Source: NNG_OPT_REQ_RESENDTIME.
   */
  readonly resendMillis?: number | undefined
  /** Requests that may wait for a ready pipe; more fail with EAGAIN. Default 100_000. */
  readonly maxQueued?: number | undefined
  /** Bytes of payload that may wait for a ready pipe; more fail with EAGAIN. Default 64 MiB. */
  readonly maxQueuedBytes?: number | undefined
}

/** Options of one request by callback. */
export interface RequestWithOptions {
  /** Fails the request with ETIMEDOUT after this many milliseconds. Default: waits for ever. Source: NNG_OPT_RECVTIMEO. */
  readonly timeoutMillis?: number | undefined
  /** As `ReqOptions.resendMillis`, for this request. */
  readonly resendMillis?: number | undefined
}

/** Options of one request. */
export interface RequestOptions extends RequestWithOptions {
  /** Cancels the request, which then fails with ECANCELED. */
  readonly signal?: AbortSignal | undefined
}

type ReplyCallback = (error: NngError | null, reply: Uint8Array | null) => void

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
 * **Details** Requests go to the ready pipes in turn. With none they wait in a queue bounded by `maxQueued` and
 * `maxQueuedBytes`. When the pipe that carried a request closes, the request is sent again at once on another, or as soon
 * as there is one; likewise after `resendMillis`. So a server may see a request more than once, and the first reply wins.
 *
 * **Gotchas** The payload is kept by reference until the request is answered: do not change it before.
 */
export class Req extends Socket {
  readonly #resendMillis: number
  readonly #maxQueued: number
  readonly #maxQueuedBytes: number
  /** By id as a signed word, which keeps the key a small integer. */
  readonly #entries = new Map<number, Entry>()
  readonly #queue = new EntryList()
  readonly #ready: Array<Lane> = []
  #turn = 0
  #nextId = randomInt(0x8000_0000) | 0x8000_0000
  readonly #deadlines = new Deadlines<Entry>((entry, now) => this.#onDue(entry, now))

  constructor(options: ReqOptions = {}) {
    super(protocols.req, options)
    this.#resendMillis = wholeNumber("resendMillis", options.resendMillis, { fallback: 60_000 })
    this.#maxQueued = wholeNumber("maxQueued", options.maxQueued, { fallback: 100_000 })
    this.#maxQueuedBytes = wholeNumber("maxQueuedBytes", options.maxQueuedBytes, { fallback: 64 * 1024 * 1024 })
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
    const entry = new Entry(this.#takeId(), payload, callback, options.resendMillis ?? this.#resendMillis)
    const lane = this.#nextLane()
    const failure = this.closed
      ? new NngError("ECLOSED", "the socket was closed; make a new one")
      : lane === null
      ? this.#overflow(entry)
      : null
    this.#entries.set(entry.id, entry)
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

  protected override attach(pipe: LivePipe): PipeHandler {
    const lane: Lane = { pipe, flight: new EntryList() }
    this.#ready.push(lane)
    this.#pump()
    return {
      frame: (bytes, start, end) => this.#onReply(pipe, bytes, start, end),
      drained: () => {
        if (!this.#ready.includes(lane)) this.#ready.push(lane)
        this.#pump()
      },
      closed: () => this.#onLost(lane)
    }
  }

  protected override shut(error: NngError): void {
    this.#deadlines.clear()
    // A copy: a callback may ask anew, and must not keep this loop going.
    for (const entry of Array.from(this.#entries.values())) this.#settle(entry, error, null)
  }

  #takeId(): number {
    let id = this.#nextId
    while (this.#entries.has(id)) id = (id + 1) | 0x8000_0000
    this.#nextId = (id + 1) | 0x8000_0000
    return id
  }

  #overflow(entry: Entry): NngError | null {
    const { bytes, size } = this.#queue
    if (size < this.#maxQueued && bytes + entry.bytes <= this.#maxQueuedBytes) return null
    const why = `no pipe is ready and ${size} requests of ${bytes} bytes wait already`
    return new NngError("EAGAIN", `${why} (maxQueued ${this.#maxQueued}, maxQueuedBytes ${this.#maxQueuedBytes})`)
  }

  #start(entry: Entry, timeoutMillis: number | undefined): void {
    const now = performance.now()
    // Also keeps NaN out of the heap, whose order it would break.
    if (timeoutMillis !== undefined && timeoutMillis < Infinity) entry.expiresAt = now + timeoutMillis
    if (entry.resendMillis > 0) entry.resendsAt = now + entry.resendMillis
    entry.dueAt = Math.min(entry.expiresAt, entry.resendsAt)
    this.#deadlines.add(entry)
  }

  #nextLane(): Lane | null {
    const ready = this.#ready
    if (ready.length === 0) return null
    if (this.#turn >= ready.length) this.#turn = 0
    return ready[this.#turn++] ?? null
  }

  #send(lane: Lane, entry: Entry): void {
    lane.flight.append(entry)
    lane.pipe.send(entry.id, entry.payload)
    if (lane.pipe.full) this.#unready(lane)
  }

  #unready(lane: Lane): void {
    const at = this.#ready.indexOf(lane)
    if (at < 0) return
    this.#ready.splice(at, 1)
    if (at < this.#turn) this.#turn--
  }

  #pump(): void {
    for (let entry = this.#queue.first; entry !== null; entry = this.#queue.first) {
      const lane = this.#nextLane()
      if (lane === null) return
      this.#queue.remove(entry)
      this.#send(lane, entry)
    }
  }

  #onReply(pipe: LivePipe, bytes: Uint8Array, start: number, end: number): void {
    const id = end - start < 4 ? 0 : word(bytes, start)
    if (id >= 0) {
      pipe.fail(new NngError("EPROTO", `${pipe.remoteAddress} sent a reply without a request id`))
      return
    }
    const entry = this.#entries.get(id)
    // Late, a duplicate, or canceled.
    if (entry === undefined) return
    this.#settle(entry, null, new Uint8Array(bytes.buffer, bytes.byteOffset + start + 4, end - start - 4))
  }

  #onLost(lane: Lane): void {
    this.#unready(lane)
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
    const lane = this.#nextLane()
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
