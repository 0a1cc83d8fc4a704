/** What has been received and not yet taken: a queue behind a handler, promises and async iteration. */
import { NngError, raiseLater } from "./Errors.ts"
import { Queue } from "./Queue.ts"

/** Limits of one wait. */
export interface ReceiveOptions {
  /** Gives up with ECANCELED when it aborts. */
  readonly signal?: AbortSignal | undefined
  /** Gives up with ETIMEDOUT after this many milliseconds. Default: waits for ever. Source: NNG_OPT_RECVTIMEO. */
  readonly timeoutMillis?: number | undefined
}

interface Waiter<A> {
  readonly resolve: (item: A) => void
  readonly reject: (error: NngError) => void
}

/** Returns the error for a wait that was aborted; its cause is the signal's reason. */
export const canceled = (what: string, signal: AbortSignal | undefined): NngError =>
  new NngError("ECANCELED", `${what} was canceled by its signal`, { cause: signal?.reason })

/** Hands items to a handler, or to the promises that wait, or keeps them in order. The owner bounds it. */
export class Inbox<A> {
  /** Called with each item that leaves the queue, before it is handed over. */
  readonly #onTake: (item: A) => void
  #handler: ((item: A) => void) | null = null
  readonly #items = new Queue<A>()
  #waiters = new Set<Waiter<A>>()
  #error: NngError | null = null
  #flushing = false

  constructor(onTake: (item: A) => void) {
    this.#onTake = onTake
  }

  get size(): number {
    return this.#items.size
  }

  /** True when an item that comes now is taken at once. */
  get wanted(): boolean {
    return (this.#handler !== null || this.#waiters.size > 0) && this.#items.size === 0
  }

  /** Takes an item: hands it over when it is `wanted`, else keeps it. */
  offer(item: A): void {
    if (this.#error !== null) return
    if (this.#items.size > 0) this.#items.push(item)
    else if (this.#handler !== null) this.#handle(item)
    else {
      for (const waiter of this.#waiters) {
        this.#waiters.delete(waiter)
        waiter.resolve(item)
        return
      }
      this.#items.push(item)
    }
  }

  /** Drops the oldest item. */
  drop(): void {
    this.#items.shift()
  }

  /** Keeps only the items that pass. */
  retain(keep: (item: A) => boolean): void {
    this.#items.retain(keep)
  }

  /** Sets the function that gets every item from now on, what waits first. */
  handle(handler: (item: A) => void): void {
    this.#handler = handler
    if (this.#items.size === 0 || this.#flushing) return
    this.#flushing = true
    // Not from within the call that sets it.
    process.nextTick(() => {
      this.#flushing = false
      for (let item = this.#take(); item !== undefined; item = this.#take()) this.#handle(item)
    })
  }

  receive(options: ReceiveOptions = {}): Promise<A> {
    const { signal, timeoutMillis } = options
    if (this.#handler !== null) {
      return Promise.reject(new NngError("ESTATE", "a handler takes every message: do not receive beside it"))
    }
    if (signal?.aborted === true) return Promise.reject(canceled("receive", signal))
    const kept = this.#take()
    if (kept !== undefined) return Promise.resolve(kept)
    if (this.#error !== null) return Promise.reject(this.#error)
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#waiters.delete(waiter)
        if (timer !== null) clearTimeout(timer)
        signal?.removeEventListener("abort", onAbort)
      }
      const waiter: Waiter<A> = {
        resolve(item) {
          settle()
          resolve(item)
        },
        reject(error) {
          settle()
          reject(error)
        }
      }
      const onAbort = (): void => waiter.reject(canceled("receive", signal))
      const timer = timeoutMillis === undefined ? null : setTimeout(() => {
        waiter.reject(new NngError("ETIMEDOUT", `nothing was received within ${timeoutMillis} ms`))
      }, timeoutMillis)
      signal?.addEventListener("abort", onAbort)
      this.#waiters.add(waiter)
    })
  }

  /** Yields what is received until the inbox is shut. */
  async *[Symbol.asyncIterator](): AsyncGenerator<A, void, undefined> {
    while (true) {
      let item: A
      try {
        item = await this.receive()
      } catch (error) {
        if (error === this.#error) return
        throw error
      }
      yield item
    }
  }

  /** Drops what is kept; what waits and what is asked later fails with `error`. */
  shut(error: NngError): void {
    this.#error = error
    this.#items.clear()
    for (const waiter of this.#waiters) waiter.reject(error)
  }

  #take(): A | undefined {
    const item = this.#items.shift()
    if (item !== undefined) this.#onTake(item)
    return item
  }

  #handle(item: A): void {
    try {
      this.#handler?.(item)
    } catch (error) {
      raiseLater(error)
    }
  }
}
