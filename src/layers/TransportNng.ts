/**
 * The transport over NNG: REQ/REP for requests, PUB/SUB for announcements, on `tcp://`, `ipc://` and `inproc://`.
 * Connections are made in the background and again when they are lost. Compatible on the wire with the C library.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { NngError, parseDialAddress, Pub, Rep, Req, Sub } from "node-nng"
import { AddressError } from "../domain/Errors.ts"
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

/**
 * Creates the transport.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): Transport["Service"] =>
  Transport.of({
    serve: Effect.fnUntraced(function*(address, { maxMessageBytes, onClose, onRefused, onRequest }) {
      const socket = yield* acquire(() => new Rep({ receiveMaxBytes: maxMessageBytes }), address)
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
      socket.onRefused((remote, reason) => onRefused(remote, reason.message))
      const listener = yield* Effect.tryPromise({ try: () => socket.listen(address), catch: toAddressError(address) })
      return { address: listener.address }
    }),
    connect: Effect.fnUntraced(function*(address, { maxMessageBytes }) {
      const socket = yield* acquire(() => new Req({ ...reconnect, receiveMaxBytes: maxMessageBytes }), address)
      const dialer = yield* Effect.try({ try: () => socket.dial(address), catch: toAddressError(address) })
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
      const listener = yield* Effect.tryPromise({ try: () => socket.listen(address), catch: toAddressError(address) })
      return { address: listener.address, send: (payload) => socket.send(payload) }
    }),
    subscribe: Effect.fnUntraced(function*(address, { onMessage, topic }) {
      const socket = yield* acquire(() => new Sub(reconnect), address)
      socket.subscribe(topic)
      socket.onMessage(onMessage)
      yield* Effect.try({ try: () => socket.dial(address), catch: toAddressError(address) })
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
export const layer: Layer.Layer<Transport> = Layer.sync(Transport, make)
