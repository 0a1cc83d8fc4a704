/** The TLS part of a connection, between its TCP part and the first byte of SP. */
import * as Net from "node:net"
import * as Tls from "node:tls"
import type { TcpAddress, WsAddress } from "./Address.ts"
import { fromSystem, NngError } from "./Errors.ts"
import type { DialTlsOptions, ListenTlsOptions } from "./TransportOptions.ts"
import { dialContext, readingTls, secureContextOptions } from "./TransportOptions.ts"

/**
 * Secures a connected socket and calls `done` once, later, with the stream to use from then on; not at all when the
 * socket is closed meanwhile. Nothing is sent to a peer that has not been verified.
 */
export type Secure = (
  socket: Net.Socket,
  done: (error: NngError | null, stream: Net.Socket | null) => void
) => void

/** The client's part. The certificates are read now: throws EINVAL. */
export const secureClient = (address: TcpAddress | WsAddress, options: DialTlsOptions = {}): Secure => {
  const secureContext = dialContext(address.text, options)
  const host = address.host.replace(/%.*$/, "")
  const name = options.serverName ?? host
  return (socket, done) => {
    const stream = Tls.connect({
      socket,
      secureContext,
      // The name to verify; as the extension of the greeting it must not be an IP address.
      host: name,
      ...(Net.isIP(name) === 0 ? { servername: name } : {}),
      rejectUnauthorized: options.verify ?? true
    })
    const onError = (error: Error): void => done(fromSystem(error, `TLS with ${address.text}`), null)
    stream.once("error", onError)
    stream.once("secureConnect", () => {
      stream.off("error", onError)
      done(null, stream)
    })
  }
}

/** What tells one connection of a listener from another, on its raw socket and on the secured one alike. */
const nameOf = (socket: Net.Socket): string =>
  `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress} ${socket.localPort}`

/** The server's part, for all connections of one listener. The certificates are read now: throws EINVAL. */
export const secureServer = (address: TcpAddress | WsAddress, options: ListenTlsOptions | undefined): Secure => {
  if (options === undefined) {
    throw new NngError("EINVAL", `${address.text} needs the option tls with cert and key to be listened on`)
  }
  const required = options.requireClientCertificate ?? false
  const pending = new Map<string, (error: NngError | null, stream: Net.Socket | null) => void>()
  const settle = (socket: Net.Socket, error: NngError | null): void => {
    const name = nameOf(socket)
    const done = pending.get(name)
    pending.delete(name)
    done?.(error, error === null ? socket : null)
  }
  // It never listens: connections are handed to it, which the documentation of its "connection" event provides for.
  const server = readingTls(address.text, () =>
    Tls.createServer({
      ...secureContextOptions(options),
      requestCert: required,
      rejectUnauthorized: required,
      noDelay: true
    }))
  server.on("secureConnection", (stream) => settle(stream, null))
  server.on("tlsClientError", (error, stream) => settle(stream, fromSystem(error, "TLS with a client")))
  return (socket, done) => {
    const name = nameOf(socket)
    pending.set(name, done)
    socket.once("close", () => {
      // A certificate that fails comes to this: the server has destroyed the connection.
      if (pending.get(name) !== done) return
      pending.delete(name)
      const why = required ? "it left, or its certificate is not signed by ca" : "it left"
      done(new NngError(required ? "EPEERAUTH" : "ECONNRESET", `TLS with a client was not completed: ${why}`), null)
    })
    server.emit("connection", socket)
  }
}
