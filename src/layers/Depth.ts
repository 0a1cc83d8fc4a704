/**
 * How deep JSON is nested, told without parsing it: brackets outside of texts. What is no JSON has some depth too, and fails
 * where it is read.
 *
 * @since 0.1.0
 */

import type { Body } from "../domain/Body.ts"
import { toBytes } from "../domain/Body.ts"

const quote = 34
const backslash = 92

/**
 * Returns whether encoded JSON has more than so many levels of objects and arrays. Text of fewer bytes than that is not
 * looked at.
 *
 * @category guards
 * @since 0.1.0
 */
export const isDeeper = (bytes: Uint8Array, maxDepth: number, end = bytes.length): boolean => {
  if (end <= maxDepth) return false
  let depth = 0
  for (let i = 0; i < end; i++) {
    const byte = bytes[i] as number
    if (byte === quote) {
      for (i++; i < end && bytes[i] !== quote; i++) if (bytes[i] === backslash) i++
    } else if (byte === 0x5b || byte === 0x7b) {
      if (++depth > maxDepth) return true
    } else if (byte === 0x5d || byte === 0x7d) depth--
  }
  return false
}

/**
 * Returns the same of a body, or of any text. `maxDepth` 0 is any.
 *
 * @category guards
 * @since 0.1.0
 */
export const isBodyDeeper = (body: Body, maxDepth: number): boolean =>
  maxDepth > 0 && body.length > maxDepth && isDeeper(toBytes(body), maxDepth)

/**
 * Returns what is said of a value that is nested too deep.
 *
 * @category formatting
 * @since 0.1.0
 */
export const tooDeep = (maxDepth: number): string =>
  `nested deeper than ${maxDepth} levels, the limit (FASTWORKER_MAX_PAYLOAD_DEPTH): make it flatter, or pass a reference to it`
