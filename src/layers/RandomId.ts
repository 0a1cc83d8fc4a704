/**
 * Ids and session tokens: 128 random bits in 32 hexadecimal digits.
 *
 * @since 0.1.0
 */
import { randomBytes } from "node:crypto"

const idsPerPool = 256

/**
 * Creates a generator of ids. They are cut from a pool: one call to the system's generator for 256 of them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeRandomId = (): () => string => {
  let pool = ""
  let at = 0
  return () => {
    if (at === pool.length) {
      pool = randomBytes(16 * idsPerPool).toString("hex")
      at = 0
    }
    at += 32
    return pool.slice(at - 32, at)
  }
}
