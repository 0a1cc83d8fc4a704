import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Journal } from "../../src/services/Journal.ts"
import { accepted, bounds, makeModel } from "../harness/Journals.ts"

describe("Journal, when none is provided", () => {
  it.effect("takes everything, stores nothing and is never behind", () =>
    Effect.gen(function*() {
      const journal = yield* Journal

      journal.append(accepted("a"))
      yield* journal.flush

      assert.isFalse(journal.isDurable)
      assert.isAtLeast(journal.committed(), journal.position())
      assert.isUndefined(journal.failure())
      assert.deepStrictEqual(yield* journal.load(bounds), makeModel().contents())
    }))
})
