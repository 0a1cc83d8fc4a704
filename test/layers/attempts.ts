/** Attempts for executors, and what becomes of them. */
import * as Effect from "effect/Effect"
import type { Attempt, AttemptResult, Executor } from "../../src/services/Executor.ts"
import { until } from "../harness/Until.ts"

/** Starts an attempt of a task; what is told of it is kept in the order in which it comes. */
export const startAttempt = (
  executor: Executor["Service"],
  name: string,
  args: unknown = {},
  overrides: Partial<Attempt> = {}
) => {
  const events: Array<string> = []
  const results: Array<AttemptResult> = []
  const interrupt = executor.start(
    {
      id: "id",
      name,
      attempt: 1,
      worker: "w",
      args: JSON.stringify(args),
      version: undefined,
      trace: undefined,
      expiresInMillis: undefined,
      failures: 0,
      history: [],
      checkpoint: undefined,
      onProgress: (body) => events.push(`progress ${body}`),
      setWaiting: (isWaiting) => {
        events.push(isWaiting ? "waits" : "goes on")
        return true
      },
      ...overrides
    },
    (result) => {
      events.push(result.state)
      results.push(result)
    },
    () => events.push("end")
  )
  return {
    events,
    results,
    interrupt,
    /** The result, when the attempt has ended. */
    ended: until(`the end of ${name}`, () => events.at(-1) === "end").pipe(Effect.map(() => results[0]))
  }
}
