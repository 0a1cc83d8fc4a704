/**
 * Encoded JSON as a control plane keeps it and passes it on: arguments, results, errors, what handlers report. Opaque but
 * for its size.
 *
 * @since 0.1.0
 */

/**
 * Encoded JSON. Text only if each of its characters is ASCII, so that `length` is its bytes in both forms; which form it
 * has says nothing else.
 *
 * **Details**
 *
 * A short body is text: a view of bytes takes the engine ten times as long to make as a piece of a text, and twice the
 * memory. A long one is bytes, which are passed on as they came.
 *
 * @category models
 * @since 0.1.0
 */
export type Body = string | Uint8Array

/**
 * The body of what says nothing.
 *
 * @category constants
 * @since 0.1.0
 */
export const empty: Body = ""

/**
 * Most bytes of a body that is kept as text.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxTextBytes = 1024

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

/**
 * Whether each character of a text is ASCII.
 *
 * @category guards
 * @since 0.1.0
 */
export const isAscii = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}

/**
 * Returns a body with this text.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromText = (text: string): Body =>
  text.length <= maxTextBytes && isAscii(text) ? text : encoder.encode(text)

/**
 * Returns the text of a body.
 *
 * @category getters
 * @since 0.1.0
 */
export const toText = (body: Body): string => typeof body === "string" ? body : decoder.decode(body)

/**
 * Returns the bytes of a body.
 *
 * @category getters
 * @since 0.1.0
 */
export const toBytes = (body: Body): Uint8Array => typeof body === "string" ? encoder.encode(body) : body

/**
 * Whether two bodies have the same bytes.
 *
 * @category comparisons
 * @since 0.1.0
 */
export const isSame = (a: Body, b: Body): boolean => {
  if (a.length !== b.length) return false
  if (typeof a === "string" && typeof b === "string") return a === b
  const left = toBytes(a)
  const right = toBytes(b)
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return false
  return true
}
