/**
 * An orderly stop: SIGTERM or Ctrl-C interrupts the command, which then drains; the second one ends the process at once.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"

/** Exit code of a process that a signal ended (128 + SIGINT). */
export const killedExitCode = 130

const exitOnNextSignal = Effect.sync(() => {
  const end = () => {
    console.error("fastworker: stopped at once, what ran was not waited for")
    process.exit(killedExitCode)
  }
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, end)
})

/** Runs `drain` when the effect is interrupted. */
export const onStop = <E, R>(drain: Effect.Effect<void, E, R>) => <A, E2, R2>(self: Effect.Effect<A, E2, R2>) =>
  Effect.onInterrupt(self, () => Effect.andThen(exitOnNextSignal, Effect.ignore(drain)))
