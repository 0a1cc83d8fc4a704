/** The documents of the repository: their blocks of code, their headings, their links. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

/** The folder of the repository, with a slash at the end. */
export const root = fileURLToPath(new URL("../../", import.meta.url))

/** A fenced block. */
export interface Block {
  readonly document: string
  readonly line: number
  readonly language: string
  /** The file that it is, `title="…"`. */
  readonly title: string | undefined
  /** Why it is not run, `no-run="…"`. */
  readonly noRun: string | undefined
  /** The file of the repository that it repeats, `file="…"`. */
  readonly file: string | undefined
  /** What comes after the language, for example `output`. */
  readonly words: string
  readonly text: string
}

/** Paths of the documents of users, from the root of the repository. */
export const documents: ReadonlyArray<string> = [
  "README.md",
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`).sort()
]

export const read = (document: string) => readFileSync(join(root, document), "utf8")

const attribute = (info: string, name: string) => new RegExp(`\\b${name}="([^"]*)"`, "u").exec(info)?.[1]

export const blocksOf = (document: string): ReadonlyArray<Block> => {
  const text = read(document)
  return [...text.matchAll(/^```(\S*)(.*)\n([^]*?)^```$/gmu)].map((
    { 1: language = "", 2: info = "", 3: body = "", index }
  ) => ({
    document,
    line: text.slice(0, index).split("\n").length,
    language,
    title: attribute(info, "title"),
    noRun: attribute(info, "no-run"),
    file: attribute(info, "file"),
    words: info.trim(),
    text: body
  }))
}

export const withoutBlocks = (text: string) => text.replaceAll(/^```[^]*?^```$/gmu, "")

/** Anchors of the headings, as the hosts of repositories make them. */
export const anchorsOf = (document: string): ReadonlySet<string> => {
  const anchors = new Set<string>()
  for (const [, words = ""] of withoutBlocks(read(document)).matchAll(/^#{2,6} (.*)$/gmu)) {
    const slug = words.replaceAll(/\[([^\]]*)\]\([^)]*\)/gu, "$1").toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").trim().replaceAll(/\s/gu, "-")
    let anchor = slug
    for (let count = 1; anchors.has(anchor); count++) anchor = `${slug}-${count}`
    anchors.add(anchor)
  }
  return anchors
}

/** Where the links of a document lead that are not to the web. */
export const linksOf = (document: string): ReadonlyArray<string> =>
  [...withoutBlocks(read(document)).matchAll(/(?<!`)\]\(([^)\s]+)\)/gu)].map(([, href = ""]) => href)
    .filter((href) => !/^https?:/u.test(href))
