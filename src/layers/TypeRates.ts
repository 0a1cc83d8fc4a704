/**
 * What happened to the tasks of each type, by time: {@link makeBuckets} for each, coarser and shorter than those of all
 * tasks. Part of the history of a control plane; bounded in types, the others are counted together.
 *
 * @since 0.1.0
 */
import type { Buckets } from "./Buckets.ts"
import { makeBuckets } from "./Buckets.ts"

/**
 * What is counted of a type. `finished` and `failed` are since the start of the control plane.
 *
 * @category models
 * @since 0.1.0
 */
export interface TypeRate {
  readonly name: string
  readonly buckets: Buckets
  finished: number
  failed: number
  lastAt: number
}

/**
 * What is counted of the types of a control plane.
 *
 * @category models
 * @since 0.1.0
 */
export type TypeRates = ReturnType<typeof makeTypeRates>

/** Types, at most: one takes about 30 kB, and what happens in it. */
const maxTypes = 200

/** One that has not been seen for so long makes room for another. */
const idleMillis = 15 * 60_000

/** While there is no room it is not looked for with every task. */
const retryMillis = 10_000

/**
 * The buckets of a type: 10 s for 15 minutes, 2 minutes for 6 hours, 10 minutes for a day.
 *
 * @category constants
 * @since 0.1.0
 */
export const typeTiers = [
  { step: 10_000, size: 90 },
  { step: 120_000, size: 180 },
  { step: 600_000, size: 144 }
] as const

/**
 * Creates it without a type.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeTypeRates = () => {
  const types = new Map<string, TypeRate>()
  let others: TypeRate | undefined
  let last: TypeRate | undefined
  let fullUntil = -Infinity

  const makeRoom = (at: number): boolean => {
    if (types.size < maxTypes) return true
    if (at < fullUntil) return false
    let idlest: TypeRate | undefined
    for (const type of types.values()) if (idlest === undefined || type.lastAt < idlest.lastAt) idlest = type
    if (idlest !== undefined && at - idlest.lastAt >= idleMillis) return types.delete(idlest.name)
    fullUntil = at + retryMillis
    return false
  }

  const makeType = (name: string, at: number): TypeRate => ({
    name,
    buckets: makeBuckets(typeTiers, at),
    finished: 0,
    failed: 0,
    lastAt: at
  })

  return {
    /** What is counted of a type, or of all others when there are too many. Something happens to it now. */
    touch(name: string, at: number): TypeRate {
      if (last !== undefined && last.name === name) {
        last.lastAt = at
        return last
      }
      let type = types.get(name)
      if (type === undefined) {
        // No task has a name without a character.
        if (!makeRoom(at)) return others ??= makeType("", at)
        type = makeType(name, at)
        types.set(name, type)
      }
      type.lastAt = at
      last = type
      return type
    },
    find: (name: string): TypeRate | undefined => types.get(name),
    /** All of them, and what is counted of others as the last, with an empty name. */
    *all(): Generator<TypeRate> {
      yield* types.values()
      if (others !== undefined) yield others
    },
    size: () => types.size
  }
}
