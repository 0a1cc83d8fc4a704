/** The worker of the BullMQ benchmark: validates the arguments as FastWorker's does. */
import { Worker } from "bullmq"
import { Schema } from "effect"
import { writeFileSync } from "node:fs"
import { args } from "../args.ts"

const { port, slots } = JSON.parse(process.argv[2] ?? "{}") as { readonly port: number; readonly slots: number }

const decode = Schema.decodeUnknownSync(Schema.Struct(args))
let executions = 0
const worker = new Worker(
  "bench",
  async ({ data }) => {
    executions++
    const { x, y } = decode(data)
    return x + y
  },
  { connection: { host: "127.0.0.1", port }, concurrency: slots, removeOnComplete: { count: 1_000 } }
)
await worker.waitUntilReady()
console.log(JSON.stringify({ event: "ready" }))

process.once("SIGTERM", () => {
  const file = process.env["BENCH_EXECUTIONS"]
  if (file !== undefined) writeFileSync(file, String(executions))
  process.exit(0)
})
