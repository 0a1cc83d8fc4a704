/**
 * The transport over NNG: REQ/REP for requests, PUB/SUB for announcements, on `tcp://`, `tls+tcp://`, `ipc://` and
 * `inproc://`.
 * Connections are made in the background and again when they are lost. Compatible on the wire with the C library.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { DialOptions, ListenOptions } from "node-nng"
import { NngError, parseDialAddress, Pub, Rep, Req, Sub } from "node-nng"
import { X509Certificate } from "node:crypto"
import { createSecureContext } from "node:tls"
import { AddressError } from "../domain/Errors.ts"
import type { TlsSettings } from "../domain/Settings.ts"
import { Settings } from "../services/Settings.ts"
import { Transport } from "../services/Transport.ts"

/** A control plane that restarts is found within about this time. */
const reconnect = { reconnectMinMillis: 50, reconnectMaxMillis: 1_000 } as const

const noReply = new Uint8Array(0)

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: "is in use: another control plane or program has it",
  EACCES: "this user may not listen there"
}

const toAddressError = (address: string) => (cause: unknown) => {
  const reason = cause instanceof NngError ? reasons[cause.code] ?? cause.message : String(cause)
  return new AddressError({ address, reason })
}

/**
 * Checks that an address can be connected to, as far as its text tells.
 *
 * @category guards
 * @since 0.1.0
 */
export const checkAddress = (address: string): Effect.Effect<void, AddressError> =>
  Effect.asVoid(Effect.try({ try: () => parseDialAddress(address), catch: toAddressError(address) }))

const acquire = <S extends { readonly close: () => Promise<void> }>(open: () => S, address: string) =>
  Effect.acquireRelease(
    Effect.try({ try: open, catch: toAddressError(address) }),
    (socket) => Effect.promise(() => socket.close())
  )

/** Who listens on an address with TLS needs a certificate; other addresses take none. */
const listenOptions = (address: string, tls: TlsSettings | undefined): ListenOptions => {
  const { ca, cert, clientCertificates = false, key } = tls ?? {}
  if (!/^tls\+/iu.test(address)) return {}
  if (cert === undefined || key === undefined) {
    throw new NngError("EINVAL", "needs a certificate and its key: --tls-cert and --tls-key")
  }
  if (clientCertificates && ca === undefined) {
    throw new NngError("EINVAL", "asks for certificates and can't check them: say by which authority, --tls-ca")
  }
  return { tls: { cert, key, ...(ca === undefined ? {} : { ca }), requireClientCertificate: clientCertificates } }
}

/** Certificates and keys that can't be read are wrong wherever they are used. */
const checkTls = ({ ca, cert, key }: TlsSettings): Effect.Effect<void, AddressError> =>
  Effect.asVoid(Effect.try({
    try: () => {
      // Authorities that can't be read would be left out without a word.
      const authority = ca === undefined ? undefined : new X509Certificate(ca)
      const pair = { ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) }
      return { authority, context: createSecureContext(pair) }
    },
    catch: (cause) =>
      new AddressError({
        address: "tls+tcp://",
        reason: `certificates and keys must be PEM and belong together: ${
          cause instanceof Error ? cause.message : String(cause)
        }`
      })
  }))

/**
 * Returns what a connection needs to be made with TLS.
 *
 * @category options
 * @since 0.1.0
 */
export const dialOptions = (tls: TlsSettings | undefined): DialOptions => {
  if (tls === undefined) return {}
  const { ca, cert, key } = tls
  return {
    tls: {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined || key === undefined ? {} : { cert, key })
    }
  }
}

/**
 * Creates the transport.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (tls?: TlsSettings): Transport["Service"] =>
  Transport.of({
    serve: Effect.fnUntraced(
      function*(address, { limits = {}, maxMessageBytes, onClose, onOpen, onRefused, onRequest }) {
        const socket = yield* acquire(
          () =>
            new Rep({
              receiveMaxBytes: maxMessageBytes,
              maxPipesPerAddress: limits.maxConnectionsPerAddress,
              maxOutstandingPerPipe: limits.maxRequestsPerConnection,
              maxOutstandingBytesPerPipe: limits.maxRequestBytesPerConnection
            }),
          address
        )
        if (onOpen !== undefined) {
          socket.onPipe((pipe) =>
            onOpen({
              peer: pipe.id,
              remote: pipe.remoteAddress,
              close: () => pipe.close()
            })
          )
        }
        socket.onRequest((request) =>
          onRequest({
            body: request.body,
            peer: request.pipe.id,
            remote: request.pipe.remoteAddress,
            reply: (payload) => void request.reply(payload),
            close: () => request.pipe.close()
          })
        )
        socket.onPipeClose((pipe) => onClose(pipe.id))
        socket.onRefused((remote, reason) => {
          // Who hangs up before it has greeted was not refused: a worker that stops while it connects does.
          if (reason.code !== "ECONNRESET") onRefused(remote, reason.message)
        })
        const listener = yield* Effect.tryPromise({
          try: () => socket.listen(address, listenOptions(address, tls)),
          catch: toAddressError(address)
        })
        return { address: listener.address }
      }
    ),
    connect: Effect.fnUntraced(function*(address, { maxMessageBytes, onOpen }) {
      const socket = yield* acquire(() => new Req({ ...reconnect, receiveMaxBytes: maxMessageBytes }), address)
      if (onOpen !== undefined) socket.onPipe(onOpen)
      const dialer = yield* Effect.try({
        try: () => socket.dial(address, dialOptions(tls)),
        catch: toAddressError(address)
      })
      return {
        address,
        request: (payload, options, done) =>
          socket.requestWith(payload, options, (error, reply) => {
            if (error === null) done(undefined, reply ?? noReply)
            else done(describe(error, dialer.connected, dialer.lastError), noReply)
          })
      }
    }),
    publish: Effect.fnUntraced(function*(address, { welcome }) {
      const socket = yield* acquire(() => new Pub(), address)
      socket.onPipe((pipe) => socket.sendTo(pipe, welcome()))
      const listener = yield* Effect.tryPromise({
        try: () => socket.listen(address, listenOptions(address, tls)),
        catch: toAddressError(address)
      })
      return { address: listener.address, send: (payload) => socket.send(payload) }
    }),
    subscribe: Effect.fnUntraced(function*(address, { onMessage, topic }) {
      const socket = yield* acquire(() => new Sub(reconnect), address)
      socket.subscribe(topic)
      socket.onMessage(onMessage)
      yield* Effect.try({ try: () => socket.dial(address, dialOptions(tls)), catch: toAddressError(address) })
    })
  })

const describe = (error: NngError, isConnected: boolean, lastError: NngError | null): string => {
  if (error.code !== "ETIMEDOUT") return error.message
  if (isConnected) return "connected, but no answer came"
  return lastError === null ? "not connected yet" : `not connected: ${lastError.message}`
}

/**
 * Layer that carries messages over NNG.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Transport, AddressError> = Layer.effect(
  Transport,
  Effect.gen(function*() {
    const { tls } = yield* Settings
    // Now, since connections are made in the background, where nobody waits for what is wrong with their options.
    if (tls !== undefined) yield* checkTls(tls)
    return make(tls)
  })
)
