/**
 * An orderly stop: SIGTERM or Ctrl-C interrupts the command, which then drains; the second one ends the process at once.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"

/** Exit code of a process that a signal ended (128 + SIGINT). */
export const killedExitCode = 130

/** Ends the process with the next signal. What it gives out is called when nothing is left that could be cut off. */
const exitOnNextSignal = Effect.sync(() => {
  let isDrained = false
  const end = () => {
    if (!isDrained) console.error("fastworker: stopped at once, what ran was not waited for")
    process.exit(killedExitCode)
  }
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, end)
  return () => {
    isDrained = true
  }
})

/** Runs `drain` when the effect is interrupted. */
export const onStop = <E, R>(drain: Effect.Effect<void, E, R>) => <A, E2, R2>(self: Effect.Effect<A, E2, R2>) =>
  Effect.onInterrupt(
    self,
    () => Effect.flatMap(exitOnNextSignal, (drained) => Effect.andThen(Effect.ignore(drain), Effect.sync(drained)))
  )
