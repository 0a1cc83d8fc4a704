/**
 * A client of a real process, composed: over NNG, with discovery. Apart from the other roles, so that a program that only
 * submits tasks does not load them.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { AddressError, SecretError } from "../domain/Errors.ts"
import type { Settings as Values } from "../domain/Settings.ts"
import { defaults } from "../domain/Settings.ts"
import { Client } from "../services/Client.ts"
import type { Discovery } from "../services/Discovery.ts"
import { Settings } from "../services/Settings.ts"
import * as ClientRemote from "./ClientRemote.ts"
import * as DiscoveryNng from "./DiscoveryNng.ts"
import * as DiscoveryStatic from "./DiscoveryStatic.ts"
import * as TransportNng from "./TransportNng.ts"
import * as TransportSecured from "./TransportSecured.ts"

/**
 * The settings with some of them changed, as a layer.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerSettings = (settings: Partial<Values> = {}): Layer.Layer<never> =>
  Layer.succeed(Settings, { ...defaults, ...settings })

/**
 * Where a client or a worker finds its control plane. Without an address it listens for announcements.
 *
 * @category models
 * @since 0.1.0
 */
export interface Target {
  /** The control plane's address for this role; skips discovery. */
  readonly controlPlane?: string
}

/**
 * Layer that is messages over NNG, between those who have the secret.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerTransport = TransportSecured.layer.pipe(Layer.provide(TransportNng.layer))

/**
 * Layer that knows one address. It is checked at once: it would be dialled in the background, for ever.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerStatic = (address: string, role: "address" | "workerAddress"): Layer.Layer<Discovery, AddressError> =>
  Layer.unwrap(
    Effect.as(TransportNng.checkAddress(address), DiscoveryStatic.layer({ [role]: address }))
  )

/**
 * Layer that is a client.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerClient = ({ controlPlane }: Target = {}): Layer.Layer<Client, AddressError | SecretError> =>
  ClientRemote.layer.pipe(
    Layer.provide(controlPlane === undefined ? DiscoveryNng.layer : layerStatic(controlPlane, "address")),
    Layer.provide(layerTransport),
    Layer.fresh
  )

/**
 * A client without a scope: whoever connects closes.
 *
 * @category models
 * @since 0.1.0
 */
export type ConnectedClient = Client["Service"] & { readonly close: Effect.Effect<void> }

/**
 * Connects a client for programs that do not compose layers. It connects in the background: calls wait for the control
 * plane until their deadline. An open client keeps the process alive until it is closed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const connect = (
  options: Target & Partial<Values> = {}
): Effect.Effect<ConnectedClient, AddressError | SecretError> =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    const { controlPlane, ...settings } = options
    const context = yield* Layer.buildWithScope(
      layerClient(controlPlane === undefined ? {} : { controlPlane }).pipe(Layer.provide(layerSettings(settings))),
      scope
    ).pipe(Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause))))
    const client = yield* Effect.provideContext(Client, context)
    return { ...client, close: Scope.close(scope, Exit.void) }
  })
