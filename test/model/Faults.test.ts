import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { mutants } from "./Faults.ts"

describe("faults that the simulation must find", () => {
  it.each(mutants)("can be made: $what", ({ file, from, to }) => {
    const source = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8")
    assert.lengthOf(source.split(from), 2, "the text to change must occur once")
    assert.notStrictEqual(from, to)
  })
})
