/**
 * Tells whether two submissions with the same id are the same: by a short number made of name and arguments.
 *
 * @since 0.1.0
 */
import { hash } from "node:crypto"
import type { Body } from "../domain/Body.ts"

/** From this size on the call into the runtime is worth it. */
const nativeBytes = 512

/**
 * Returns a 53-bit fingerprint of a task's name and encoded arguments: the same id with another fingerprint is a
 * conflict.
 *
 * **Details**
 *
 * Two 32-bit multiplicative hashes over the bytes (the construction of cyrb53, public domain); of many bytes over their
 * SHA-1, which the runtime computes several times faster. It guards against mistakes, not against an adversary: whoever
 * can guess an id can do worse.
 *
 * @category rules
 * @since 0.1.0
 */
export const fingerprint = (name: string, args: Body): number => {
  let a = 0xdeadbeef
  let b = 0x41c6ce57
  for (let i = 0; i < name.length; i++) {
    const unit = name.charCodeAt(i)
    a = Math.imul(a ^ unit, 2654435761)
    b = Math.imul(b ^ unit, 1597334677)
  }
  // Neither a code unit nor a byte: where the name ends counts.
  a = Math.imul(a ^ 0x10000, 2654435761)
  b = Math.imul(b ^ 0x10000, 1597334677)
  const bytes = args.length > nativeBytes ? hash("sha1", args, "buffer") : args
  for (let i = 0; i < bytes.length; i++) {
    const byte = typeof bytes === "string" ? bytes.charCodeAt(i) : bytes[i] as number
    a = Math.imul(a ^ byte, 2654435761)
    b = Math.imul(b ^ byte, 1597334677)
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909)
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909)
  return 4294967296 * (2097151 & b) + (a >>> 0)
}
