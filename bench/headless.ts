/**
 * The control plane without sockets: messages are handed to it as the transport would, and what it answers is counted and
 * thrown away. Single process and single thread, so that what it costs can be compared on a busy machine.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { randomBytes } from "node:crypto"
import * as ControlPlaneServer from "../dist/layers/ControlPlaneServer.js"
import * as EventBusPubSub from "../dist/layers/EventBusPubSub.js"
import { layerCore } from "../dist/layers/Node.js"
import { layerSettings } from "../dist/layers/NodeClient.js"
import { Discovery } from "../dist/services/Discovery.js"
import type { Incoming, Payload } from "../dist/services/Transport.js"
import { Transport } from "../dist/services/Transport.js"

export const token = () => randomBytes(16).toString("hex")
export const message = (header: object, body = "") => Buffer.from(`${JSON.stringify(header)}\n${body}`)

/** What gathers in a turn of the event loop is answered at its end. */
export const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/**
 * CPU time of this thread. Linux adds up the time of a thread only at its ticks, some milliseconds apart; asked for the time
 * of the whole process, it does so at once.
 */
export const cpuMicros = () => {
  process.cpuUsage()
  const { system, user } = process.threadCpuUsage()
  return system + user
}

export interface Headless {
  readonly toClients: (body: Uint8Array) => void
  readonly toWorkers: (body: Uint8Array) => void
  readonly answered: () => { readonly replies: number; readonly bytes: number }
}

const discovery = Layer.succeed(
  Discovery,
  {
    announce: () => Effect.succeed({ address: "none" })
  } as unknown as Discovery["Service"]
)

/** Runs a program with a control plane. */
export const runHeadless = <A>(program: (plane: Headless) => Promise<A>): Promise<A> => {
  const handlers: Array<(request: Incoming) => void> = []
  const transport = Layer.succeed(
    Transport,
    {
      serve: (address: string, { onRequest }: { readonly onRequest: (request: Incoming) => void }) =>
        Effect.sync(() => {
          handlers.push(onRequest)
          return { address }
        }),
      connect: () => Effect.die("no connections"),
      publish: () => Effect.die("no announcements"),
      subscribe: () => Effect.void
    } as unknown as Transport["Service"]
  )
  let replies = 0
  let bytes = 0
  const reply = (payload: Payload) => {
    replies++
    for (const part of payload) bytes += part.length
  }
  const send = (role: number) => (body: Uint8Array) => handlers[role]?.({ body, peer: role + 1, reply })
  const plane: Headless = { toClients: send(0), toWorkers: send(1), answered: () => ({ replies, bytes }) }
  return Effect.runPromise(
    ControlPlaneServer.make.pipe(
      Effect.andThen(Effect.promise(() => program(plane))),
      Effect.scoped,
      Effect.provide(Layer.mergeAll(layerCore, EventBusPubSub.layer, transport, discovery)),
      Effect.provide(layerSettings({}))
    )
  )
}

/** Lets tasks wait that nobody runs: their name has a handler, which a worker without a free slot announces. */
export const submitWaiting = async (plane: Headless, count: number, args: string): Promise<void> => {
  const batch = 1_000
  plane.toWorkers(
    message({ v: 1, op: "register", session: token(), worker: "full", slots: 1, tasks: [{ name: "later" }] })
  )
  for (let left = count; left > 0; left -= batch) {
    const tasks = Array.from({ length: batch }, () => ({ id: token(), name: "later", size: args.length }))
    plane.toClients(message({ v: 1, op: "submit", tasks }, args.repeat(batch)))
    await turn()
  }
}
