/** The client of BullMQ. Results come by queue events, which costs it less than `waitUntilFinished` for each job. */
import { Queue, QueueEvents } from "bullmq"
import type { Job } from "../../work.ts"
import { codec, encode } from "../../work.ts"
import type { Client, ClientModule } from "../system.ts"
import { makeWaiters } from "../waiters.ts"

/** Events that Redis keeps at least; by default too few for thousands of jobs at once, whose results would be lost. */
const maxEvents = 1_000_000

export const connect: ClientModule["connect"] = async (connection): Promise<Client> => {
  const { port } = connection as { readonly port: number }
  const options = { connection: { host: "127.0.0.1", port }, streams: { events: { maxLen: maxEvents } } }
  const queue = new Queue("bench", options)
  // From the first event on: by default it begins somewhat after it says that it is ready, and misses what was before.
  const events = new QueueEvents("bench", { ...options, lastEventId: "0-0" })
  await Promise.all([queue.waitUntilReady(), events.waitUntilReady()])
  const waiters = makeWaiters()
  events.on("completed", ({ jobId, returnvalue }) => waiters.arrived(jobId, returnvalue))
  const resultOf = async (id: string | undefined) => codec.result(await waiters.of(id ?? ""))
  const addAll = (jobs: ReadonlyArray<Job>) => queue.addBulk(jobs.map((job) => ({ name: job.name, data: encode(job) })))
  return {
    run: async (job) => resultOf((await queue.add(job.name, encode(job))).id),
    addAll,
    runAll: async (jobs) => Promise.all((await addAll(jobs)).map(({ id }) => resultOf(id))),
    async close() {
      await events.close()
      await queue.close()
    }
  }
}
