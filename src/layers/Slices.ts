/**
 * Long computations in slices: between two of them the event loop goes on with everything else, and only one computation
 * is under way at a time. Part of the history of a control plane, which must never hold up its dispatch.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"

/**
 * Runs a computation in slices.
 *
 * @category models
 * @since 0.1.0
 */
export type Slices = <A>(steps: () => Generator<void, A>) => Effect.Effect<A>

/** How long a slice takes, in milliseconds. */
const sliceMillis = 2

/**
 * Steps of which one is short: a computation yields after each so many of them.
 *
 * @category constants
 * @since 0.1.0
 */
export const stepsAtOnce = 256

/**
 * Creates the slices of a process. `now` is a monotonic clock in milliseconds.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeSlices = (now: () => number): Slices => {
  const turns = Semaphore.makeUnsafe(1)
  return <A>(steps: () => Generator<void, A>) =>
    turns.withPermits(1)(Effect.suspend(() => {
      const generator = steps()
      const slice: Effect.Effect<A> = Effect.suspend(() => {
        const end = now() + sliceMillis
        do {
          const step = generator.next()
          if (step.done === true) return Effect.succeed(step.value)
        } while (now() < end)
        return Effect.andThen(Effect.yieldNow, slice)
      })
      return slice
    }))
}
