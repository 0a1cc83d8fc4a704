/**
 * Replies of a control plane as its clients and workers read them.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaJITCompiler from "effect/schema/SchemaJITCompiler"
import type { Buffer } from "node:buffer"
import type { ReplyError } from "../domain/Errors.ts"
import { BadRequest, ProtocolMismatch } from "../domain/Errors.ts"
import * as JsonCodec from "../domain/JsonCodec.ts"
import * as Message from "../domain/Message.ts"
import * as Envelope from "./Envelope.ts"

/**
 * A call was not answered.
 *
 * @category errors
 * @since 0.1.0
 */
export class NoReply extends Data.TaggedError("NoReply")<{ readonly reason: string }> {}

/**
 * A reply taken apart.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reply<Header> {
  readonly header: Header
  readonly body: Buffer
}

/**
 * Decodes one kind of reply; see {@link decoder}.
 *
 * @category models
 * @since 0.1.0
 */
export type Decoder<Header> = (bytes: Uint8Array) => Result.Result<Reply<Header>, ReplyError>

/** An error as this side has to tell it: the control plane has said it of itself. */
const asOurs = (error: ReplyError): ReplyError =>
  error instanceof ProtocolMismatch
    ? new ProtocolMismatch({ ours: Message.protocolVersions, theirs: error.ours })
    : error

const isRefusal = (header: unknown) => typeof header === "object" && header !== null && "error" in header

const notOfProtocol = (error: Schema.SchemaError) =>
  new BadRequest({
    reason: `its reply is not of protocol version ${Message.protocolVersion}: ${
      JsonCodec.format(JsonCodec.issues(error))
    }`
  })

const decodeError = Schema.decodeUnknownResult(Message.ErrorReply)

/**
 * Creates the decoder of one kind of reply. It fails with the error that the control plane answered, or with a
 * `BadRequest` when the answer is not of the protocol.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decoder = <H>(schema: Schema.ConstraintDecoder<H>): Decoder<H> => {
  SchemaJITCompiler.enable(schema.ast)
  const decode = Schema.decodeUnknownResult(schema)
  return (bytes) => {
    const envelope = Envelope.decode(bytes)
    if (Result.isFailure(envelope)) return Result.fail(envelope.failure)
    const { body, header } = envelope.success
    // First of all: a refusal would pass for a reply without fields.
    if (isRefusal(header)) {
      const refusal = decodeError(header)
      return Result.fail(Result.isSuccess(refusal) ? asOurs(refusal.success.error) : notOfProtocol(refusal.failure))
    }
    const decoded = decode(header)
    return Result.isSuccess(decoded)
      ? Result.succeed({ header: decoded.success, body })
      : Result.fail(notOfProtocol(decoded.failure))
  }
}
