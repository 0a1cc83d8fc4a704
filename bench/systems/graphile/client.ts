/** The client of graphile-worker, which keeps no results: its worker sends them by NOTIFY, under a key of the client's. */
import { Logger, makeWorkerUtils } from "graphile-worker"
import type { Job } from "../../work.ts"
import { codec, encode } from "../../work.ts"
import type { Client, ClientModule } from "../system.ts"
import { makeWaiters } from "../waiters.ts"

export const connect: ClientModule["connect"] = async (connection): Promise<Client> => {
  const { connectionString } = connection as { readonly connectionString: string }
  const utils = await makeWorkerUtils({ connectionString, maxPoolSize: 25, logger: new Logger(() => () => {}) })
  const waiters = makeWaiters()
  let stop = () => {}
  const stopped = new Promise<void>((resolve) => stop = resolve)
  const listening = Promise.withResolvers<void>()
  const listener = utils.withPgClient(async (client) => {
    client.on("notification", ({ payload = "[]" }) => {
      for (const [key, value] of JSON.parse(payload) as ReadonlyArray<[string, unknown]>) waiters.arrived(key, value)
    })
    await client.query("LISTEN results")
    listening.resolve()
    await stopped
  })
  await listening.promise
  let last = 0
  const withKey = (job: Job) => {
    const key = String(++last)
    return { key, job: { identifier: job.name, payload: { key, data: encode(job) } } }
  }
  const resultOf = async (key: string) => codec.result(await waiters.of(key))
  return {
    async run(made) {
      const { job: { identifier, payload }, key } = withKey(made)
      const result = resultOf(key)
      await utils.addJob(identifier, payload)
      return result
    },
    addAll: (jobs) => utils.addJobs(jobs.map((job) => withKey(job).job)),
    async runAll(jobs) {
      const keyed = jobs.map(withKey)
      await utils.addJobs(keyed.map(({ job }) => job))
      return Promise.all(keyed.map(({ key }) => resultOf(key)))
    },
    async close() {
      stop()
      await listener
      await utils.release()
    }
  }
}
