/** A REQ context: one request at a time, in two steps. Source: nng_ctx of nng src/sp/protocol/reqrep0/req.c. */
import { NngError } from "./Errors.ts"
import type { Payload } from "./Payload.ts"
import type { ReplyCallback, RequestWithOptions } from "./Req.ts"
import type { WaitOptions } from "./Wait.ts"
import { canceled, closedError, Wait } from "./Wait.ts"

/** What a context needs of its socket. */
export interface RequestSource {
  readonly closed: boolean
  requestWith(payload: Payload, options: RequestWithOptions, callback: ReplyCallback): () => void
}

/**
 * A conversation with one request outstanding at most: `send` asks, `receive` waits for the reply. A further `send` cancels
 * the request before it, whose reply is then dropped. For requests side by side make several, or use `Req.request`.
 */
export class ReqContext implements Disposable {
  readonly #socket: RequestSource
  #cancel: (() => void) | null = null
  readonly #waits = new Set<Wait<Uint8Array>>()
  #outcome: { readonly error: NngError | null; readonly reply: Uint8Array | null } | null = null

  /** Made by `Req.context`. */
  constructor(socket: RequestSource) {
    this.#socket = socket
  }

  /** Sends a request, or queues it until a pipe is ready, in place of the one before. Throws ECLOSED. */
  send(payload: Payload, options: RequestWithOptions = {}): void {
    if (this.#socket.closed) throw closedError()
    this.#drop(new NngError("ECANCELED", "the request was canceled by another on its context"))
    this.#cancel = this.#socket.requestWith(payload, options, (error, reply) => {
      this.#cancel = null
      const [wait] = this.#waits
      if (wait === undefined) this.#outcome = { error, reply }
      else if (reply === null) wait.reject(error ?? closedError())
      else wait.resolve(reply)
    })
  }

  /**
   * Resolves with the reply. Rejects with ESTATE when there is no request or another `receive` waits for it; with ETIMEDOUT,
   * ECANCELED, ECONNRESET, EAGAIN or ECLOSED the request is gone as well.
   */
  receive(options: WaitOptions = {}): Promise<Uint8Array> {
    const { signal } = options
    const outcome = this.#outcome
    this.#outcome = null
    if (outcome !== null) {
      return outcome.reply === null ? Promise.reject(outcome.error ?? closedError()) : Promise.resolve(outcome.reply)
    }
    if (this.#socket.closed) return Promise.reject(closedError())
    if (this.#cancel === null || this.#waits.size > 0) {
      return Promise.reject(new NngError("ESTATE", "no request waits for its reply: send one first"))
    }
    if (signal?.aborted === true) {
      this.close()
      return Promise.reject(canceled("receive", signal))
    }
    const cancel = this.#cancel
    return new Wait<Uint8Array>(this.#waits, "receive", options).promise.catch((error: unknown) => {
      // A reply that nobody waits for any more is of no use: the request ends with the wait.
      cancel()
      if (this.#cancel === cancel) this.#cancel = null
      throw error
    })
  }

  /** Cancels the request, if there is one. */
  close(): void {
    this.#drop(new NngError("ECANCELED", "the context was closed"))
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #drop(error: NngError): void {
    this.#cancel?.()
    this.#cancel = null
    this.#outcome = null
    for (const wait of this.#waits) wait.reject(error)
  }
}
