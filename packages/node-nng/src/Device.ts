/** Devices: what one raw socket receives goes out by another. Source: nng src/core/device.c. */
import { NngError } from "./Errors.ts"
import type { RawSocket } from "./RawSocket.ts"
import { canceled } from "./Wait.ts"

/** Limits of a device. */
export interface DeviceOptions {
  /** Ends the device, which then rejects with ECANCELED. */
  readonly signal?: AbortSignal | undefined
}

const forward = async (from: RawSocket, to: RawSocket, signal: AbortSignal): Promise<void> => {
  while (true) {
    const message = from.tryReceive() ?? await from.receive({ signal })
    if (!to.trySend(message)) await to.send(message, { signal })
  }
}

/**
 * Forwards between two raw sockets whose protocols are each other's peers, both ways where the pattern has both. With one
 * socket it reflects: a raw bus passes each message on to all its other peers, a raw pair sends it back. Each device a
 * message passes counts against the `maxTtl` of the sockets behind it; without room it waits, and so do its peers.
 *
 * **Details** Resolves when either socket is closed; rejects with EINVAL for sockets that do not fit, ECANCELED by its
 * signal. It closes no socket. A message in passing is lost when it ends. Take no messages from its sockets meanwhile.
 */
export const device = async (a: RawSocket, b: RawSocket = a, options: DeviceOptions = {}): Promise<void> => {
  if (a.protocol.peer !== b.protocol.self || b.protocol.peer !== a.protocol.self) {
    throw new NngError("EINVAL", `${a.protocol.name} and ${b.protocol.name} are no peers: a device needs two that are`)
  }
  const { signal } = options
  const checkSignal = (): void => {
    if (signal?.aborted === true) throw canceled("the device", signal)
  }
  checkSignal()
  const ends = new AbortController()
  const stop = (): void => ends.abort(signal?.reason)
  signal?.addEventListener("abort", stop)
  const paths = a === b ? [[a, b]] as const : [[a, b], [b, a]] as const
  const running = paths
    .filter(([from, to]) => from.canReceive && to.canSend)
    .map(([from, to]) => forward(from, to, ends.signal))
  try {
    await Promise.race(running)
  } catch (error) {
    checkSignal()
    if (!(error instanceof NngError) || error.code !== "ECLOSED") throw error
  } finally {
    signal?.removeEventListener("abort", stop)
    ends.abort()
    await Promise.allSettled(running)
  }
}
