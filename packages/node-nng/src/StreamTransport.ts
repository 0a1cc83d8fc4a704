/** The byte transports of node:net: tcp and ipc, abstract names included. */
import * as Fs from "node:fs"
import * as Net from "node:net"
import type { Address } from "./Address.ts"
import { formatTcp } from "./Address.ts"
import { fromSystem, NngError } from "./Errors.ts"
import { StreamLink } from "./StreamLink.ts"
import type { AcceptEvents, Bound, LinkSettings, Transport } from "./Transport.ts"

type Tcp = Extract<Address, { readonly transport: "tcp" }>
type Ipc = Extract<Address, { readonly transport: "ipc" }>

const tcpLink = (socket: Net.Socket, settings: LinkSettings): StreamLink =>
  new StreamLink(socket, {
    receiveMaxBytes: settings.receiveMaxBytes,
    sendHighWaterBytes: settings.sendHighWaterBytes,
    typed: false,
    remoteAddress: formatTcp(socket.remoteAddress ?? "", socket.remotePort ?? 0),
    localAddress: formatTcp(socket.localAddress ?? "", socket.localPort ?? 0)
  })

const ipcLink = (socket: Net.Socket, settings: LinkSettings, text: string): StreamLink =>
  new StreamLink(socket, {
    receiveMaxBytes: settings.receiveMaxBytes,
    sendHighWaterBytes: settings.sendHighWaterBytes,
    typed: true,
    remoteAddress: text,
    localAddress: text
  })

const connect = (
  socket: Net.Socket,
  text: string,
  makeLink: () => StreamLink,
  done: (error: NngError | null, link: StreamLink | null) => void
): () => void => {
  let over = false
  const onConnect = (): void => {
    over = true
    socket.off("error", onError)
    done(null, makeLink())
  }
  const onError = (error: Error): void => {
    if (over) return
    over = true
    done(fromSystem(error, `cannot connect to ${text}`), null)
  }
  socket.once("connect", onConnect)
  socket.on("error", onError)
  return () => {
    if (over) return
    over = true
    socket.destroy()
  }
}

const listen = (server: Net.Server, options: Net.ListenOptions, text: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const onError = (error: Error): void => reject(fromSystem(error, `cannot listen on ${text}`))
    server.once("error", onError)
    server.listen(options, () => {
      server.off("error", onError)
      resolve()
    })
  })

const makeBound = (server: Net.Server, address: string, events: AcceptEvents): Bound => {
  // After binding, only accept fails, for want of descriptors for one; the server goes on.
  server.on("error", (error) => events.failed(fromSystem(error, `cannot accept on ${address}`)))
  return { address, close: (done) => void server.close(() => done()) }
}

/** tcp://, tcp4:// and tcp6:// with TCP_NODELAY and keepalive. */
export const tcpTransport: Transport<Tcp> = {
  async listen(address, settings, events) {
    const server = Net.createServer({
      noDelay: true,
      keepAlive: settings.keepAliveMillis > 0,
      keepAliveInitialDelay: settings.keepAliveMillis
    }, (socket) => events.accept(tcpLink(socket, settings)))
    const anyHost = address.family === 4 ? "0.0.0.0" : address.family === 6 ? "::" : ""
    const host = address.host === "" ? anyHost : address.host
    await listen(server, {
      port: address.port,
      ...(host === "" ? {} : { host }),
      ipv6Only: address.family === 6
    }, address.text)
    const bound = server.address()
    const text = bound === null || typeof bound === "string" ? address.text : formatTcp(bound.address, bound.port)
    return makeBound(server, text, events)
  },
  connect(address, settings, done) {
    const socket = Net.connect({
      host: address.host,
      port: address.port,
      family: address.family,
      noDelay: true,
      keepAlive: settings.keepAliveMillis > 0,
      keepAliveInitialDelay: settings.keepAliveMillis
    })
    return connect(socket, address.text, () => tcpLink(socket, settings), done)
  }
}

/** Tells whether `path` is a socket file whose owner is gone. */
const isStale = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    // Connecting to a plain file is refused as well: that one is not ours to remove.
    if (path.startsWith("\0") || Fs.lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) {
      resolve(false)
      return
    }
    const probe = Net.connect({ path })
    probe.once("connect", () => {
      probe.destroy()
      resolve(false)
    })
    probe.once("error", (error: Error & { readonly code?: unknown }) => resolve(error.code === "ECONNREFUSED"))
  })

/** ipc://, unix:// and abstract://. node:net removes the socket file when the listener closes. */
export const ipcTransport: Transport<Ipc> = {
  async listen(address, settings, events) {
    const bind = async (): Promise<Net.Server> => {
      const server = Net.createServer((socket) => events.accept(ipcLink(socket, settings, address.text)))
      await listen(server, { path: address.path }, address.text)
      return server
    }
    const server = await bind().catch(async (error: unknown) => {
      if (!(error instanceof NngError) || error.code !== "EADDRINUSE") throw error
      if (!await isStale(address.path)) throw error
      Fs.rmSync(address.path, { force: true })
      return bind()
    })
    return makeBound(server, address.text, events)
  },
  connect(address, settings, done) {
    const socket = Net.connect({ path: address.path })
    return connect(socket, address.text, () => ipcLink(socket, settings, address.text), done)
  }
}
