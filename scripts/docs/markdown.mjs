// From Markdown to HTML: headings that can be linked, tables and code that scroll by themselves, highlighted code, and links
// that lead to pages of the site. Knows nothing of the pages' frame.
import hljs from "highlight.js/lib/core"
import bash from "highlight.js/lib/languages/bash"
import dockerfile from "highlight.js/lib/languages/dockerfile"
import ini from "highlight.js/lib/languages/ini"
import json from "highlight.js/lib/languages/json"
import python from "highlight.js/lib/languages/python"
import typescript from "highlight.js/lib/languages/typescript"
import yaml from "highlight.js/lib/languages/yaml"
import { Marked } from "marked"

const languages = { bash, dockerfile, ini, json, python, typescript, yaml }
for (const [name, language] of Object.entries(languages)) hljs.registerLanguage(name, language)
const aliases = new Map([["ts", "typescript"], ["tsx", "typescript"], ["js", "typescript"], ["sh", "bash"]])

export const escape = (text) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("\"", "&quot;")

/** The anchor of a heading, as the hosts of repositories make it. */
export const slugOf = (text) => text.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").trim().replaceAll(/\s/gu, "-")

/** `ts title="tasks.ts" no-run="why"`: the language and what is said of the block. */
export const infoOf = (info = "") => ({
  language: /^\S*/u.exec(info)?.[0] ?? "",
  title: /\btitle="([^"]*)"/u.exec(info)?.[1]
})

const highlighted = (text, language) => {
  const name = aliases.get(language) ?? language
  return hljs.getLanguage(name) === undefined ? escape(text) : hljs.highlight(text, { language: name }).value
}

/** Words of a heading without marks. */
const plain = (tokens) => tokens.map((token) => token.tokens === undefined ? token.text : plain(token.tokens)).join("")

/**
 * Renders a text. `resolve` gives a link's address in the site, or `undefined` when what it names is not in it. Returns the
 * HTML, the title and the headings below it.
 */
export const render = (text, resolve) => {
  const headings = []
  const taken = new Map()
  let title = ""
  const marked = new Marked({
    gfm: true,
    renderer: {
      heading({ depth, tokens }) {
        const words = plain(tokens).replaceAll("&quot;", "\"").replaceAll("&#39;", "'").replaceAll("&amp;", "&")
        const content = this.parser.parseInline(tokens)
        if (depth === 1) {
          title = words
          return `<h1>${content}</h1>\n`
        }
        const slug = slugOf(words)
        const count = taken.get(slug) ?? 0
        taken.set(slug, count + 1)
        const id = count === 0 ? slug : `${slug}-${count}`
        headings.push({ depth, id, words })
        return `<h${depth} id="${id}"><a href="#${id}">${content}</a></h${depth}>\n`
      },
      code({ lang, text }) {
        const { language, title } = infoOf(lang)
        const caption = title === undefined ? "" : `<figcaption>${escape(title)}</figcaption>`
        return `<figure class="code">${caption}<pre tabindex="0"><code>${
          highlighted(text, language)
        }\n</code></pre></figure>\n`
      },
      table(token) {
        const cells = (row, tag) =>
          row.map((cell) => {
            const isName = cell.tokens.length > 0 &&
                cell.tokens.every(({ raw, type }) => type === "codespan" || raw === "<br>" || raw === ", ") ||
              cell.tokens.some(({ raw }) => raw === "<br>")
            const kind = cell.align === "right" ? " class=\"end\"" : isName ? " class=\"name\"" : ""
            // A head without words is none.
            const name = cell.tokens.length === 0 ? "td" : tag
            return `<${name}${kind}>${this.parser.parseInline(cell.tokens)}</${name}>`
          }).join("")
        return `<div class="table" tabindex="0"><table><thead><tr>${cells(token.header, "th")}</tr></thead><tbody>${
          token.rows.map((row) => `<tr>${cells(row, "td")}</tr>`).join("\n")
        }</tbody></table></div>\n`
      },
      // Long paths may be broken where their parts begin.
      codespan({ text }) {
        return `<code>${escape(text).replaceAll(/(?<=\w)\/(?=\w)/gu, "/<wbr>")}</code>`
      },
      link({ href, tokens }) {
        const content = this.parser.parseInline(tokens)
        const address = resolve(href)
        return address === undefined
          ? `<span class="elsewhere">${content}</span>`
          : `<a href="${escape(address)}">${content}</a>`
      }
    }
  })
  const html = marked.parse(text, { async: false })
  return { html, title, headings }
}

/** The groups and pages of a map: headings with lists of links below them, `[title](path): what`. */
export const readMap = (text) => {
  const groups = []
  for (const token of new Marked().lexer(text)) {
    if (token.type === "heading" && token.depth === 2) groups.push({ title: token.text, entries: [] })
    if (token.type !== "list") continue
    for (const item of token.items) {
      const [, title, path] = /^\[([^\]]+)\]\(([^)]+)\)/u.exec(item.text) ?? []
      if (path !== undefined) groups.at(-1)?.entries.push({ title, path })
    }
  }
  return groups
}
