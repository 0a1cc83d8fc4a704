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
  const submitAll = (jobs: ReadonlyArray<Job>) =>
    jobs[0]?.name === "size"
      ? client.delayAll(size, jobs.flatMap((job) => job.name === "size" ? [job.args] : []))
      : client.delayAll(add, jobs.flatMap((job) => job.name === "add" ? [job.args] : []))
  return {
    run: (job) => Effect.runPromise(durable ? accepted(job) : both(job)),
    runAll(jobs) {
      const handles = Effect.runPromise(submitAll(jobs))
      return {
        accepted: handles.then(() => {}),
        results: () => handles.then((handles) => Promise.all(handles.map(({ result }) => Effect.runPromise(result))))
      }
    },
    close: () => Effect.runPromise(client.close)
  }
}
