/**
 * Hashes of ids, for the tables that are made of arrays of numbers. Others in each process: who chooses ids can't choose
 * them so that they collide.
 *
 * @since 0.1.0
 */
const [seed = 0, otherSeed = 0] = crypto.getRandomValues(new Int32Array(2))

/** The id that was hashed last: what happens to a task asks several tables for it, one after the other. */
let last: string
let hash: number
let otherHash: number

const mix = (hash: number): number => {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b)
  return mixed ^ (mixed >>> 13)
}

/** FNV-1a, twice, with the bits mixed at the end, since tables take the lowest. */
const remember = (id: string): void => {
  let a = seed
  let b = otherSeed
  for (let i = 0; i < id.length; i++) {
    const unit = id.charCodeAt(i)
    a = Math.imul(a ^ unit, 0x01000193)
    b = Math.imul(b ^ unit, 0x9e3779b1)
  }
  last = id
  hash = mix(a)
  otherHash = mix(b)
}
remember("")

/**
 * Returns the hash of an id, of 32 bits with a sign. Numbers as ids are whole numbers.
 *
 * @category rules
 * @since 0.1.0
 */
export const hashOf = (id: string | number): number => {
  if (typeof id === "number") return mix(seed ^ id)
  if (id !== last) remember(id)
  return hash
}

/**
 * Returns another hash of an id: two ids with the same {@link hashOf} share it as rarely as any others.
 *
 * @category rules
 * @since 0.1.0
 */
export const otherHashOf = (id: string): number => {
  if (id !== last) remember(id)
  return otherHash
}
