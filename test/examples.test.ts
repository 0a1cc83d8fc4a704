/** Every example, run as its README says, prints what its README says. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { family } from "./harness/Family.ts"
import { run } from "./harness/Processes.ts"

const folder = fileURLToPath(new URL("../examples/", import.meta.url))
const examples = readdirSync(folder).filter((name) => /^\d\d-/u.test(name)).sort()

describe("examples", () => {
  it("are numbered without gaps", () => {
    assert.deepStrictEqual(examples.map((name) => Number(name.slice(0, 2))), examples.map((_, index) => index + 1))
    assert.isAtLeast(examples.length, 5)
  })

  for (const name of examples) {
    it.live(`${name} prints what its README says, ends by itself and leaves nothing running`, () =>
      Effect.gen(function*() {
        const readme = readFileSync(`${folder}${name}/README.md`, "utf8")
        const [, command] = /```sh\n(.*?)\n```/su.exec(readme) ?? []
        const [, expected] = /```text output\n(.*?)```/su.exec(readme) ?? []
        const { env, members } = family(name)

        const output = yield* run(process.execPath, [`${folder}${name}/main.ts`], { env })

        assert.strictEqual(command, `node examples/${name}/main.ts`)
        assert.strictEqual(output, expected)
        assert.deepStrictEqual(members(), [])
      }))
  }
})
