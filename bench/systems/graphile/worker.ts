/** The worker of graphile-worker; with "hold" it only makes the tables, so that tasks wait for ever. */
import { Logger, run, runMigrations } from "graphile-worker"
import type { Task } from "graphile-worker"
import { makeExecutions, serveUntilStopped } from "../../executions.ts"
import { work } from "../../work.ts"

const [connectionString = "", hold] = process.argv.slice(2)
const count = makeExecutions()
const logger = new Logger(() => () => {})

/** PostgreSQL allows less than 8,000 bytes in a notification. */
const maxNotified = 300

const untold: Array<[string, number]> = []
let isTelling = false

const handle = (name: string): Task => (payload, { withPgClient }) => {
  const { data, key } = payload as { readonly data: unknown; readonly key: string }
  count()
  untold.push([key, work(name, data)])
  if (isTelling) return
  isTelling = true
  // Not awaited: the job is complete without it, as it would be for a user who does not want results.
  void withPgClient(async (client) => {
    while (untold.length > 0) {
      await client.query("select pg_notify('results', $1)", [JSON.stringify(untold.splice(0, maxNotified))])
    }
    isTelling = false
  })
}

await runMigrations({ connectionString, logger })
if (hold === undefined) {
  await run({
    preset: {
      worker: {
        connectionString,
        concurrentJobs: 24,
        maxPoolSize: 25,
        localQueue: { size: 500 },
        completeJobBatchDelay: 0,
        failJobBatchDelay: 0
      }
    },
    logger,
    noHandleSignals: true,
    taskList: { add: handle("add"), size: handle("size") }
  })
}
serveUntilStopped()
