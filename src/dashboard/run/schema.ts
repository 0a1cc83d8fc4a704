/**
 * Makes a form of a JSON Schema: which fields there are, what stands in them, and the JSON that comes of it. Pure. What it
 * does not understand becomes a field of JSON text, so that every schema has a form.
 */
import { jsonProblem } from "../components/json.ts"
import { type Raw, readRaw } from "./raw.ts"

interface Common {
  readonly description?: string
  /** Nothing written means null. */
  readonly nullable?: boolean
}

export type Field =
  & Common
  & (
    | { readonly kind: "text"; readonly minLength?: number; readonly maxLength?: number; readonly format?: string }
    | { readonly kind: "number"; readonly integer: boolean; readonly min?: number; readonly max?: number }
    | { readonly kind: "switch" }
    | { readonly kind: "choice"; readonly options: ReadonlyArray<string> }
    | { readonly kind: "list"; readonly item: Field }
    | { readonly kind: "group"; readonly fields: ReadonlyArray<NamedField> }
    | { readonly kind: "json" }
  )

export interface NamedField {
  readonly name: string
  readonly required: boolean
  readonly field: Field
}

/** What stands in a field: text as it was typed, JSON text for a choice and a switch. `undefined` leaves it out. */
export type Value = string | ReadonlyArray<Value | undefined> | { readonly [name: string]: Value | undefined }

type Schema = Readonly<Record<string, unknown>>

const maxDepth = 5

const isRecord = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value)
const listOf = (value: unknown): ReadonlyArray<unknown> => Array.isArray(value) ? value : []
const numberOf = (value: unknown): number | undefined => typeof value === "number" ? value : undefined

/** Reads the text of a schema; `undefined` when it is none. */
export const fieldOf = (text: string): Field | undefined => {
  try {
    const root: unknown = JSON.parse(text)
    return isRecord(root) ? read(root, root, 0) : undefined
  } catch {
    return undefined
  }
}

const resolved = (schema: Schema, root: Schema): Schema => {
  let now = schema
  for (let hops = 0; hops < 16; hops++) {
    const { $ref, ...rest } = now
    if (typeof $ref !== "string") break
    let target: unknown = root
    for (const part of $ref.replace(/^#\/?/u, "").split("/").filter((part) => part !== "")) {
      target = isRecord(target)
        ? target[decodeURIComponent(part.replaceAll("~1", "/").replaceAll("~0", "~"))]
        : undefined
    }
    now = isRecord(target) ? { ...target, ...rest } : rest
  }
  // Checks stand in `allOf` beside what they check.
  const parts = listOf(now["allOf"]).filter(isRecord)
  return parts.length === 0 ? now : Object.assign({}, now, ...parts.map((part) => resolved(part, root))) as Schema
}

const isNull = (schema: unknown) => isRecord(schema) && (schema["type"] === "null" || schema["const"] === null)
/** JSON has no NaN, so a schema of numbers may list them as strings. */
const isOddNumber = (schema: unknown) =>
  isRecord(schema) && schema["type"] === "string" &&
  listOf(schema["enum"]).length > 0 &&
  listOf(schema["enum"]).every((value) => /^(?:NaN|-?Infinity)$/u.test(String(value)))

const read = (given: Schema, root: Schema, depth: number): Field => {
  const schema = resolved(given, root)
  const description = typeof schema["description"] === "string" ? schema["description"] : undefined
  const common: Common = description === undefined ? {} : { description }
  const options = optionsOf(schema)
  if (options !== undefined) return { ...common, kind: "choice", options }

  const some = [...listOf(schema["anyOf"]), ...listOf(schema["oneOf"])]
  if (some.length > 0) {
    const left = some.filter((part) => !isNull(part) && !isOddNumber(part)).filter(isRecord)
    const nullable = some.some(isNull)
    const parts = left.map((part) => optionsOf(resolved(part, root)) ?? [])
    if (left.length > 1 && parts.every((part) => part.length > 0)) {
      return { ...common, kind: "choice", options: [...parts.flat(), ...nullable ? ["null"] : []] }
    }
    const [only] = left
    if (left.length !== 1 || only === undefined) return { ...common, kind: "json" }
    return { ...read(only, root, depth), ...common, ...nullable ? { nullable } : {} }
  }

  const types = Array.isArray(schema["type"]) ? schema["type"] : [schema["type"]]
  const type = types.length === 2 && types.includes("null") ? types.find((name) => name !== "null") : types[0]
  const nullable = types.length > 1 ? { nullable: true } : {}
  if (types.length > 2 || depth > maxDepth) return { ...common, kind: "json" }
  if (type === "string") {
    const [minLength, maxLength] = [numberOf(schema["minLength"]), numberOf(schema["maxLength"])]
    return {
      ...common,
      ...nullable,
      kind: "text",
      ...minLength === undefined ? {} : { minLength },
      ...maxLength === undefined ? {} : { maxLength },
      ...typeof schema["format"] === "string" ? { format: schema["format"] } : {}
    }
  }
  if (type === "number" || type === "integer") {
    const [min, max] = [numberOf(schema["minimum"]), numberOf(schema["maximum"])]
    return {
      ...common,
      ...nullable,
      kind: "number",
      integer: type === "integer",
      ...min === undefined ? {} : { min },
      ...max === undefined ? {} : { max }
    }
  }
  if (type === "boolean") return { ...common, ...nullable, kind: "switch" }
  if (type === "array" && isRecord(schema["items"]) && schema["prefixItems"] === undefined) {
    return { ...common, ...nullable, kind: "list", item: read(schema["items"], root, depth + 1) }
  }
  const properties = schema["properties"]
  const isOpen = isRecord(schema["additionalProperties"]) || schema["patternProperties"] !== undefined
  if (type === "object" && !isOpen && (isRecord(properties) || schema["additionalProperties"] === false)) {
    const required = new Set(listOf(schema["required"]))
    return {
      ...common,
      ...nullable,
      kind: "group",
      fields: Object.entries(isRecord(properties) ? properties : {}).map(([name, field]) => ({
        name,
        required: required.has(name),
        field: isRecord(field) ? read(field, root, depth + 1) : { kind: "json" }
      }))
    }
  }
  return { ...common, kind: "json" }
}

const optionsOf = (schema: Schema): ReadonlyArray<string> | undefined => {
  if ("const" in schema) return [JSON.stringify(schema["const"])]
  const values = listOf(schema["enum"])
  return values.length === 0 ? undefined : values.map((value) => JSON.stringify(value))
}

/** What stands in a field that nobody touched. */
export const emptyOf = (field: Field, required: boolean): Value | undefined => {
  if (!required) return undefined
  switch (field.kind) {
    // Nothing, not an empty text: that it is needed is said.
    case "text":
    case "number":
      return undefined
    case "json":
      return field.nullable === true ? "null" : ""
    case "switch":
      return field.nullable === true ? undefined : "false"
    case "choice":
      return field.options[0] ?? "null"
    case "list":
      return []
    case "group":
      return Object.fromEntries(
        field.fields.map(({ field, name, required }) => [name, emptyOf(field, required)])
      )
  }
}

/** Puts JSON text into the form; `undefined` when it does not fit, then only the text can be edited. */
export const valueOf = (field: Field, text: string): Value | undefined => {
  const raw = readRaw(text)
  return raw === undefined ? undefined : fit(field, raw)
}

const fit = (field: Field, raw: Raw): Value | undefined => {
  if (field.kind === "json") return raw.text
  if (field.kind === "choice") return field.options.includes(raw.text) ? raw.text : undefined
  if (raw.text === "null") {
    return field.nullable !== true
      ? undefined
      : field.kind === "text" || field.kind === "number"
      ? ""
      : undefined
  }
  if (field.kind === "text") return raw.kind === "string" ? JSON.parse(raw.text) as string : undefined
  if (field.kind === "number") return raw.kind === "number" ? raw.text : undefined
  if (field.kind === "switch") return raw.text === "true" || raw.text === "false" ? raw.text : undefined
  if (field.kind === "list") {
    if (raw.kind !== "array") return undefined
    const items = raw.items.map((item) => fit(field.item, item))
    return items.includes(undefined) ? undefined : items
  }
  if (raw.kind !== "object") return undefined
  const known = new Set(field.fields.map(({ name }) => name))
  if ([...raw.fields.keys()].some((name) => !known.has(name))) return undefined
  const values: Record<string, Value | undefined> = {}
  for (const { field: inner, name } of field.fields) {
    const part = raw.fields.get(name)
    values[name] = part === undefined ? undefined : fit(inner, part)
    if (part !== undefined && values[name] === undefined && part.text !== "null") return undefined
  }
  return values
}

/** A field that can't be used as it stands: where it is and why. */
export interface Fault {
  readonly path: string
  readonly message: string
}

/** The JSON of a form, with what is wrong in it. */
export const textOf = (
  field: Field,
  value: Value | undefined
): { readonly text: string; readonly faults: ReadonlyArray<Fault> } => {
  const faults: Array<Fault> = []
  return { text: write(field, value, "", true, faults) ?? "null", faults }
}

const write = (
  field: Field,
  value: Value | undefined,
  path: string,
  required: boolean,
  faults: Array<Fault>
): string | undefined => {
  const fault = (message: string) => {
    faults.push({ path, message })
    return undefined
  }
  const nothing = () => field.nullable === true ? "null" : required ? fault("This is needed.") : undefined
  if (value === undefined) return nothing()
  if (typeof value === "string") {
    if (field.kind === "switch" || field.kind === "choice") return value
    if (field.kind === "json") {
      if (value.trim() === "") return nothing()
      return jsonProblem(value) === undefined ? value : fault(jsonProblem(value) ?? "")
    }
    if (field.kind === "number") return value.trim() === "" ? nothing() : numberText(field, value.trim(), fault)
    if (field.kind !== "text") return fault("This does not fit.")
    if (value === "" && (!required || field.nullable === true)) return nothing()
    if (field.minLength !== undefined && value.length < field.minLength) {
      return fault(`Write at least ${field.minLength} ${field.minLength === 1 ? "character" : "characters"}.`)
    }
    if (field.maxLength !== undefined && value.length > field.maxLength) {
      return fault(`Write at most ${field.maxLength} characters.`)
    }
    return JSON.stringify(value)
  }
  if (Array.isArray(value)) {
    if (field.kind !== "list") return fault("This does not fit.")
    return `[${
      value.map((item: Value | undefined, index) => write(field.item, item, `${path}/${index}`, true, faults) ?? "null")
        .join(",")
    }]`
  }
  if (field.kind !== "group") return fault("This does not fit.")
  const values = value as Readonly<Record<string, Value | undefined>>
  const parts = field.fields.flatMap(({ field, name, required }) => {
    const text = write(field, values[name], `${path}/${name}`, required, faults)
    return text === undefined ? [] : [`${JSON.stringify(name)}:${text}`]
  })
  return `{${parts.join(",")}}`
}

const numberText = (
  field: Extract<Field, { readonly kind: "number" }>,
  text: string,
  fault: (message: string) => undefined
): string | undefined => {
  if (!/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/u.test(text)) return fault("This is not a number.")
  const value = Number(text)
  if (field.integer && !/^-?\d+$/u.test(text)) return fault("This is not a whole number.")
  if (field.min !== undefined && value < field.min) return fault(`At least ${field.min}.`)
  if (field.max !== undefined && value > field.max) return fault(`At most ${field.max}.`)
  return text
}
