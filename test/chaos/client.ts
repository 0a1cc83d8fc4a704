/**
 * A client of a chaos run, as a process of its own: submits at a steady rate, writes down what it wanted and what it got,
 * and takes up its book again when it is started again. Ends when the stop file is there and everything has an outcome.
 */
import { FastWorker, type Handle } from "fastworker/promise"
import { appendFileSync, existsSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import type { Entry } from "./Books.ts"
import { readBook } from "./Books.ts"
import * as Tasks from "./tasks.ts"
import type { Job } from "./Work.ts"
import { idOf, jobOf } from "./Work.ts"

export interface ClientOptions {
  readonly seed: number
  readonly client: number
  readonly address: string
  readonly book: string
  readonly stopFile: string
  readonly perSecond: number
  /** Jobs that it begins at least, also when it is late and the stop file is there. */
  readonly atLeast: number
}

const { address, atLeast, book, client, perSecond, seed, stopFile } = JSON.parse(
  process.argv[2] ?? "{}"
) as ClientOptions

/** Jobs without an outcome, at most: a client that waits does not pile up more. */
const maxOpen = 200
const tickMillis = 20
const againMillis = 100

const fastworker = await FastWorker.connect({ controlPlane: address, deadlineMillis: 4_000, resendMillis: 500 })

const note = (n: number, e: Entry["e"], said?: string) =>
  appendFileSync(book, `${JSON.stringify({ n, e, at: Date.now(), ...(said === undefined ? {} : { said }) })}\n`)

const tagOf = (error: unknown) =>
  typeof error === "object" && error !== null && "_tag" in error ? String(error._tag) : String(error)

const blobOf = (number: number, bytes: number) => String.fromCharCode(97 + number % 26).repeat(bytes)

const submit = (job: Job, number: number): Promise<Handle<unknown>> => {
  const whose = { client, number }
  const id = idOf(client, number)
  switch (job.kind) {
    case "quick":
      return fastworker.delay(Tasks.quick, whose, { id })
    case "slow":
    case "cancelled":
      return fastworker.delay(Tasks.slow, { ...whose, millis: job.millis }, { id })
    case "flaky":
      return fastworker.delay(Tasks.flaky, { ...whose, failures: job.failures }, { id })
    case "doomed":
      return fastworker.delay(Tasks.doomed, whose, { id })
    case "delayed":
      return fastworker.delay(Tasks.quick, whose, { id, in: job.in })
    case "unique":
      return fastworker.delay(Tasks.unique, { ...whose, place: job.place, millis: job.millis }, { id })
    case "big":
      return fastworker.delay(Tasks.big, { ...whose, blob: blobOf(number, job.bytes) }, { id })
  }
}

/** Tries until the control plane answers; what it answers is for the caller. */
const insist = async <A>(call: () => Promise<A>): Promise<A> => {
  while (true) {
    try {
      return await call()
    } catch (error) {
      // Nobody is there, or not yet ready for it: the same question later.
      if (!["Unreachable", "UnknownTask", "ShuttingDown", "JournalFailed"].includes(tagOf(error))) throw error
      await sleep(againMillis)
    }
  }
}

const outcomeOf = (job: Job, number: number, value: unknown): string => {
  if (job.kind !== "big") return `ok ${String(value)}`
  const { answer, blob } = value as { readonly answer: string; readonly blob: string }
  return blob === `${blobOf(number, job.bytes)}${number}` ? `ok ${answer}` : `another blob of ${blob.length} characters`
}

const failureOf = (error: unknown): string => {
  if (error instanceof Tasks.Doomed) return `failed ${error.code}`
  const tag = tagOf(error)
  if (tag === "TaskCancelled") return "cancelled"
  if (tag === "TaskCrashed") return "crashed"
  // The second is what a client is told that was itself started anew: it can't know that there was another one.
  if (tag === "TaskLost" || tag === "TaskNotFound") return "lost"
  return `${tag}: ${error instanceof Error ? error.message : ""}`
}

const cancel = async (number: number) => {
  try {
    await insist(() => fastworker.cancel(idOf(client, number)))
    note(number, "cancel", "ok")
  } catch (error) {
    note(number, "cancel", tagOf(error))
  }
}

/** Sees a job through to its outcome. */
const pursue = async (number: number) => {
  const job = jobOf(seed, client, number)
  try {
    const handle = await insist(() => submit(job, number))
    note(number, "accepted")
    const cancelled = job.kind === "cancelled" ? sleep(job.cancelAfter).then(() => cancel(number)) : undefined
    const outcome = await insist(() => handle.result()).then((value) => outcomeOf(job, number, value), failureOf)
    await cancelled
    note(number, "outcome", outcome)
  } catch (error) {
    if (tagOf(error) === "UniqueConflict") note(number, "refused")
    else note(number, "wrong", `refused: ${failureOf(error)}`)
  }
}

const accounts = readBook(book)
let next = Math.max(-1, ...accounts.keys()) + 1
const open = new Set<Promise<void>>()
const begin = (number: number) => {
  const job = pursue(number).finally(() => open.delete(job))
  open.add(job)
}

for (const [number, { outcomes, refused, wrong }] of accounts) {
  if (outcomes.length + wrong.length > 0 || refused) continue
  note(number, "again")
  begin(number)
}
let credit = 0
while (next < atLeast || !existsSync(stopFile)) {
  for (credit += perSecond * tickMillis / 1_000; credit >= 1; credit--) {
    if (open.size >= maxOpen) continue
    note(next, "wanted")
    begin(next++)
  }
  await sleep(tickMillis)
}
while (open.size > 0) await Promise.race(open)

// An outcome is final: whoever asks again is told the same.
const seen = [...readBook(book)].filter(([, { outcomes }]) => outcomes.length > 0).slice(-50)
for (const [number, { outcomes: [before] }] of seen) {
  if (before === "lost") continue
  const job = jobOf(seed, client, number)
  const definition = { cancelled: Tasks.slow, delayed: Tasks.quick, ...Tasks }[job.kind] as typeof Tasks.flaky
  const again = await insist(() => fastworker.result(definition, idOf(client, number)))
    .then((value) => outcomeOf(job, number, value), failureOf)
  if (again !== before) note(number, "outcome", again)
}
await fastworker.close()
console.log(JSON.stringify({ event: "done" }))
