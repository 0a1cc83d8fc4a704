/** What the documents name exists. */
import { assert, describe, it } from "@effect/vitest"
import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../", import.meta.url))

describe("docs", () => {
  for (const file of ["README.md", "docs/guarantees.md", "docs/architecture.md"]) {
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
})
