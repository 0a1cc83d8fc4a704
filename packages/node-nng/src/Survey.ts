/** One survey: the responses to it, up to its deadline. */
import type { Due } from "./Deadlines.ts"
import { DroppingInbox } from "./DroppingInbox.ts"
import { NngError } from "./Errors.ts"
import type { BufferLimits } from "./Options.ts"
import type { LivePipe } from "./Pipe.ts"
import type { WaitOptions } from "./Wait.ts"
import { canceled } from "./Wait.ts"

const over = (): NngError =>
  new NngError("ESTATE", "the survey is over and its responses have been taken: make a new one")

/** What `Surveyor` gives a survey. */
export interface SurveyOptions {
  readonly id: number
  readonly dueAt: number
  readonly limits: BufferLimits
  readonly signal: AbortSignal | undefined
  readonly onEnd: (survey: Survey) => void
}

/**
 * The responses to one survey. It is over at its deadline, when canceled, or when its socket closes; responses that came
 * before can still be taken, later ones are dropped.
 */
export class Survey implements AsyncIterable<Uint8Array>, Disposable, Due {
  /** Of `Deadlines`. */
  dueAt: number
  heapIndex = -1
  readonly id: number
  readonly #options: SurveyOptions
  readonly #inbox: DroppingInbox
  #over = false

  /** Made by `Surveyor.survey`. */
  constructor(options: SurveyOptions) {
    this.id = options.id
    this.dueAt = options.dueAt
    this.#options = options
    this.#inbox = new DroppingInbox({ limits: options.limits, drops: "newest" })
    options.signal?.addEventListener("abort", this.#onAbort)
  }

  /** True when no response counts any more. */
  get over(): boolean {
    return this.#over
  }

  /**
   * Calls `handler` with every response from now on, synchronously as it arrives; those that wait come first. The body is a
   * view of what was received, up to 64 KiB of it: copy to keep.
   */
  onResponse(handler: (body: Uint8Array) => void): void {
    this.#inbox.handle(handler)
  }

  /**
   * Resolves with the next response. Rejects with ETIMEDOUT at the deadline, ESTATE after it, ECANCELED or ECLOSED; a
   * shorter `timeoutMillis` ends the wait alone.
   */
  receive(options?: WaitOptions): Promise<Uint8Array> {
    return this.#inbox.receive(options)
  }

  /** Returns the next response if there is one already. Throws ESTATE beside a handler. */
  tryReceive(): Uint8Array | undefined {
    return this.#inbox.tryReceive()
  }

  /** Yields responses until the survey is over. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    return this.#inbox.messages()
  }

  /** Ends the survey before its deadline; a `receive` that waits fails with ECANCELED. */
  cancel(): void {
    this.end(new NngError("ECANCELED", "the survey was canceled"))
  }

  [Symbol.dispose](): void {
    this.cancel()
  }

  /** Takes a response in `bytes` from `start` to `end`. */
  put(pipe: LivePipe, bytes: Uint8Array, start: number, end: number): void {
    this.#inbox.put(pipe, bytes, start, end)
  }

  /** Its time has come. */
  expire(): void {
    this.end(new NngError("ETIMEDOUT", "no further response came before the survey's deadline"))
  }

  end(error: NngError): void {
    if (this.#over) return
    this.#over = true
    this.#options.signal?.removeEventListener("abort", this.#onAbort)
    this.#options.onEnd(this)
    this.#inbox.end(error, error.code === "ECLOSED" ? error : over())
  }

  readonly #onAbort = (): void => this.end(canceled("the survey", this.#options.signal))
}
