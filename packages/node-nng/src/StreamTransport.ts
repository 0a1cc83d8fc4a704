/** The byte transports: tcp and tls+tcp, and ipc with its abstract names. */
import { randomBytes } from "node:crypto"
import * as Dns from "node:dns"
import * as Fs from "node:fs"
import * as Net from "node:net"
import type { Address, TcpAddress, WsAddress } from "./Address.ts"
import { formatTcp, schemeOf } from "./Address.ts"
import { connectTcp } from "./Connect.ts"
import { fromSystem, NngError } from "./Errors.ts"
import { wholeNumber } from "./Options.ts"
import { adopt, Reader } from "./Reader.ts"
import type { Secure } from "./Secure.ts"
import { secureClient, secureServer } from "./Secure.ts"
import { StreamLink } from "./StreamLink.ts"
import type { AcceptEvents, Bound, LinkSettings, Transport } from "./Transport.ts"

type Ipc = Extract<Address, { readonly transport: "ipc" }>

interface Reading {
  readonly secure: Secure | null
  readonly reader: Reader | null
}

const tcpLink = (socket: Net.Socket, address: TcpAddress, settings: LinkSettings, reading: Reading): StreamLink =>
  new StreamLink(socket, {
    receiveMaxBytes: settings.receiveMaxBytes,
    sendHighWaterBytes: settings.sendHighWaterBytes,
    typed: false,
    ...reading,
    remoteAddress: formatTcp(schemeOf(address), socket.remoteAddress ?? "", socket.remotePort ?? 0),
    localAddress: formatTcp(schemeOf(address), socket.localAddress ?? "", socket.localPort ?? 0)
  })

const ipcLink = (
  socket: Net.Socket,
  settings: LinkSettings,
  text: string,
  reader: Reader | null
): StreamLink =>
  new StreamLink(socket, {
    receiveMaxBytes: settings.receiveMaxBytes,
    sendHighWaterBytes: settings.sendHighWaterBytes,
    typed: true,
    secure: null,
    reader,
    remoteAddress: text,
    localAddress: text
  })

const listen = (server: Net.Server, options: Net.ListenOptions, text: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const onError = (error: Error): void => reject(fromSystem(error, `cannot listen on ${text}`))
    server.once("error", onError)
    server.listen(options, () => {
      server.off("error", onError)
      resolve()
    })
  })

// After binding, only accept fails, for want of descriptors for one; the server goes on.
const reportAccept = (server: Net.Server, address: string, events: AcceptEvents): void => {
  server.on("error", (error) => events.failed(fromSystem(error, `cannot accept on ${address}`)))
}

/** The address to bind, empty for all interfaces of both families. */
const hostToBind = async ({ family, host, text }: TcpAddress | WsAddress): Promise<string> => {
  if (host === "") return family === 4 ? "0.0.0.0" : family === 6 ? "::" : ""
  try {
    // Left to itself, node:net takes the first address of any family.
    return (await Dns.promises.lookup(host, { family, order: "verbatim" })).address
  } catch (error) {
    throw fromSystem(error as Error, `cannot listen on ${text}`)
  }
}

/** Listens on a TCP port with TCP_NODELAY and keepalive; `onSocket` gets what connects. */
export const listenTcp = async (
  address: TcpAddress | WsAddress,
  settings: LinkSettings,
  events: AcceptEvents,
  onSocket: (socket: Net.Socket) => void,
  pauseOnConnect = false
): Promise<Bound> => {
  const server = Net.createServer({
    pauseOnConnect,
    noDelay: true,
    keepAlive: settings.keepAliveMillis > 0,
    keepAliveInitialDelay: settings.keepAliveMillis
  }, onSocket)
  const host = await hostToBind(address)
  await listen(server, {
    port: address.port,
    ...(host === "" ? {} : { host }),
    ipv6Only: address.family === 6
  }, address.text)
  const bound = server.address()
  const path = address.transport === "ws" ? address.path : ""
  const text = bound === null || typeof bound === "string"
    ? address.text
    : formatTcp(schemeOf(address), bound.address, bound.port) + path
  reportAccept(server, text, events)
  return { address: text, close: (done) => void server.close(() => done()) }
}

/** tcp:// and tls+tcp://. */
export const tcpTransport: Transport<TcpAddress> = {
  async listen(address, { options, settings }, events) {
    const secure = address.tls ? secureServer(address, options.tls) : null
    return listenTcp(
      address,
      settings,
      events,
      (accepted) => {
        const { socket, reader } = secure === null ? adopt(accepted) : { socket: accepted, reader: null }
        events.accept(tcpLink(socket, address, settings, { secure, reader }))
      },
      secure === null
    )
  },
  connector(address, { options, settings }) {
    const secure = address.tls ? secureClient(address, options.tls) : null
    // A socket below TLS is read by that.
    const how = { keepAliveMillis: settings.keepAliveMillis, reading: secure === null }
    return (done) =>
      connectTcp(address, how, (error, socket, reader) => {
        done(error, socket === null ? null : tcpLink(socket, address, settings, { secure, reader }))
      })
  }
}

/** What tells one file from another that has taken its path. */
const fileId = (path: string): string => {
  const stat = Fs.lstatSync(path, { throwIfNoEntry: false, bigint: true })
  return stat?.isSocket() === true ? `${stat.dev} ${stat.ino} ${stat.birthtimeNs}` : ""
}

const beside = (path: string): string => `${path}.${randomBytes(4).toString("hex")}`

/** Resolves whether nobody listens on the socket file `path` any more. */
const isAbandoned = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = Net.connect({ path })
    probe.once("connect", () => {
      probe.destroy()
      resolve(false)
    })
    probe.once("error", (error: Error & { readonly code?: unknown }) => resolve(error.code === "ECONNREFUSED"))
  })

/** Removes the socket file `path` if its owner is gone; resolves whether it did. */
const removeStale = async (path: string): Promise<boolean> => {
  // Connecting to a plain file is refused as well: that one is not ours to remove.
  const id = path.startsWith("\0") ? "" : fileId(path)
  if (id === "" || !await isAbandoned(path) || fileId(path) !== id) return false
  Fs.rmSync(path, { force: true })
  return true
}

/** Closes the server, which removes what lies at `path`: if that is not our file any more, it is put back. */
const closeIpc = (server: Net.Server, path: string, ours: string, done: () => void): void => {
  const found = path.startsWith("\0") ? "" : fileId(path)
  if (found === "" || found === ours) {
    server.close(done)
    return
  }
  const kept = beside(path)
  Fs.linkSync(path, kept)
  server.close(done)
  Fs.renameSync(kept, path)
}

/** ipc://, unix:// and abstract://. node:net removes the socket file when the listener closes. */
export const ipcTransport: Transport<Ipc> = {
  async listen(address, { options, settings }, events) {
    const { path, text } = address
    const permissions = options.permissions === undefined
      ? null
      : wholeNumber("permissions", options.permissions, { fallback: 0, most: 0o777 })
    const bind = async (): Promise<readonly [server: Net.Server, id: string]> => {
      const server = Net.createServer({ pauseOnConnect: true }, (accepted) => {
        const { socket, reader } = adopt(accepted)
        events.accept(ipcLink(socket, settings, text, reader))
      })
      const bound = listen(server, { path }, text)
      // Bound or not is decided by now; later ticks could find the file of somebody else.
      const named = server.listening && !path.startsWith("\0")
      if (named && permissions !== null) Fs.chmodSync(path, permissions)
      const id = named ? fileId(path) : ""
      await bound
      return [server, id]
    }
    const [server, id] = await bind().catch(async (error: unknown) => {
      if (!(error instanceof NngError) || error.code !== "EADDRINUSE") throw error
      if (!await removeStale(path)) throw error
      return bind()
    })
    reportAccept(server, text, events)
    return { address: text, close: (done) => closeIpc(server, path, id, done) }
  },
  connector: ({ path, text }, { settings }) => (done) => {
    const reader = new Reader()
    const socket = Net.connect({ path, onread: reader.onread })
    const onError = (error: Error): void => done(fromSystem(error, `cannot connect to ${text}`), null)
    socket.once("error", onError)
    socket.once("connect", () => {
      socket.off("error", onError)
      done(null, ipcLink(socket, settings, text, reader))
    })
    return () => {
      socket.off("error", onError)
      socket.on("error", () => {})
      socket.destroy()
    }
  }
}
