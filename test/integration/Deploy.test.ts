/** A deploy: those who submit are new first, old and new workers run side by side, the old ones leave. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Task } from "../../src/index.ts"
import { slow } from "../fixtures/tasks/basic.ts"
import { Cluster, fixture } from "../harness/Cluster.ts"
import { startClient, startControlPlane } from "../harness/Roles.ts"
import { until } from "../harness/Until.ts"

const scoped = Effect.acquireRelease(
  Effect.promise(async () => {
    const folder = mkdtempSync(join(tmpdir(), "fastworker-test-"))
    return { folder, log: join(folder, "log"), cluster: await Cluster.make() }
  }),
  ({ cluster, folder }) =>
    Effect.promise(async () => {
      await cluster[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    })
)

/** What only the new version has; the program that submits needs no more than this. */
const ping = Task.make("ping")

const count = 24

describe("a deploy", () => {
  it.live(
    "with the web processes first loses nothing and runs nothing twice: new tasks wait, old workers finish theirs",
    () =>
      Effect.gen(function*() {
        const { cluster, log } = yield* scoped
        const plane = yield* startControlPlane({ startGraceMillis: 0, unknownWaitMillis: 60_000 })
        const client = yield* startClient(plane)
        const to = ["--control-plane", plane.workerAddress, "--concurrency", "4"]
        const old = yield* Effect.promise(() => cluster.worker(["--tasks", fixture("basic.ts"), "--id", "old", ...to]))

        const tasks = yield* Effect.all(Array.from({ length: count }, () => client.delay(slow, { millis: 150, log })))
        yield* until("the old worker has begun", Effect.map(plane.stats, ({ running }) => running === 4))
        // The new web process: nobody knows this task yet.
        const early = yield* Effect.all(Array.from({ length: 5 }, () => client.delay(ping)))
        assert.strictEqual(
          (yield* plane.status(early[0]?.id ?? "")).waiting,
          `no connected worker has a handler for "ping"`
        )
        old.signal("SIGTERM")
        const files = ["--tasks", fixture("basic.ts"), "--tasks", fixture("second.ts")]
        yield* Effect.promise(() => cluster.worker([...files, "--id", "new", ...to]))

        const ran = yield* Effect.all(tasks.map(({ result }) => result), { concurrency: "unbounded" })
        yield* Effect.all(early.map(({ result }) => result), { concurrency: "unbounded" })
        assert.strictEqual(yield* Effect.promise(() => old.exit()), 0)
        const lines = readFileSync(log, "utf8").trimEnd().split("\n")
        const ended = lines.filter((line) => line.startsWith("end ")).map((line) => line.split(" ")[1])
        assert.sameMembers(ended, tasks.map(({ id }) => id))
        assert.lengthOf(ended, count)
        assert.lengthOf(lines, 2 * count)
        assert.deepStrictEqual(new Set(ran.map(({ worker }) => worker)), new Set(["old", "new"]))
        const { crashes, failed, lateReports, succeeded } = yield* plane.stats
        assert.deepStrictEqual({ crashes, failed, lateReports, succeeded }, {
          crashes: 0,
          failed: 0,
          lateReports: 0,
          succeeded: count + 5
        })
      }),
    60_000
  )
})
