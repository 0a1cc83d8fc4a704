import { Effect } from "effect"
import { connect } from "fastworker"
import { startControlPlane } from "../processes/start.ts"
import { hello } from "./tasks.ts"

// By hand, in another terminal: npx fastworker control-plane --tasks tasks.ts
const controlPlane = await startControlPlane(["--tasks", `${import.meta.dirname}/tasks.ts`])

const program = Effect.gen(function*() {
  const client = yield* connect({ discovery: controlPlane.ready.discovery })

  const handle = yield* client.delay(hello, { name: "Ann" })
  console.log(yield* handle.result)

  const all = yield* client.delayAll(hello, [{ name: "Bob" }, { name: "Cid" }, { name: "Dee" }])
  console.log(yield* Effect.all(all.map(({ result }) => result)))

  yield* client.close
})

await Effect.runPromise(program).finally(controlPlane.stop)
