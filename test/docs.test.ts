/** What the documents name exists, and what there is they name. */
import { assert, describe, it } from "@effect/vitest"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { posix } from "node:path"
import { gunzipSync } from "node:zlib"
import * as Errors from "../src/domain/Errors.ts"
import { defaults } from "../src/domain/Settings.ts"
import * as Main from "../src/index.ts"
import { makeOpenApi } from "../src/layers/DashboardDocs.ts"
import * as Promises from "../src/promise.ts"
import * as Testing from "../src/testing.ts"
import { anchorsOf, documents, linksOf, root } from "./harness/Documents.ts"

describe("docs", () => {
  for (const file of documents) {
    it(`${file} names files that exist`, () => {
      const text = readFileSync(`${root}${file}`, "utf8")
      const named = [...text.matchAll(/`((?:test|docs|examples|src)\/[\w./-]+?)`/gu)].map(([, path]) => path as string)

      assert.deepStrictEqual(named.filter((path) => !existsSync(`${root}${path}`)), [])
    })

    it(`${file} names scripts that exist`, () => {
      const { scripts } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as { scripts: Record<string, string> }
      const text = readFileSync(`${root}${file}`, "utf8")
      const named = [...text.matchAll(/npm run ([\w:]+)/gu)].map(([, script]) => script as string)

      assert.deepStrictEqual(named.filter((script) => scripts[script] === undefined), [])
    })
  }

  it("docs/api.md names every endpoint with what it does, and no other", () => {
    const text = readFileSync(`${root}docs/api.md`, "utf8")
    const rows = [...text.matchAll(/^\| `(GET|POST|DELETE) (\/\S*)` +\| (.*?) +\|$/gmu)].map(([, ...row]) =>
      row.join(" ")
    )
    const operations = Object.entries(makeOpenApi("").paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { summary = "" }]) => `${method.toUpperCase()} ${path} ${summary}`)
    )

    assert.sameMembers(rows, operations)
    assert.isAbove(rows.length, 27)
  })

  for (const file of [...documents, "examples/README.md", "ops/README.md", "ops/systemd/README.md"]) {
    it(`${file} links to files and headings that exist`, () => {
      const broken = linksOf(file).filter((href) => {
        const [path = "", anchor] = href.split("#")
        const target = path === "" ? file : posix.join(posix.dirname(file), path)
        if (!existsSync(`${root}${target}`)) return true
        return anchor !== undefined && target.endsWith(".md") && !anchorsOf(target).has(anchor)
      })
      assert.deepStrictEqual(broken, [])
    })
  }

  it("docs/README.md leads to every document", () => {
    const linked = new Set(linksOf("docs/README.md").map((path) => posix.join("docs", path)))
    const missing = documents.filter((path) => !/^(?:README\.md|docs\/README\.md|docs\/decisions\/.*)$/u.test(path))
      .filter((path) => !linked.has(path))

    assert.deepStrictEqual(missing, [])
    assert.isTrue(linked.has("docs/decisions/"))
  })
})

describe("the site", () => {
  const dist = new URL("../dist/docs/", import.meta.url)
  const all = readdirSync(dist, { recursive: true, encoding: "utf8" })
  const pages = new Map(
    all.filter((name) => name.endsWith(".html")).map((name) => [name, readFileSync(new URL(name, dist), "utf8")])
  )
  const page = (name: string) => pages.get(name) ?? assert.fail(name)
  const attributes = (html: string, name: string) =>
    [...html.matchAll(new RegExp(`<[^>]*\\s${name}="([^"]*)"`, "gu"))].map(([, value = ""]) => value)
  const headings = (html: string) => [...html.matchAll(/<h2 id="([^"]*)"/gu)].map(([, id = ""]) => id)

  it("has a page for every document of the map, and links that lead to pages and headings", () => {
    const ids = new Map([...pages].map(([name, html]) => [name, new Set(attributes(html, "id"))]))
    const broken: Array<string> = []
    for (const [name, html] of pages) {
      for (const href of attributes(html, "href")) {
        if (/^https?:/u.test(href)) continue
        const [path = "", anchor] = href.split("#")
        const target = path === "" ? name : posix.join(posix.dirname(name), path)
        // Beside the site, on the control plane.
        if (target === "../" || target === "../api/docs") continue
        const isThere = all.includes(target) && (anchor === undefined || ids.get(target)?.has(anchor) === true)
        if (!isThere) broken.push(`${name}: ${href}`)
      }
    }

    assert.deepStrictEqual(broken, [])
    assert.isAbove(pages.size, 41)
  })

  it("needs no script, asks nothing of others and does nothing that the policy of the dashboard forbids", () => {
    for (const [name, html] of pages) {
      assert.lengthOf(html.match(/<script/gu) ?? [], 1, name)
      assert.match(html, /<script src="(?:\.\.\/)?theme\.js"><\/script>/u, name)
      assert.notMatch(html.replaceAll(/<pre[^]*?<\/pre>/gu, ""), /<style|\sstyle=|\son\w+=|src="https?:/u, name)
    }
    const css = readFileSync(new URL("docs.css", dist), "utf8")
    const fonts = [...css.matchAll(/url\("?([^")]*)"?\)/gu)].map(([, address = ""]) => address)
    assert.lengthOf(fonts, 2)
    // On the control plane the dashboard is above the site.
    for (const font of fonts) assert.isTrue(existsSync(new URL(font.replace("../", "../dashboard/"), dist)), font)
  })

  it("tells its pages apart: a title of its own, one first heading, a place in the contents, neighbours", () => {
    const titles = [...pages.values()].map((html) => /<title>(.*)<\/title>/u.exec(html)?.[1])
    assert.lengthOf(new Set(titles), pages.size)
    for (const [name, html] of pages) {
      assert.lengthOf(html.match(/<h1/gu) ?? [], 1, name)
      assert.lengthOf(html.match(/aria-current="page"/gu) ?? [], name === "index.html" ? 0 : 1, name)
      assert.match(html, /rel="(?:prev|next)"/u, name)
    }
  })

  it("says of every error when it happens and what to do", () => {
    const classes = Object.entries(Errors).filter(([, value]) => "fields" in value && "identifier" in value)
      .map(([name]) => name.toLowerCase())
    const html = page("reference/errors.html")

    assert.sameMembers(headings(html), classes)
    assert.lengthOf(html.match(/What to do\./gu) ?? [], classes.length)
    assert.isAbove(classes.length, 35)
  })

  it("has every setting, command and export", () => {
    const settings = page("reference/settings.html")
    for (const name of Object.keys(defaults)) assert.include(settings, `<code>${name}</code>`)
    assert.includeMembers(headings(page("reference/commands.html")), ["fastworker-control-plane", "fastworker-secret"])
    const ids = (module: object) => Object.keys(module).map((name) => name.toLowerCase())
    const errors = new Set(headings(page("reference/errors.html")))
    const exported = ids(Main).filter((name) => !errors.has(name) && name !== "replyerror")
    assert.includeMembers(headings(page("reference/fastworker.html")), exported)
    assert.includeMembers(headings(page("reference/promise.html")), ids(Promises))
    assert.includeMembers(headings(page("reference/testing.html")), ids(Testing))
    const parts = [...page("reference/fastworker.html").matchAll(/<h3 id="([^"]*)"/gu)].map(([, id]) => id)
    assert.includeMembers(parts, [...ids(Main.Task).map((name) => `task${name}`), "policyoptions"])
  })

  it("is there compressed, and adds at most 400 kB to the package", () => {
    const packed = all.filter((name) => /\.(?:br|gz)$/u.test(name))
    for (const name of pages.keys()) {
      assert.includeMembers(packed, [`${name}.br`, `${name}.gz`])
      assert.strictEqual(gunzipSync(readFileSync(new URL(`${name}.gz`, dist))).toString(), page(name))
    }
    assert.isAtMost(packed.reduce((sum, name) => sum + readFileSync(new URL(name, dist)).length, 0), 400_000)
  })
})
