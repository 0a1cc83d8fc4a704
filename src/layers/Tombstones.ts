/**
 * What is remembered of tasks whose outcome is not kept: a hash of the id, the fingerprint and the final state, in flat
 * arrays. Every task passes here, so there is no object and no string for each: a hundred thousand of them cost the
 * garbage collector nothing.
 *
 * Two generations: when the young one is full the old one is forgotten whole, and nothing is ever deleted singly. Who is
 * asked for while in the old one is put into the young one again. So those that were named last are remembered, as many as
 * a generation holds and up to twice as many.
 *
 * @since 0.1.0
 */
import { hashOf, otherHashOf } from "../domain/IdHash.ts"
import type { Tombstone } from "../domain/Outcome.ts"
import { FinalState } from "../domain/TaskState.ts"

const states = FinalState.literals

/** Stands where a state stood that was taken back: the slot is not empty, or what was written after it would not be found. */
const deleted = states.length + 1

/** Slots for each entry: short probes at the price of 16 bytes a slot. */
const slotsPerEntry = 2
const wordsPerSlot = 4

const fingerprintBits = 21
const fingerprintMask = 2 ** fingerprintBits - 1

interface Generation {
  /**
   * Four words of a slot side by side, so that a look at one is one access to memory that is in no cache: 64 bits of the
   * id's hash (two ids in a hundred thousand share them once in 10^14 submissions), the low 32 bits of the fingerprint,
   * and the other 21 below the state. The last is 0 where the slot is empty; the state is its index plus 1, or {@link deleted}.
   */
  readonly words: Int32Array
  readonly mask: number
  size: number
}

const makeGeneration = (entries: number): Generation => {
  const slots = 2 ** Math.ceil(Math.log2(Math.max(2, entries * slotsPerEntry)))
  return {
    words: new Int32Array(wordsPerSlot * slots),
    mask: slots - 1,
    size: 0
  }
}

/**
 * What is remembered of tasks whose outcome is not kept.
 *
 * @category models
 * @since 0.1.0
 */
export type Tombstones = ReturnType<typeof makeTombstones>

/**
 * Creates an empty memory of the newest `count` tasks, and at most as many others.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeTombstones = (count: number) => {
  const perGeneration = Math.max(1, count)
  let young = makeGeneration(perGeneration)
  let old: Generation | undefined

  /** The first word of the slot of an id, or of the empty one where it would stand. */
  const slotOf = ({ mask, words }: Generation, hash: number, otherHash: number): number => {
    let at = wordsPerSlot * (hash & mask)
    while (words[at + 3] !== 0 && (words[at] !== hash || words[at + 1] !== otherHash)) {
      at = (at + wordsPerSlot) % words.length
    }
    return at
  }

  const find = (generation: Generation, hash: number, otherHash: number): Tombstone | undefined => {
    const { words } = generation
    const at = slotOf(generation, hash, otherHash)
    const last = words[at + 3] as number
    const state = last >>> fingerprintBits
    if (state === 0 || state === deleted) return undefined
    return {
      state: states[state - 1] as FinalState,
      fingerprint: (last & fingerprintMask) * 2 ** 32 + ((words[at + 2] as number) >>> 0)
    }
  }

  const put = (hash: number, otherHash: number, state: FinalState, fingerprint: number) => {
    if (young.size >= perGeneration) {
      const forgotten = old ?? makeGeneration(perGeneration)
      old = young
      young = forgotten
      young.words.fill(0)
      young.size = 0
    }
    const { words } = young
    const at = slotOf(young, hash, otherHash)
    if (words[at + 3] === 0) young.size++
    words[at] = hash
    words[at + 1] = otherHash
    words[at + 2] = fingerprint
    words[at + 3] = ((states.indexOf(state) + 1) << fingerprintBits) | Math.floor(fingerprint / 2 ** 32)
  }

  return {
    get(id: string): Tombstone | undefined {
      const hash = hashOf(id)
      const otherHash = otherHashOf(id)
      const known = find(young, hash, otherHash)
      if (known !== undefined || old === undefined) return known
      const older = find(old, hash, otherHash)
      if (older !== undefined) put(hash, otherHash, older.state, older.fingerprint)
      return older
    },
    set(id: string, state: FinalState, fingerprint: number) {
      put(hashOf(id), otherHashOf(id), state, fingerprint)
    },
    /** The same, for an id whose hashes are at hand: the id itself may be in no cache any more. */
    setHashed: put,
    delete(id: string) {
      for (const generation of old === undefined ? [young] : [young, old]) {
        const at = slotOf(generation, hashOf(id), otherHashOf(id))
        if (generation.words[at + 3] !== 0) generation.words[at + 3] = deleted << fingerprintBits
      }
    }
  }
}
