import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { delayOf } from "../../src/dashboard/run/delay.ts"
import { readRaw } from "../../src/dashboard/run/raw.ts"
import { nameOf, withoutRedacted } from "../../src/dashboard/run/redacted.ts"
import { emptyOf, type Field, fieldOf, textOf, valueOf } from "../../src/dashboard/run/schema.ts"

const formOf = (schema: object): Field => {
  const field = fieldOf(JSON.stringify(schema))
  if (field === undefined) throw new Error("no field")
  return field
}

const person = formOf({
  type: "object",
  properties: {
    name: { type: "string", minLength: 2, description: "Who" },
    age: { type: "integer", minimum: 0, maximum: 150 },
    level: { enum: ["low", "high"] },
    tags: { type: "array", items: { type: "string" } },
    home: { $ref: "#/$defs/Home" },
    score: { anyOf: [{ type: "number" }, { type: "null" }] }
  },
  required: ["name", "age", "level", "score"],
  $defs: { Home: { type: "object", properties: { city: { type: "string" } }, required: ["city"] } }
})

describe("a form of a schema", () => {
  it("has a field for each property, required or not", () => {
    assert.strictEqual(person.kind, "group")
    if (person.kind !== "group") return
    assert.deepStrictEqual(person.fields.map(({ field, name, required }) => [name, field.kind, required]), [
      ["name", "text", true],
      ["age", "number", true],
      ["level", "choice", true],
      ["tags", "list", false],
      ["home", "group", false],
      ["score", "number", true]
    ])
  })

  it("makes JSON of what was typed, number for number, and leaves out what is optional", () => {
    const { faults, text } = textOf(person, { name: "Ada", age: "36", level: `"high"`, score: "" })
    assert.deepStrictEqual(faults, [])
    assert.strictEqual(text, `{"name":"Ada","age":36,"level":"high","score":null}`)
  })

  it("says what is wrong, and where", () => {
    const { faults } = textOf(person, { name: "A", age: "3.5", level: `"high"`, score: "x", home: { city: undefined } })
    assert.deepStrictEqual(faults, [
      { path: "/name", message: "Write at least 2 characters." },
      { path: "/age", message: "This is not a whole number." },
      { path: "/home/city", message: "This is needed." },
      { path: "/score", message: "This is not a number." }
    ])
    assert.deepStrictEqual(textOf(person, emptyOf(person, true)).faults.map(({ path }) => path), ["/name", "/age"])
  })

  it("takes JSON and gives the same back, big numbers too", () => {
    const text =
      `{"name":"Ada","age":100,"level":"low","tags":["a","b"],"home":{"city":"x"},"score":12345678901234567890.5}`
    const value = valueOf(person, text)
    assert.isDefined(value)
    assert.strictEqual(textOf(person, value).text, text)
  })

  it("refuses JSON that it can't show, so that nothing of it is lost", () => {
    assert.isUndefined(valueOf(person, `{"name":"Ada","age":1,"level":"low","score":1,"more":1}`))
    assert.isUndefined(valueOf(person, `{"name":7,"age":1,"level":"low","score":1}`))
    assert.isUndefined(valueOf(person, `{"name":`))
  })

  it("has a field of JSON for what it does not understand", () => {
    for (
      const schema of [{}, { type: "array", prefixItems: [{}] }, { anyOf: [{ type: "string" }, { type: "number" }] }]
    ) {
      assert.strictEqual(formOf(schema).kind, "json", JSON.stringify(schema))
    }
    assert.strictEqual(formOf({ type: "object", additionalProperties: { type: "string" } }).kind, "json")
  })

  it("does not follow a schema that contains itself for ever", () => {
    const tree = formOf({
      $ref: "#/$defs/T",
      $defs: { T: { type: "object", properties: { left: { $ref: "#/$defs/T" } } } }
    })
    assert.strictEqual(tree.kind, "group")
  })

  it("understands what Effect writes", () => {
    const args = Schema.Struct({
      to: Schema.String.check(Schema.isMinLength(1)),
      amount: Schema.Number,
      count: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 9 })),
      kind: Schema.Literals(["a", "b"]),
      note: Schema.optionalKey(Schema.String),
      maybe: Schema.NullOr(Schema.Boolean)
    })
    const { definitions, schema } = Schema.toJsonSchemaDocument(args)
    const field = formOf({ ...schema, $defs: definitions })
    assert.strictEqual(field.kind, "group")
    if (field.kind !== "group") return
    assert.deepStrictEqual(field.fields.map(({ field, name, required }) => [name, field.kind, required]), [
      ["to", "text", true],
      ["amount", "number", true],
      ["count", "number", true],
      ["kind", "choice", true],
      ["note", "text", false],
      ["maybe", "switch", true]
    ])
    const { faults, text } = textOf(field, { to: "x", amount: "1e3", count: "10", kind: `"b"` })
    assert.deepStrictEqual(faults, [{ path: "/count", message: "At most 9." }])
    assert.strictEqual(text, `{"to":"x","amount":1e3,"kind":"b","maybe":null}`)
  })
})

describe("raw JSON", () => {
  it("keeps the text of every value", () => {
    const raw = readRaw(` {"a": [1.0, {"b":"\\u0041"}], "c" : null} `)
    assert.strictEqual(raw?.text, `{"a":[1.0,{"b":"\\u0041"}],"c":null}`)
    assert.isUndefined(readRaw(`{"a":}`))
  })
})

describe("a delay", () => {
  it("is read in the units that people use", () => {
    assert.deepStrictEqual(["90 s", "10m", "1 h 30 m", "45", "250ms"].map(delayOf), [
      90_000,
      600_000,
      5_400_000,
      45_000,
      250
    ])
    assert.deepStrictEqual(["", "soon", "5 weeks", "10 m x"].map(delayOf), [undefined, undefined, undefined, undefined])
  })
})

describe("arguments of which something is not shown", () => {
  it("have to be typed again there, and stay as they are elsewhere", () => {
    const text =
      `{"name":"<redacted>","n":12345678901234567890,"list":[{"key":"<redacted>","a":1},{"a":2}],"a/b":"<redacted>"}`
    assert.strictEqual(
      withoutRedacted(text, ["/name", "/list/*/key", "/a~1b", "/missing"]),
      `{"n":12345678901234567890,"list":[{"a":1},{"a":2}]}`
    )
    assert.strictEqual(withoutRedacted(`"<redacted>"`, [""]), undefined)
    assert.strictEqual(withoutRedacted(text, []), text)
    assert.deepStrictEqual(["", "/list/*/key"].map(nameOf), ["all of it", "list.*.key"])

    const person = formOf({ type: "object", properties: { name: { type: "string" } }, required: ["name"] })
    const given = valueOf(person, withoutRedacted(`{"name":"<redacted>"}`, ["/name"]) ?? "")
    assert.deepStrictEqual(textOf(person, given).faults, [{ path: "/name", message: "This is needed." }])
  })
})
