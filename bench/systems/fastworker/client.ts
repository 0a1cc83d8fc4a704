/** The client of FastWorker. */
import { Effect } from "effect"
import { connect as connectClient } from "fastworker"
import type { Job } from "../../work.ts"
import type { Client, ClientModule } from "../system.ts"
import { add, size } from "./tasks.ts"

export const connect: ClientModule["connect"] = async (connection): Promise<Client> => {
  const { discovery, durable, hold } = connection as { discovery: string; durable: boolean; hold: boolean }
  const client = await Effect.runPromise(connectClient({ discovery }))
  if (hold) await Effect.runPromise(client.pause())
  const submit = (job: Job) => job.name === "add" ? client.delay(add, job.args) : client.delay(size, job.args)
  const accepted = (job: Job) => Effect.flatMap(submit(job), ({ result }) => result)
  const both = (job: Job) => job.name === "add" ? client.run(add, job.args) : client.run(size, job.args)
  const sizes = (jobs: ReadonlyArray<Job>) => jobs.flatMap((job) => job.name === "size" ? [job.args] : [])
  const additions = (jobs: ReadonlyArray<Job>) => jobs.flatMap((job) => job.name === "add" ? [job.args] : [])
  return {
    run: (job) => Effect.runPromise(durable ? accepted(job) : both(job)),
    addAll: (jobs) =>
      Effect.runPromise<unknown, unknown>(
        jobs[0]?.name === "size" ? client.delayAll(size, sizes(jobs)) : client.delayAll(add, additions(jobs))
      ),
    runAll: (jobs) =>
      Effect.runPromise<ReadonlyArray<number>, unknown>(
        jobs[0]?.name === "size" ? client.runAll(size, sizes(jobs)) : client.runAll(add, additions(jobs))
      ),
    close: () => Effect.runPromise(client.close)
  }
}
