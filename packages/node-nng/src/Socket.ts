/** What all patterns share: endpoints, pipes, events, close. */
import { parseAddress, parseDialAddress } from "./Address.ts"
import { makeDeferred } from "./Deferred.ts"
import type { Dialer, Listener } from "./Endpoint.ts"
import { DialerEndpoint, ListenerEndpoint } from "./Endpoint.ts"
import { NngError, raiseLater } from "./Errors.ts"
import type { Settings, SocketOptions } from "./Options.ts"
import { settingsOf } from "./Options.ts"
import type { LivePipe, Pipe, PipeHandler, PipeOwner, PipeWatcher } from "./Pipe.ts"
import type { DialOptions, ListenOptions } from "./TransportOptions.ts"
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
  #closing: Promise<void> | null = null

  protected constructor(protocol: Protocol, options: SocketOptions) {
    this.#owner = {
      protocol,
      settings: settingsOf(options),
      opened: (pipe) => {
        this.#pipes.add(pipe)
        return this.attach(pipe)
      },
      announced: (pipe) => notify(this.#pipeListeners, pipe),
      closed: (pipe, reason) => {
        this.#pipes.delete(pipe)
        notify(this.#closeListeners, pipe, reason)
      },
      left: (endpoint) => void this.#endpoints.delete(endpoint),
      refused: (remoteAddress, reason) => notify(this.#refusedListeners, remoteAddress, reason)
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
    this.#check()
    const listener = new ListenerEndpoint(parsed, this.#owner)
    await listener.bind(parsed, options)
    if (this.closed) {
      await listener.close()
      this.#check()
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
    this.#check()
    const dialer = new DialerEndpoint(parsed, this.#owner, options)
    this.#endpoints.add(dialer)
    dialer.connect()
    return dialer
  }

  /** Calls `listener` with each pipe as it opens: greetings exchanged, ready to use. Returns an unsubscribe function. */
  onPipe(listener: (pipe: Pipe) => void): () => void {
    return added(this.#pipeListeners, listener)
  }

  /** Calls `listener` with each pipe as it closes; the reason is null after an orderly end. Returns unsubscribe. */
  onPipeClose(listener: (pipe: Pipe, reason: NngError | null) => void): () => void {
    return added(this.#closeListeners, listener)
  }

  /**
   * Calls `listener` with each connection turned away (bad greeting or protocol: EPROTO, no greeting: ETIMEDOUT or
   * ECONNRESET, over a limit: EBUSY) and each pipe closed for a malformed (EPROTO), oversized (EMSGSIZE) or unfinished
   * (EPROTO) message. When the system cannot accept at all, the address is empty. Returns an unsubscribe function.
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

  /** Takes a pipe into the protocol. */
  protected abstract attach(pipe: LivePipe): PipeHandler

  /** The socket closes: fail what waits, hand over what is still to be sent. Pipes are open until it returns. */
  protected abstract shut(error: NngError): void

  #check(): void {
    if (this.closed) throw new NngError("ECLOSED", "the socket was closed; make a new one")
  }
}
