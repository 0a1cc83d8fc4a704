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
import type { Tombstone } from "../domain/Outcome.ts"
import { FinalState } from "../domain/TaskState.ts"

const states = FinalState.literals

/** Stands where a state stood that was taken back: the slot is not empty, or what was written after it would not be found. */
const deleted = states.length + 1

/** Slots for each entry: short probes at the price of 20 bytes a slot. */
const slotsPerEntry = 2

interface Generation {
  /** 0 is an empty slot, otherwise the index of the state plus 1, or {@link deleted}. */
  readonly states: Uint8Array
  /** 64 bits of the id's hash in two words: two ids in a hundred thousand share them once in 10^14 submissions. */
  readonly low: Uint32Array
  readonly high: Uint32Array
  readonly fingerprints: Float64Array
  readonly mask: number
  size: number
}

const makeGeneration = (entries: number): Generation => {
  const slots = 2 ** Math.ceil(Math.log2(Math.max(2, entries * slotsPerEntry)))
  return {
    states: new Uint8Array(slots),
    low: new Uint32Array(slots),
    high: new Uint32Array(slots),
    fingerprints: new Float64Array(slots),
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
  let low = 0
  let high = 0

  /** The construction of cyrb53 (public domain), all of its 64 bits: into `low` and `high`. */
  const hash = (id: string) => {
    let a = 0xdeadbeef
    let b = 0x41c6ce57
    for (let i = 0; i < id.length; i++) {
      const unit = id.charCodeAt(i)
      a = Math.imul(a ^ unit, 2654435761)
      b = Math.imul(b ^ unit, 1597334677)
    }
    low = (Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909)) >>> 0
    high = (Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909)) >>> 0
  }

  /** The slot of the id that was hashed last, or the empty one where it would stand. */
  const slotOf = (generation: Generation): number => {
    const { high: highs, low: lows, mask, states } = generation
    let slot = low & mask
    while (states[slot] !== 0 && (lows[slot] !== low || highs[slot] !== high)) slot = (slot + 1) & mask
    return slot
  }

  const find = (generation: Generation): Tombstone | undefined => {
    const slot = slotOf(generation)
    const state = generation.states[slot] as number
    if (state === 0 || state === deleted) return undefined
    return { state: states[state - 1] as FinalState, fingerprint: generation.fingerprints[slot] as number }
  }

  /** Writes down the id that was hashed last. */
  const put = (state: FinalState, fingerprint: number) => {
    if (young.size >= perGeneration) {
      const forgotten = old ?? makeGeneration(perGeneration)
      old = young
      young = forgotten
      young.states.fill(0)
      young.size = 0
    }
    const slot = slotOf(young)
    if (young.states[slot] === 0) young.size++
    young.states[slot] = states.indexOf(state) + 1
    young.low[slot] = low
    young.high[slot] = high
    young.fingerprints[slot] = fingerprint
  }

  return {
    get(id: string): Tombstone | undefined {
      hash(id)
      const known = find(young)
      if (known !== undefined || old === undefined) return known
      const older = find(old)
      if (older !== undefined) put(older.state, older.fingerprint)
      return older
    },
    set(id: string, state: FinalState, fingerprint: number) {
      hash(id)
      put(state, fingerprint)
    },
    delete(id: string) {
      hash(id)
      for (const generation of old === undefined ? [young] : [young, old]) {
        const slot = slotOf(generation)
        if (generation.states[slot] !== 0) generation.states[slot] = deleted
      }
    }
  }
}
