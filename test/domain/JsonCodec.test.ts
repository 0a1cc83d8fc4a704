import { assert, describe, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as JsonCodec from "../../src/domain/JsonCodec.ts"

class Point extends Schema.Class<Point>("Point")({ x: Schema.Number, at: Schema.Date }) {
  get double() {
    return this.x * 2
  }
}

class Rejected extends Schema.TaggedError<Rejected>()("Rejected", { code: Schema.Int, at: Schema.Date }) {
  override get message() {
    return `rejected with ${this.code}`
  }
}

/** The value after its way through JSON text. */
const travel = <S extends JsonCodec.AnyCodec>(schema: S, value: S["Type"]): S["Type"] => {
  const codec = JsonCodec.make(schema)
  const text = codec.encode(value)
  if (Result.isFailure(text)) throw new Error(`not encoded: ${JsonCodec.format(text.failure)}`)
  const back = codec.decode(text.success)
  if (Result.isFailure(back)) throw new Error(`not decoded: ${JsonCodec.format(back.failure)}`)
  return back.success
}

const issuesOf = (result: Result.Result<unknown, ReadonlyArray<JsonCodec.Issue>>): ReadonlyArray<JsonCodec.Issue> =>
  Result.isFailure(result) ? result.failure : assert.fail("should be refused")

const fields = (result: Result.Result<unknown, ReadonlyArray<JsonCodec.Issue>>) =>
  issuesOf(result).map(({ field }) => field)

describe("a value survives the trip", () => {
  const Everything = Schema.Struct({
    date: Schema.Date,
    map: Schema.ReadonlyMap(Schema.String, Schema.BigInt),
    set: Schema.ReadonlySet(Schema.Int),
    bytes: Schema.Uint8Array,
    big: Schema.BigInt,
    maybe: Schema.Option(Schema.Number),
    number: Schema.Number,
    nested: Schema.Array(Schema.Struct({ key: Schema.optionalKey(Schema.String) })),
    nothing: Schema.Null,
    either: Schema.Union([Schema.String, Schema.Boolean])
  })

  it("whatever JSON itself can't say", () => {
    const value = {
      date: new Date(1_700_000_000_123),
      map: new Map([["a", 1n], ["b", -(2n ** 80n)]]),
      set: new Set([3, 1]),
      bytes: Uint8Array.of(0, 255, 10),
      big: 2n ** 200n,
      maybe: Option.some(1.5),
      number: -0.1,
      nested: [{}, { key: "grün \u0000 \u{1f600}" }],
      nothing: null,
      either: false
    }

    assert.deepStrictEqual(travel(Everything, value), value)
  })

  it.prop("and any other of its schema", { value: Everything }, ({ value }) => {
    // JSON has one zero only.
    const expected = { ...value, number: value.number + 0, maybe: Option.map(value.maybe, (number) => number + 0) }

    assert.deepStrictEqual(travel(Everything, value), expected)
  }, { arbitrary: { runs: 200 } })

  it("also numbers that have no JSON", () => {
    for (const number of [NaN, Infinity, -Infinity, Number.MAX_SAFE_INTEGER, Number.MIN_VALUE]) {
      assert.deepStrictEqual(travel(Schema.Number, number), number)
    }
    assert.deepStrictEqual(travel(Schema.Option(Schema.Number), Option.none()), Option.none())
  })

  it("also no value: it travels as null", () => {
    assert.deepStrictEqual(JsonCodec.make(Schema.Void).encode(undefined), Result.succeed("null"))
    assert.isUndefined(travel(Schema.Void, undefined))
    assert.isUndefined(travel(Schema.UndefinedOr(Schema.String), undefined))
    assert.deepStrictEqual(travel(Schema.Struct({ a: Schema.optional(Schema.String) }), { a: undefined }), {
      a: undefined
    })
  })

  it("as an instance of its class", () => {
    const point = travel(Point, new Point({ x: 2, at: new Date(5) }))

    assert.instanceOf(point, Point)
    assert.deepStrictEqual([point.double, point.at.getTime()], [4, 5])
  })

  it("as the same tagged error, with its message", () => {
    const error = travel(Rejected, new Rejected({ code: 7, at: new Date(5) }))

    assert.instanceOf(error, Rejected)
    assert.instanceOf(error, Error)
    assert.deepStrictEqual([error._tag, error.code, error.at.getTime(), error.message], [
      "Rejected",
      7,
      5,
      "rejected with 7"
    ])
  })

  it("as the right one of several errors", () => {
    class Other extends Schema.TaggedError<Other>()("Other", { code: Schema.Int }) {}
    const Either = Schema.Union([Rejected, Other])

    assert.instanceOf(travel(Either, new Other({ code: 1 })), Other)
    assert.instanceOf(travel(Either, new Rejected({ code: 1, at: new Date(0) })), Rejected)
  })
})

describe("a value that does not fit", () => {
  const codec = JsonCodec.make(Schema.Struct({
    to: Schema.String.check(Schema.isPattern(/@/u)),
    count: Schema.Int.check(Schema.isGreaterThan(0)),
    items: Schema.Array(Schema.Struct({ name: Schema.String, at: Schema.Date })),
    kind: Schema.Literals(["a", "b"])
  }))
  const item = { name: "n", at: new Date(0) }

  it("is told every place that is wrong, by its path, on the way out", () => {
    const wrong = { to: "nobody", count: -1, items: [item, { ...item, name: 5 }, { ...item, at: "today" }], kind: "c" }

    assert.deepStrictEqual(fields(codec.encode(wrong as never)), ["to", "count", "items.1.name", "items.2.at", "kind"])
  })

  it("is told every place that is wrong, by its path, on the way in", () => {
    const wrong = { to: "nobody", count: "many", items: [{ name: 5, at: "x" }, "item"] }

    assert.deepStrictEqual(fields(codec.decode(JSON.stringify(wrong))), [
      "to",
      "count",
      "items.0.name",
      "items.0.at",
      "items.1",
      "kind"
    ])
  })

  it("is told that the whole is wrong with an empty path", () => {
    assert.deepStrictEqual(fields(codec.decode("[]")), [""])
    assert.deepStrictEqual(fields(codec.decode("{")), [""])
    assert.deepStrictEqual(fields(codec.decode("")), [""])
    assert.deepStrictEqual(fields(codec.encode(undefined as never)), [""])
    assert.deepStrictEqual(fields(JsonCodec.make(Schema.Never).decode("null")), [""])
  })

  it("is never quoted", () => {
    const secret = "hunter2"
    const schemas: ReadonlyArray<JsonCodec.AnyCodec> = [
      Schema.Int,
      Schema.Date,
      Schema.BigInt,
      Schema.Uint8Array,
      Schema.Literals(["a", "b"]),
      Schema.Struct({ hunter: Schema.Int }),
      Schema.ReadonlyMap(Schema.String, Schema.Int),
      Schema.Union([Schema.Int, Schema.Date]),
      Schema.String.check(Schema.isMaxLength(3)),
      Schema.String.check(Schema.isPattern(/^x$/u)),
      Schema.Option(Schema.Int),
      Schema.fromJsonString(Schema.Struct({ a: Schema.Int })),
      Rejected,
      codec as never
    ].filter((schema) => Schema.isSchema(schema))

    for (const schema of schemas) {
      for (
        const value of [secret, secret.repeat(10), { hunter: secret }, [[secret, secret]], {
          _tag: "Some",
          value: secret
        }]
      ) {
        const { decode, encode } = JsonCodec.make(schema)
        for (const result of [decode(JSON.stringify(value)), decode(`{"a":${secret}`), encode(value)]) {
          const text = Result.isFailure(result) ? JsonCodec.format(result.failure) : ""
          assert.notInclude(text, secret)
        }
      }
    }
  })

  it("is an issue also when a check of the user's throws, without what it threw", () => {
    const throwing = JsonCodec.make(Schema.String.check(Schema.makeFilter(() => {
      throw new Error("hunter2")
    })))

    for (const result of [throwing.encode("x"), throwing.decode("\"x\"")]) {
      assert.deepStrictEqual(fields(result), [""])
      assert.notInclude(JsonCodec.format(issuesOf(result)), "hunter2")
    }
  })

  it("is an issue when it has no JSON and no schema to give it one", () => {
    const codec = JsonCodec.make(Schema.Unknown)
    const circle: Record<string, unknown> = {}
    circle["again"] = circle

    for (const value of [1n, { a: [1n] }, () => 1, Symbol("s"), circle]) {
      assert.isTrue(Result.isFailure(codec.encode(value)))
    }
    assert.deepStrictEqual(codec.encode({ a: [1, "b", null] }), Result.succeed("{\"a\":[1,\"b\",null]}"))
  })
})

describe("format", () => {
  it("is one line, with the path before what is wrong", () => {
    const line = JsonCodec.format([{ field: "items.3.name", message: "Missing key" }, {
      field: "",
      message: "Expected object"
    }])

    assert.strictEqual(line, "items.3.name: Missing key; Expected object")
  })
})
