/** What the documents name exists, and what there is they name. */
import { assert, describe, it } from "@effect/vitest"
import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { makeOpenApi } from "../src/layers/DashboardDocs.ts"

const root = fileURLToPath(new URL("../", import.meta.url))

describe("docs", () => {
  for (const file of ["README.md", "docs/api.md", "docs/guarantees.md", "docs/architecture.md"]) {
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
})
