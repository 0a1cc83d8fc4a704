/** What every measure is told: which systems take part, and for how long each load lasts. */
import type { System } from "../systems/system.ts"

export interface Options {
  /** Ours, then the peers. */
  readonly systems: ReadonlyArray<System>
  readonly ceilings: ReadonlyArray<System>
  readonly millis: number
  readonly warmUpMillis: number
  /** Smaller numbers where a measure has large ones: to try it, not to publish it. */
  readonly quick: boolean
}
