/**
 * Finds the place of an id among a fixed number of places: a hash table in two arrays of numbers, so that ids that come
 * and go leave nothing to collect. With a hundred thousand of them it costs a tenth of a `Map` that is filled and emptied
 * all the time. Part of the history of a control plane.
 *
 * Ids come from outside: of those that somebody made to collide, only the first ones are found.
 *
 * @since 0.1.0
 */
import { hashOf } from "../domain/IdHash.ts"

/** Places that are looked at for one id, at most: of a half empty table hardly ever more than some. */
const maxProbes = 128

/**
 * An index of ids.
 *
 * @category models
 * @since 0.1.0
 */
export interface IdIndex {
  /** The place of an id, -1 when it has none. */
  readonly find: (id: string) => number
  /** Gives an id that has no place this one, which must have no id. Returns the place that it has already, or -1. */
  readonly add: (place: number, id: string) => number
  /** Takes its id from a place. */
  readonly remove: (place: number) => void
}

/**
 * Creates an empty index of so many places. `idOf` tells the id that a place has.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeIdIndex = (places: number, idOf: (place: number) => string): IdIndex => {
  const length = 2 ** Math.ceil(Math.log2(2 * Math.max(1, places)))
  const mask = length - 1
  /** Each entry is a place, counted from 1 so that 0 is empty, and the hash of its id. */
  const table = new Int32Array(2 * length)
  const hashes = new Int32Array(places)

  return {
    find(id) {
      const hash = hashOf(id)
      for (let probe = 0; probe < maxProbes; probe++) {
        const at = 2 * ((hash + probe) & mask)
        const entry = table[at] as number
        if (entry === 0) return -1
        if (table[at + 1] === hash && idOf(entry - 1) === id) return entry - 1
      }
      return -1
    },
    add(place, id) {
      const hash = hashOf(id)
      hashes[place] = hash
      for (let probe = 0; probe < maxProbes; probe++) {
        const at = 2 * ((hash + probe) & mask)
        const entry = table[at] as number
        if (entry === 0) {
          table[at] = place + 1
          table[at + 1] = hash
          return -1
        }
        if (table[at + 1] === hash && idOf(entry - 1) === id) return entry - 1
      }
      return -1
    },
    remove(place) {
      const hash = hashes[place] as number
      let at = -1
      for (let probe = 0; probe < maxProbes && at < 0; probe++) {
        const entry = table[2 * ((hash + probe) & mask)] as number
        if (entry === 0) return
        if (entry === place + 1) at = (hash + probe) & mask
      }
      if (at < 0) return
      // What stands behind it moves up, as far as it belongs there: a search ends at the first empty one.
      for (let next = (at + 1) & mask; table[2 * next] !== 0; next = (next + 1) & mask) {
        const hashOfNext = table[2 * next + 1] as number
        if (((next - hashOfNext) & mask) < ((next - at) & mask)) continue
        table[2 * at] = table[2 * next] as number
        table[2 * at + 1] = hashOfNext
        at = next
      }
      table[2 * at] = 0
    }
  }
}
