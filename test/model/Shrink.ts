/**
 * Makes a script that breaks a promise as small as it gets: takes steps away, then parts of steps and of the setup, for as
 * long as the same promise is still broken.
 */
import type { Script, Setup, Step } from "./Script.ts"

/** Plays a script; returns the promise that it broke. */
export type Play = (script: Script) => string | undefined

/** So many plays at most: shrinking is for people who wait. */
const maxPlays = 4_000

/** The ways in which a step can be made simpler. */
const simpler = (step: Step): ReadonlyArray<Step> => {
  if (step.t === "submit") {
    const fewer = step.tasks.length > 1
      ? step.tasks.map((_, at) => ({ ...step, tasks: step.tasks.filter((_, other) => other !== at) }))
      : []
    const less = step.tasks.flatMap((task, at) =>
      Object.keys(task)
        .filter((key) => key !== "id" && key !== "name" && key !== "args")
        .map((key) => {
          const { [key as keyof typeof task]: _, ...rest } = task
          return { ...step, tasks: step.tasks.map((other, index) => index === at ? rest as typeof task : other) }
        })
    )
    return [...fewer, ...less]
  }
  if (step.t === "time" && step.ms > 1) return [{ ...step, ms: 1 }, { ...step, ms: Math.ceil(step.ms / 2) }]
  if (step.t === "exchange" && step.lie !== undefined) return [{ t: "exchange", w: step.w }]
  if (step.t === "hire") {
    return [
      ...(step.isPlain === true || step.isLocal === true || step.isLiar === true
        ? [{ t: "hire" as const, w: step.w, slots: step.slots, names: step.names }]
        : []),
      ...(step.slots > 1 ? [{ ...step, slots: 1 }] : [])
    ]
  }
  return []
}

const simplerSetups = (setup: Setup): ReadonlyArray<Setup> => [
  ...(setup.isDurable ? [{ ...setup, isDurable: false }] : []),
  ...Object.keys(setup.settings).map((key) => {
    const { [key as keyof typeof setup.settings]: _, ...settings } = setup.settings
    return { ...setup, settings }
  }),
  ...setup.types.flatMap((type, at) =>
    (["limits", "retention", "priority"] as const).flatMap((key) => {
      if (type[key] === undefined) return []
      const { [key]: _, ...rest } = type
      return [{ ...setup, types: setup.types.map((other, index) => index === at ? rest : other) }]
    })
  )
]

/** The same question about a task that has a name of its own, or an earlier one that has none. */
const simplerIds = (step: Step, steps: ReadonlyArray<Step>): ReadonlyArray<Step> => {
  if (step.t !== "ask" || !("id" in step.question)) return []
  const made = /^made-(\d+)$/u.exec(step.question.id)
  if (made === null) return []
  const own = steps.flatMap((step) => step.t === "submit" ? step.tasks.flatMap(({ id }) => id ?? []) : [])
  const earlier = Array.from({ length: Number(made[1]) - 1 }, (_, at) => `made-${at + 1}`)
  return [...new Set([...own, ...earlier])].map((id) => ({ ...step, question: { ...step.question, id } }) as Step)
}

/** Ids that the control plane makes are counted: without some submissions the later ones are other numbers. */
const renumber = (steps: ReadonlyArray<Step>, removed: ReadonlyArray<Step>): ReadonlyArray<Step> | undefined => {
  let made = 0
  for (const step of removed) {
    if (step.t === "submit") { for (const { id } of step.tasks) if (id === undefined) made++ }
  }
  if (made === 0) return undefined
  const text = JSON.stringify(steps)
  const changed = text.replaceAll(/made-(\d+)/gu, (_, number) => `made-${Math.max(1, Number(number) - made)}`)
  return changed === text ? undefined : JSON.parse(changed) as ReadonlyArray<Step>
}

export const shrink = (script: Script, promise: string, play: Play): Script => {
  let best = script
  let plays = 0
  const isBroken = (candidate: Script): boolean => {
    if (++plays > maxPlays || play(candidate) !== promise) return false
    best = candidate
    return true
  }

  const removeSteps = (): boolean => {
    const before = best.steps.length
    for (let size = Math.ceil(best.steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      // From the end: what comes last depends on what comes first.
      for (let at = best.steps.length - size; at > -size; at -= size) {
        const from = Math.max(0, at)
        if (from >= best.steps.length) continue
        const [before, after] = [best.steps.slice(0, from), best.steps.slice(at + size)]
        const removed = best.steps.slice(from, at + size)
        if (isBroken({ ...best, steps: [...before, ...after] })) continue
        const renumbered = renumber(after, removed)
        if (renumbered !== undefined) isBroken({ ...best, steps: [...before, ...renumbered] })
      }
    }
    return best.steps.length < before
  }

  const simplify = (): boolean => {
    const before = best
    for (let at = 0; at < best.steps.length; at++) {
      for (let isSimpler = true; isSimpler;) {
        const step = best.steps[at] as Step
        isSimpler = [...simpler(step), ...simplerIds(step, best.steps)].some((step) =>
          isBroken({ ...best, steps: best.steps.with(at, step) })
        )
      }
    }
    for (let isSimpler = true; isSimpler;) {
      isSimpler = simplerSetups(best.setup).some((setup) => isBroken({ ...best, setup }))
    }
    return best !== before
  }

  const mayPlay = () => plays < maxPlays
  for (let goesOn = true; goesOn; goesOn = simplify() && mayPlay()) {
    while (removeSteps()) { /* Less may be needed now. */ }
  }
  return best
}

/** A script for people: a line for the setup and one for each step. */
export const print = ({ setup, steps }: Script): string =>
  [`setup ${JSON.stringify(setup)}`, ...steps.map((step) => JSON.stringify(step))].join("\n")
