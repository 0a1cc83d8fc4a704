/** Where pipes come from: listeners, and dialers that never give up. */
import type { Address } from "./Address.ts"
import type { Deferred } from "./Deferred.ts"
import { makeDeferred } from "./Deferred.ts"
import { NngError } from "./Errors.ts"
import { inprocTransport } from "./Inproc.ts"
import type { PipeOwner, PipeWatcher } from "./Pipe.ts"
import { LivePipe } from "./Pipe.ts"
import { ipcTransport, tcpTransport } from "./StreamTransport.ts"
import type { AcceptEvents, Bound, Connect, Link, Setup } from "./Transport.ts"
import type { DialOptions, ListenOptions } from "./TransportOptions.ts"
import { wsTransport } from "./WsTransport.ts"

/** An address being listened on. Source: nng_listener. */
export interface Listener {
  /** The bound address with its real port, such as tcp://127.0.0.1:41234. */
  readonly address: string
  /** Stops listening and closes the pipes accepted here; resolves when the address is free again. Idempotent. */
  close(): Promise<void>
}

/** An address being dialed. Source: nng_dialer. */
export interface Dialer {
  readonly address: string
  /** True while a pipe is open. */
  readonly connected: boolean
  /** Why there was no connection last time, or why the last pipe closed; null before that and while connected. */
  readonly lastError: NngError | null
  /** Stops dialing and closes its pipe; resolves when the connection is gone. Idempotent. */
  close(): Promise<void>
}

/** A pipe that lived this long was no mistake: the waits start anew after it. */
const settledMillis = 1_000

const listenOn = (address: Address, setup: Setup<ListenOptions>, events: AcceptEvents): Promise<Bound> => {
  if (address.transport === "tcp") return tcpTransport.listen(address, setup, events)
  if (address.transport === "ipc") return ipcTransport.listen(address, setup, events)
  if (address.transport === "ws") return wsTransport.listen(address, setup, events)
  return inprocTransport.listen(address, setup, events)
}

const connectorFor = (address: Address, setup: Setup<DialOptions>): Connect => {
  if (address.transport === "tcp") return tcpTransport.connector(address, setup)
  if (address.transport === "ipc") return ipcTransport.connector(address, setup)
  if (address.transport === "ws") return wsTransport.connector(address, setup)
  return inprocTransport.connector(address, setup)
}

/** Accepts connections within the limits of its socket; one bad connection never holds up the others. */
export class ListenerEndpoint implements Listener, PipeWatcher {
  address: string
  readonly #owner: PipeOwner
  readonly #pipes = new Set<LivePipe>()
  #handshakes = 0
  #bound: Bound | null = null
  #unbound = false
  #closing: Deferred | null = null

  /** Connections by the address that they came from, where that is limited. */
  readonly #byHost = new Map<string, number>()

  constructor(address: Address, owner: PipeOwner) {
    this.address = address.text
    this.#owner = owner
  }

  /** Binds; rejects with EADDRINUSE, EADDRINVAL, EACCES, EINVAL or ENOTSUP. */
  async bind(address: Address, options: ListenOptions): Promise<void> {
    const { protocol, settings } = this.#owner
    const bound = await listenOn(address, { protocol, settings, options }, {
      accept: (link) => this.#accept(link),
      failed: (error) => this.#owner.refused("", error)
    })
    this.#bound = bound
    this.address = bound.address
  }

  close(): Promise<void> {
    if (this.#closing === null) {
      this.#closing = makeDeferred()
      for (const pipe of this.#pipes) pipe.close()
      const unbound = (): void => {
        this.#unbound = true
        this.#check()
      }
      if (this.#bound === null) unbound()
      else this.#bound.close(unbound)
    }
    return this.#closing.promise
  }

  pipeOpened(): void {
    this.#handshakes--
  }

  pipeClosed(_pipe: LivePipe, _reason: NngError | null, opened: boolean): void {
    if (!opened) this.#handshakes--
  }

  pipeGone(pipe: LivePipe): void {
    if (this.#pipes.delete(pipe) && this.#owner.settings.maxPipesPerAddress > 0) {
      this.#forget(hostOf(pipe.remoteAddress))
    }
    this.#check()
  }

  #forget(host: string): void {
    const left = (this.#byHost.get(host) ?? 0) - 1
    if (left > 0) this.#byHost.set(host, left)
    else this.#byHost.delete(host)
  }

  #accept(link: Link): void {
    const { maxHandshakes, maxPipes, maxPipesPerAddress } = this.#owner.settings
    const host = maxPipesPerAddress === 0 ? "" : hostOf(link.remoteAddress)
    const why = this.#closing !== null
      ? new NngError("ECLOSED", `${this.address} is closing`)
      : this.#pipes.size >= maxPipes
      ? new NngError("EBUSY", `${this.address} has ${maxPipes} connections; raise maxPipes to accept more`)
      : host !== "" && (this.#byHost.get(host) ?? 0) >= maxPipesPerAddress
      ? new NngError("EBUSY", `${host} has ${maxPipesPerAddress} connections (maxPipesPerAddress)`)
      : this.#handshakes >= maxHandshakes
      ? new NngError("EBUSY", `${this.address} has ${maxHandshakes} connections that have not greeted (maxHandshakes)`)
      : null
    if (why !== null) {
      link.destroy()
      this.#owner.refused(link.remoteAddress, why)
      return
    }
    const pipe = new LivePipe(link, this.#owner, this)
    this.#pipes.add(pipe)
    if (host !== "") this.#byHost.set(host, (this.#byHost.get(host) ?? 0) + 1)
    this.#handshakes++
    pipe.start()
  }

  #check(): void {
    if (this.#closing === null || !this.#unbound || this.#pipes.size > 0) return
    this.#owner.left(this)
    this.#closing.resolve()
  }
}

/** The address without its port; empty for peers without one. */
const hostOf = (remoteAddress: string): string =>
  /^(?:tcp|tls|ws)/u.test(remoteAddress) ? remoteAddress.replace(/:\d+(?:\/.*)?$/u, "") : ""

/**
 * Keeps one pipe to an address: connects, and connects again after a random wait between half and all of a time that
 * doubles up to the maximum. Only a pipe that lived a second brings the wait back to the minimum, so that a peer which
 * accepts and closes causes no storm.
 */
export class DialerEndpoint implements Dialer, PipeWatcher {
  readonly address: string
  lastError: NngError | null = null
  readonly #target: Address
  readonly #connect: Connect
  readonly #owner: PipeOwner
  #waitMillis: number
  #cancel: (() => void) | null = null
  #timer: NodeJS.Timeout | null = null
  #pipe: LivePipe | null = null
  /** The pipe and those before it that are still sending their last bytes. */
  readonly #pipes = new Set<LivePipe>()
  #openedAt = 0
  #closing: Deferred | null = null

  /** Throws EINVAL when the options are no good. */
  constructor(target: Address, owner: PipeOwner, options: DialOptions) {
    this.address = target.text
    this.#target = target
    this.#owner = owner
    this.#connect = connectorFor(target, { protocol: owner.protocol, settings: owner.settings, options })
    this.#waitMillis = owner.settings.reconnectMinMillis
  }

  get connected(): boolean {
    return this.#pipe !== null && this.#pipe.opened && !this.#pipe.closed
  }

  /** Starts a connection attempt. */
  connect(): void {
    // An inproc dial has nobody to wait for but a listener of this process, which will wake it.
    if (this.#target.transport !== "inproc") this.#limit(this.#owner.settings.handshakeTimeoutMillis)
    this.#cancel = this.#connect((error, link) => {
      this.#cancel = null
      if (this.#timer !== null) clearTimeout(this.#timer)
      if (link === null) {
        this.#retry(error, 0)
        return
      }
      this.#openedAt = 0
      this.#pipe = new LivePipe(link, this.#owner, this)
      this.#pipes.add(this.#pipe)
      this.#pipe.start()
    })
  }

  close(): Promise<void> {
    if (this.#closing === null) {
      this.#closing = makeDeferred()
      if (this.#timer !== null) clearTimeout(this.#timer)
      this.#cancel?.()
      this.#pipe?.close()
      this.#check()
    }
    return this.#closing.promise
  }

  pipeOpened(): void {
    this.#openedAt = performance.now()
    this.lastError = null
  }

  pipeClosed(pipe: LivePipe, reason: NngError | null): void {
    const lived = this.#openedAt === 0 ? 0 : performance.now() - this.#openedAt
    this.#retry(reason ?? new NngError("ECONNRESET", `${pipe.remoteAddress} closed the connection`), lived)
  }

  pipeGone(pipe: LivePipe): void {
    this.#pipes.delete(pipe)
    if (this.#pipe === pipe) this.#pipe = null
    this.#check()
  }

  #check(): void {
    if (this.#closing === null || this.#pipes.size > 0) return
    this.#owner.left(this)
    this.#closing.resolve()
  }

  #limit(millis: number): void {
    this.#timer = setTimeout(() => {
      this.#cancel?.()
      this.#cancel = null
      this.#retry(new NngError("ETIMEDOUT", `cannot connect to ${this.address} within ${millis} ms`), 0)
    }, millis)
  }

  #retry(error: NngError | null, livedMillis: number): void {
    this.lastError = error
    if (this.#closing !== null) return
    const { reconnectMaxMillis, reconnectMinMillis } = this.#owner.settings
    if (livedMillis >= settledMillis) this.#waitMillis = reconnectMinMillis
    const wait = this.#waitMillis * (0.5 + Math.random() / 2)
    this.#waitMillis = Math.min(this.#waitMillis * 2, reconnectMaxMillis)
    // Referenced: a socket that dials keeps the process alive until it is closed.
    this.#timer = setTimeout(() => this.connect(), wait)
  }
}
