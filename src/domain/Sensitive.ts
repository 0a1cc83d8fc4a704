/**
 * Values that are not to be seen: which parts of a task's data its schemas mark as sensitive, and what stands in their
 * place where people and tools look. Owns the mark, the paths that are made of it, and the redaction of encoded JSON; who
 * redacts what is the business of those who show it. Where it can't be told what is sensitive, more is hidden, not less.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"

/**
 * What stands in the place of a value that is not shown.
 *
 * @category constants
 * @since 0.1.0
 */
export const placeholder = "<redacted>"

const mark = "fastworker/sensitive"

/** Paths of one part of a task, at most, and the length of one: with more the whole part is sensitive. */
const maxPaths = 64
const maxPathLength = 256

/** Values that are looked for in a text, at most; shorter ones than this would be found in every other word. */
const maxValues = 256
const minValueLength = 3

/** The same as JSON, also for what can't be read. */
const unreadable = JSON.stringify(placeholder)

/**
 * Marks what a schema describes as sensitive: a field of the arguments or all of the result, the error or the progress. The
 * handler and the caller have the value; lists, details, logs, spans and the HTTP API have `<redacted>`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const sensitive = <S extends Schema.Top>(schema: S): S["Rebuild"] =>
  // In JSON Schema `writeOnly` is what is sent and never shown again.
  schema.annotate({ [mark]: true, writeOnly: true })

const Paths = Schema.Array(
  Schema.String.check(
    Schema.isPattern(/^(?:\/[^/]*)*$/u, { expected: "a JSON pointer, in which * stands for any key" }),
    Schema.isMaxLength(maxPathLength)
  )
).check(Schema.isMaxLength(maxPaths))

/**
 * Schema for what is sensitive of a task: JSON pointers into its encoded parts. In them `*` stands for any key or place,
 * and the empty one for the whole.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Sensitive = Schema.Struct({
  args: Schema.optionalKey(Paths),
  result: Schema.optionalKey(Paths),
  error: Schema.optionalKey(Paths),
  progress: Schema.optionalKey(Paths)
})

/**
 * What is sensitive of a task.
 *
 * @category models
 * @since 0.1.0
 */
export type Sensitive = typeof Sensitive.Type

const parts = ["args", "result", "error", "progress"] as const

type AnySchema = { readonly ast: SchemaAST.AST }

const isMarkedBy = (annotations: Readonly<Record<string, unknown>> | undefined): boolean => annotations?.[mark] === true

/** A mark stands at the last check, where there are some. */
const isMarkedCheck = (check: SchemaAST.Check<never>): boolean =>
  isMarkedBy(check.annotations) || (check._tag === "FilterGroup" && check.checks.some(isMarkedCheck))

const isMarked = (ast: SchemaAST.AST): boolean =>
  isMarkedBy(ast.annotations) ||
  (ast.checks as ReadonlyArray<SchemaAST.Check<never>> | undefined)?.some(isMarkedCheck) ||
  (ast._tag === "Declaration" && isRedacted(ast))

/** `Schema.Redacted` says the same. */
const isRedacted = ({ annotations }: SchemaAST.Declaration): boolean =>
  (annotations?.["representation"] as { readonly id?: unknown } | undefined)?.id === "effect/schema/Redacted"

/** What a node is made of. */
const partsOf = (ast: SchemaAST.AST): ReadonlyArray<SchemaAST.AST> => {
  switch (ast._tag) {
    case "Declaration":
      return ast.typeParameters
    case "Objects":
      return [
        ...ast.propertySignatures.map(({ type }) => type),
        ...ast.indexSignatures.flatMap(({ parameter, type }) => [parameter, type])
      ]
    case "Arrays":
      return [...ast.elements, ...ast.rest]
    case "Union":
      return ast.types
    case "Suspend":
      return [ast.thunk()]
    case "TemplateLiteral":
      return ast.parts
    default:
      return []
  }
}

/** How many marks there are in a schema, each node looked at once. */
const countMarks = (ast: SchemaAST.AST, seen: Set<SchemaAST.AST>): number => {
  if (seen.has(ast)) return 0
  seen.add(ast)
  if (isMarked(ast)) return 1
  return countIn([...partsOf(ast), ...ast.encoding?.map(({ to }) => to) ?? []], seen)
}

const countIn = (nodes: ReadonlyArray<SchemaAST.AST>, seen: Set<SchemaAST.AST>): number =>
  nodes.reduce((count, node) => count + countMarks(node, seen), 0)

const whole: ReadonlyArray<string> = [""]
const escaped = (key: string): string => key.replaceAll("~", "~0").replaceAll("/", "~1")
const below = (key: string, paths: ReadonlyArray<string>) => paths.map((path) => `/${escaped(key)}${path}`)
/** Whatever it is made of stands somewhere else in its encoded form, nobody knows where. */
const wholeIfMarked = (ast: SchemaAST.AST) => countMarks(ast, new Set()) > 0 ? whole : []

const typePaths = (ast: SchemaAST.AST): ReadonlyArray<string> => {
  if (isMarked(ast)) return whole
  switch (ast._tag) {
    case "Objects":
      return [
        ...ast.propertySignatures.flatMap(({ name, type }) => below(String(name), pathsIn(type))),
        ...ast.indexSignatures.flatMap(({ parameter, type }) => [
          ...wholeIfMarked(parameter),
          ...below("*", pathsIn(type))
        ])
      ]
    case "Arrays":
      return [
        ...ast.elements.flatMap((element, index) => below(String(index), pathsIn(element))),
        ...ast.rest.flatMap((element) => below("*", pathsIn(element)))
      ]
    case "Union":
      return ast.types.flatMap(pathsIn)
    default:
      // A value within itself, or within one that says itself how it is encoded.
      return wholeIfMarked(ast)
  }
}

const pathsIn = (ast: SchemaAST.AST): ReadonlyArray<string> => {
  if (isMarked(ast)) return whole
  const last = ast.encoding?.[ast.encoding.length - 1]
  if (last === undefined) return typePaths(ast)
  // A class is encoded to the fields that it is made of. In other encodings what is marked may be anywhere.
  const paths = pathsIn(last.to)
  const marks = countIn(partsOf(ast), new Set())
  return paths.length >= marks ? paths : whole
}

/**
 * Returns the paths of what a schema marks as sensitive in its encoded form.
 *
 * @category getters
 * @since 0.1.0
 */
export const pathsOf = ({ ast }: AnySchema): ReadonlyArray<string> => {
  const paths = [...new Set(pathsIn(ast))]
  if (paths.includes("")) return whole
  return paths.length > maxPaths || paths.some((path) => path.length > maxPathLength) ? whole : paths
}

/**
 * Returns what is sensitive by these schemas; `undefined` when nothing is.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (schemas: { readonly [K in keyof Sensitive]?: AnySchema | undefined }): Sensitive | undefined => {
  const found = parts.flatMap((part) => {
    const schema = schemas[part]
    const paths = schema === undefined ? [] : pathsOf(schema)
    return paths.length === 0 ? [] : [[part, paths] as const]
  })
  return found.length === 0 ? undefined : Object.freeze(Object.fromEntries(found))
}

/**
 * Returns what is sensitive by the one or the other.
 *
 * @category combinators
 * @since 0.1.0
 */
export const union = (a: Sensitive | undefined, b: Sensitive | undefined): Sensitive | undefined => {
  if (a === undefined || b === undefined || a === b) return a ?? b
  let isSame = true
  const both: { -readonly [K in keyof Sensitive]: Sensitive[K] } = { ...a }
  for (const part of parts) {
    const more = (b[part] ?? []).filter((path) => a[part]?.includes(path) !== true)
    if (more.length === 0) continue
    isSame = false
    const all = [...a[part] ?? [], ...more]
    both[part] = all.length > maxPaths ? whole : all
  }
  return isSame ? a : both
}

const unescaped = (key: string): string => key.replaceAll("~1", "/").replaceAll("~0", "~")
const keysOf = (path: string): ReadonlyArray<string> => path === "" ? [] : path.slice(1).split("/").map(unescaped)

const isContainer = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null

/** Calls it with the holder and the key of each value at a path. */
const visit = (
  holder: Record<string, unknown>,
  key: string,
  keys: ReadonlyArray<string>,
  at: number,
  found: (holder: Record<string, unknown>, key: string) => void
): void => {
  if (!Object.hasOwn(holder, key)) return
  const next = keys[at]
  if (next === undefined) return found(holder, key)
  const value = holder[key]
  if (!isContainer(value)) return
  if (next !== "*") return visit(value, next, keys, at + 1, found)
  for (const each of Object.keys(value)) visit(value, each, keys, at + 1, found)
}

const visitAll = (
  value: unknown,
  paths: ReadonlyArray<string>,
  found: (holder: Record<string, unknown>, key: string) => void
): unknown => {
  const root: Record<string, unknown> = { "": value }
  for (const path of paths) visit(root, "", keysOf(path), 0, found)
  return root[""]
}

const attempt = <A>(run: () => A): A | undefined => {
  try {
    return run()
  } catch {
    return undefined
  }
}

/**
 * Returns encoded JSON with {@link placeholder} in the place of what is at these paths; the whole is replaced when it can't
 * be read.
 *
 * @category redaction
 * @since 0.1.0
 */
export const redact = (text: string, paths: ReadonlyArray<string>): string => {
  if (paths.length === 0 || text === "") return text
  return attempt(() =>
    JSON.stringify(visitAll(JSON.parse(text), paths, (holder, key) => {
      holder[key] = placeholder
    }))
  ) ?? unreadable
}

/**
 * Returns whether encoded JSON has {@link placeholder} in a place that is sensitive: somebody sends what they were shown.
 *
 * @category guards
 * @since 0.1.0
 */
export const placeholderAt = (text: string, paths: ReadonlyArray<string>): string | undefined => {
  let at: string | undefined
  if (!text.includes(unreadable)) return undefined
  for (const path of paths) {
    attempt(() =>
      visitAll(JSON.parse(text), [path], (holder, key) => {
        if (holder[key] === placeholder) at ??= path
      })
    )
  }
  return at
}

/**
 * Returns the texts of the values at these paths, for {@link scrub}; `undefined` when there are more than can be looked for.
 *
 * @category redaction
 * @since 0.1.0
 */
export const valuesAt = (value: unknown, paths: ReadonlyArray<string>): ReadonlyArray<string> | undefined => {
  const values = new Set<string>()
  const stack: Array<unknown> = []
  visitAll(value, paths, (holder, key) => {
    stack.push(holder[key])
  })
  const seen = new Set<unknown>()
  while (stack.length > 0) {
    const next = stack.pop()
    if (typeof next === "string" || typeof next === "number" || typeof next === "bigint") {
      const text = String(next)
      if (text.length >= minValueLength) values.add(text)
    } else if (isContainer(next) && !seen.has(next)) {
      seen.add(next)
      for (const value of Object.values(next)) stack.push(value)
    }
    if (values.size > maxValues) return undefined
  }
  // The longest first: one may be a part of another.
  return [...values].sort((a, b) => b.length - a.length)
}

/**
 * Returns a text without these values, as they are and as they stand within JSON.
 *
 * @category redaction
 * @since 0.1.0
 */
export const scrub = (text: string, values: ReadonlyArray<string> | undefined): string => {
  if (values === undefined) return placeholder
  let scrubbed = text
  for (const value of values) {
    scrubbed = scrubbed.replaceAll(value, placeholder)
    const inJson = JSON.stringify(value).slice(1, -1)
    if (inJson !== value) scrubbed = scrubbed.replaceAll(inJson, placeholder)
  }
  return scrubbed
}

/**
 * Returns encoded JSON without these values in its texts and numbers; what is no JSON is scrubbed as it is.
 *
 * @category redaction
 * @since 0.1.0
 */
export const scrubJson = (text: string, values: ReadonlyArray<string> | undefined): string => {
  if (values?.length === 0) return text
  const scrubbed = attempt(() =>
    JSON.stringify(
      JSON.parse(text),
      (_key, value: unknown) =>
        typeof value === "string"
          ? scrub(value, values)
          : typeof value === "number" && values?.includes(String(value)) !== false
          ? placeholder
          : value
    )
  )
  return scrubbed ?? JSON.stringify(scrub(text, values))
}
