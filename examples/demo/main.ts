/**
 * FastWorker at work: a control plane and two workers, each a process of its own, send mails, make thumbnails and digest
 * files that this program submits. Then the dashboard stays up until Ctrl-C.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Cause, Data, Effect, Exit } from "effect"
import { connect } from "fastworker"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { startControlPlane, startWorker } from "../processes/start.ts"
import type { Started } from "../processes/start.ts"
import * as MailServer from "./MailServer.ts"
import * as Options from "./options.ts"
import type { Measured } from "./report.ts"
import { bold, dim, progress, table } from "./report.ts"
import type { Job, Outcome } from "./work.ts"
import { digests, mails, thumbnails } from "./work.ts"

/** The demo can't go on; the message is for people. */
class DemoFailed extends Data.TaggedError("DemoFailed")<{ readonly message: string }> {}

const say = (text = "") => Effect.sync(() => console.log(text))

/** A process that is stopped with the scope. */
const running = <Ready>(start: () => Promise<Started<Ready>>) =>
  Effect.acquireRelease(
    Effect.tryPromise({
      try: start,
      catch: (cause) => new DemoFailed({ message: cause instanceof Error ? cause.message : String(cause) })
    }),
    ({ stop }) => Effect.promise(stop)
  )

/** The dashboard gets its usual port, or a free one when that is taken. */
const controlPlane = running(() => {
  const on = (port: number) =>
    startControlPlane(["--namespace", "demo", "--local", "never", "--dashboard", `127.0.0.1:${port}`])
  return on(8080).catch(() => on(0))
})

const temporaryFolder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "fastworker-demo-"))),
  (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
)

/** Submits everything at once and waits for every outcome. */
const runAll = Effect.fnUntraced(function*(jobs: ReadonlyArray<Job>) {
  const { done } = yield* Effect.acquireRelease(
    Effect.sync(() => progress(jobs.length)),
    ({ stop }) => Effect.sync(stop)
  )
  return yield* Effect.forEach(jobs, ({ priority, run, task }) =>
    Effect.suspend(() => {
      const start = performance.now()
      return Effect.map(run, (outcome): Measured & Outcome => {
        const millis = performance.now() - start
        done()
        return { ...outcome, failed: outcome.failure !== undefined, millis, priority, task }
      })
    }), { concurrency: "unbounded" })
}, Effect.scoped)

/** How often each failure happened, in one line for each. */
const failures = (outcomes: ReadonlyArray<Measured & Outcome>): ReadonlyArray<string> => {
  const failed = outcomes.flatMap(({ failure, task }) => failure === undefined ? [] : [{ failure, task }])
  return [...Map.groupBy(failed, ({ failure, task }) => `${task}: ${failure._tag}`)].map(([name, group]) =>
    `  ${name}, ${group.length} times; for example ${group[0]?.failure.message}`
  )
}

const demo = Effect.fnUntraced(function*(options: Options.Options) {
  yield* say(bold("FastWorker demo"))
  const mailServer = yield* MailServer.start
  const folder = yield* temporaryFolder
  const plane = yield* controlPlane
  const { dashboard, discovery } = plane.ready
  const worker = (id: string) =>
    running(() =>
      startWorker(
        ["--tasks", `${import.meta.dirname}/tasks.ts`, "--id", id, "--namespace", "demo", "--discovery", discovery],
        { env: { SMTP_URL: mailServer.url } }
      )
    )
  const workers = yield* Effect.all([worker("worker-1"), worker("worker-2")], { concurrency: 2 })
  yield* say(`  control plane   process ${plane.pid}`)
  for (const { pid, ready } of workers) yield* say(`  ${ready.id}        process ${pid}: ${ready.tasks.join(", ")}`)
  yield* say(`  dashboard       ${dashboard}`)
  for (const { ended, ready } of workers) {
    yield* Effect.promise(() => ended).pipe(
      Effect.flatMap((how) => say(`  ${ready.id} ${how}: its tasks run elsewhere`)),
      Effect.forkScoped
    )
  }

  const client = yield* Effect.acquireRelease(connect({ discovery, namespace: "demo" }), ({ close }) => close)
  // The least urgent first: the others overtake them.
  const jobs = [
    ...digests(client, options.files),
    ...thumbnails(client, { photos: options.photos, folder }),
    ...mails(client)
  ]
  yield* say(
    `\nSubmitting ${jobs.length} tasks at once: mails, thumbnails of ${options.photos.length} photos, ` +
      `digests of ${options.files.length} files`
  )
  const outcomes = yield* runAll(jobs)
  yield* say(`\n${table(outcomes)}`)
  yield* say(`${dim("  times are from the submission to the result, waiting included")}\n`)
  for (const line of failures(outcomes)) yield* say(line)

  const wrong = yield* Effect.forEach(outcomes, ({ check }) => Effect.promise(check), { concurrency: 4 })
  const problems = wrong.filter((problem) => problem !== undefined)
  const sent = outcomes.filter(({ failed, task }) => task === "sendEmail" && !failed).length
  if (mailServer.inbox.length !== sent) {
    problems.push(`${sent} mails were sent and the mail server got ${mailServer.inbox.length}`)
  }
  if (problems.length > 0) return yield* new DemoFailed({ message: problems.slice(0, 5).join("\n") })
  yield* say(`  Checked: the mail server got ${sent} mails, each thumbnail is what was reported, digests agree`)

  if (options.once) return
  yield* say(`\nServing the dashboard on ${bold(String(dashboard))} until Ctrl-C`)
  yield* say(dim(`  thumbnails are in ${folder}`))
  yield* say(dim(`  in another terminal: node dist/bin.js list --namespace demo --discovery ${discovery}`))
  const how = yield* Effect.promise(() => plane.ended)
  return yield* new DemoFailed({ message: `the control plane ${how}` })
})

/** The first Ctrl-C stops in order, a second one at once: the other processes end with this one. */
const announceStop = Effect.sync(() => {
  console.log("\nStopping")
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130))
})

const program = Effect.gen(function*() {
  const options = yield* Effect.try({
    try: () => Options.read(process.argv.slice(2)),
    catch: (cause) => cause instanceof Options.UsageError ? cause : new Options.UsageError(String(cause))
  })
  if (options.help) return yield* say(Options.usage)
  yield* demo(options).pipe(Effect.onInterrupt(() => announceStop), Effect.scoped)
})

// Nobody reads on, as after `| head`: stop.
process.stdout.once("error", () => process.kill(process.pid, "SIGTERM")).on("error", () => {})

NodeRuntime.runMain(program, {
  disableErrorReporting: true,
  teardown(exit, onExit) {
    if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return onExit(0)
    const error = Cause.squash(exit.cause)
    console.error(error instanceof Error ? error.message : error)
    onExit(error instanceof Options.UsageError ? 2 : 1)
  }
})
