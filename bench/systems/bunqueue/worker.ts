/** The worker of bunqueue. */
import { Worker } from "bunqueue/client"
import { makeExecutions, serveUntilStopped } from "../../executions.ts"
import { work } from "../../work.ts"
import { slots } from "../system.ts"

const count = makeExecutions()
const worker = new Worker(
  "bench",
  async ({ data, name }: { readonly data: unknown; readonly name: string }) => {
    count()
    return work(name, data)
  },
  {
    connection: { host: "127.0.0.1", port: Number(process.argv[2]) },
    concurrency: slots,
    // The most that it allows: "higher = fewer round trips".
    batchSize: 1_000,
    removeOnComplete: true
  }
)
await worker.waitUntilReady()
serveUntilStopped()
