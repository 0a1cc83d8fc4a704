/** Bodies of messages as they are handed out. */

/** Returns the bytes of `bytes` from `start` to `end`, in place. */
export const view = (bytes: Uint8Array, start: number, end: number): Uint8Array =>
  new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start)

/** Returns a copy of the bytes from `start` to `end`; `slice` of a Buffer would be a view. */
export const copied = (bytes: Uint8Array, start: number, end: number): Uint8Array =>
  new Uint8Array(view(bytes, start, end))

/**
 * Returns the bytes to keep until somebody takes them: copied when a view would keep alive far more than its own size.
 */
export const keepable = (bytes: Uint8Array, start: number, end: number): Uint8Array =>
  (end - start) * 2 < bytes.buffer.byteLength ? copied(bytes, start, end) : view(bytes, start, end)

/** Counts the bytes of a body. */
export const lengthOf = (body: Uint8Array): number => body.length
