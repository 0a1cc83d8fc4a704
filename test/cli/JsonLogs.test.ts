/** What `--json` logs: one JSON object a line, whoever logs it, with the ids of what it is about. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as JsonLog from "../../src/layers/JsonLog.ts"
import { connect } from "../../src/layers/NodeClient.ts"
import { fiber, thread } from "../fixtures/tasks/logging.ts"
import { Cluster, fixture } from "../harness/Cluster.ts"
import { until } from "../harness/Until.ts"

type Line = Readonly<Record<string, unknown>>

const linesOf = (text: string): ReadonlyArray<Line> =>
  text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as Line)

const scopedCluster = Effect.acquireRelease(
  Effect.promise(() => Cluster.make()),
  (cluster) => Effect.promise(() => cluster[Symbol.asyncDispose]())
)

describe("logs for machines", () => {
  it.live(
    "are one object a line, with the task, attempt and worker of the handler that logs",
    () =>
      Effect.gen(function*() {
        const cluster = yield* scopedCluster
        const plane = yield* Effect.promise(() => cluster.controlPlane(["--discovery", "tcp://127.0.0.1:0"]))
        const target = ["--control-plane", plane.ready.workerAddress, "--id", "w-1"]
        const worker = yield* Effect.promise(() => cluster.worker(["--tasks", fixture("logging.ts"), ...target]))
        const client = yield* Effect.acquireRelease(
          connect({ controlPlane: plane.ready.address }),
          ({ close }) => close
        )
        const inFiber = yield* client.delay(fiber)
        yield* inFiber.result
        const inThread = yield* client.delay(thread)
        yield* inThread.result
        const ids: ReadonlyArray<string> = [inFiber.id, inThread.id]
        const said = () => linesOf(worker.stderr()).filter(({ message }) => message === "two\nlines")
        yield* until("both have logged", () => said().length === 2)

        for (const [i, line] of said().entries()) {
          const { spanId, time, traceId, ...fields } = line
          assert.deepStrictEqual(fields, {
            step: 1,
            big: "1",
            customer: "c-7",
            id: ids[i],
            task: i === 0 ? "log.fiber" : "log.thread",
            attempt: 1,
            worker: "w-1",
            level: "info",
            message: "two\nlines"
          })
          assert.match(String(traceId), /^[0-9a-f]{32}$/u)
          assert.match(String(spanId), /^[0-9a-f]{16}$/u)
          assert.strictEqual(new Date(String(time)).toISOString(), time)
        }
        for (const line of [...linesOf(worker.stderr()), ...linesOf(plane.stderr())]) {
          assert.containsAllKeys(line, ["time", "level", "message"])
        }
      }),
    90_000
  )

  it.effect("are written whatever is logged", () =>
    Effect.gen(function*() {
      const lines: Array<string> = []
      const circular: Record<string, unknown> = { name: "a" }
      circular["self"] = circular
      const shared = { x: 1 }
      yield* Effect.logError("No", new Error("because"), { circular, one: shared, two: shared, message: "not this" })
        .pipe(
          Effect.provide(Logger.layer([Logger.map(JsonLog.format, (line) => void lines.push(line))]))
        )
      const [line = {}] = lines.map((text) => JSON.parse(text) as Line)
      assert.deepInclude(line, {
        level: "error",
        message: "No because",
        circular: { name: "a", self: "[circular]" },
        one: { x: 1 },
        two: { x: 1 }
      })
    }))
})
