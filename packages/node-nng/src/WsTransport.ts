/**
 * ws:// and wss://: one message is one binary WebSocket message, and the subprotocol stands in for the greeting. The
 * package `ws`, which is an optional peer, does the framing; it is loaded when the first such address is used.
 *
 * Source: nng src/sp/transport/ws, nanomsg rfc/sp-websocket-mapping-01.
 */
import type * as Http from "node:http"
import type * as Net from "node:net"
import type { Duplex } from "node:stream"
import type * as Ws from "ws"
import type { WsAddress } from "./Address.ts"
import { formatTcp, schemeOf } from "./Address.ts"
import { connectTcp } from "./Connect.ts"
import { fromSystem, NngError } from "./Errors.ts"
import type { FrameHeader } from "./FrameWriter.ts"
import { wordHeader } from "./FrameWriter.ts"
import type { Payload } from "./Payload.ts"
import { joinPayload } from "./Payload.ts"
import { Queue } from "./Queue.ts"
import type { Secure } from "./Secure.ts"
import { secureClient, secureServer } from "./Secure.ts"
import { listenTcp } from "./StreamTransport.ts"
import type { Link, LinkEvents, LinkSettings, Transport } from "./Transport.ts"
import type { Protocol } from "./Wire.ts"

/** The names of protocol ids. A connection is named for the end that listens. */
const names: Readonly<Record<number, string>> = {
  0x10: "pair",
  0x11: "pair1",
  0x20: "pub",
  0x21: "sub",
  0x30: "req",
  0x31: "rep",
  0x50: "push",
  0x51: "pull",
  0x62: "surveyor",
  0x63: "respondent",
  0x70: "bus"
}

const subprotocol = (id: number): string => `${names[id] ?? `0x${id.toString(16)}`}.sp.nanomsg.org`

/** nng sends no larger fragments, and accepts none above 1 MiB. */
const fragmentBytes = 64 * 1024

const loadWs = async (text: string): Promise<typeof Ws> => {
  try {
    return await import("ws")
  } catch (cause) {
    throw new NngError("ENOTSUP", `${text} needs the package ws, which is not installed: run "npm install ws"`, {
      cause
    })
  }
}

/** Agrees on WebSocket over a connected stream; calls `done` once, or never when the stream closes meanwhile. */
type Upgrade = (stream: Net.Socket, done: (error: NngError | null, socket: Ws.WebSocket | null) => void) => void

interface WsLinkOptions {
  readonly receiveMaxBytes: number
  readonly sendHighWaterBytes: number
  readonly secure: Secure | null
  readonly upgrade: Upgrade
  /** Protocol id of the peer, which the subprotocol implies. */
  readonly peer: number
  readonly remoteAddress: string
  readonly localAddress: string
}

class WsLink implements Link {
  readonly remoteAddress: string
  readonly localAddress: string
  full = false
  readonly #options: WsLinkOptions
  #stream: Net.Socket
  #socket: Ws.WebSocket | null = null
  #events: LinkEvents | null = null
  /** Received while paused: the rest of one chunk at most. */
  readonly #held = new Queue<Uint8Array>()
  #paused = false
  #pendingBytes = 0
  #corked = false
  #ended = false
  #gone = false
  #error: NngError | null = null
  #linger: NodeJS.Timeout | null = null

  constructor(stream: Net.Socket, options: WsLinkOptions) {
    this.#stream = stream
    this.#options = options
    this.remoteAddress = options.remoteAddress
    this.localAddress = options.localAddress
    this.#watch(stream)
  }

  open(_self: number, events: LinkEvents): void {
    this.#events = events
    const { secure } = this.#options
    if (this.#stream.destroyed) return
    if (secure === null) {
      this.#upgrade()
      return
    }
    secure(this.#stream, (error, stream) => {
      if (stream === null) {
        this.#fail(error)
        return
      }
      this.#stream = stream
      this.#watch(stream)
      if (this.#ended) stream.destroy()
      else this.#upgrade()
    })
  }

  send(header: FrameHeader, payload: Payload): number {
    const socket = this.#socket
    if (socket === null || this.#ended) return 0
    const bytes = header === null && payload instanceof Uint8Array ? payload : joinPayload(wordHeader(header), payload)
    if (!this.#corked) {
      this.#corked = true
      this.#stream.cork()
      process.nextTick(this.#uncork)
    }
    this.#pendingBytes += bytes.length
    if (this.#pendingBytes >= this.#options.sendHighWaterBytes) this.full = true
    let at = 0
    for (; bytes.length - at > fragmentBytes; at += fragmentBytes) {
      socket.send(bytes.subarray(at, at + fragmentBytes), { binary: true, fin: false })
    }
    socket.send(bytes.subarray(at), { binary: true, fin: true }, () => this.#sent(bytes.length))
    return bytes.length
  }

  pause(): void {
    if (this.#paused) return
    this.#paused = true
    this.#socket?.pause()
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    process.nextTick(this.#continue)
  }

  end(lingerMillis: number): void {
    if (this.#ended) return
    if (this.#socket === null || lingerMillis === 0) {
      this.destroy()
      return
    }
    this.#ended = true
    this.#held.clear()
    this.#uncork()
    // The peer's part of the closing handshake is still to be read.
    this.#socket.resume()
    this.#socket.close(1000)
    this.#linger = setTimeout(() => this.#stream.destroy(), lingerMillis)
  }

  destroy(): void {
    this.#ended = true
    this.#held.clear()
    this.#stream.destroy()
  }

  #watch(stream: Net.Socket): void {
    stream.on("error", (error) => {
      this.#error ??= fromSystem(error, `connection with ${this.remoteAddress}`)
    })
    stream.on("close", () => {
      if (stream !== this.#stream) return
      // What says why, and what was received before the end, is delivered first.
      if (this.#socket === null) setImmediate(() => this.#onClose())
    })
  }

  #fail(error: NngError | null): void {
    this.#error = error
    this.#stream.destroy()
  }

  #upgrade(): void {
    this.#options.upgrade(this.#stream, (error, socket) => {
      if (socket === null) {
        this.#fail(error)
        return
      }
      this.#socket = socket
      socket.on("message", (data: Uint8Array, isBinary: boolean) => this.#onMessage(data, isBinary))
      socket.on("ping", (data) => {
        // A peer that pings and does not read gets no answers beyond what any pipe may hold.
        if (socket.bufferedAmount < this.#options.sendHighWaterBytes) socket.pong(data)
      })
      socket.on("error", (error) => this.#onError(error))
      socket.on("close", () => this.#onClose())
      if (this.#ended) socket.terminate()
      else this.#events?.greeted(this.#options.peer)
    })
  }

  #onMessage(data: Uint8Array, isBinary: boolean): void {
    if (this.#ended) return
    if (!isBinary) {
      this.#events?.malformed(new NngError("EPROTO", `${this.remoteAddress} sent text: SP messages are binary`))
    } else if (this.#paused || this.#held.size > 0) this.#held.push(data)
    else this.#events?.frame(data, 0, data.length)
  }

  readonly #continue = (): void => {
    while (!this.#paused && !this.#ended) {
      const data = this.#held.shift()
      if (data === undefined) {
        this.#socket?.resume()
        return
      }
      this.#events?.frame(data, 0, data.length)
    }
  }

  #onError(error: Error & { readonly code?: unknown }): void {
    const code = typeof error.code === "string" ? error.code : ""
    if (!code.startsWith("WS_ERR")) {
      this.#error ??= fromSystem(error, `connection with ${this.remoteAddress}`)
      return
    }
    if (this.#ended) return
    const { receiveMaxBytes } = this.#options
    const failure = code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH"
      ? new NngError("EMSGSIZE", `message above the maximum of ${receiveMaxBytes}; raise receiveMaxBytes or send less`)
      : new NngError("EPROTO", `${this.remoteAddress} broke the WebSocket protocol: ${error.message}`, { cause: error })
    this.#events?.malformed(failure)
  }

  readonly #uncork = (): void => {
    if (!this.#corked) return
    this.#corked = false
    this.#stream.uncork()
  }

  #sent(bytes: number): void {
    this.#pendingBytes -= bytes
    if (!this.full || this.#pendingBytes >= this.#options.sendHighWaterBytes) return
    this.full = false
    if (!this.#ended) this.#events?.drained()
  }

  #onClose(): void {
    if (this.#gone) return
    this.#gone = true
    if (this.#linger !== null) clearTimeout(this.#linger)
    if (this.#socket === null && !this.#ended) {
      const why = `${this.remoteAddress} closed before the connection was agreed on`
      this.#error ??= new NngError("ECONNRESET", why)
    }
    this.#ended = true
    this.#held.clear()
    this.#events?.gone(this.#error)
  }
}

const makeLink = (
  stream: Net.Socket,
  address: WsAddress,
  settings: LinkSettings,
  rest: Pick<WsLinkOptions, "peer" | "secure" | "upgrade">
): WsLink =>
  new WsLink(stream, {
    receiveMaxBytes: settings.receiveMaxBytes,
    sendHighWaterBytes: settings.sendHighWaterBytes,
    remoteAddress: formatTcp(schemeOf(address), stream.remoteAddress ?? "", stream.remotePort ?? 0),
    localAddress: formatTcp(schemeOf(address), stream.localAddress ?? "", stream.localPort ?? 0) + address.path,
    ...rest
  })

/** What both ends want of `ws`. */
const wsOptions = ({ receiveMaxBytes }: LinkSettings) => ({
  perMessageDeflate: false,
  maxPayload: receiveMaxBytes,
  autoPong: false,
  skipUTF8Validation: true
})

/** The server's part for all connections of one listener: path and subprotocol must be ours. */
const upgradeServer = (
  address: WsAddress,
  protocol: Protocol,
  settings: LinkSettings,
  { http, ws }: { readonly http: typeof Http; readonly ws: typeof Ws }
): Upgrade => {
  const pending = new WeakMap<Duplex, Parameters<Upgrade>[1]>()
  const name = subprotocol(protocol.self)
  const sockets = new ws.WebSocketServer({
    noServer: true,
    clientTracking: false,
    handleProtocols: () => name,
    ...wsOptions(settings)
  })
  const settle = (stream: Duplex, error: NngError | null, socket: Ws.WebSocket | null): void => {
    const done = pending.get(stream)
    pending.delete(stream)
    done?.(error, socket)
  }
  const refuse = (stream: Duplex, status: number, why: string): void => {
    const text = `${status} ${http.STATUS_CODES[status]}`
    stream.end(`HTTP/1.1 ${text}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => {
      settle(stream, new NngError("EPROTO", `a client of ${address.text} was answered ${text}: ${why}`), null)
    })
  }
  // It never listens: connections are handed to it, which the documentation of its "connection" event provides for.
  const server = http.createServer((request) => refuse(request.socket, 426, "it asked for no WebSocket"))
  server.on("clientError", (_, stream) => refuse(stream, 400, "it spoke no HTTP"))
  sockets.on("wsClientError", (error, stream) => refuse(stream, 400, error.message))
  server.on("upgrade", (request, stream, head) => {
    const { "sec-websocket-protocol": offered = "nothing" } = request.headers
    if (request.url !== address.path) refuse(stream, 404, `its path is not ${address.path}`)
    else if (offered !== name) refuse(stream, 400, `it offered the subprotocol ${offered} instead of ${name}`)
    else sockets.handleUpgrade(request, stream, head, (socket) => settle(stream, null, socket))
  })
  return (stream, done) => {
    pending.set(stream, done)
    server.emit("connection", stream)
  }
}

/** The client's part. */
const upgradeClient = (
  address: WsAddress,
  protocol: Protocol,
  settings: LinkSettings,
  { WebSocket }: typeof Ws
): Upgrade =>
(stream, done) => {
  // The stream is connected, and secured if it is to be: the scheme only writes the request.
  const url = formatTcp("ws://", address.host.replace(/%.*$/, ""), address.port) + address.path
  const socket = new WebSocket(url, [subprotocol(protocol.peer)], {
    createConnection: () => stream,
    ...wsOptions(settings)
  })
  const onError = (error: Error & { readonly code?: unknown }): void => {
    const action = `WebSocket with ${address.text}`
    const failure = typeof error.code === "string"
      ? fromSystem(error, action)
      : new NngError("EPROTO", `${action}: ${error.message}`, { cause: error })
    done(failure, null)
  }
  socket.on("error", onError)
  socket.once("open", () => {
    done(null, socket)
    socket.off("error", onError)
  })
}

/** ws:// and wss://. */
export const wsTransport: Transport<WsAddress> = {
  async listen(address, { options, protocol, settings }, events) {
    const secure = address.tls ? secureServer(address, options.tls) : null
    const modules = { ws: await loadWs(address.text), http: await import("node:http") }
    const upgrade = upgradeServer(address, protocol, settings, modules)
    return listenTcp(
      address,
      settings,
      events,
      (stream) => events.accept(makeLink(stream, address, settings, { peer: protocol.peer, secure, upgrade }))
    )
  },
  connector(address, { options, protocol, settings }) {
    const secure = address.tls ? secureClient(address, options.tls) : null
    return (done) => {
      let over = false
      let stop = (): void => {
        over = true
      }
      const start = (ws: typeof Ws): void => {
        if (over) return
        const upgrade = upgradeClient(address, protocol, settings, ws)
        stop = connectTcp(address, { keepAliveMillis: settings.keepAliveMillis, reading: false }, (error, stream) => {
          const link = stream === null
            ? null
            : makeLink(stream, address, settings, { peer: protocol.peer, secure, upgrade })
          done(error, link)
        })
      }
      loadWs(address.text).then(start, (error: NngError) => {
        if (!over) done(error, null)
      })
      return () => stop()
    }
  }
}
