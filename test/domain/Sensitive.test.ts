import { assert, describe, it } from "@effect/vitest"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as JsonCodec from "../../src/domain/JsonCodec.ts"
import * as Sensitive from "../../src/domain/Sensitive.ts"
import * as Task from "../../src/domain/TaskDefinition.ts"

const secret = Task.sensitive(Schema.String)
const paths = (schema: Schema.Top) => Sensitive.pathsOf(schema)

interface Node {
  readonly secret: string
  readonly next: ReadonlyArray<Node>
}
const Node: Schema.Codec<Node> = Schema.Struct({
  secret,
  next: Schema.Array(Schema.suspend((): Schema.Codec<Node> => Node))
})

class Card extends Schema.Class<Card>("Card")({ holder: Schema.String, number: secret, until: Schema.Date }) {}
class Declined extends Schema.TaggedError<Declined>()("Declined", { message: Schema.String, number: secret }) {}

describe("what a schema marks as sensitive", () => {
  it("is found in fields, arrays, records, unions, classes and errors", () => {
    assert.deepStrictEqual(paths(Schema.Struct({ a: Schema.String, b: secret })), ["/b"])
    assert.deepStrictEqual(paths(Schema.Struct({ a: Schema.optionalKey(secret), b: Schema.optional(secret) })), [
      "/a",
      "/b"
    ])
    assert.deepStrictEqual(paths(Schema.Struct({ list: Schema.Array(Schema.Struct({ key: secret })) })), [
      "/list/*/key"
    ])
    assert.deepStrictEqual(paths(Schema.Tuple([Schema.String, secret])), ["/1"])
    assert.deepStrictEqual(paths(Schema.Record(Schema.String, secret)), ["/*"])
    assert.deepStrictEqual(paths(Schema.Union([Schema.Int, Schema.Struct({ key: secret })])), ["/key"])
    assert.deepStrictEqual(paths(Schema.Struct({ card: Card })), ["/card/number"])
    assert.deepStrictEqual(paths(Declined), ["/number"])
    assert.deepStrictEqual(paths(Schema.Struct({ "a/b~c": secret })), ["/a~1b~0c"])
  })

  it("is found wherever the mark stands: before and after checks, around a transformation, around all of it", () => {
    assert.deepStrictEqual(paths(Task.sensitive(Schema.String.check(Schema.isMinLength(3)))), [""])
    assert.deepStrictEqual(paths(secret.check(Schema.isMinLength(3))), [""])
    assert.deepStrictEqual(paths(Task.sensitive(Schema.DateFromString)), [""])
    assert.deepStrictEqual(paths(secret.pipe(Schema.decodeTo(Schema.Trim))), [""])
    assert.deepStrictEqual(paths(Task.sensitive(Schema.Struct({ a: Schema.Int }))), [""])
    assert.deepStrictEqual(paths(Task.sensitive(Card)), [""])
  })

  it("is more, not less, where its place in the encoded form is not known", () => {
    assert.deepStrictEqual(paths(Node), ["/secret", "/next/*"])
    assert.deepStrictEqual(paths(Schema.Option(secret)), [""])
    assert.deepStrictEqual(paths(Schema.Struct({ map: Schema.ReadonlyMap(Schema.String, secret) })), ["/map"])
    const many = Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`field${index}`, secret]))
    assert.deepStrictEqual(paths(Schema.Struct(many)), [""])
    const renamed = Schema.Struct({ a: Task.sensitive(Schema.DateFromString) }).pipe(Schema.encodeKeys({ a: "b" }))
    assert.deepStrictEqual(paths(renamed), [""])
  })

  it("is also what Schema.Redacted hides, which travels as it is", () => {
    const schema = Schema.Struct({ token: Schema.RedactedFromValue(Schema.String), plain: Schema.String })
    assert.deepStrictEqual(paths(schema), ["/token"])
    const codec = JsonCodec.make(schema)
    const encoded = Result.getOrThrow(codec.encode({ token: Redacted.make("s3cret"), plain: "p" }))
    assert.strictEqual(encoded, `{"token":"s3cret","plain":"p"}`)
    assert.strictEqual(Redacted.value(Result.getOrThrow(codec.decode(encoded)).token), "s3cret")
  })

  it("is nothing without a mark, and says so to forms by the JSON Schema where there is one", () => {
    assert.strictEqual(Sensitive.make({ args: Schema.Struct({ a: Schema.String }), error: Schema.Never }), undefined)
    assert.deepStrictEqual(Sensitive.make({ args: Card, result: secret }), { args: ["/number"], result: [""] })
    assert.deepInclude(JSON.parse(JsonCodec.make(Schema.Struct({ secret })).jsonSchema() ?? ""), {
      properties: { secret: { type: "string", writeOnly: true } }
    })
  })

  it("is put together from what two sides say", () => {
    const mine = { args: ["/a"] }
    assert.strictEqual(Sensitive.union(mine, { args: ["/a"] }), mine)
    assert.deepStrictEqual(Sensitive.union(mine, { args: ["/b"], error: [""] }), { args: ["/a", "/b"], error: [""] })
    assert.strictEqual(Sensitive.union(undefined, mine), mine)
  })
})

describe("what is shown instead", () => {
  it("has the placeholder in the place of each sensitive value, and all else as it was", () => {
    const text = `{"a":1,"list":[{"key":"x","n":1},{"n":2},{"key":{"deep":true}}],"__proto__":{"key":"y"}}`
    assert.strictEqual(
      Sensitive.redact(text, ["/list/*/key", "/missing/key", "/a/b", "/__proto__/key"]),
      `{"a":1,"list":[{"key":"<redacted>","n":1},{"n":2},{"key":"<redacted>"}],"__proto__":{"key":"<redacted>"}}`
    )
    assert.strictEqual(Sensitive.redact(text, [""]), `"<redacted>"`)
    assert.strictEqual(Sensitive.redact(text, []), text)
  })

  it("is nothing but the placeholder when it can't be read", () => {
    assert.strictEqual(Sensitive.redact(`{"a":"sec`, ["/a"]), `"<redacted>"`)
    assert.strictEqual(Sensitive.redact(`${"[".repeat(200_000)}${"]".repeat(200_000)}`, ["/a"]), `"<redacted>"`)
  })

  it("has no sensitive value in a text, whole or within JSON, and no part of a longer one", () => {
    const values = Sensitive.valuesAt({ a: "four", b: ["four by four", 4242, "\"quoted\"", "no"] }, [""])
    assert.strictEqual(
      Sensitive.scrub(`four by four, four, 4242 and {"x":"\\"quoted\\""} but no`, values),
      `<redacted>, <redacted>, <redacted> and {"x":"<redacted>"} but no`
    )
    assert.strictEqual(
      Sensitive.scrubJson(`{"four":"a four","n":4242,"m":1}`, values),
      `{"four":"a <redacted>","n":"<redacted>","m":1}`
    )
    assert.strictEqual(
      Sensitive.scrub("anything", Sensitive.valuesAt(Array.from({ length: 300 }, (_, i) => `v${i}00`), [""])),
      "<redacted>"
    )
  })

  it("is not taken for the value", () => {
    assert.strictEqual(Sensitive.placeholderAt(`{"card":{"number":"<redacted>"}}`, ["/card/number"]), "/card/number")
    assert.strictEqual(Sensitive.placeholderAt(`{"note":"<redacted>"}`, ["/card/number"]), undefined)
  })

  it("stands in what a check of the definition says of the value", () => {
    const odd = Schema.String.check(Schema.makeFilter((value: string) => `"${value}" is not what it should be`))
    const shown = JsonCodec.make(Schema.Struct({ a: odd }))
    const hidden = JsonCodec.make(Schema.Struct({ a: Task.sensitive(odd) }))
    const said = (result: Result.Result<unknown, ReadonlyArray<JsonCodec.Issue>>) =>
      Result.isFailure(result) ? JsonCodec.format(result.failure) : "fine"

    assert.include(said(shown.decode(`{"a":"4242 4242"}`)), "4242 4242")
    assert.strictEqual(said(hidden.decode(`{"a":"4242 4242"}`)), `a: "<redacted>" is not what it should be`)
    assert.strictEqual(said(hidden.encode({ a: "4242 4242" })), `a: "<redacted>" is not what it should be`)
  })
})
