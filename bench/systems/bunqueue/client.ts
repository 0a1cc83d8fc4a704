/** The client of bunqueue. Its declarations do not resolve in a program for Node, so what is used of it is declared here. */
import { Queue, QueueEvents } from "bunqueue/client"
import type { Job } from "../../work.ts"
import { codec, encode } from "../../work.ts"
import type { Client, ClientModule } from "../system.ts"
import { makeWaiters } from "../waiters.ts"

interface Added {
  readonly id: string
}

interface Completed {
  readonly jobId: string
  readonly returnvalue: unknown
}

export const connect: ClientModule["connect"] = async (options): Promise<Client> => {
  const { durable, port } = options as { readonly durable: boolean; readonly port: number }
  const connection = { host: "127.0.0.1", port }
  // Kept until it is complete, and no longer; on disk before the answer when that is asked for.
  const jobOptions = { removeOnComplete: true, ...(durable ? { durable } : {}) }
  const queue = new Queue("bench", { connection, defaultJobOptions: jobOptions })
  const events = new QueueEvents("bench", { connection })
  const waiters = makeWaiters()
  events.on("completed", ({ jobId, returnvalue }: Completed) => waiters.arrived(jobId, returnvalue))
  await events.waitUntilReady()
  const resultOf = async (id: string) => codec.result(await waiters.of(id))
  const addAll = (jobs: ReadonlyArray<Job>): Promise<ReadonlyArray<Added>> =>
    queue.addBulk(jobs.map((job) => ({ name: job.name, data: encode(job), opts: jobOptions })))
  return {
    run: async (job) => resultOf((await queue.add(job.name, encode(job))).id),
    addAll,
    runAll: async (jobs) => Promise.all((await addAll(jobs)).map(({ id }) => resultOf(id))),
    async close() {
      events.close()
      await queue.close()
    }
  }
}
