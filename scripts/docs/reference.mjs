// The pages of the site that are made from the code: what the packages export, the commands, the settings, the errors. Each
// is Markdown, so that one way leads from text to page.
import * as NodeServices from "@effect/platform-node/NodeServices"
import { CliOutput, Command } from "effect/cli"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { readFileSync } from "node:fs"
import { readDeclarations, readExports } from "./declarations.mjs"

/** Docstrings link names by `{@link name}`. */
const prose = (text) => text.replaceAll(/\{@link ([\w.]+)\}/gu, "`$1`")

const code = (text) => `\`\`\`ts\n${text}\n\`\`\``

const entry = (level, title, { doc, signature }) =>
  `${"#".repeat(level)} ${title}\n\n${prose(doc)}\n\n${code(signature)}`

/** The name that it is exported by, where it was declared by another. */
const renamed = (declaration, name) => ({
  ...declaration,
  signature: declaration.signature.replace(new RegExp(`^(\\w+) ${declaration.name}\\b`, "u"), `$1 ${name}`)
})

const isCalled = ({ tags }) => /^(?:constructors|layers|combinators)$/u.test(tags.get("category") ?? "")

/**
 * A page of what a module exports: a section for each name, with parts where the name is a namespace. `related` are
 * declarations that are not exported and needed to understand a namespace.
 */
const packagePage = (title, lead, file, related = {}) => {
  const sections = new Map()
  const read = new Map()
  const declarationsOf = (path) => {
    const known = read.get(path) ?? readDeclarations(path)
    read.set(path, known)
    return known
  }
  const exported = readExports(file)
  // Of those that stand together the namespace first: what is beside it are its types.
  const place = ({ group, namespace }) =>
    exported.findIndex((other) => other.group === group) - (namespace === true && group !== "" ? 0.5 : 0)
  for (
    const { file: path, group = "", name, namespace, original } of exported.toSorted((a, b) => place(a) - place(b))
  ) {
    if (name === "*") {
      sections.set("Errors", `## Errors\n\n${group} They have [a page of their own](../src/domain/Errors.ts).`)
    } else if (namespace) {
      // What a program calls comes before the types that it is made of.
      const parts = [...declarationsOf(path).values()].filter(({ isExported }) => isExported)
      const part = (declaration) => entry(3, `${name}.${declaration.name}`, declaration)
      const more = readExports(path).filter(({ file: from }) => from !== path).flatMap((exported) => {
        const declaration = declarationsOf(exported.file).get(exported.original)
        return declaration === undefined ? [] : [entry(3, `${name}.${exported.name}`, declaration)]
      })
      const others = (related[name] ?? []).map(([from, other]) => entry(3, other, declarationsOf(from).get(other)))
      const types = parts.filter((declaration) => !isCalled(declaration)).map(part)
      const all = [...parts.filter(isCalled).map(part), ...more, ...types, ...others]
      sections.set(name, `## ${name}\n\n${prose(group)}\n\n${all.join("\n\n")}`)
    } else {
      const declaration = declarationsOf(path).get(original)
      if (declaration !== undefined) sections.set(name, entry(2, name, renamed(declaration, name)))
    }
  }
  return `# ${title}\n\n${lead}\n\n${[...sections.values()].join("\n\n")}\n`
}

const helpOf = async (root, path) => {
  let help
  const presenter = CliOutput.layerPresenter({ present: (event) => Effect.sync(() => help = event.helpDoc) })
  const asked = Command.runWith(root, { version: "" })([...path, "--help"])
  await Effect.runPromise(Effect.exit(Effect.provide(asked, Layer.mergeAll(NodeServices.layer, presenter))))
  if (help === undefined) throw new Error(`fastworker ${path.join(" ")} has no help`)
  return help
}

const cell = (text) => text.replaceAll("|", "\\|").replaceAll("\n", " ").replaceAll("<", "&lt;")

const textOf = (description) => description?._tag === "Some" ? description.value : ""

/** What is said of a flag in brackets at its end: its default and its variable. */
const flagRow = ({ aliases, description, name, required, type }) => {
  const text = textOf(description)
  const variable = /environment: (FASTWORKER_\w+)/u.exec(text)?.[1]
  // Of the machine that asks; another one builds the site.
  const fallback = name === "threads" ? "one for each processor" : /default: ([^;)]+)/u.exec(text)?.[1]
  const rest = text.replaceAll(/ \((?:default|environment): [^()]*\)/gu, "")
  const names = [`--${name}`, ...aliases.map((alias) => alias.startsWith("-") ? alias : `--${alias}`)]
  const value = type === "boolean" ? "" : ` ${/^[A-Z]+$/u.test(type) ? type : "VALUE"}`
  const facts = [
    ...required && !text.includes("several times") ? ["required"] : [],
    ...fallback === undefined ? [] : [`default ${fallback}`],
    ...variable === undefined ? [] : [`\`${variable}\``]
  ]
  return [`\`${names.join("`, `")}${value}\``, cell(rest), facts.join("<br>")]
}

/** A table; its last column is left out when nothing stands in it. */
const table = (head, rows) => {
  const isEmpty = rows.every((row) => row.at(-1) === "")
  const line = (cells) => `| ${(isEmpty ? cells.slice(0, -1) : cells).join(" | ")} |`
  return [head, head.map(() => "---"), ...rows].map(line).join("\n")
}

const commandSections = async (root, path = []) => {
  const { args = [], description, flags, subcommands = [], usage } = await helpOf(root, path)
  const children = subcommands.flatMap(({ commands }) => commands)
  const parts = [
    `${path.length < 2 ? "##" : "###"} fastworker ${path.join(" ")}`,
    `${description}.`,
    `\`\`\`text\n${usage}\n\`\`\``
  ]
  if (args.length > 0) {
    const rows = args.map(({ description, name, required, variadic }) => [
      `\`${name}${variadic ? "…" : ""}\``,
      cell(textOf(description)),
      required ? "required" : ""
    ])
    parts.push(table(["argument", "what", "needed"], rows))
  }
  if (flags.length > 0 && path.length > 0) parts.push(table(["flag", "what", "default, variable"], flags.map(flagRow)))
  const deeper = []
  for (const child of children) deeper.push(...await commandSections(root, [...path, child.name]))
  return path.length === 0 ? deeper : [parts.join("\n\n"), ...deeper]
}

const commandsPage = async () => {
  const { root } = await import("../../dist/cli/Commands.js")
  const { flags, globalFlags = [] } = await helpOf(root, [])
  return `# Commands

Every command and flag of \`fastworker\`, made of what \`fastworker COMMAND --help\` prints.
[Command line](cli.md) says how they work together, which codes they exit with, and what filters mean.

## For all commands

${table(["flag", "what", "default, variable"], [...flags, ...globalFlags].map(flagRow))}

${(await commandSections(root)).join("\n\n")}
`
}

const settingsPage = async () => {
  const { defaults, formatDuration, formatSize } = await import("../../dist/domain/Settings.js")
  const source = readFileSync("src/domain/Settings.ts", "utf8")
  const body = /export interface Settings \{\n([^]*?)\n\}/u.exec(source)[1]
  const tls = /export interface TlsSettings \{\n([^]*?)\n\}/u.exec(source)[1]
  const read = (text) => {
    const members = []
    let doc = ""
    for (const [, comment, name] of text.matchAll(/\/\*\*([^]*?)\*\/|readonly (\w+)\??:/gu)) {
      if (comment !== undefined) doc = comment.replaceAll(/\s*\n\s*\* ?/gu, " ").trim()
      else members.push({ name, doc })
    }
    return members
  }
  const shown = (name) => {
    const value = defaults[name]
    if (value === undefined) return "none"
    if (value === "") return "empty"
    if (typeof value === "number" && name.endsWith("Millis")) return `\`${formatDuration(value)}\` (${value} ms)`
    if (typeof value === "number" && /Bytes/u.test(name)) return `\`${formatSize(value)}\` (${value} bytes)`
    return `\`${value}\``
  }
  const rows = (members, fallback) => {
    // Two members under one comment: each variable of it belongs to one of them, in order.
    const taken = new Map()
    return members.map(({ doc, name }) => {
      const variables = [...doc.matchAll(/`(FASTWORKER_\w+)`/gu)].map(([, variable]) => variable)
      const shared = members.filter((other) => other.doc === doc)
      const mine = shared.length > 1 && variables.length > 1
        ? [variables[taken.get(doc) ?? 0]]
        : variables
      taken.set(doc, (taken.get(doc) ?? 0) + 1)
      const text = doc.replace(/\s*`FASTWORKER_\w+`(?:, (?:or the file that )?`FASTWORKER_\w+`(?: names)?)*\.?$/u, "")
        .replace(/ `FASTWORKER_\w+` names a file\.$/u, " A variable names the file.")
        .replace(/ `FASTWORKER_SECRET`, or[^]*$/u, " The second variable names a file.")
      const facts = [fallback(name), ...mine.map((variable) => `\`${variable}\``)]
      return [`\`${name}\``, cell(text), facts.join("<br>")]
    })
  }
  return `# Settings

Every setting with its default, made of \`Settings\` in the code. A command takes it as a flag or from its variable
([commands](../src/cli/main.ts)); a program passes it by name: \`connect({ discovery })\`, \`FastWorker.connect({ … })\`,
\`layerSettings({ … })\`. In programs durations are milliseconds and sizes bytes, as the names say; on the command line and
in variables they are written \`500ms\`, \`30s\`, \`5m\`, \`64MiB\`. Programs do not read the variables by themselves.
Those without a variable can only be set by programs.

${table(["setting", "what", "default, variable"], rows(read(body), shown))}

## TLS

The members of \`tls\`, as PEM text.

${table(["setting", "what", "default, variable"], rows(read(tls), () => "none"))}
`
}

/** Realistic values for the fields of errors: they make a message readable. */
const examples = {
  id: "order-17",
  task: "sendEmail",
  issues: [{ field: "to", message: "Expected string, got 7" }],
  what: "arguments",
  size: 2_097_152,
  limit: 1_048_576,
  known: ["resize", "report"],
  waiting: 1_000_000,
  maxWaiting: 1_000_000,
  waitingBytes: 64_000_000,
  maxWaitingBytes: 536_870_912,
  outcomes: 100_000,
  maxOutcomes: 100_000,
  key: "ann@example.org",
  expected: 12,
  count: 14,
  worker: "mail-3",
  state: "succeeded",
  address: "tcp://127.0.0.1:5550",
  afterMillis: 30_000,
  ours: [1],
  theirs: [2],
  started: false,
  crashes: 3,
  defect: "TypeError",
  file: "queue.journal",
  version: 2,
  timeout: 30_000,
  tasks: ["factor"]
}

/** Where one value does not do for all errors. */
const exampleOf = {
  ScheduleNotFound: { id: "report:every:1h" },
  AddressError: { reason: "is in use" },
  TaskFileError: { file: "tasks.ts", reason: "exports no task" },
  SecretError: { reason: "it has less than 16 characters" },
  BadRequest: { reason: "no operation is called \"submitt\"" },
  Unauthorized: { reason: "the control plane has a secret, and none was given" },
  Unreachable: { reason: "no announcement was heard" },
  JournalCorrupt: { reason: "database disk image is malformed" },
  JournalTooNew: { known: 1 },
  JournalUnusable: { reason: "no such folder" },
  JournalFailed: { reason: "the disk is full" },
  TaskDefect: { reason: "Cannot read properties of undefined (reading 'id')" },
  InvalidResult: { reason: "Expected string, got 7" }
}

const errorsPage = async () => {
  const module = await import("../../dist/domain/Errors.js")
  const sections = []
  for (const { doc, kind, name, signature } of readDeclarations("dist/domain/Errors.d.ts").values()) {
    const Error = module[name]
    if (kind !== "class" || Error?.fields === undefined) continue
    const names = Object.keys(Error.fields).filter((field) => field !== "_tag")
    const fields = Object.fromEntries(
      names.flatMap((field) => {
        const value = exampleOf[name]?.[field] ?? examples[field]
        return value === undefined ? [] : [[field, value]]
      })
    )
    const { message } = new Error(fields)
    const [when, cure] = doc.split("**What to do**")
    if (cure === undefined) throw new Error(`${name} does not say what to do`)
    sections.push(
      `## ${name}\n\n${prose(when.trim())}\n\n> ${cell(message)}\n\n**What to do.** ${prose(cure.trim())}` +
        (names.length === 0 ? "" : `\n\n${code(signature)}`)
    )
  }
  return `# Errors

Every failure that a program can see, with a message as it prints, when it happens and what to do. They are exported by
\`fastworker\`; an error has its name as \`_tag\` and is an instance of its class, so \`Effect.catchTag("QueueFull", …)\` and
\`error instanceof QueueFull\` both tell it apart. Errors that a definition declares come besides these.

${sections.join("\n\n")}
`
}

/** Returns the pages that are made: where they stand for in the repository, their path in the site, their text. */
export const referencePages = async () => [
  {
    source: "src/index.ts",
    path: "reference/fastworker.html",
    text: packagePage(
      "fastworker",
      "What the package exports, with its types. Programs with Effect start here; those without take " +
        "[fastworker/promise](../src/promise.ts). Those that only submit tasks can import the names that they need from " +
        "`fastworker/client`, which loads half as much.",
      "dist/index.d.ts",
      { Task: ["PolicyOptions", "Rate", "defaultRetrySchedule"].map((name) => ["dist/domain/TaskPolicy.d.ts", name]) }
    )
  },
  {
    source: "src/promise.ts",
    path: "reference/promise.html",
    text: packagePage(
      "fastworker/promise",
      "The client for programs that do not use Effect: the same calls as promises. A promise rejects with the same errors " +
        "that the Effect would fail with ([errors](../src/domain/Errors.ts)).",
      "dist/promise.d.ts"
    )
  },
  {
    source: "src/testing.ts",
    path: "reference/testing.html",
    text: packagePage(
      "fastworker/testing",
      "A whole queue in memory, for tests of programs that submit tasks. [How to test](howto/test.md) shows it at work.",
      "dist/testing.d.ts"
    )
  },
  { source: "src/cli/main.ts", path: "reference/commands.html", text: await commandsPage() },
  { source: "src/domain/Settings.ts", path: "reference/settings.html", text: await settingsPage() },
  { source: "src/domain/Errors.ts", path: "reference/errors.html", text: await errorsPage() }
]
