/**
 * Contract of the transport: requests with replies, and announcements to whoever listens. Messages are bytes. Owns
 * connections, their bounds and their recovery; knows nothing of tasks.
 *
 * Delivery: a request may arrive more than once (a lost connection resends it) and its reply may be lost with the
 * connection; replies come in any order. Announcements are best effort.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { AddressError } from "../domain/Errors.ts"
import type { Role } from "../domain/Role.ts"

/**
 * A message to send: the parts, joined in order; a string is UTF-8. Parts must not be changed afterwards.
 *
 * @category models
 * @since 0.1.0
 */
export type Payload = ReadonlyArray<string | Uint8Array>

/**
 * A request as the serving side sees it. `body` may be a view into a larger buffer: copy what is kept.
 *
 * @category models
 * @since 0.1.0
 */
export interface Incoming {
  readonly body: Uint8Array
  /** Identifies the connection. */
  readonly peer: number
  /** The other end, for people. */
  readonly remote?: string
  /** Answers, once; without effect when the connection is gone. */
  readonly reply: (payload: Payload) => void
  /** What the connection has proved that it may do. Default: nobody asked, it may do everything. */
  readonly role?: Role
  /** Closes the connection when what was answered has been sent. */
  readonly close?: () => void
}

/**
 * A connection that was made, before its first request.
 *
 * @category models
 * @since 0.1.0
 */
export interface Opened {
  /** Identifies the connection, as in its requests. */
  readonly peer: number
  readonly remote: string
  readonly close: () => void
}

/**
 * Bounds of what one peer may take. Left out: those of the transport.
 *
 * @category models
 * @since 0.1.0
 */
export interface PeerLimits {
  /** Connections from one address of the network; 0: any. */
  readonly maxConnectionsPerAddress?: number
  /** Unanswered requests of a connection, and their bytes, after which no more are read of it. */
  readonly maxRequestsPerConnection?: number
  readonly maxRequestBytesPerConnection?: number
}

/**
 * A way to send requests to one address, which reconnects by itself.
 *
 * @category models
 * @since 0.1.0
 */
export interface Connection {
  readonly address: string
  /**
   * Sends a request and calls `done` once, with the reply or with why there is none within `timeoutMillis`. It is sent
   * again when the connection is lost and after each `resendMillis`. Returns how to give it up: then `done` is not called.
   */
  readonly request: (
    payload: Payload,
    options: { readonly timeoutMillis: number; readonly resendMillis: number },
    done: (failure: string | undefined, reply: Uint8Array) => void
  ) => () => void
}

/**
 * Service that carries bytes.
 *
 * @category services
 * @since 0.1.0
 */
export class Transport extends Context.Service<Transport, {
  /** Serves requests on an address until the scope closes. Succeeds with the address as bound (port 0 is chosen). */
  readonly serve: (
    address: string,
    options: {
      readonly maxMessageBytes: number
      readonly limits?: PeerLimits
      /** A connection was made. Transports without connections do not call it. */
      readonly onOpen?: (opened: Opened) => void
      readonly onRequest: (request: Incoming) => void
      readonly onClose: (peer: number) => void
      /** A connection that was not accepted, or was closed for what it sent. */
      readonly onRefused: (remote: string, reason: string) => void
    }
  ) => Effect.Effect<{ readonly address: string }, AddressError, Scope.Scope>
  /** Connects to an address in the background, for as long as the scope is open. */
  readonly connect: (
    address: string,
    options: {
      readonly maxMessageBytes: number
      /** It is connected, for the first time or again. Transports without connections do not call it. */
      readonly onOpen?: () => void
    }
  ) => Effect.Effect<Connection, AddressError, Scope.Scope>
  /** Publishes on an address; each new subscriber gets `welcome()` at once. */
  readonly publish: (
    address: string,
    options: { readonly welcome: () => Payload }
  ) => Effect.Effect<{ readonly address: string; readonly send: (payload: Payload) => void }, AddressError, Scope.Scope>
  /** Calls `onMessage` with each announcement that starts with `topic`, for as long as the scope is open. */
  readonly subscribe: (
    address: string,
    options: { readonly topic: string; readonly onMessage: (body: Uint8Array) => void }
  ) => Effect.Effect<void, AddressError, Scope.Scope>
}>()("fastworker/services/Transport") {}
