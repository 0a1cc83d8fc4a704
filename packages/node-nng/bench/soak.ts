/**
 * Ten million messages through one process over loopback tcp: pushed, asked and published. Prints memory on the way and
 * fails when it grows. Run: `npm run soak -w node-nng -- [--messages 10000000]`.
 */
import { Pub, Pull, Push, Rep, Req, Sub } from "node-nng"
import { parseArgs } from "node:util"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

const { values } = parseArgs({ options: { messages: { type: "string", default: "10000000" } } })
const total = Number(values.messages)
const rounds = 40

setFlagsFromString("--expose-gc")
const collect = runInNewContext("gc") as () => void

interface Sample {
  readonly heap: number
  readonly buffers: number
  readonly resident: number
}

const [push, pull, req, rep, pub, sub] = [
  new Push(),
  new Pull(),
  new Req(),
  new Rep(),
  new Pub({ sendBufferMessages: 1_000_000 }),
  new Sub()
]
const { address: pulled } = await pull.listen("tcp://127.0.0.1:0")
const { address: asked } = await rep.listen("tcp://127.0.0.1:0")
const { address: published } = await pub.listen("tcp://127.0.0.1:0")
let received = 0
pull.onMessage((body) => void (received += body.length > 0 ? 1 : 0))
rep.onRequest((request) => request.reply(request.body))
let heard = 0
sub.onMessage(() => void heard++)
sub.subscribe("")
push.dial(pulled)
req.dial(asked)
sub.dial(published)
while (push.pipes + req.pipes + sub.pipes < 3) await new Promise(setImmediate)

/** Small ones mostly, and now and then one that spans many chunks. */
const bodies = [64, 64, 512, 64, 64, 512, 64, 4_096, 64, 64].map((size) => Buffer.alloc(size, 0x61))
const large = Buffer.alloc(300_000, 0x62)
const bodyOf = (i: number): Buffer => i % 50_000 === 0 ? large : bodies[i % bodies.length] ?? large

const pushAll = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) {
    if (!push.trySend(bodyOf(i))) await push.send(bodyOf(i))
  }
}

const askAll = (count: number): Promise<void> =>
  new Promise((resolve, reject) => {
    let [sent, done] = [0, 0]
    const ask = (): void => {
      const body = bodyOf(sent++)
      req.requestWith(body, {}, (error, reply) => {
        if (error !== null || reply?.length !== body.length) reject(error ?? new Error("wrong reply"))
        else if (++done === count) resolve()
        else if (sent < count) ask()
      })
    }
    for (let i = 0; i < 256; i++) ask()
  })

const publishAll = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) {
    pub.send(bodyOf(i))
    if (i % 1_000 === 0) await new Promise(setImmediate)
  }
}

const samples: Array<Sample> = []
const [pushes, asks, publishes] = [0.8, 0.1, 0.1].map((share) => Math.round((total * share) / rounds)) as [
  number,
  number,
  number
]
const startedAt = performance.now()
for (let round = 1; round <= rounds; round++) {
  await Promise.all([pushAll(pushes), askAll(asks), publishAll(publishes)])
  const allArrived = (): boolean => received >= round * pushes && heard >= round * publishes
  while (!allArrived()) await new Promise(setImmediate)
  collect()
  const { arrayBuffers, heapUsed, rss } = process.memoryUsage()
  const sample = { heap: heapUsed / 1e6, buffers: arrayBuffers / 1e6, resident: rss / 1e6 }
  samples.push(sample)
  if (round % 4 !== 0) continue
  const count = Math.round((total * round) / rounds)
  const seconds = Math.round((performance.now() - startedAt) / 1_000)
  const sizes = Object.entries(sample).map(([name, megabytes]) => `${name} ${megabytes.toFixed(1)} MB`)
  console.log(`${count} messages, ${seconds} s: ${sizes.join(", ")}`)
}
await Promise.all([push, pull, req, rep, pub, sub].map((socket) => socket.close()))

/** The middle of some samples: single ones hold what happened to be on its way. */
const middle = (some: ReadonlyArray<Sample>, key: keyof Sample): number =>
  some.map((sample) => sample[key]).sort((a, b) => a - b)[some.length >> 1] ?? 0

// The first quarter is the warm-up. Resident memory is the allocator's affair as well, and may rise a little.
const limits: Readonly<Record<keyof Sample, number>> = { heap: 3, buffers: 5, resident: 60 }
const quarter = rounds / 4
for (const key of ["heap", "buffers", "resident"] as const) {
  const growth = middle(samples.slice(-quarter), key) - middle(samples.slice(quarter, 2 * quarter), key)
  console.log(`${key}: ${growth >= 0 ? "+" : ""}${growth.toFixed(1)} MB from the second quarter to the last`)
  if (growth > limits[key]) {
    console.error(`${key} grew by more than ${limits[key]} MB`)
    process.exitCode = 1
  }
}
