/** Waits that end by an event, a limit of time or a signal, whichever is first. */
import { NngError } from "./Errors.ts"

/** Limits of one wait. */
export interface WaitOptions {
  /** Gives up with ECANCELED when it aborts. */
  readonly signal?: AbortSignal | undefined
  /**
   * Gives up with ETIMEDOUT after this many milliseconds. Default: waits for ever.
   * Source: NNG_OPT_RECVTIMEO, NNG_OPT_SENDTIMEO.
   */
  readonly timeoutMillis?: number | undefined
}

/** Returns the error for a wait that was aborted; its cause is the signal's reason. */
export const canceled = (what: string, signal: AbortSignal | undefined): NngError =>
  new NngError("ECANCELED", `${what} was canceled by its signal`, { cause: signal?.reason })

/** The error of everything asked of a closed socket. */
export const closedError = (): NngError => new NngError("ECLOSED", "the socket was closed; make a new one")

/** setTimeout turns a longer wait into one of a millisecond. */
const timerMax = 0x7fff_ffff

/** One wait: settled once, and taken out of the set it was put in by then. */
export class Wait<A> {
  readonly promise: Promise<A>
  #settle: { readonly resolve: (value: A) => void; readonly reject: (error: NngError) => void } | null = null
  readonly #set: Set<Wait<A>>
  readonly #signal: AbortSignal | undefined
  #timer: NodeJS.Timeout | null = null
  readonly #what: string

  /** Starts waiting in `set`; `what` names it in errors. A signal that is aborted already must not come here. */
  constructor(set: Set<Wait<A>>, what: string, options: WaitOptions) {
    this.#set = set
    this.#what = what
    this.#signal = options.signal
    this.promise = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    const { timeoutMillis } = options
    if (timeoutMillis !== undefined && timeoutMillis < timerMax) {
      this.#timer = setTimeout(() => {
        this.reject(new NngError("ETIMEDOUT", `${what} took longer than ${timeoutMillis} ms`))
      }, timeoutMillis)
    }
    this.#signal?.addEventListener("abort", this.#onAbort)
    set.add(this)
  }

  resolve(value: A): void {
    this.#finish()?.resolve(value)
  }

  reject(error: NngError): void {
    this.#finish()?.reject(error)
  }

  readonly #onAbort = (): void => this.reject(canceled(this.#what, this.#signal))

  #finish() {
    const settle = this.#settle
    this.#settle = null
    this.#set.delete(this)
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#signal?.removeEventListener("abort", this.#onAbort)
    return settle
  }
}
