/**
 * Messages as bytes: a JSON header, a newline, then the bodies one after the other; the header says how long each is.
 * Owns the split; what a header may say is `domain/Message.ts`.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import { Buffer } from "node:buffer"
import type { ReplyError } from "../domain/Errors.ts"
import { BadRequest } from "../domain/Errors.ts"
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
 * Creates a message from a header and bodies. Bodies that are text are joined to one part: that is one encoding for the
 * transport instead of one for each.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = (header: object, bodies: ReadonlyArray<string | Uint8Array> = []): Payload => {
  const parts: Array<string | Uint8Array> = []
  let text = `${JSON.stringify(header)}\n`
  for (const body of bodies) {
    if (typeof body === "string") {
      text += body
    } else {
      if (text !== "") parts.push(text)
      text = ""
      parts.push(body)
    }
  }
  if (text !== "") parts.push(text)
  return parts
}

/** Text of more characters is encoded apart: joined to the header it would be measured, copied and encoded. */
const maxJoinedChars = 16 * 1024

/**
 * Returns a text as a body for {@link encode}, and its bytes.
 *
 * @category encoding
 * @since 0.1.0
 */
export const bodyOf = (text: string): { readonly body: string | Uint8Array; readonly size: number } => {
  if (text.length <= maxJoinedChars) return { body: text, size: Buffer.byteLength(text) }
  const body = Buffer.from(text)
  return { body, size: body.length }
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
 * Cuts a body into views of the given sizes. The last size may be missing: it gets the rest.
 *
 * @category decoding
 * @since 0.1.0
 */
export const split = (
  body: Buffer,
  items: ReadonlyArray<{ readonly size?: number }>
): Result.Result<ReadonlyArray<Buffer>, BadRequest> => {
  const views: Array<Buffer> = []
  let offset = 0
  for (let i = 0; i < items.length; i++) {
    const size = items[i]?.size ?? (i === items.length - 1 ? Math.max(0, body.length - offset) : 0)
    views.push(body.subarray(offset, offset + size))
    offset += size
  }
  return offset === body.length
    ? Result.succeed(views)
    : Result.fail(
      new BadRequest({ reason: `the sizes in the header add up to ${offset} bytes, the body has ${body.length}` })
    )
}

/** Bytes that neighbours are copied together in: what one of them that is kept keeps alive, at most. */
const blockBytes = 4 * 1024

/**
 * Cuts a body as {@link split} does into bytes that may be kept: copies, since a small view would keep a whole receive
 * buffer alive, unless the view is most of it anyway. Small neighbours share a block: a copy of each costs twice as much.
 *
 * @category decoding
 * @since 0.1.0
 */
export const splitKept = (
  body: Buffer,
  items: ReadonlyArray<{ readonly size?: number }>
): Result.Result<ReadonlyArray<Uint8Array>, BadRequest> => {
  const views = split(body, items)
  if (Result.isFailure(views)) return views
  const kept: Array<Uint8Array> = []
  let block: Buffer = body
  let blockFrom = 0
  let blockEnd = 0
  let offset = 0
  for (const view of views.success) {
    const end = offset + view.length
    if (view.length > blockBytes) {
      kept.push(view.length * 2 > view.buffer.byteLength ? view : Buffer.from(view))
    } else {
      if (end > blockEnd) {
        blockFrom = offset
        blockEnd = Math.min(offset + blockBytes, body.length)
        block = Buffer.from(body.subarray(blockFrom, blockEnd))
      }
      kept.push(block.subarray(offset - blockFrom, end - blockFrom))
    }
    offset = end
  }
  return Result.succeed(kept)
}
