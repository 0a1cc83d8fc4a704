/**
 * Discovery without announcements: the addresses are given. Used with a direct address, and by the worker inside a
 * control plane's process.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Announcement } from "../domain/Message.ts"
import { protocolVersion } from "../domain/Message.ts"
import { Discovery } from "../services/Discovery.ts"

/**
 * Creates discovery of the one control plane at these addresses.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (addresses: { readonly address?: string; readonly workerAddress?: string }) => {
  const address = addresses.address ?? addresses.workerAddress ?? ""
  const announcement: Announcement = {
    v: protocolVersion,
    namespace: "",
    // Not known before the first answer, and nobody compares it here.
    epoch: "0".repeat(32),
    address: addresses.address ?? "",
    workerAddress: addresses.workerAddress ?? ""
  }
  return Discovery.of({
    address,
    announce: () => Effect.succeed({ address }),
    find: (onFound) => Effect.sync(() => onFound(announcement))
  })
}

/**
 * Layer that finds the control plane at given addresses.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  addresses: { readonly address?: string; readonly workerAddress?: string }
): Layer.Layer<Discovery> => Layer.sync(Discovery, () => make(addresses))
