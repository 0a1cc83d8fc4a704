/**
 * The transport inside one process, for tests, simulations and examples: addresses are names, delivery is by
 * microtask. Faults can be injected: requests and replies lost, requests duplicated, connections cut. Like the real one
 * it sends a request again after `resendMillis` and when its connection is cut.
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
  readonly maxMessageBytes: number
}

const join = (payload: Payload): Buffer =>
  Buffer.concat(payload.map((part) => typeof part === "string" ? Buffer.from(part) : part))

/**
 * Creates the transport: addresses are known within this one only.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (faults: Faults = {}): Transport["Service"] => {
  const servers = new Map<string, Server>()
  const subscribers = new Map<string, Set<(body: Buffer) => void>>()
  const publishers = new Map<string, () => Payload>()
  let peers = 0
  let ports = 0

  const bind = <A>(map: Map<string, A>, address: string, value: (address: string) => A) =>
    Effect.acquireRelease(
      Effect.suspend(() => {
        const bound = address.endsWith(":0") ? `${address.slice(0, -1)}${++ports}` : address
        if (map.has(bound)) return Effect.fail(new AddressError({ address, reason: "is in use" }))
        map.set(bound, value(bound))
        return Effect.succeed(bound)
      }),
      (bound) => Effect.sync(() => map.delete(bound))
    )

  return Transport.of({
    serve: (address, { maxMessageBytes, onClose, onRequest }) =>
      Effect.map(
        bind(servers, address, (address): Server => ({ address, onRequest, onClose, maxMessageBytes })),
        (address) => ({ address })
      ),
    connect: Effect.fnUntraced(function*(address) {
      let peer = ++peers
      let server = servers.get(address)
      const open = new Set<() => void>()
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          for (const cancel of open) cancel()
          server?.onClose(peer)
        })
      )
      return {
        address,
        request(payload, { resendMillis, timeoutMillis }, done) {
          const body = join(payload)
          let isOpen = true
          const close = () => {
            isOpen = false
            clearTimeout(timeout)
            clearInterval(resend)
            open.delete(close)
          }
          const deliver = (to: Server, from: number) => {
            if (body.length > to.maxMessageBytes || faults.dropRequest?.(address) === true) return
            to.onRequest({
              body,
              peer: from,
              reply(payload) {
                if (faults.dropReply?.(address) === true) return
                const reply = join(payload)
                queueMicrotask(() => {
                  if (!isOpen) return
                  close()
                  done(undefined, reply)
                })
              }
            })
          }
          const send = () => {
            if (!isOpen) return
            const current = servers.get(address)
            if (current !== server || faults.cut?.(address) === true) {
              server?.onClose(peer)
              peer = ++peers
              server = current
            }
            if (server === undefined) return
            deliver(server, peer)
            if (faults.duplicateRequest?.(address) === true) deliver(server, peer)
          }
          const timeout = setTimeout(() => {
            close()
            done(server === undefined ? "nothing listens there" : "connected, but no answer came", body.subarray(0, 0))
          }, timeoutMillis)
          const resend = setInterval(send, Math.max(1, resendMillis))
          open.add(close)
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
      const subscriber = (body: Buffer) => {
        if (body.toString("utf8", 0, topic.length) === topic) onMessage(body)
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
