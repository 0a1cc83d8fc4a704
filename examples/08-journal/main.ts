/** The control plane is killed with tasks in its queue, and started again. */
import { Effect } from "effect"
import { connect } from "fastworker"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { startControlPlane, startWorker } from "../processes/start.ts"
import { add } from "./tasks.ts"

const folder = mkdtempSync(join(tmpdir(), "fastworker-journal-"))
const journal = ["--journal", join(folder, "journal.db")]
const tasks = ["--tasks", `${import.meta.dirname}/tasks.ts`]

// A task is accepted when it is on disk. There is no worker yet: these wait.
const before = await startControlPlane(journal)
const submit = Effect.gen(function*() {
  const client = yield* Effect.acquireRelease(connect({ discovery: before.ready.discovery }), ({ close }) => close)
  yield* client.delayAll(add, Array.from({ length: 100 }, (_, x) => ({ x, y: 1 })))
  yield* client.delay(add, { x: 20, y: 3 }, { in: "1 second", id: "delayed" })
  return yield* client.stats
})
const { waiting } = await Effect.runPromise(Effect.scoped(submit))
process.kill(before.pid, "SIGKILL")
console.log(`${waiting} tasks wait; the control plane ${await before.ended}`)

const after = await startControlPlane(journal)
const { discovery } = after.ready
const worker = await startWorker(["--discovery", discovery, ...tasks])
const collect = Effect.gen(function*() {
  const client = yield* Effect.acquireRelease(connect({ discovery }), ({ close }) => close)
  console.log(`the delayed one: ${yield* client.result(add, "delayed")}`)
  const done = yield* client.stats.pipe(Effect.repeat({ until: ({ waiting, running }) => waiting + running === 0 }))
  console.log(`${done.succeeded} tasks succeeded`)
})
await Effect.runPromise(Effect.scoped(collect)).finally(async () => {
  await worker.stop()
  await after.stop()
  rmSync(folder, { recursive: true })
})
