/**
 * The rhythm in which a control plane looks for what is late: every {@link sweepMillis} while something may be due, less often
 * while there is nothing.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import type { Settings as Values } from "../domain/Settings.ts"
import { sweepMillis } from "./ControlPlaneCore.ts"

/** Measured, of a core: 0.42 % at 100 ms, 0.1 % at 500 ms. */
const restMillis = 500

/**
 * The sweeps of a control plane.
 *
 * @category models
 * @since 0.1.0
 */
export interface Sweeps {
  /** Sweeps for ever. */
  readonly run: Effect.Effect<never>
  /** Something has changed: if there is anything to look for now, it is looked for in the quick rhythm. */
  readonly changed: () => void
}

/**
 * Creates the sweeps. `sweep` gets the milliseconds after which it should have been called; `isQuiet` tells that nothing can be
 * due before so many milliseconds have passed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeSweeps = Effect.fnUntraced(function*({ isQuiet, settings, sweep }: {
  readonly settings: Pick<Values, "heartbeatMillis" | "reconnectGraceMillis">
  readonly isQuiet: (millis: number) => boolean
  readonly sweep: (every: number) => void
}) {
  const woken = yield* Latch.make(true)
  // Workers are lost even while nothing runs, and not much later than they should be.
  const rest = Math.min(restMillis, settings.heartbeatMillis / 10, settings.reconnectGraceMillis / 4)
  let isResting = false
  let every = sweepMillis

  const next = () => {
    sweep(every)
    isResting = rest > sweepMillis && isQuiet(rest)
    every = isResting ? rest : sweepMillis
    if (isResting) woken.closeUnsafe()
  }

  const pause = Effect.suspend(() => isResting ? Effect.timeoutOption(woken.await, every) : Effect.sleep(every))

  const sweeps: Sweeps = {
    run: Effect.sync(next).pipe(Effect.andThen(pause), Effect.forever),
    changed() {
      if (!isResting || isQuiet(rest)) return
      isResting = false
      woken.openUnsafe()
    }
  }
  return sweeps
})
