/**
 * The thread that beats for a worker: entry of a `worker_threads` thread, started by `Heartbeat.ts`. Sends `beat` to the
 * control plane that the worker is registered with, and in it how far the worker's event loop is behind.
 *
 * Imports nothing but the sockets and the handshake: it must start fast and stay small. What comes of a beat is not looked at: the event loop
 * learns from its own exchanges what has become of its registration.
 *
 * @since 0.1.0
 */
import type { DialOptions } from "node-nng"
import { Req } from "node-nng"
import { Buffer } from "node:buffer"
import type { MessagePort } from "node:worker_threads"
import { parentPort, workerData } from "node:worker_threads"
import type { Connection } from "../services/Transport.ts"
import { withHandshake } from "./Handshake.ts"
import type { PeerKey } from "./Secret.ts"

/**
 * What the thread is started with.
 *
 * @category models
 * @since 0.1.0
 */
export interface HeartbeatStart {
  /** Version of the protocol. */
  readonly v: number
  readonly session: string
  /** In shared memory: a number that the event loop changes every `tickMillis`, as long as it runs. */
  readonly ticks: Int32Array
  readonly tickMillis: number
  /** How to connect. */
  readonly dial: DialOptions
  /** What this process proves its role with; the bytes lose their class on the way into the thread. */
  readonly key: PeerKey | undefined
}

/**
 * What the thread is told with each registration: where to beat, and how often.
 *
 * @category models
 * @since 0.1.0
 */
export interface HeartbeatOrder {
  readonly address: string
  readonly everyMillis: number
}

const ignore = () => {}
const noBytes = new Uint8Array(0)

/** A beat is not waited for: this bounds the handshake before it. */
const answerMillis = 60_000

const beatUntilTheEnd = (port: MessagePort, { dial, key, session, tickMillis, ticks, v }: HeartbeatStart) => {
  let address = ""
  let req: Req | undefined
  let send: Connection["request"] | undefined
  let timer: NodeJS.Timeout | undefined
  let cancel = ignore
  let seen = 0
  let sampledAt = performance.now()
  let unchangedMillis = 0

  const sender = (req: Req, name: string): Connection["request"] => {
    const send: Connection["request"] = (payload, options, done) =>
      req.requestWith(payload, options, (error, reply) => done(error?.message, reply ?? noBytes))
    return key === undefined ? send : withHandshake(
      send,
      { role: key.role, key: Buffer.from(key.key), plane: Buffer.from(key.plane) },
      { name, v }
    )
  }

  const sample = () => {
    const now = performance.now()
    // Of a longer time the rest went by without this thread either: the whole process was stopped, which is not lag.
    const elapsed = Math.min(now - sampledAt, 2 * tickMillis)
    const tick = Atomics.load(ticks, 0)
    unchangedMillis = tick === seen ? unchangedMillis + elapsed : 0
    seen = tick
    sampledAt = now
  }

  const beat = () => {
    sample()
    const lag = Math.max(0, Math.round(unchangedMillis - tickMillis))
    const message = [`${JSON.stringify({ v, op: "beat", session, lag })}\n`]
    // A beat without an answer is out of date by now.
    cancel()
    cancel = send?.(message, { resendMillis: 0, timeoutMillis: answerMillis }, ignore) ?? ignore
  }

  setInterval(sample, tickMillis)
  port.on("message", (order: HeartbeatOrder) => {
    if (order.address !== address) {
      cancel()
      cancel = ignore
      void req?.close()
      address = order.address
      req = new Req({ reconnectMinMillis: 50, reconnectMaxMillis: 1_000 })
      req.dial(address, dial)
      send = sender(req, address)
    }
    clearInterval(timer)
    beat()
    timer = setInterval(beat, order.everyMillis)
  })
}

if (parentPort !== null) beatUntilTheEnd(parentPort, workerData as HeartbeatStart)
