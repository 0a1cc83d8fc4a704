/**
 * The transport inside one process, for tests, simulations and examples: addresses are names, delivery is by
 * microtask. Faults can be injected: requests and replies lost, requests duplicated, connections cut. Like the real one
 * it sends a request again after `resendMillis` and when its connection is cut or its server was replaced.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Buffer } from "node:buffer"
import { AddressError } from "../domain/Errors.ts"
import type { Incoming, Payload } from "../services/Transport.ts"
import { Transport } from "../services/Transport.ts"

/**
 * Decides what goes wrong, message by message. All default to never.
 *
 * @category models
 * @since 0.1.0
 */
export interface Faults {
  readonly dropRequest?: (address: string) => boolean
  readonly dropReply?: (address: string) => boolean
  readonly duplicateRequest?: (address: string) => boolean
  /** The connection is cut before the request is delivered; it is sent again on a new one. */
  readonly cut?: (address: string) => boolean
}

interface Server {
  readonly address: string
  readonly onRequest: (request: Incoming) => void
  readonly onClose: (peer: number) => void
  readonly onRefused: (remote: string, reason: string) => void
  readonly maxMessageBytes: number
}

const join = (payload: Payload): Buffer =>
  Buffer.concat(payload.map((part) => typeof part === "string" ? Buffer.from(part) : part))

const checked = (address: string): Effect.Effect<string, AddressError> =>
  /^[a-z][a-z0-9+]*:\/\/[^\s]+$/u.test(address)
    ? Effect.succeed(address)
    : Effect.fail(new AddressError({ address, reason: "is not of the form scheme://name" }))

/**
 * Creates the transport: addresses are known within this one only.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (faults: Faults = {}): Transport["Service"] => {
  const servers = new Map<string, Server>()
  /** What the connections to an address do when something begins to listen there. */
  const waiting = new Map<string, Set<() => void>>()
  const subscribers = new Map<string, Set<(body: Buffer) => void>>()
  const publishers = new Map<string, () => Payload>()
  let peers = 0
  let ports = 0

  const bind = <A>(map: Map<string, A>, address: string, value: (address: string) => A) =>
    Effect.acquireRelease(
      Effect.flatMap(checked(address), () => {
        const bound = address.endsWith(":0") ? `${address.slice(0, -1)}${++ports}` : address
        if (map.has(bound)) return Effect.fail(new AddressError({ address, reason: "is in use" }))
        map.set(bound, value(bound))
        return Effect.succeed(bound)
      }),
      (bound) => Effect.sync(() => map.delete(bound))
    )

  return Transport.of({
    serve: Effect.fnUntraced(function*(address, { maxMessageBytes, onClose, onRefused, onRequest }) {
      const bound = yield* bind(
        servers,
        address,
        (address): Server => ({ address, onRequest, onClose, onRefused, maxMessageBytes })
      )
      queueMicrotask(() => {
        for (const reconnect of waiting.get(bound) ?? []) reconnect()
      })
      return { address: bound }
    }),
    connect: Effect.fnUntraced(function*(address, { maxMessageBytes }) {
      yield* checked(address)
      let peer = ++peers
      let server = servers.get(address)
      /** The requests that wait for a reply: how to send each again, and how to end it. */
      const open = new Map<() => void, () => void>()
      const isConnected = () => server !== undefined && servers.get(address) === server
      const disconnect = () => {
        if (isConnected()) server?.onClose(peer)
        peer = ++peers
        server = servers.get(address)
      }
      const reconnect = () => {
        if (isConnected()) return
        disconnect()
        for (const send of open.keys()) send()
      }
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          const others = waiting.get(address) ?? new Set()
          waiting.set(address, others)
          others.add(reconnect)
        }),
        () =>
          Effect.sync(() => {
            waiting.get(address)?.delete(reconnect)
            for (const close of open.values()) close()
            disconnect()
          })
      )
      return {
        address,
        request(payload, { resendMillis, timeoutMillis }, done) {
          const body = join(payload)
          let isOpen = true
          const deliver = (to: Server, from: number) => {
            if (faults.dropRequest?.(address) === true) return
            to.onRequest({
              body,
              peer: from,
              reply(payload) {
                if (faults.dropReply?.(address) === true) return
                const reply = join(payload)
                queueMicrotask(() => {
                  // A reply does not outlive the connection that the request came on.
                  if (!isOpen || from !== peer || !isConnected() || reply.length > maxMessageBytes) return
                  close()
                  done(undefined, reply)
                })
              }
            })
          }
          const send = () => {
            if (!isOpen) return
            if (!isConnected() || faults.cut?.(address) === true) disconnect()
            if (server === undefined) return
            if (body.length > server.maxMessageBytes) {
              server.onRefused(
                `peer ${peer}`,
                `a message of ${body.length} bytes is larger than ${server.maxMessageBytes}`
              )
              disconnect()
              for (const other of open.keys()) if (other !== send) queueMicrotask(other)
              return
            }
            deliver(server, peer)
            if (faults.duplicateRequest?.(address) === true) deliver(server, peer)
          }
          const timeout = setTimeout(() => {
            close()
            done(isConnected() ? "connected, but no answer came" : "nothing listens there", body.subarray(0, 0))
          }, timeoutMillis)
          const resend = setInterval(send, Math.max(1, resendMillis))
          const close = () => {
            isOpen = false
            clearTimeout(timeout)
            clearInterval(resend)
            open.delete(send)
          }
          open.set(send, close)
          queueMicrotask(send)
          return close
        }
      }
    }),
    publish: Effect.fnUntraced(function*(address, { welcome }) {
      const bound = yield* bind(publishers, address, () => welcome)
      const send = (payload: Payload) => {
        const body = join(payload)
        for (const subscriber of subscribers.get(bound) ?? []) queueMicrotask(() => subscriber(body))
      }
      send(welcome())
      return { address: bound, send }
    }),
    subscribe: Effect.fnUntraced(function*(address, { onMessage, topic }) {
      yield* checked(address)
      const prefix = Buffer.from(topic)
      const subscriber = (body: Buffer) => {
        if (body.subarray(0, prefix.length).equals(prefix)) onMessage(body)
      }
      const others = subscribers.get(address) ?? new Set()
      subscribers.set(address, others)
      yield* Effect.acquireRelease(
        Effect.sync(() => others.add(subscriber)),
        () => Effect.sync(() => others.delete(subscriber))
      )
      const welcome = publishers.get(address)
      if (welcome !== undefined) queueMicrotask(() => subscriber(join(welcome())))
    })
  })
}

/**
 * Layer that carries messages inside this process.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (faults?: Faults): Layer.Layer<Transport> => Layer.sync(Transport, () => make(faults))
