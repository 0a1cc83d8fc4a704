// The three entries as a program uses them: without processes, by Effect, and by promises against a real control plane.
import * as Effect from "effect/Effect"
import { connect, TaskNotFound } from "fastworker"
import { FastWorker } from "fastworker/promise"
import { makeTestQueue } from "fastworker/testing"
import { strictEqual } from "node:assert/strict"
import { add, Rejected } from "./tasks.ts"

/** Fails to compile when a type has been lost on the way into the package. */
const exactly = <A>() => <B extends A>(value: [A] extends [B] ? B : never) => value

const queue = await makeTestQueue([add])
const handle = await queue.client.delay(add, { x: 1, y: 2 })
await queue.drain()
strictEqual(exactly<number>()(await handle.result()), 3)
await queue.close()

const controlPlane = process.argv[2]
if (controlPlane === undefined) throw new Error("say where the control plane is")

const fw = await FastWorker.connect({ controlPlane })
strictEqual(exactly<number>()(await fw.run(add, { x: 2, y: 3 })), 5)
// @ts-expect-error a number is missing
await fw.run(add, { x: 2 }).catch((error: { readonly _tag: string }) => strictEqual(error._tag, "InvalidArguments"))
await fw.close()

const byEffect = Effect.gen(function*() {
  const client = yield* connect({ controlPlane })
  const rejected = yield* Effect.flip(client.run(add, { x: -1, y: 2 }))
  const missing = yield* Effect.flip(client.status("none"))
  strictEqual(rejected instanceof Rejected && rejected.code, -1)
  strictEqual(missing instanceof TaskNotFound, true)
  yield* client.close
})
await Effect.runPromise(byEffect)
console.log("used")
