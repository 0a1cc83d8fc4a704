/** A JSON Schema as rows of a table: one for each place in a value, with what may stand there in words. Pure. */
import { count } from "../../format.ts"

export interface SchemaRow {
  /** Name of the field; `""` for the value as a whole, `[]` for each item of a list, `*` for any other name. */
  readonly name: string
  readonly depth: number
  /** "text", "whole number", "list of text", "one of "a", "b"". */
  readonly type: string
  /** Bounds: "at least 1", "at most 64 characters". */
  readonly notes: ReadonlyArray<string>
  readonly required: boolean
  readonly description?: string
}

type Schema = Readonly<Record<string, unknown>>

const maxDepth = 6
const maxRows = 200
/** Values of an enumeration that are named. */
const maxValues = 12

const isRecord = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value)
const listOf = (value: unknown): ReadonlyArray<unknown> => Array.isArray(value) ? value : []

/** Follows references; what is checked stands in `allOf` beside what it checks. */
const resolved = (given: unknown, root: Schema, hops = 0): Schema => {
  if (!isRecord(given)) return {}
  const { $ref, ...rest } = given
  let now: Schema = rest
  if (typeof $ref === "string" && hops < 16) {
    let target: unknown = root
    for (const part of $ref.split("/").slice(1)) {
      target = isRecord(target) ? target[part.replaceAll("~1", "/").replaceAll("~0", "~")] : undefined
    }
    now = { ...resolved(target, root, hops + 1), ...rest }
  }
  return hops < 16 ? Object.assign({}, now, ...listOf(now["allOf"]).map((part) => resolved(part, root, hops + 1))) : now
}

const names: Readonly<Record<string, string>> = {
  string: "text",
  integer: "whole number",
  number: "number",
  boolean: "true or false",
  null: "null",
  object: "object",
  array: "list"
}

const quoted = (values: ReadonlyArray<unknown>): string => {
  const shown = values.slice(0, maxValues).map((value) => JSON.stringify(value)).join(", ")
  const rest = values.length - maxValues
  return `${values.length > 1 ? "one of " : ""}${shown}${rest > 0 ? ` and ${count(rest)} more` : ""}`
}

/** JSON has no NaN, so a schema of numbers lists it as text: that is noise. */
const isOddNumber = (part: Schema) =>
  listOf(part["enum"]).length > 0 &&
  listOf(part["enum"]).every((value) => /^(?:NaN|-?Infinity)$/u.test(String(value)))

const variantsOf = (schema: Schema, root: Schema): ReadonlyArray<Schema> => {
  const variants = [...listOf(schema["anyOf"]), ...listOf(schema["oneOf"])].map((part) => resolved(part, root))
  return variants.filter((part) => !isOddNumber(part))
}

const typeOf = (schema: Schema, root: Schema, depth = 0): string => {
  if ("const" in schema) return JSON.stringify(schema["const"])
  const values = listOf(schema["enum"])
  if (values.length > 0) return quoted(values)
  const variants = variantsOf(schema, root)
  if (variants.length > 0) return [...new Set(variants.map((part) => typeOf(part, root, depth + 1)))].join(" or ")
  const types = (Array.isArray(schema["type"]) ? schema["type"] : [schema["type"]]).map((type) =>
    type === "array" && depth < maxDepth && isRecord(schema["items"])
      ? `list of ${plainType(resolved(schema["items"], root), root, depth + 1)}`
      : names[String(type)] ?? "anything"
  )
  return types.join(" or ")
}

/** What a list is of: objects get rows of their own. */
const plainType = (schema: Schema, root: Schema, depth: number): string => {
  const type = typeOf(schema, root, depth)
  return type === "object" ? "objects" : type.includes(" or ") ? `(${type})` : type
}

const safe = (value: unknown) => typeof value === "number" && Math.abs(value) < Number.MAX_SAFE_INTEGER

const notesOf = (schema: Schema): ReadonlyArray<string> => {
  const found: Array<string> = []
  const bound = (key: string, words: (value: number) => string) => {
    const value = schema[key]
    if (safe(value)) found.push(words(value as number))
  }
  bound("minimum", (value) => `at least ${count(value)}`)
  bound("exclusiveMinimum", (value) => `more than ${count(value)}`)
  bound("maximum", (value) => `at most ${count(value)}`)
  bound("exclusiveMaximum", (value) => `less than ${count(value)}`)
  bound("multipleOf", (value) => `a multiple of ${count(value)}`)
  bound("minLength", (value) => value === 1 ? "not empty" : `at least ${count(value)} characters`)
  bound("maxLength", (value) => `at most ${count(value)} characters`)
  bound("minItems", (value) => `at least ${count(value)} of them`)
  bound("maxItems", (value) => `at most ${count(value)} of them`)
  for (const key of ["format", "pattern"] as const) {
    const value = schema[key]
    if (typeof value === "string") found.push(`${key} ${value}`)
  }
  if ("default" in schema) found.push(`default ${JSON.stringify(schema["default"])}`)
  return found
}

/** Reads the text of a schema; `undefined` when it is none. */
export const schemaRows = (text: string): ReadonlyArray<SchemaRow> | undefined => {
  let root: unknown
  try {
    root = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isRecord(root)) return undefined
  const rows: Array<SchemaRow> = []
  walk(rows, "", resolved(root, root), root, 0, true)
  // An object says nothing that its fields don't.
  const [first, ...rest] = rows
  return first?.type === "object" && rest.length > 0 && first.description === undefined
    ? rest.map((row) => ({ ...row, depth: row.depth - 1 }))
    : rows
}

const walk = (
  rows: Array<SchemaRow>,
  name: string,
  schema: Schema,
  root: Schema,
  depth: number,
  required: boolean
): void => {
  if (rows.length >= maxRows || depth > maxDepth) return
  const description = schema["description"]
  rows.push({
    name,
    depth,
    type: typeOf(schema, root),
    notes: notesOf(schema),
    required,
    ...typeof description === "string" ? { description } : {}
  })
  const variants = variantsOf(schema, root)
  // Of a value that may be null the rest is shown; of real alternatives only what they are.
  const inner = variants.filter((part) => part["type"] !== "null")
  fields(rows, variants.length > 0 ? inner.length === 1 ? inner[0] ?? {} : {} : schema, root, depth)
}

const fields = (rows: Array<SchemaRow>, schema: Schema, root: Schema, depth: number): void => {
  const needed = new Set(listOf(schema["required"]))
  const properties = schema["properties"]
  if (isRecord(properties)) {
    for (const [name, field] of Object.entries(properties)) {
      walk(rows, name, resolved(field, root), root, depth + 1, needed.has(name))
    }
  }
  if (isRecord(schema["additionalProperties"])) {
    walk(rows, "*", resolved(schema["additionalProperties"], root), root, depth + 1, false)
  }
  if (isRecord(schema["items"])) {
    const item = resolved(schema["items"], root)
    // What a list is of stands with the list already, unless the items have fields.
    if (isRecord(item["properties"]) || isRecord(item["additionalProperties"])) fields(rows, item, root, depth)
  }
}
