/** The worker of BullMQ. */
import { Worker } from "bullmq"
import { makeExecutions, serveUntilStopped } from "../../executions.ts"
import { work } from "../../work.ts"
import { slots } from "../system.ts"

const count = makeExecutions()
const worker = new Worker(
  "bench",
  async ({ data, name }) => {
    count()
    return work(name, data)
  },
  {
    connection: { host: "127.0.0.1", port: Number(process.argv[2]) },
    concurrency: slots,
    removeOnComplete: { count: 0 }
  }
)
await worker.waitUntilReady()
serveUntilStopped()
