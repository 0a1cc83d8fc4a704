/**
 * The transport with the secret of the settings: connections prove themselves before anything else, announcements are
 * signed, and nobody listens beyond this machine without a secret by accident. Without a secret it is the transport
 * itself. What stays in this process's memory needs no proof.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Buffer } from "node:buffer"
import { AddressError, SecretError } from "../domain/Errors.ts"
import { protocolVersion as v } from "../domain/Message.ts"
import type { Settings as Values } from "../domain/Settings.ts"
import { Settings } from "../services/Settings.ts"
import type { Payload } from "../services/Transport.ts"
import { Transport } from "../services/Transport.ts"
import { makeGuard } from "./Guard.ts"
import { withHandshake } from "./Handshake.ts"
import type { PeerKey, PlaneKey } from "./Secret.ts"
import * as Secret from "./Secret.ts"

const isInProcess = (address: string) => address.startsWith("inproc:")

/** Hosts that only processes of this machine can reach. */
const localHost = /^(localhost|127(\.\d{1,3}){3}|\[::1\]|::1)$/iu

/**
 * Returns whether an address can be reached by this machine alone.
 *
 * @category guards
 * @since 0.1.0
 */
export const isLocal = (address: string): boolean => {
  const match = /^([a-z0-9+]+):\/\/(.*)$/iu.exec(address)
  if (match === null) return false
  const [, scheme = "", rest = ""] = match
  if (/^(inproc|ipc|unix|abstract)$/iu.test(scheme)) return true
  return localHost.test(rest.replace(/\/.*$/u, "").replace(/:\d*$/u, ""))
}

const isTls = (address: string) => /^tls\+/iu.test(address)

const newline = 0x0a

/** Checks that nobody listens beyond this machine by accident. */
const checkExposure = (address: string, { insecure, secret, tls }: Values) =>
  secret !== undefined || insecure || isLocal(address) || (isTls(address) && tls?.clientCertificates === true)
    ? Effect.void
    : Effect.fail(
      new AddressError({
        address,
        reason: "can be reached from other machines, and whoever connects could run tasks: set FASTWORKER_SECRET " +
          "(`fastworker secret` makes one) here and in every client and worker, ask for certificates " +
          "(tls+tcp:// with --tls-client-certificates), or say --insecure"
      })
    )

/**
 * Returns the transport with the secret of the settings.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (transport: Transport["Service"], settings: Values): Transport["Service"] => {
  const { secret } = settings
  const checked: Transport["Service"] = {
    connect: transport.connect,
    serve: (address, options) => Effect.andThen(checkExposure(address, settings), transport.serve(address, options)),
    publish: (address, options) =>
      Effect.andThen(checkExposure(address, settings), transport.publish(address, options)),
    // A signature is no matter to who has no secret: the connection will say that there is one.
    subscribe: (address, { onMessage, topic }) =>
      transport.subscribe(address, {
        topic,
        onMessage(body) {
          const at = body.lastIndexOf(newline)
          onMessage(at === -1 ? body : body.subarray(0, at))
        }
      })
  }
  if (secret === undefined) return checked
  return secured({
    transport: { ...checked, subscribe: transport.subscribe },
    peerKey: Secret.peerKey(secret),
    planeKey: Secret.planeKey(secret),
    authMillis: settings.authTimeoutMillis
  })
}

const secured = ({ authMillis, peerKey, planeKey, transport }: {
  readonly transport: Transport["Service"]
  readonly peerKey: PeerKey
  readonly planeKey: PlaneKey | undefined
  readonly authMillis: number
}): Transport["Service"] => {
  const needsSecret = (address: string) =>
    Effect.fail(
      new AddressError({
        address,
        reason: `can't be served with the key of a role (${peerKey.role}): a control plane needs the secret itself`
      })
    )
  return Transport.of({
    serve(address, options) {
      if (isInProcess(address)) return transport.serve(address, options)
      if (planeKey === undefined) return needsSecret(address)
      const guard = makeGuard({
        key: planeKey,
        millis: authMillis,
        v,
        pass: options.onRequest,
        onClose: options.onClose,
        refused: options.onRefused
      })
      return transport.serve(address, { ...options, ...guard })
    },
    connect(address, options) {
      if (isInProcess(address)) return transport.connect(address, options)
      let onOpen = () => {}
      return Effect.map(transport.connect(address, { ...options, onOpen: () => onOpen() }), (connection) => ({
        address: connection.address,
        request: withHandshake(connection.request, peerKey, {
          name: address,
          v,
          onOpen: (opened) => {
            onOpen = opened
          }
        })
      }))
    },
    publish(address, { welcome }) {
      if (planeKey === undefined) return needsSecret(address)
      // An announcement is made many times and hardly ever changes.
      let signedLast: { readonly bytes: Buffer; readonly payload: Payload } | undefined
      const signed = (payload: Payload): Payload => {
        const bytes = Buffer.concat(payload.map((part) => typeof part === "string" ? Buffer.from(part) : part))
        if (signedLast === undefined || !signedLast.bytes.equals(bytes)) {
          signedLast = { bytes, payload: [bytes, `\n${Secret.signAnnouncement(planeKey, bytes)}`] }
        }
        return signedLast.payload
      }
      return Effect.map(transport.publish(address, { welcome: () => signed(welcome()) }), (publisher) => ({
        address: publisher.address,
        send: (payload) => publisher.send(signed(payload))
      }))
    },
    subscribe: (address, { onMessage, topic }) =>
      Effect.suspend(() => {
        let accepted = Buffer.alloc(0)
        let hasWarned = false
        return Effect.context().pipe(
          Effect.map(Effect.runForkWith),
          Effect.flatMap((runFork) =>
            transport.subscribe(address, {
              topic,
              onMessage(body) {
                const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
                const at = Math.max(0, bytes.lastIndexOf(newline))
                const announced = bytes.subarray(0, at)
                // The same again, as most are, needs no second look.
                if (!bytes.equals(accepted)) {
                  if (!Secret.isAnnouncement(peerKey, announced, bytes.toString("latin1", at + 1))) {
                    if (hasWarned) return
                    hasWarned = true
                    runFork(
                      Effect.logWarning(`An announcement at ${address} was not signed with our secret: it is ignored`)
                    )
                    return
                  }
                  accepted = Buffer.from(bytes)
                }
                onMessage(announced)
              }
            })
          )
        )
      })
  })
}

/**
 * Layer that is the transport with the secret of the settings.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Transport, SecretError, Transport> = Layer.effect(
  Transport,
  Effect.gen(function*() {
    const settings = yield* Settings
    const problem = settings.secret === undefined ? undefined : Secret.problem(settings.secret)
    if (problem !== undefined) return yield* new SecretError({ reason: problem })
    return make(yield* Transport, settings)
  })
)
