/**
 * CPU time of the control plane for each task, without sockets: messages are handed to it as the transport would, in
 * batches, and what it answers is thrown away. Single process, so that it can be compared on a busy machine; the
 * yardstick is the time that the same process takes to parse and print the same headers.
 *
 *     node bench/ControlPlane.ts [--batch 64] [--seconds 4] [--waiting 0] [--json]
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { randomBytes } from "node:crypto"
import { parseArgs } from "node:util"
import * as ControlPlaneServer from "../dist/layers/ControlPlaneServer.js"
import * as EventBusPubSub from "../dist/layers/EventBusPubSub.js"
import { layerCore, layerSettings } from "../dist/layers/Node.js"
import { Discovery } from "../dist/services/Discovery.js"
import type { Incoming, Payload } from "../dist/services/Transport.js"
import { Transport } from "../dist/services/Transport.js"

const { values } = parseArgs({
  options: {
    batch: { type: "string", default: "64" },
    seconds: { type: "string", default: "4" },
    waiting: { type: "string", default: "0" },
    json: { type: "boolean", default: false }
  }
})
const batch = Number(values.batch)
const rounds = 64

const token = () => randomBytes(16).toString("hex")
const message = (header: object, body = "") => Buffer.from(`${JSON.stringify(header)}\n${body}`)
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
const cpuMicros = () => {
  const { system, user } = process.threadCpuUsage()
  return system + user
}

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
const discovery = Layer.succeed(
  Discovery,
  {
    announce: () => Effect.succeed({ address: "none" })
  } as unknown as Discovery["Service"]
)

let replies = 0
let bytes = 0
const send = (role: 0 | 1, body: Uint8Array) =>
  handlers[role]?.({
    body,
    peer: role + 1,
    reply: (payload: Payload) => {
      replies++
      for (const part of payload) bytes += part.length
    }
  })

/** Messages of one life of so many batches, made before anything is measured. */
const life = (client: string, worker: string, seq: number) => {
  const ids = Array.from({ length: rounds }, () => Array.from({ length: batch }, token))
  const sizes = ids[0]?.map((_, i) => ({ args: `{"x":${i},"y":1}`, result: `${i + 1}` })) ?? []
  const args = sizes.map((size) => size.args).join("")
  const results = sizes.map((size) => size.result).join("")
  return ids.map((batchIds, round) => ({
    submit: message({
      v: 1,
      op: "submit",
      session: client,
      tasks: batchIds.map((id, i) => ({ id, name: "add", size: sizes[i]?.args.length ?? 0, watch: true }))
    }, args),
    collect: message({ v: 1, op: "collect", session: client, ack: (seq + round) * batch, wait: 10_000 }),
    exchange: message({
      v: 1,
      op: "exchange",
      session: worker,
      seq: seq + round + 2,
      settled: seq + round + 1,
      free: 4 * batch,
      reports: batchIds.map((id, i) => ({ id, attempt: 1, state: "succeeded", size: sizes[i]?.result.length ?? 0 }))
    }, results)
  }))
}

const program = Effect.gen(function*() {
  yield* ControlPlaneServer.make
  const client = token()
  const worker = token()
  send(1, message({ v: 1, op: "register", session: worker, worker: "w", slots: 4 * batch, tasks: [{ name: "add" }] }))
  send(1, message({ v: 1, op: "exchange", session: worker, seq: 1, free: 4 * batch }))
  for (let left = Number(values.waiting); left > 0; left -= 1_000) {
    const tasks = Array.from({ length: 1_000 }, () => ({ id: token(), name: "later", size: 2 }))
    send(0, message({ v: 1, op: "submit", tasks }, "{}".repeat(1_000)))
  }
  yield* Effect.promise(turn)
  const run = Effect.promise(async () => {
    const samples: Array<number> = []
    let seq = 0
    const until = performance.now() + Number(values.seconds) * 1_000
    while (performance.now() < until || samples.length < 3) {
      const messages = life(client, worker, seq)
      seq += rounds
      const before = cpuMicros()
      for (const { collect, exchange, submit } of messages) {
        send(0, collect)
        send(0, submit)
        await turn()
        send(1, exchange)
        await turn()
      }
      samples.push((cpuMicros() - before) / (rounds * batch))
    }
    return samples.slice(1).sort((a, b) => a - b)
  })
  const samples = yield* run
  const plane = samples[Math.floor(samples.length / 10)] ?? NaN
  const example = life(client, worker, 0)[0]
  const parsed = [example?.submit, example?.exchange].map((made) => made?.toString().split("\n")[0] ?? "")
  const yardsticks: Array<number> = []
  for (let i = 0; i < 40; i++) {
    const from = cpuMicros()
    for (let k = 0; k < 100; k++) for (const text of parsed) bytes += JSON.stringify(JSON.parse(text)).length
    yardsticks.push((cpuMicros() - from) / (100 * batch))
  }
  const yardstick = yardsticks.sort((a, b) => a - b)[yardsticks.length >> 2] ?? NaN
  console.log(
    values.json
      ? JSON.stringify({ batch, plane, best: samples[0], yardstick })
      : `batch ${batch}: ${plane.toFixed(2)} µs a task (best ${samples[0]?.toFixed(2)}), ` +
        `${(plane / yardstick).toFixed(2)} times parsing and printing its headers (${yardstick.toFixed(2)} µs); ` +
        `${replies} replies, ${bytes} bytes`
  )
})

await Effect.runPromise(
  Effect.scoped(program).pipe(
    Effect.provide(Layer.mergeAll(layerCore, EventBusPubSub.layer, transport, discovery)),
    Effect.provide(layerSettings({}))
  )
)
