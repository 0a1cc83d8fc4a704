/**
 * When a failed attempt is tried again: steps the schedule of its definition through the failures before it, with the
 * times at which they happened, and then through this one. Nothing is kept between attempts: the next may run elsewhere.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import { TaskTimedOut } from "../domain/Errors.ts"
import type { RegisteredHandler } from "../domain/TaskDefinition.ts"
import type { Attempt, EarlierAttempt } from "../services/Executor.ts"

/** Failures that count: what was lost with its worker did not fail. */
const isRetried = ({ reason }: EarlierAttempt) => reason === "error" || reason === "timeout"

/**
 * Returns after how many milliseconds an attempt that failed with this error is tried again, `undefined` for not at all.
 * Dies when `while` or the schedule do.
 *
 * **Details**
 *
 * An earlier error that does not decode (it was cut off, or is of another version) is replaced by this one. So are those
 * that the history lacks, at the time of the oldest that it has: the schedule is stepped as often as there were failures.
 *
 * @category rules
 * @since 0.1.0
 */
export const delay = Effect.fnUntraced(function*(
  { definition: { error: codec, policy: { retry, timeoutMillis = 0 } } }: RegisteredHandler,
  { failures, history, id, name }: Attempt,
  failure: { readonly error: unknown } | "timeout"
) {
  if (retry === undefined || failures + 1 >= retry.attempts) return
  if (failure !== "timeout" && !retry.while(failure.error)) return
  const now = yield* Clock.currentTimeMillis
  const timedOut = new TaskTimedOut({ id, task: name, timeout: timeoutMillis })
  const input = failure === "timeout" ? timedOut : failure.error

  const known = history.filter(isRetried).map(({ ago, error, reason }) => {
    const decoded = error === undefined ? undefined : codec.decode(error)
    const earlier = reason === "timeout"
      ? timedOut
      : decoded !== undefined && Result.isSuccess(decoded)
      ? decoded.success
      : input
    return { at: now - ago, input: earlier }
  })
  const oldest = { at: known[0]?.at ?? now, input }
  const missing = Array.from({ length: Math.max(0, failures - known.length) }, () => oldest)

  const step = yield* Schedule.toStep(retry.schedule)
  let millis: number | undefined
  for (const { at, input: earlier } of [...missing, ...known, { at: now, input }]) {
    millis = yield* Pull.matchEffect(step(at, earlier), {
      onSuccess: ([, wait]) => Effect.succeed(Math.round(Duration.toMillis(wait))),
      onDone: () => Effect.undefined,
      onFailure: Effect.failCause
    })
    if (millis === undefined) return
  }
  return Number.isSafeInteger(millis) ? millis : undefined
})
