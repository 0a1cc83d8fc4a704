import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { isTaskIdText, TaskId } from "../../src/domain/Task.ts"

const isTaskId = Schema.is(TaskId)

describe("isTaskIdText", () => {
  it("says what the schema of ids says, for each character and length", () => {
    for (let code = 0; code <= 0x100; code++) {
      const text = `a${String.fromCharCode(code)}`
      assert.strictEqual(isTaskIdText(text), isTaskId(text), `character ${code}`)
    }
    for (const length of [0, 1, 127, 128, 129]) {
      const text = "x".repeat(length)
      assert.strictEqual(isTaskIdText(text), isTaskId(text), `${length} characters`)
      assert.strictEqual(isTaskIdText(text), length > 0 && length <= 128)
    }
  })

  it.prop("says the same of any text, and of each id", { text: Schema.String, id: TaskId }, ({ id, text }) => {
    assert.strictEqual(isTaskIdText(text), isTaskId(text))
    assert.isTrue(isTaskIdText(id))
  })
})
