/**
 * Values to JSON text and back, by schema. Owns the one way in which arguments, results and errors are encoded; what the
 * text means is the definition's business.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaJITCompiler from "effect/schema/SchemaJITCompiler"
import type * as SchemaAST from "effect/SchemaAST"
import * as SchemaIssue from "effect/SchemaIssue"
import * as LongText from "./LongText.ts"
import * as Sensitive from "./Sensitive.ts"

/**
 * One thing that is wrong with a value: `field` is a path such as `to` or `items.3.name`, empty for the whole value.
 *
 * @category models
 * @since 0.1.0
 */
export interface Issue {
  readonly field: string
  readonly message: string
}

/**
 * Encodes a value to JSON text and decodes it again; both say everything that is wrong.
 *
 * @category models
 * @since 0.1.0
 */
export interface JsonCodec<A> {
  readonly encode: (value: A) => Result.Result<string, ReadonlyArray<Issue>>
  /** The same, in pieces where the value has long texts: see `LongText.ts`. */
  readonly encodePieces: (value: A) => Result.Result<string | ReadonlyArray<LongText.Piece>, ReadonlyArray<Issue>>
  readonly decode: (text: string) => Result.Result<A, ReadonlyArray<Issue>>
  /**
   * Returns the JSON Schema (2020-12) of the encoded form as text; `undefined` when there is none for it. Made anew with
   * each call.
   */
  readonly jsonSchema: () => string | undefined
}

/**
 * Any schema that needs no services, as definitions take them.
 *
 * @category models
 * @since 0.1.0
 */
export type AnyCodec = Schema.ConstraintCodec<unknown, unknown>

/**
 * Creates the JSON codec of a schema: dates, maps, bytes, bigints, options and classes survive the trip.
 *
 * **Details**
 *
 * The parsers are compiled to code when the runtime allows it, which makes them about twice as fast. The first pass stops
 * at the first issue; only a failing value is walked again for all of them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <S extends AnyCodec>(schema: S): JsonCodec<S["Type"]> => {
  const json = Schema.toCodecJson(schema)
  const flipped = Schema.flip(json)
  SchemaJITCompiler.enable(json.ast)
  SchemaJITCompiler.enable(flipped.ast)
  const encode = guarded(Schema.encodeUnknownResult(json))
  const decode = guarded(Schema.decodeUnknownResult(json))
  const all = { errors: "all" } as const
  const paths = Sensitive.pathsOf(schema)
  // A check of the user's may say what it was given.
  const discreet = <A>(failure: Result.Result<A, ReadonlyArray<Issue>>, value: unknown) => {
    if (paths.length === 0 || Result.isSuccess(failure)) return failure
    const values = Sensitive.valuesAt(value, paths)
    return Result.mapError(
      failure,
      (issues) => issues.map(({ field, message }) => ({ field, message: Sensitive.scrub(message, values) }))
    )
  }
  const encodeWith =
    <Text>(print: (json: unknown) => Text | undefined) =>
    (value: unknown): Result.Result<Text | string, ReadonlyArray<Issue>> => {
      const encoded = encode(value)
      // `undefined` has no JSON text: a void result travels as null.
      if (Result.isSuccess(encoded)) return Result.succeed(print(encoded.success) ?? "null")
      const again = encode(value, all)
      return discreet(Result.fail(Result.isFailure(again) ? again.failure : encoded.failure), value)
    }
  return {
    encode: encodeWith<string>(JSON.stringify),
    encodePieces: encodeWith(LongText.encode),
    decode(text) {
      const parsed = parse(text)
      if (Result.isFailure(parsed)) return Result.fail([{ field: "", message: parsed.failure }])
      const decoded = decode(parsed.success)
      if (Result.isSuccess(decoded)) return Result.succeed(decoded.success)
      const again = decode(parsed.success, all)
      return discreet(Result.fail(Result.isFailure(again) ? again.failure : decoded.failure), parsed.success)
    },
    jsonSchema: () => Result.getOrUndefined(Result.try(() => jsonSchemaOf(schema)))
  }
}

/** Throws when a part of the schema has no form in JSON Schema. */
const jsonSchemaOf = (schema: AnyCodec): string | undefined => {
  if (schema.ast._tag === "Never") return undefined
  const { definitions, schema: root } = Schema.toJsonSchemaDocument(schema)
  return JSON.stringify(Object.keys(definitions).length === 0 ? root : { ...root, $defs: definitions })
}

/**
 * Returns issues as one line.
 *
 * @category formatting
 * @since 0.1.0
 */
export const format = (list: ReadonlyArray<Issue>): string =>
  list.map(({ field, message }) => field === "" ? message : `${field}: ${message}`).join("; ")

/**
 * Returns the issues of a schema error, one for each place.
 *
 * @category formatting
 * @since 0.1.0
 */
export const issues = (error: Schema.SchemaError): ReadonlyArray<Issue> =>
  formatIssue(error.issue).issues.map((issue) => ({
    field: (issue.path ?? []).map((key) => String(typeof key === "object" ? key.key : key)).join("."),
    message: issue.message === notNumber ? "Expected a number" : issue.message
  }))

/** What a number's JSON encoding says of anything else: true (NaN and the infinities are strings), but no help. */
const notNumber = "Expected \"Infinity\" | \"-Infinity\" | \"NaN\""

const formatIssue = SchemaIssue.makeFormatterStandardSchemaV1()

// A check or transformation of the user's that throws says something of the value too, just not which field it was.
const guarded = <A>(
  run: (value: unknown, options?: SchemaAST.ParseOptions) => Result.Result<A, Schema.SchemaError>
) =>
(value: unknown, options?: SchemaAST.ParseOptions): Result.Result<A, ReadonlyArray<Issue>> => {
  try {
    return Result.mapError(run(value, options), issues)
  } catch {
    return Result.fail([{ field: "", message: "a check or transformation of the schema threw an exception" }])
  }
}

// The engine's own message quotes the text: arguments and results must not end up in errors.
const parse = (text: string): Result.Result<unknown, string> =>
  Result.try({ try: () => JSON.parse(text) as unknown, catch: () => "not valid JSON" })
