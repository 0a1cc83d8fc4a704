/** Runs of the simulation: drawn from a seed, or played from a script. A broken promise comes with the script that broke it. */
import { calmDown } from "./Calm.ts"
import { drawFeatures, drawSetup, everything, makeDraw } from "./Draw.ts"
import { makeRandom } from "./Random.ts"
import type { Script, Step } from "./Script.ts"
import { Broken } from "./Script.ts"
import type { Tamper } from "./Server.ts"
import { shrink } from "./Shrink.ts"
import { makeWorld } from "./World.ts"

export interface Run {
  readonly seed: number
  /** Steps, messages that arrived, turns and sweeps. */
  readonly happened: number
  readonly counts: Readonly<Record<string, number>>
  /** How often each kind of thing happened. */
  readonly seen: ReadonlyMap<string, number>
}

/** A run that broke a promise, or something of the simulation itself. */
export interface Failure {
  readonly promise: string
  readonly message: string
  readonly script: Script
  readonly cause: unknown
}

const failureOf = (cause: unknown, script: Script): Failure => ({
  promise: cause instanceof Broken
    ? cause.promise
    : `an error: ${cause instanceof Error ? cause.message.slice(0, 40) : ""}`,
  message: cause instanceof Error ? cause.message : String(cause),
  script,
  cause
})

/** Draws so many steps of a seed and plays them. */
export const explore = (seed: number, count: number, tamper?: Tamper): Run | Failure => {
  const random = makeRandom(seed)
  const features = drawFeatures(random)
  const setup = drawSetup(random, features)
  const world = makeWorld(setup, tamper)
  const draw = makeDraw(random, features, world)
  const steps: Array<Step> = []
  try {
    for (let i = 0; i < count; i++) {
      const step = draw()
      steps.push(step)
      world.play(step)
    }
    calmDown(world, everything)
    return { seed, happened: world.happened(), counts: { ...world.audit().counts }, seen: world.seen }
  } catch (cause) {
    return failureOf(cause, { setup, steps })
  }
}

/** Plays a script to its end, or without the calm that follows its steps; returns what it broke. */
export const replay = (script: Script, isCalmed = true, tamper?: Tamper): Failure | undefined => {
  try {
    const world = makeWorld(script.setup, tamper)
    for (const step of script.steps) world.play(step)
    world.audit().checkAll()
    if (isCalmed) calmDown(world, everything)
    return undefined
  } catch (cause) {
    return failureOf(cause, script)
  }
}

/** The smallest script found that breaks the same promise. */
export const shrinkFailure = ({ promise, script }: Failure, tamper?: Tamper): Script => {
  const isEarly = replay(script, false, tamper)?.promise === promise
  return shrink(script, promise, (candidate) => replay(candidate, !isEarly, tamper)?.promise)
}

export const isFailure = (run: Run | Failure): run is Failure => "promise" in run
