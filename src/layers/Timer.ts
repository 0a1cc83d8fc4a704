/**
 * One-shot timers for code that lives in callbacks: by the clock of the surrounding program, so that tests can turn it.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"

/**
 * Creates the function that runs another one after some milliseconds, and returns how to call it off.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.map(Effect.context(), (services) => (millis: number, f: () => void): () => void => {
  const fiber = Effect.runForkWith(services)(Effect.delay(Effect.sync(f), millis))
  return () => fiber.interruptUnsafe()
})
