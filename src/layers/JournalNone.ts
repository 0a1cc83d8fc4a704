/**
 * No journal: stores nothing. What the control plane holds ends with its process.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Journal } from "../services/Journal.ts"

/**
 * Layer of a journal that stores nothing and is empty at every start.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Journal> = Layer.succeed(Journal, {
  isDurable: false,
  load: () =>
    Effect.succeed({
      tasks: [],
      outcomes: [],
      dead: [],
      values: { schedule: new Map(), pause: new Map(), unique: new Map() }
    }),
  append: () => {},
  position: () => 0,
  committed: () => 0,
  failure: () => undefined,
  observe: () => {},
  flush: Effect.void
})
