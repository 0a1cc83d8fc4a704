/** What has been received and not yet taken: a queue behind a handler, promises and async iteration. */
import { NngError, raiseLater } from "./Errors.ts"
import { Queue } from "./Queue.ts"
import { canceled, Wait } from "./Wait.ts"
import type { WaitOptions } from "./Wait.ts"

/** Hands items to a handler, or to the promises that wait, or keeps them in order. The owner bounds it. */
export class Inbox<A> {
  readonly #bytesOf: (item: A) => number
  /** Called with each item that leaves the queue, before it is handed over. */
  readonly #onTake: ((item: A) => void) | null
  #handler: ((item: A) => void) | null = null
  readonly #items = new Queue<A>()
  #bytes = 0
  readonly #waits = new Set<Wait<A>>()
  #pending: NngError | null = null
  #error: NngError | null = null
  #flushing = false

  constructor(bytesOf: (item: A) => number, onTake: ((item: A) => void) | null = null) {
    this.#bytesOf = bytesOf
    this.#onTake = onTake
  }

  get size(): number {
    return this.#items.size
  }

  /** Bytes of what is kept. */
  get bytes(): number {
    return this.#bytes
  }

  /** True when an item that comes now is taken at once. */
  get wanted(): boolean {
    return (this.#handler !== null || this.#waits.size > 0) && this.#items.size === 0
  }

  /** Takes an item: hands it over when it is `wanted`, else keeps it. */
  offer(item: A): void {
    if (this.#error !== null) return
    if (this.#items.size > 0) this.#keep(item)
    else if (this.#handler !== null) this.#handle(item)
    else {
      for (const wait of this.#waits) {
        wait.resolve(item)
        return
      }
      this.#keep(item)
    }
  }

  /** Drops the oldest item. */
  drop(): void {
    const item = this.#items.shift()
    if (item !== undefined) this.#bytes -= this.#bytesOf(item)
  }

  /** Keeps only the items that pass. */
  retain(keep: (item: A) => boolean): void {
    this.#items.retain((item) => {
      if (keep(item)) return true
      this.#bytes -= this.#bytesOf(item)
      return false
    })
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

  /** Takes the oldest item, if there is one. */
  tryReceive(): A | undefined {
    if (this.#handler !== null) throw besideHandler()
    return this.#take()
  }

  receive(options: WaitOptions = {}): Promise<A> {
    const { signal } = options
    if (this.#handler !== null) return Promise.reject(besideHandler())
    if (signal?.aborted === true) return Promise.reject(canceled("receive", signal))
    const kept = this.#take()
    if (kept !== undefined) return Promise.resolve(kept)
    if (this.#error !== null) return Promise.reject(this.#error)
    return new Wait<A>(this.#waits, "receive", options).promise
  }

  /** Yields what is received until the inbox is shut; each step is a `receive` with `options`. */
  messages(options?: WaitOptions): AsyncIterableIterator<A> {
    let over = false
    const done = (): IteratorResult<A, undefined> => {
      over = true
      return { done: true, value: undefined }
    }
    const failed = (error: unknown): IteratorResult<A, undefined> => {
      const ended = done()
      if (error === this.#error || error === this.#pending) return ended
      throw error
    }
    const iterator: AsyncIterableIterator<A> = {
      next: () =>
        over ? Promise.resolve(done()) : this.receive(options).then((value) => ({ done: false, value }), failed),
      return: () => Promise.resolve(done()),
      [Symbol.asyncIterator]: () => iterator
    }
    return iterator
  }

  /**
   * Takes nothing more: what waits fails with `pending`, and what is asked when nothing is kept any more with `later`.
   */
  end(pending: NngError, later: NngError = pending): void {
    this.#pending = pending
    this.#error = later
    for (const wait of this.#waits) wait.reject(pending)
  }

  /** Drops what is kept; what waits and what is asked later fails with `error`. */
  shut(error: NngError): void {
    this.#items.clear()
    this.#bytes = 0
    this.end(error)
  }

  #keep(item: A): void {
    this.#items.push(item)
    this.#bytes += this.#bytesOf(item)
  }

  #take(): A | undefined {
    const item = this.#items.shift()
    if (item === undefined) return undefined
    this.#bytes -= this.#bytesOf(item)
    this.#onTake?.(item)
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

const besideHandler = (): NngError => new NngError("ESTATE", "a handler takes every message: do not receive beside it")
