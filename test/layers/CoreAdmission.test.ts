import { assert, describe, it } from "@effect/vitest"
import { SubmitTask } from "../../src/domain/Message.ts"
import type { TaskOptions } from "../../src/domain/Task.ts"
import { optionsOf } from "../../src/layers/CoreAdmission.ts"

/** What a submission says besides options: who it is, what, when, and for whom. */
const others = new Set(["id", "name", "size", "priority", "watch", "in", "at", "expiresIn"])

describe("optionsOf", () => {
  it.each(Object.keys(SubmitTask.fields).filter((field) => !others.has(field)))("keeps %s, also alone", (field) => {
    const said = { [field]: "said" } as TaskOptions
    assert.deepStrictEqual(optionsOf(said), said)
  })

  it("is nothing when nothing is said", () => {
    assert.isUndefined(optionsOf({}))
  })
})
