// Builds the documentation as a site of plain HTML into `dist/docs`: the pages of the map in `docs/README.md`, in its order,
// and those that are made from the code. No script is needed to read it, and nothing is asked of the network. The control
// plane serves it at `/docs`; any server of files does.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { dirname, join, posix, sep } from "node:path"
import { compress, filesOf } from "./compress.mjs"
import { escape, readMap, render, slugOf } from "./docs/markdown.mjs"
import { referencePages } from "./docs/reference.mjs"

const out = "dist/docs"
const home = "docs/README.md"

/** The decisions are short: one page has them all. */
const decisionsPage = () => {
  const folder = "docs/decisions"
  const names = readdirSync(folder).filter((name) => name.endsWith(".md")).sort()
  const texts = names.map((name) => {
    const text = readFileSync(join(folder, name), "utf8")
    return { name, title: /^# (.*)$/mu.exec(text)?.[1] ?? name, text: text.replaceAll(/^#/gmu, "##") }
  })
  return {
    source: `${folder}/`,
    path: "decisions.html",
    text: `# Decisions\n\nWhat was decided, why, and what it costs.\n\n${texts.map(({ text }) => text).join("\n\n")}`,
    anchors: new Map(texts.map(({ name, title }) => [`${folder}/${name}`, slugOf(title)]))
  }
}

/** The recipes themselves: who has the package alone has no other copy. Grafana's is long, and not for reading. */
const recipesPage = () => {
  const languages = [["Dockerfile", "dockerfile"], [".yaml", "yaml"], [".yml", "yaml"], [".service", "ini"]]
  const files = filesOf("ops").map((file) => file.replaceAll(sep, posix.sep)).sort().flatMap((file) => {
    const language = languages.find(([end]) => file.endsWith(end))?.[1]
    return language === undefined ? [] : [{ file, language, name: file.slice("ops/".length) }]
  })
  return {
    source: "ops/",
    path: "ops/files.html",
    text: `# Recipe files\n\nThe files of the [recipes](../ops/README.md), to copy and change.\n\n${
      files.map(({ file, language, name }) =>
        `## ${name}\n\n\`\`\`${language}\n${readFileSync(file, "utf8").trimEnd()}\n\`\`\``
      ).join("\n\n")
    }`,
    anchors: new Map(files.map(({ file, name }) => [file, slugOf(name)]))
  }
}

/** Where a Markdown file stands in the site. */
const pathOf = (source) => {
  if (source === home) return "index.html"
  const path = source.replace(/^docs\//u, "").replace(/\/README\.md$/u, ".md")
  return path.toLowerCase().replace(/\.md$/u, ".html")
}

/** Pages of many files, each of which is a section. */
const gathered = [decisionsPage(), recipesPage()]
const made = new Map([...await referencePages(), ...gathered].map((page) => [page.source, page]))
const groups = readMap(readFileSync(home, "utf8")).map(({ entries, title }) => ({
  title,
  pages: entries.map(({ path, title }) => {
    const source = posix.join("docs", path)
    const page = made.get(source)
    return page === undefined
      ? { title, source, path: pathOf(source), text: readFileSync(source, "utf8") }
      : { ...page, title }
  })
}))
const pages = [
  { title: "Documentation", source: home, path: "index.html", text: readFileSync(home, "utf8") },
  ...groups.flatMap(({ pages }) => pages)
]
const bySource = new Map(pages.map((page) => [page.source, page]))

const from = (page, path) => posix.relative(posix.dirname(page.path), path)

/** What a link of a page is in the site; `undefined` when that is not in it. */
const resolver = (page) => (href) => {
  if (/^(?:https?:|#)/u.test(href)) return href
  const [path = "", anchor] = href.split("#")
  // A generated page is written as if it stood in `docs`.
  const base = page.source.endsWith(".md") ? posix.dirname(page.source) : "docs"
  const source = posix.join(base, path)
  const suffix = anchor === undefined ? "" : `#${anchor}`
  for (const { anchors, path } of gathered) {
    const section = anchors.get(source)
    if (section !== undefined) return `${from(page, path)}#${section}`
  }
  const target = bySource.get(source) ?? bySource.get(`${source.replace(/\/$/u, "")}/README.md`) ??
    bySource.get(`${source}/`)
  return target === undefined ? undefined : `${from(page, target.path)}${suffix}`
}

const sidebar = (current) =>
  groups.map(({ pages, title }) =>
    `<h2>${escape(title)}</h2><ul>${
      pages.map((page) =>
        `<li><a href="${from(current, page.path)}"${page === current ? " aria-current=\"page\"" : ""}>${
          escape(page.title)
        }</a></li>`
      ).join("")
    }</ul>`
  ).join("\n")

const contents = (headings) => {
  const shown = headings.filter(({ depth }) => depth === 2)
  const all = shown.length < 3 ? headings.filter(({ depth }) => depth <= 3) : shown
  if (all.length < 3) return ""
  return `<details class="toc"><summary>On this page</summary><ul>${
    all.map(({ id, words }) => `<li><a href="#${id}">${escape(words)}</a></li>`).join("")
  }</ul></details>`
}

const neighbour = (current, page, label, rel) =>
  page === undefined ?
    "<span></span>" :
    `<a rel="${rel}" href="${from(current, page.path)}"><small>${label}</small>${escape(page.title)}</a>`

/** The first paragraph, for whoever shows a link to the page. */
const descriptionOf = (html) =>
  (/<p>([^]*?)<\/p>/u.exec(html)?.[1] ?? "").replaceAll(/<[^>]+>/gu, "").replaceAll(/\s+/gu, " ").slice(0, 160)

const frame = (page, index) => {
  const { headings, html, title } = render(page.text, resolver(page))
  const to = (path) => from(page, path)
  const up = posix.relative(posix.dirname(page.path), "") || "."
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${escape(title)} · FastWorker</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="description" content="${descriptionOf(html)}">
<link rel="icon" href="${to("favicon.svg")}">
<link rel="stylesheet" href="${to("docs.css")}">
<script src="${to("theme.js")}"></script>
</head>
<body>
<a class="skip" href="#content">Skip to the text</a>
<header><a class="brand" href="${to("index.html")}"><img src="${
    to("favicon.svg")
  }" alt="" width="24" height="24">FastWorker <small>documentation</small></a><nav aria-label="Site"><a class="menu" href="#contents">Contents</a><a href="${up}/../api/docs">HTTP API</a><a href="${up}/../">Dashboard</a></nav></header>
<main id="content" tabindex="-1">
${contents(headings)}
<article>
${html}</article>
<nav class="turn" aria-label="Pages before and after">${neighbour(page, pages[index - 1], "Before", "prev")}${
    neighbour(page, pages[index + 1], "Next", "next")
  }</nav>
</main>
<nav class="side" id="contents" aria-label="Contents">
${sidebar(page)}
</nav>
</body>
</html>
`
}

/** The fonts of the dashboard, which stands beside the site; elsewhere the system's take their place. */
const fontFaces = () => {
  const assets = "dist/dashboard/assets"
  const names = existsSync(assets) ? readdirSync(assets) : []
  return [["Geist", "geist-latin"], ["Geist Mono", "geist-mono-latin"]].flatMap(([family, prefix]) => {
    const file = names.find((name) => name.startsWith(prefix) && name.endsWith(".woff2"))
    return file === undefined
      ? []
      : [
        `@font-face{font-family:"${family}";font-weight:100 900;font-display:swap;src:url("../assets/${file}") format("woff2")}`
      ]
  }).join("\n")
}

rmSync(out, { recursive: true, force: true })
for (const [index, page] of pages.entries()) {
  const file = join(out, page.path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, frame(page, index))
}
writeFileSync(
  join(out, "docs.css"),
  [
    fontFaces(),
    ...["src/dashboard/styles/tokens.css", "scripts/docs/docs.css"].map((file) => readFileSync(file, "utf8"))
  ]
    .join("\n")
)
cpSync("src/dashboard/public/favicon.svg", join(out, "favicon.svg"))
cpSync("src/dashboard/public/boot.js", join(out, "theme.js"))
compress(out)
const size = readdirSync(out, { recursive: true }).reduce((sum, name) => sum + statSync(join(out, name)).size, 0)
console.log(`dist/docs: ${pages.length} pages, ${Math.round(size / 1024)} KiB`)
