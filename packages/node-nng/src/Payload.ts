/** What a message is made of. */

/** A piece of a message; a string is sent as UTF-8. */
export type Part = string | Uint8Array

/**
 * One message: a part, or parts joined in order without a separator.
 *
 * **Gotchas** Arrays of bytes above 4 KiB are sent by reference and requests that may be sent again are kept: do not
 * change them until the request is answered or, for one-way messages and replies, until the socket has closed or drained.
 */
export type Payload = Part | ReadonlyArray<Part>

/** Returns the least number of bytes `payload` takes: exact for bytes and ASCII, one per UTF-16 unit for other text. */
export const payloadBytes = (payload: Payload): number => {
  if (typeof payload === "string" || payload instanceof Uint8Array) return payload.length
  let bytes = 0
  for (const part of payload) bytes += part.length
  return bytes
}

/** Joins `header` and `payload` into bytes of their own. */
export const joinPayload = (header: Uint8Array | null, payload: Payload): Uint8Array => {
  const list = typeof payload === "string" || payload instanceof Uint8Array ? [payload] : payload
  const parts = list.map((part) => typeof part === "string" ? Buffer.from(part, "utf8") : part)
  let bytes = header === null ? 0 : header.length
  for (const part of parts) bytes += part.length
  const joined = new Uint8Array(bytes)
  let at = 0
  if (header !== null) {
    joined.set(header)
    at = header.length
  }
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}
