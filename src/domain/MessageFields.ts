/**
 * What the fields of messages are made of.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * Schema for a number of things, bytes or milliseconds.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/**
 * Schema for the token of a session, chosen by its owner: 128 random bits in 32 hexadecimal digits.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Token = Schema.String.check(
  Schema.isPattern(/^[0-9a-f]{32}$/u, { expected: "a token of 32 hexadecimal digits" })
)
