/** Runs of the simulation: drawn from a seed, or played from a script. A broken promise comes with the script that broke it. */
import { calmDown } from "./Calm.ts"
import { drawFeatures, drawSetup, everything, makeDraw } from "./Draw.ts"
import { makeRandom } from "./Random.ts"
import type { Script, Step } from "./Script.ts"
import { Broken } from "./Script.ts"
import { shrink } from "./Shrink.ts"
import { makeWorld } from "./World.ts"

export interface Run {
  readonly seed: number
  readonly steps: number
  readonly counts: Readonly<Record<string, number>>
  /** How often each kind of step was drawn. */
  readonly kinds: Readonly<Record<string, number>>
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
export const explore = (seed: number, count: number): Run | Failure => {
  const random = makeRandom(seed)
  const features = drawFeatures(random)
  const setup = drawSetup(random, features)
  const world = makeWorld(setup)
  const draw = makeDraw(random, features, world)
  const steps: Array<Step> = []
  const kinds: Record<string, number> = {}
  try {
    for (let i = 0; i < count; i++) {
      const step = draw()
      steps.push(step)
      kinds[step.t] = (kinds[step.t] ?? 0) + 1
      world.play(step)
    }
    calmDown(world, everything)
    return { seed, steps: world.steps(), counts: { ...world.audit().counts }, kinds }
  } catch (cause) {
    return failureOf(cause, { setup, steps })
  }
}

/** Plays a script to its end, or without the calm that follows its steps; returns what it broke. */
export const replay = (script: Script, isCalmed = true): Failure | undefined => {
  try {
    const world = makeWorld(script.setup)
    for (const step of script.steps) world.play(step)
    world.audit().checkAll()
    if (isCalmed) calmDown(world, everything)
    return undefined
  } catch (cause) {
    return failureOf(cause, script)
  }
}

/** The smallest script found that breaks the same promise. */
export const shrinkFailure = ({ promise, script }: Failure): Script => {
  const isEarly = replay(script, false)?.promise === promise
  return shrink(script, promise, (candidate) => replay(candidate, !isEarly)?.promise)
}

export const isFailure = (run: Run | Failure): run is Failure => "promise" in run
