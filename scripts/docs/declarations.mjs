// Reads the declarations that the compiler wrote (`dist/**/*.d.ts`) as far as the reference needs: every top-level
// declaration with its docstring. They are laid out by one printer, so lines tell where a declaration begins and ends; no
// compiler is loaded.
import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"

/** Removes the stars of a docstring and takes its tags apart. */
const parseDoc = (lines) => {
  const text = lines.join("\n").replace(/^\s*\/\*\*\s?/u, "").replace(/\s*\*\/\s*$/u, "").split("\n")
    .map((line) => line.replace(/^\s*\* ?/u, "")).join("\n").trim()
  const tags = new Map([...text.matchAll(/^@(\w+)\s*(.*)$/gmu)].map(([, name, value]) => [name, value.trim()]))
  return { text: text.replaceAll(/^@\w+.*$/gmu, "").trim(), tags }
}

/** Names instead of where they are from, which only the compiler wants to know. */
const tidy = (text) =>
  text.replaceAll(/string & import\("effect\/Brand"\)\.Brand<"fastworker\/(\w+)">/gu, "$1")
    .replaceAll(/import\("[^"]+"\)\./gu, "")
    .replace(/^export /u, "").replace(/^declare /u, "")
    .replaceAll(/^(?: {4})+/gmu, (indent) => indent.slice(indent.length / 2))

/** The types of an error's fields, as a program meets them. */
const withoutSchemas = (text) =>
  text.replaceAll(/Schema\.Literals<readonly \[([^\]]*)\]>/gu, (_, literals) => literals.replaceAll(", ", " | "))
    .replaceAll("Schema.$Array<", "ReadonlyArray<").replaceAll(/Schema\.Struct<(\{[^]*?\})>/gu, "$1")
    .replaceAll("Schema.String", "string").replaceAll("Schema.Boolean", "boolean").replaceAll("Schema.Int", "number")
    .replaceAll("Schema.Unknown", "unknown")
    .replaceAll(/(\w+): Schema\.optionalKey<([^]*?)>;/gu, "$1?: $2;")

/** Opening minus closing brackets of a line, outside of comments and strings. */
const depthOf = (line) => {
  const code = line.replaceAll(/"(?:[^"\\]|\\.)*"|`[^`]*`|\/\*\*.*?\*\/|\/\/.*$/gu, "").replaceAll("=>", "")
  return (code.match(/[{([<]/gu)?.length ?? 0) - (code.match(/[})\]>]/gu)?.length ?? 0)
}

const kindOf = (text) => {
  const [, kind, name] =
    /^(?:export )?(?:declare )?(?:abstract )?(const|class|interface|type|function|namespace) (\w+)/u.exec(text) ?? []
  return kind === undefined ? undefined : { kind, name }
}

/** All statements of a file: comment, text. */
const statements = (source) => {
  const found = []
  let doc = []
  let lines = []
  let depth = 0
  let isInComment = false
  for (const line of source.split("\n")) {
    if (lines.length === 0 && (isInComment || line.startsWith("/**"))) {
      if (!isInComment) doc = []
      doc.push(line)
      isInComment = !line.trimEnd().endsWith("*/")
      continue
    }
    if (lines.length === 0 && line.trim() === "") continue
    lines.push(line)
    const isComment = /^\s*(?:\/?\*)/u.test(line)
    if (!isComment) depth += depthOf(line)
    if (depth <= 0 && (line.trimEnd().endsWith(";") || line.startsWith("}"))) {
      found.push({ doc, text: lines.join("\n") })
      doc = []
      lines = []
      depth = 0
    }
  }
  return found
}

/**
 * Returns the declarations of a file by name, in their order, exported or not: `kind`, `name`, `doc`, `tags`, `signature`.
 * A class whose contract stands in a base that the compiler made up (services, errors) is shown with that contract.
 */
export const readDeclarations = (file) => {
  const all = new Map()
  const bases = new Map()
  for (const { doc, text } of statements(readFileSync(file, "utf8"))) {
    const what = kindOf(text)
    if (what === undefined) continue
    if (what.name.endsWith("_base")) {
      bases.set(what.name, text)
      continue
    }
    const { tags, text: prose } = parseDoc(doc)
    const base = bases.get(`${what.name}_base`)
    // What a class gives to its base as a type parameter is its contract too.
    const given = /_base<(\{[^]*\n\})>/u.exec(text)?.[1]
    const contract = base === undefined ? undefined : given ?? /\{\n[^]*\n\}/u.exec(base)?.[0]
    const isService = base !== undefined && /ServiceClass|Reference/u.test(base)
    const signature = base === undefined
      ? text
      : isService
      ? `service ${what.name} ${contract ?? base.replace(/^[^]*?: /u, "").replace(/;$/u, "")}`
      : withoutSchemas(`class ${what.name} ${contract ?? ""}`.trim())
    const isExported = text.startsWith("export")
    // Two with one name, a value and its type: shown together.
    const earlier = all.get(what.name)
    all.set(what.name, {
      ...what,
      isExported,
      doc: earlier === undefined ? prose : `${earlier.doc}`,
      tags: earlier?.tags ?? tags,
      signature: earlier === undefined ? tidy(signature) : `${earlier.signature}\n${tidy(signature)}`
    })
  }
  return all
}

/** What a module exports, with the comments that stand above its exports: name, file, name there, group. */
export const readExports = (file) => {
  const exported = []
  let group = ""
  for (const { doc, text } of statements(readFileSync(file, "utf8"))) {
    if (doc.length > 0) group = parseDoc(doc).text
    const from = /from "(\.[^"]+)";$/u.exec(text)?.[1]
    if (from === undefined) {
      const what = kindOf(text)
      if (what !== undefined && text.startsWith("export")) exported.push({ name: what.name, file, original: what.name })
      continue
    }
    const path = join(dirname(file), from.replace(/\.ts$/u, ".d.ts"))
    const [, namespace] = /^export \* as (\w+)/u.exec(text) ?? []
    if (namespace !== undefined) exported.push({ name: namespace, file: path, namespace: true, group })
    else if (text.startsWith("export *")) exported.push({ name: "*", file: path, group })
    else {
      for (const part of /\{([^]*?)\}/u.exec(text)?.[1].split(",") ?? []) {
        const [original, name = original] = part.trim().replace(/^type /u, "").split(/\s+as\s+/u)
        if (text.startsWith("export")) exported.push({ name, file: path, original, group })
      }
    }
  }
  return exported
}
