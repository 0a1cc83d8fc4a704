/**
 * The heartbeat from a thread: a small one with a connection of its own (`HeartbeatThread.ts`), which goes on while a task
 * blocks the event loop, and stops when the process is stopped. The event loop shows that it runs by a number in shared
 * memory, which it goes on changing.
 *
 * Owns the thread. A worker goes on without it when it can't be started or ends.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Worker as Thread } from "node:worker_threads"
import { protocolVersion } from "../domain/Message.ts"
import { formatDuration } from "../domain/Settings.ts"
import type { HeartbeatTarget } from "../services/Heartbeat.ts"
import { Heartbeat } from "../services/Heartbeat.ts"
import { Settings } from "../services/Settings.ts"
import type { HeartbeatOrder, HeartbeatStart } from "./HeartbeatThread.ts"
import { peerKey, problem } from "./Secret.ts"
import { dialOptions } from "./TransportNng.ts"

/** How often the event loop shows that it runs. */
const tickMillis = 200

/** Beats are not sent more often than this. */
const minBeatMillis = 500

/** The entry, compiled (`.js`) or as it was written (`.ts`) as this module is. By its folder: a bundle is in another. */
const entry = new URL(
  `../layers/HeartbeatThread${import.meta.url.slice(import.meta.url.lastIndexOf("."))}`,
  import.meta.url
)

/**
 * Prepares to beat for a session until the scope closes. The thread begins with the first registration at an address that
 * it can reach: an address in this process's memory is not.
 *
 * @category constructors
 * @since 0.1.0
 */
export const start = Effect.fnUntraced(function*(session: string) {
  const runFork = Effect.runForkWith(yield* Effect.context())
  const { secret, tls } = yield* Settings
  const key = secret === undefined || problem(secret) !== undefined ? undefined : peerKey(secret)
  const ticks = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  let thread: Thread | undefined
  let timer: NodeJS.Timeout | undefined
  let timeoutMillis = 0
  let isClosing = false

  const tick = () => {
    Atomics.add(ticks, 0, 1)
  }

  const launch = (): Thread => {
    tick()
    timer = setInterval(tick, tickMillis).unref()
    const workerData: HeartbeatStart = { v: protocolVersion, session, ticks, tickMillis, key, dial: dialOptions(tls) }
    // Nothing of how this process was started, loaders for example, concerns the thread: it starts faster without.
    const started = new Thread(entry, { workerData, execArgv: [], env: {}, name: "fastworker heartbeat" })
    started.unref()
    let reason = ""
    started.on("error", (error) => {
      reason = `: ${String(error)}`
    })
    started.on("exit", () => {
      clearInterval(timer)
      if (isClosing) return
      const limit = formatDuration(timeoutMillis)
      runFork(
        Effect.logWarning(
          `No heartbeats any more${reason}. A task that blocks the event loop for ${limit} now loses its worker`
        )
      )
    })
    return started
  }

  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      isClosing = true
      clearInterval(timer)
      const running = thread
      return running === undefined ? Effect.void : Effect.promise(() => running.terminate())
    })
  )
  return ({ address, heartbeatMillis, heartbeatTimeoutMillis }: HeartbeatTarget) => {
    if (isClosing || address.startsWith("inproc:")) return
    timeoutMillis = heartbeatTimeoutMillis
    thread ??= launch()
    const order: HeartbeatOrder = { address, everyMillis: Math.max(minBeatMillis, heartbeatMillis / 5) }
    thread.postMessage(order)
  }
})

/**
 * Layer that beats from a thread.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<never> = Layer.succeed(Heartbeat, { start })
