/** What can go wrong, and what becomes of it: failures, timeouts, cancelling, a computation that blocks. */
import { Effect } from "effect"
import { connect } from "fastworker"
import { startControlPlane, startWorker } from "../processes/start.ts"
import { callPartner, copyRows, factor, follow } from "./tasks.ts"

const controlPlane = await startControlPlane([])
const { discovery } = controlPlane.ready
const worker = await startWorker(["--discovery", discovery, "--tasks", `${import.meta.dirname}/tasks.ts`])

const program = Effect.gen(function*() {
  const client = yield* Effect.acquireRelease(connect({ discovery }), ({ close }) => close)

  const partner = yield* client.delay(callPartner, { status: 503 })
  console.log(`503: ${yield* partner.result}`)
  const { history = [] } = yield* partner.status
  console.log(`     before: ${history.map(({ attempt, reason }) => `attempt ${attempt} ${reason}`).join(", ")}`)
  console.log(`404: ${yield* client.run(callPartner, { status: 404 }).pipe(Effect.catchTag("PartnerDown", final))}`)

  console.log(yield* client.run(copyRows, { rows: 10 }))

  const running = yield* client.delay(follow)
  yield* running.status.pipe(Effect.delay("20 millis"), Effect.repeat({ until: ({ state }) => state === "running" }))
  yield* running.cancel
  console.log(`cancelled: ${(yield* running.status).state}`)

  const late = yield* client.delay(follow, {}, { in: "1 hour", expiresIn: "100 millis" })
  console.log(
    yield* late.result.pipe(
      Effect.catchTag("TaskExpired", ({ _tag, started }) => Effect.succeed(`${_tag} started=${started}`))
    )
  )

  console.log(`factors: ${(yield* client.run(factor, { of: 600_851_475 })).join(" · ")}`)
})
const final = ({ status }: { readonly status: number }) => Effect.succeed(`final, with status ${status}`)

await program.pipe(Effect.scoped, Effect.runPromise).finally(async () => {
  await worker.stop()
  await controlPlane.stop()
})
