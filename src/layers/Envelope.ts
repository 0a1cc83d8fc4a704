/**
 * Messages as bytes: a JSON header, a newline, then the bodies one after the other; the header says how long each is.
 * Owns the split; what a header may say is `domain/Message.ts`.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import { Buffer, isAscii } from "node:buffer"
import type { Body } from "../domain/Body.ts"
import { isAscii as isAsciiText, maxTextBytes } from "../domain/Body.ts"
import type { ReplyError } from "../domain/Errors.ts"
import { BadRequest } from "../domain/Errors.ts"
import type { Piece } from "../domain/LongText.ts"
import { errorToWire, protocolVersion } from "../domain/Message.ts"
import type { Payload } from "../services/Transport.ts"
import { isDeeper } from "./Depth.ts"

/**
 * A message taken apart. `body` is a view.
 *
 * @category models
 * @since 0.1.0
 */
export interface Envelope {
  readonly header: unknown
  readonly body: Buffer
}

/**
 * Largest message in bytes: a batch of many small tasks, or one task of the largest payload, with room for the header.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxMessageBytes = (maxPayloadBytes: number): number => 2 * maxPayloadBytes + 16 * 1024 * 1024

const newline = 10

/** Levels of a large header; those of the protocol have four. */
const maxDepth = 64

/**
 * Headers up to this size are parsed without a look at their depth: it would cost as much as parsing them. Brackets alone
 * cost 16 times as much to parse as data of the same size: seconds for the largest message.
 */
const maxUncheckedBytes = 1024 * 1024

/**
 * A body to be sent; long texts are in pieces, which are not put together.
 *
 * @category models
 * @since 0.1.0
 */
export type EncodedBody = Body | ReadonlyArray<string>

/**
 * Creates a message from a header and bodies. Bodies that are text are joined to one part: that is one encoding for the
 * transport instead of one for each.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = (header: object, bodies: ReadonlyArray<EncodedBody> = []): Payload => {
  const parts: Array<string | Uint8Array> = []
  let text = `${JSON.stringify(header)}\n`
  for (const body of bodies) {
    if (typeof body === "string") {
      text += body
    } else {
      if (text !== "") parts.push(text)
      text = ""
      if (body instanceof Uint8Array) parts.push(body)
      else parts.push(...body)
    }
  }
  if (text !== "") parts.push(text)
  return parts
}

/** Text of more characters is encoded apart: joined to the header it would be measured, copied and encoded. */
const maxJoinedChars = 16 * 1024

/**
 * Returns encoded JSON, which may be in pieces, as a body for {@link encode}, and its bytes. A long text is kept as it is:
 * the transport makes bytes of it when it is sent.
 *
 * @category encoding
 * @since 0.1.0
 */
export const bodyOf = (
  text: string | ReadonlyArray<Piece>
): { readonly body: EncodedBody; readonly size: number } => {
  if (typeof text === "string") {
    return { body: text.length <= maxJoinedChars ? text : [text], size: Buffer.byteLength(text) }
  }
  return {
    body: text.map(({ text }) => text),
    size: text.reduce((size, { bytes, text }) => size + (bytes ?? Buffer.byteLength(text)), 0)
  }
}

/**
 * Creates the answer that says why a request is refused.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encodeError = (error: ReplyError): Payload => encode({ v: protocolVersion, error: errorToWire(error) })

/**
 * Takes a message apart. A message without a newline is a header alone.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode = (message: Uint8Array): Result.Result<Envelope, BadRequest> => {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength)
  const at = bytes.indexOf(newline)
  const end = at === -1 ? bytes.length : at
  if (end > maxUncheckedBytes && isDeeper(bytes, maxDepth, end)) {
    return Result.fail(new BadRequest({ reason: `the header is nested deeper than ${maxDepth} levels` }))
  }
  try {
    return Result.succeed({
      header: JSON.parse(bytes.toString("utf8", 0, end)) as unknown,
      body: bytes.subarray(Math.min(end + 1, bytes.length))
    })
  } catch {
    return Result.fail(
      new BadRequest({ reason: "a message starts with a line of JSON, the first line of this one is not JSON" })
    )
  }
}

/**
 * Where each of the items ends in a body, in bytes. The last size may be missing: it is the rest. Fails unless they add up.
 */
const endsOf = (
  body: Buffer,
  items: ReadonlyArray<{ readonly size?: number }>
): Result.Result<ReadonlyArray<number>, BadRequest> => {
  const ends: Array<number> = []
  let end = 0
  for (let i = 0; i < items.length; i++) {
    end += items[i]?.size ?? (i === items.length - 1 ? Math.max(0, body.length - end) : 0)
    ends.push(end)
  }
  return end === body.length
    ? Result.succeed(ends)
    : Result.fail(
      new BadRequest({ reason: `the sizes in the header add up to ${end} bytes, the body has ${body.length}` })
    )
}

/**
 * Cuts a body into texts of the given sizes in bytes. The last size may be missing: it gets the rest.
 *
 * **Details**
 *
 * Where every byte is a character, as in most JSON, the body is decoded as a whole and cut then: a view and a decoding of
 * each took a tenth of a client's time. So a text may keep all of them alive, as a view would.
 *
 * @category decoding
 * @since 0.1.0
 */
export const texts = (
  body: Buffer,
  items: ReadonlyArray<{ readonly size?: number }>
): Result.Result<ReadonlyArray<string>, BadRequest> =>
  Result.map(endsOf(body, items), (ends) => {
    const whole = isAscii(body) ? body.toString("latin1") : undefined
    let from = 0
    return ends.map((end) => {
      const text = whole === undefined ? body.toString("utf8", from, end) : whole.slice(from, end)
      from = end
      return text
    })
  })

/** Characters or bytes that neighbours share: what one of them that is kept keeps alive, at most. */
const blockBytes = 4 * 1024

/**
 * Cuts a body into bodies of the given sizes that may be kept. None keeps a receive buffer alive, unless it is most of it
 * anyway; small neighbours share a block, since a copy of each would cost twice as much. The last size may be missing: it
 * gets the rest.
 *
 * @category decoding
 * @since 0.1.0
 */
export const bodies = (
  body: Buffer,
  items: ReadonlyArray<{ readonly size?: number }>
): Result.Result<ReadonlyArray<Body>, BadRequest> =>
  Result.map(endsOf(body, items), (ends) => {
    const areTexts = isAscii(body)
    // A character for each byte, whatever the bytes are.
    let block = ""
    let blockFrom = 0
    let blockEnd = 0
    let from = 0
    return ends.map((end): Body => {
      const start = from
      from = end
      if (end - start > maxTextBytes) {
        const view = body.subarray(start, end)
        return view.length * 2 > view.buffer.byteLength ? view : Buffer.from(view)
      }
      if (end > blockEnd) {
        blockFrom = start
        blockEnd = Math.min(start + blockBytes, body.length)
        block = body.toString("latin1", blockFrom, blockEnd)
      }
      const text = block.slice(start - blockFrom, end - blockFrom)
      return areTexts || isAsciiText(text) ? text : Buffer.from(text, "latin1")
    })
  })
