/** The client of the BullMQ benchmark: a process of its own. Prints one JSON report. */
import { Queue, QueueEvents } from "bullmq"
import { Schema } from "effect"
import { args } from "../args.ts"
import { drive } from "../drive.ts"

const { inFlight, millis, port, warmUpMillis } = JSON.parse(process.argv[2] ?? "{}") as {
  readonly port: number
  readonly inFlight: ReadonlyArray<number>
  readonly millis: number
  readonly warmUpMillis: number
}

const connection = { host: "127.0.0.1", port }
const queue = new Queue("bench", { connection })
const events = new QueueEvents("bench", { connection })
await Promise.all([queue.waitUntilReady(), events.waitUntilReady()])
// Each waiting job listens for its own event.
events.setMaxListeners(0)
queue.setMaxListeners(0)

const encode = Schema.encodeSync(Schema.Struct(args))
const decodeResult = Schema.decodeUnknownSync(Schema.Int)
let submitted = 0
const run = async (x: number, y: number) => {
  submitted++
  const job = await queue.add("add", encode({ x, y }))
  return decodeResult(await job.waitUntilFinished(events))
}

const samples: Array<object> = []
for (const count of inFlight) {
  samples.push({
    inFlight: count,
    ...await drive(run, { inFlight: count, millis, warmUpMillis }),
    controlPlaneMicros: null
  })
}
console.log(JSON.stringify({ samples, submitted }))
await events.close()
await queue.close()
