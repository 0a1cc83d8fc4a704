/** What the built dashboard weighs and where it may lead: the page is opened on slow lines and behind strict proxies. */
import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { gzipSync } from "node:zlib"

const dist = new URL("../../dist/dashboard/", import.meta.url)
const assets = readdirSync(new URL("assets/", dist)).filter((name) => !/\.(?:gz|br)$/u.test(name))
const bytesOf = (name: string) => readFileSync(new URL(`assets/${name}`, dist))
const weigh = (names: ReadonlyArray<string>) => names.reduce((sum, name) => sum + gzipSync(bytesOf(name)).length, 0)
const ending = (end: string) => assets.filter((name) => name.endsWith(end))
const html = readFileSync(new URL("index.html", dist), "utf8")

describe("the built dashboard", () => {
  it("keeps to its weight: entry 75 kB, scripts 140 kB, styles 15 kB compressed, fonts 55 kB", () => {
    const entry = [...html.matchAll(/(?:src|href)="\.\/assets\/([^"]+\.js)"/gu)].map(([, name]) => name ?? "")
    assert.isNotEmpty(entry)
    assert.isAtMost(weigh(entry), 75_000)
    assert.isAtMost(weigh(ending(".js")), 140_000)
    assert.isAtMost(weigh(ending(".css")), 15_000)
    assert.isAtMost(ending(".woff2").reduce((sum, name) => sum + bytesOf(name).length, 0), 55_000)
  })

  it("has nothing inline that its policy forbids, and leads nowhere else", () => {
    assert.notMatch(html, /<script(?![^>]*\ssrc=)[^>]*>|<style|\sstyle=|\son\w+=/u)
    for (const [, address] of html.matchAll(/(?:src|href)="([^"]*)"/gu)) {
      assert.match(address ?? "", /^(?:\.?\/$|\.\/|api\/)/u)
    }
    for (const name of ending(".css")) {
      for (const [, address] of bytesOf(name).toString("utf8").matchAll(/url\(([^)]*)\)/gu)) {
        assert.match(address ?? "", /^["']?\.\//u)
      }
    }
  })

  it("says first which of its layers of styles wins", () => {
    for (const name of ending(".css")) {
      assert.match(bytesOf(name).toString("utf8"), /^@layer base,components,pages,adjust;/u)
    }
  })

  it("contains nothing of Effect, and the licences of what it does contain", () => {
    for (const name of ending(".js")) assert.notInclude(bytesOf(name).toString("utf8"), "~effect/")
    const licences = readFileSync(new URL("licences.md", dist), "utf8")
    for (const name of ["solid-js", "@kobalte/core", "uplot", "lucide-solid"]) assert.include(licences, name)
    assert.include(readFileSync(new URL("licence-geist.txt", dist), "utf8"), "SIL OPEN FONT LICENSE")
  })

  it("is there compressed too", () => {
    const all = readdirSync(dist, { recursive: true, encoding: "utf8" })
    for (
      const name of [
        "index.html",
        ...assets.filter((name) => !name.endsWith(".woff2")).map((name) => `assets/${name}`)
      ]
    ) {
      assert.includeMembers(all, [`${name}.gz`, `${name}.br`])
    }
  })
})
