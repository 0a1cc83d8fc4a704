/**
 * The tasks of the chaos runs. Each returns what can be computed from its arguments, and every execution leaves a line in
 * the worker's file: id, attempt, worker, milliseconds since 1970, and how it went.
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { Task, TaskContext } from "fastworker"
import { appendFileSync } from "node:fs"

export class Doomed extends Schema.TaggedError<Doomed>()("Doomed", { code: Schema.Int }) {}

const note = (what: string) =>
  Effect.map(TaskContext, ({ attempt, id, worker }) => {
    const file = process.env["CHAOS_EXECUTIONS"]
    if (file !== undefined) appendFileSync(file, `${id} ${attempt} ${worker} ${Date.now()} ${what}\n`)
    return attempt
  })

/** What a task of a client answers. */
export const answer = (kind: string, client: number, number: number) => `${kind}:${client}/${number}`

const whose = { client: Schema.Int, number: Schema.Int }
const retry = (attempts: number) => ({ attempts, schedule: Schedule.spaced("50 millis") })

export const quick = Task.define("quick", {
  args: whose,
  success: Schema.String,
  run: ({ client, number }) => Effect.as(note("start"), answer("quick", client, number))
})

export const slow = Task.define("slow", {
  args: { ...whose, millis: Schema.Int },
  success: Schema.String,
  run: ({ client, millis, number }) =>
    note("start").pipe(Effect.andThen(Effect.sleep(millis)), Effect.as(answer("slow", client, number)))
})

/** Fails in its first attempts. */
export const flaky = Task.define("flaky", {
  args: { ...whose, failures: Schema.Int },
  success: Schema.String,
  error: Doomed,
  retry: retry(5),
  run: ({ client, failures, number }) =>
    Effect.gen(function*() {
      const attempt = yield* note("start")
      if (attempt > failures) return answer("flaky", client, number)
      yield* note("failed")
      return yield* new Doomed({ code: number })
    })
})

/** Fails in all of them. */
export const doomed = Task.define("doomed", {
  args: whose,
  error: Doomed,
  retry: retry(2),
  run: ({ number }) =>
    note("start").pipe(Effect.andThen(note("failed")), Effect.andThen(Effect.fail(new Doomed({ code: number }))))
})

/** One at a time for each client and place. */
export const unique = Task.define("unique", {
  args: { ...whose, place: Schema.Int, millis: Schema.Int },
  success: Schema.String,
  unique: { key: ({ client, place }) => `${client}/${place}`, while: "unfinished" },
  run: ({ client, millis, number }) =>
    note("start").pipe(Effect.andThen(Effect.sleep(millis)), Effect.as(answer("unique", client, number)))
})

/** Much in both directions. */
export const big = Task.define("big", {
  args: { ...whose, blob: Schema.String },
  success: Schema.Struct({ answer: Schema.String, blob: Schema.String }),
  run: ({ blob, client, number }) =>
    Effect.as(note("start"), { answer: answer("big", client, number), blob: `${blob}${number}` })
})
