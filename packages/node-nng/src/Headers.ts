/**
 * The headers that protocols put in front of a body: backtraces of requests and surveys, ids of answers, hop counts. A
 * malformed one closes its pipe, one with too many hops is dropped and counted.
 */
import { NngError } from "./Errors.ts"
import type { LivePipe } from "./Pipe.ts"
import { word } from "./Wire.ts"

/** Where a message lies, and the hop limit. */
export interface HeaderBounds {
  readonly start: number
  readonly end: number
  readonly maxTtl: number
}

/**
 * Finds the end of a backtrace: words up to the first whose top bit is set, which is the id. Returns where the body
 * begins, or -1.
 */
export const backtraceEnd = (pipe: LivePipe, bytes: Uint8Array, { end, maxTtl, start }: HeaderBounds): number => {
  let at = start
  for (let hops = 1;; hops++) {
    if (hops > maxTtl) {
      pipe.drop("hopLimit")
      return -1
    }
    if (end - at < 4) {
      pipe.fail(new NngError("EPROTO", `${pipe.remoteAddress} sent a message without the id that must precede it`))
      return -1
    }
    at += 4
    if ((bytes[at - 4] ?? 0) >= 0x80) return at
  }
}

/** Reads the hop count of a PAIR1 message; -1 when it is malformed or over the limit. */
export const hopsOf = (pipe: LivePipe, bytes: Uint8Array, { end, maxTtl, start }: HeaderBounds): number => {
  const hops = end - start < 4 ? -1 : word(bytes, start)
  if (hops < 0 || hops > 0xff) {
    pipe.fail(new NngError("EPROTO", `${pipe.remoteAddress} sent a message without a hop count`))
    return -1
  }
  if (hops <= maxTtl) return hops
  pipe.drop("hopLimit")
  return -1
}

/** Reads the id in front of an answer, a negative number as a signed word; 0 after closing the pipe for want of one. */
export const answerId = (pipe: LivePipe, bytes: Uint8Array, start: number, end: number): number => {
  const id = end - start < 4 ? 0 : word(bytes, start)
  if (id < 0) return id
  pipe.fail(new NngError("EPROTO", `${pipe.remoteAddress} sent an answer without an id`))
  return 0
}
