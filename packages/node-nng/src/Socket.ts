/** What all patterns share: endpoints, pipes, events, close. */
import { parseAddress, parseDialAddress } from "./Address.ts"
import { makeDeferred } from "./Deferred.ts"
import type { Dialer, Listener } from "./Endpoint.ts"
import { DialerEndpoint, ListenerEndpoint } from "./Endpoint.ts"
import type { NngErrorCode } from "./Errors.ts"
import { NngError, raiseLater } from "./Errors.ts"
import type { Settings, SocketOptions } from "./Options.ts"
import { settingsOf } from "./Options.ts"
import type { LivePipe, Pipe, PipeHandler, PipeOwner, PipeWatcher } from "./Pipe.ts"
import type { DropCause, SocketStats } from "./Stats.ts"
import { Counters } from "./Stats.ts"
import type { DialOptions, ListenOptions } from "./TransportOptions.ts"
import { closedError } from "./Wait.ts"
import type { Protocol } from "./Wire.ts"

const notify = <A extends ReadonlyArray<unknown>>(listeners: ReadonlySet<(...args: A) => void>, ...args: A): void => {
  for (const listener of listeners) {
    try {
      listener(...args)
    } catch (error) {
      raiseLater(error)
    }
  }
}

const added = <A>(set: Set<A>, value: A): () => void => {
  set.add(value)
  return () => void set.delete(value)
}

/**
 * A socket of one protocol with any number of listeners and dialers. Source: nng_socket.
 *
 * **Gotchas** A socket that listens or dials keeps the process alive until it is closed. What a callback throws is raised
 * as an uncaught exception; the socket goes on.
 */
export abstract class Socket implements AsyncDisposable {
  readonly #owner: PipeOwner
  readonly #endpoints = new Set<PipeWatcher>()
  readonly #pipes = new Set<LivePipe>()
  readonly #pipeListeners = new Set<(pipe: Pipe) => void>()
  readonly #closeListeners = new Set<(pipe: Pipe, reason: NngError | null) => void>()
  readonly #refusedListeners = new Set<(remoteAddress: string, reason: NngError) => void>()
  readonly #admitHooks = new Set<(pipe: Pipe) => boolean>()
  /** Of closed pipes, and drops that concern none. */
  readonly #counters = new Counters()
  #pipesOpened = 0
  #reconnects = 0
  /** Dialers that had a pipe. */
  readonly #connectedOnce = new WeakSet<PipeWatcher>()
  readonly #refused: Partial<Record<NngErrorCode, number>> = {}
  #closing: Promise<void> | null = null

  protected constructor(protocol: Protocol, options: SocketOptions) {
    this.#owner = {
      protocol,
      settings: settingsOf(options),
      opened: (pipe, endpoint) => this.#open(pipe, endpoint),
      announced: (pipe) => notify(this.#pipeListeners, pipe),
      closed: (pipe, reason) => {
        this.#pipes.delete(pipe)
        this.#counters.add(pipe.counters)
        notify(this.#closeListeners, pipe, reason)
      },
      left: (endpoint) => void this.#endpoints.delete(endpoint),
      refused: (remoteAddress, reason) => {
        this.#refused[reason.code] = (this.#refused[reason.code] ?? 0) + 1
        notify(this.#refusedListeners, remoteAddress, reason)
      }
    }
  }

  /** Number of open pipes. */
  get pipes(): number {
    return this.#pipes.size
  }

  /** True from the call of close on. */
  get closed(): boolean {
    return this.#closing !== null
  }

  /**
   * Listens on `address`; resolves when bound. Port 0 picks a free one, shown by `Listener.address`. Rejects with
   * EADDRINUSE, EADDRINVAL, EACCES, EINVAL (options), ENOTSUP (ws without its package), or ECLOSED on a closed socket. A
   * stale ipc file is replaced.
   */
  async listen(address: string, options: ListenOptions = {}): Promise<Listener> {
    const parsed = parseAddress(address)
    this.checkOpen()
    const listener = new ListenerEndpoint(parsed, this.#owner)
    await listener.bind(parsed, options)
    if (this.closed) {
      await listener.close()
      this.checkOpen()
    }
    this.#endpoints.add(listener)
    return listener
  }

  /**
   * Dials `address` in the background and returns at once; goes on for ever, over failures and lost pipes, until the
   * dialer or the socket is closed. Throws EADDRINVAL, EINVAL (options), or ECLOSED on a closed socket.
   */
  dial(address: string, options: DialOptions = {}): Dialer {
    const parsed = parseDialAddress(address)
    this.checkOpen()
    const dialer = new DialerEndpoint(parsed, this.#owner, options)
    this.#endpoints.add(dialer)
    dialer.connect()
    return dialer
  }

  /** Counts since the socket was made. */
  stats(): SocketStats {
    const total = new Counters()
    total.add(this.#counters)
    for (const pipe of this.#pipes) total.add(pipe.counters)
    return {
      ...total.snapshot(),
      pipes: this.#pipes.size,
      pipesOpened: this.#pipesOpened,
      pipesClosed: this.#pipesOpened - this.#pipes.size,
      reconnects: this.#reconnects,
      refused: { ...this.#refused }
    }
  }

  /**
   * Asks `hook` about each connection once greetings are exchanged, before a message passes; false refuses it with EPERM,
   * and a dialer then tries again later. A hook that throws refuses as well. Returns an unsubscribe function.
   * Source: NNG_PIPE_EV_ADD_PRE.
   */
  admit(hook: (pipe: Pipe) => boolean): () => void {
    return added(this.#admitHooks, hook)
  }

  /**
   * Calls `listener` with each pipe as it opens: greetings exchanged, ready to use. Returns an unsubscribe function.
   * Source: NNG_PIPE_EV_ADD_POST.
   */
  onPipe(listener: (pipe: Pipe) => void): () => void {
    return added(this.#pipeListeners, listener)
  }

  /**
   * Calls `listener` with each pipe as it closes; the reason is null after an orderly end. Returns an unsubscribe function.
   * Source: NNG_PIPE_EV_REM_POST.
   */
  onPipeClose(listener: (pipe: Pipe, reason: NngError | null) => void): () => void {
    return added(this.#closeListeners, listener)
  }

  /**
   * Calls `listener` with each connection turned away (bad greeting or protocol: EPROTO, no greeting: ETIMEDOUT or
   * ECONNRESET, over a limit or a second peer of a PAIR: EBUSY, by a hook: EPERM) and each pipe closed for a malformed
   * (EPROTO), oversized (EMSGSIZE) or unfinished (EPROTO) message. When the system cannot accept at all, the address is
   * empty. Returns an unsubscribe function.
   */
  onRefused(listener: (remoteAddress: string, reason: NngError) => void): () => void {
    return added(this.#refusedListeners, listener)
  }

  /**
   * Closes the socket: what waits fails with ECLOSED, what was sent leaves within `lingerMillis`, then all connections
   * end. Resolves when nothing is left. Idempotent.
   */
  close(): Promise<void> {
    if (this.#closing === null) {
      const { promise, resolve } = makeDeferred()
      // Set before anything else runs: callbacks see a closed socket and may call close again.
      this.#closing = promise
      this.shut(new NngError("ECLOSED", "the socket was closed"))
      void Promise.all([...this.#endpoints].map((endpoint) => endpoint.close())).then(resolve)
    }
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** The settings in force. */
  protected get settings(): Settings {
    return this.#owner.settings
  }

  /** The open pipes. */
  protected get openPipes(): ReadonlySet<LivePipe> {
    return this.#pipes
  }

  /** Counts a dropped message that concerns no open pipe. */
  protected drop(cause: DropCause): void {
    this.#counters.dropped[cause]++
  }

  /** Throws ECLOSED on a closed socket. */
  protected checkOpen(): void {
    if (this.closed) throw closedError()
  }

  /** Takes a pipe into the protocol, or says why not. */
  protected abstract attach(pipe: LivePipe): PipeHandler | NngError

  /** The socket closes: fail what waits, hand over what is still to be sent. Pipes are open until it returns. */
  protected abstract shut(error: NngError): void

  #open(pipe: LivePipe, endpoint: PipeWatcher): PipeHandler | NngError {
    if (!this.#isAdmitted(pipe)) {
      return new NngError("EPERM", `${pipe.remoteAddress} was refused by a hook of this socket`)
    }
    const handler = this.attach(pipe)
    if (handler instanceof NngError) return handler
    this.#pipes.add(pipe)
    this.#pipesOpened++
    if (this.#connectedOnce.has(endpoint)) this.#reconnects++
    else if (endpoint instanceof DialerEndpoint) this.#connectedOnce.add(endpoint)
    return handler
  }

  #isAdmitted(pipe: Pipe): boolean {
    for (const hook of this.#admitHooks) {
      try {
        if (!hook(pipe)) return false
      } catch (error) {
        raiseLater(error)
        return false
      }
    }
    return true
  }
}
