/** What the pages of workers, schedules, task types and the system work out before they draw it. */
import { assert, describe, it } from "@effect/vitest"
import { nextSort, sorted } from "../../src/dashboard/components/sorting.ts"
import { dueTimes, runsWords, runWords } from "../../src/dashboard/pages/schedules/words.ts"
import { settingValue, settingWords } from "../../src/dashboard/pages/system/settings.ts"
import { schemaRows } from "../../src/dashboard/pages/types/schemaRows.ts"
import * as Types from "../../src/dashboard/pages/types/words.ts"
import { failedShare, meaningOf } from "../../src/dashboard/pages/workers/words.ts"
import { nameFrom, typePath } from "../../src/dashboard/paths.ts"
import type { WorkerRow } from "../../src/domain/View.ts"

const worker = (state: WorkerRow["state"], more: Partial<WorkerRow> = {}): WorkerRow => ({
  id: "wkr-1",
  key: "k",
  state,
  local: false,
  slots: 4,
  running: 2,
  busy: [],
  registeredAt: 0,
  lastSeenAt: 0,
  succeeded: 0,
  failed: 0,
  perMinute: 0,
  lag: 0,
  loads: [],
  ...more
})

const plain = (text: string | undefined) => text?.replaceAll("\u00a0", " ")

describe("the state of a worker", () => {
  it("is explained unless there is nothing to explain", () => {
    assert.isUndefined(meaningOf(worker("active"), 0))
    assert.strictEqual(plain(meaningOf(worker("lost"), 38_000)?.title), "Lost 38 s ago")
    assert.include(plain(meaningOf(worker("unresponsive", { lag: 7_000 }), 0)?.text), "blocked for 7.0 s")
    assert.include(meaningOf(worker("paused"), 0)?.text, "What it runs goes on (2 tasks)")
    assert.include(meaningOf(worker("draining"), 0)?.text, "when that is finished it leaves")
    assert.include(meaningOf(worker("draining", { running: 0 }), 0)?.text, "It runs nothing now; it leaves.")
  })

  it("has no share of failures before anything ended", () => {
    assert.isUndefined(failedShare(worker("active")))
    assert.strictEqual(failedShare(worker("active", { failed: 1, succeeded: 3 })), 0.25)
    assert.isUndefined(Types.failedShare({ failed: 0, finished: 0 }))
  })
})

describe("the order of a table", () => {
  const rows = [{ id: "w-10", load: 1 }, { id: "w-9", load: 3 }, { id: "a", load: 1 }]
  const keys = { name: ({ id }: { readonly id: string }) => id, load: ({ load }: { readonly load: number }) => load }
  const order = (sort: string) => sorted(rows, keys, sort).map(({ id }) => id)

  it("goes from the largest number down, from A up, numbers in words as numbers; the other way round with a minus", () => {
    assert.deepStrictEqual(order("load"), ["w-9", "w-10", "a"])
    assert.deepStrictEqual(order("-load"), ["w-10", "a", "w-9"])
    assert.deepStrictEqual(order("name"), ["a", "w-9", "w-10"])
    assert.deepStrictEqual(order("-name"), ["w-10", "w-9", "a"])
    assert.deepStrictEqual(order("nonsense"), ["w-10", "w-9", "a"])
  })

  it("is chosen, turned round and given up by the same button", () => {
    const steps = ["", "load", "-load", ""]
    for (const [index, now] of steps.slice(0, -1).entries()) {
      assert.strictEqual(nextSort(now, "load"), steps[index + 1])
    }
    assert.strictEqual(nextSort("name", "load"), "load")
  })
})

describe("the times of a schedule", () => {
  it("do not name the same time twice because a timer fires beside it", () => {
    assert.deepStrictEqual(dueTimes([19_987, 20_000, 40_000]), [20_000, 40_000])
    assert.deepStrictEqual(dueTimes([10, 20, 30]), [10, 20, 30])
    assert.deepStrictEqual(dueTimes([5_000]), [5_000])
    assert.deepStrictEqual(dueTimes([]), [])
  })

  it("are told with how their tasks ended", () => {
    const run = (state: "succeeded" | "failed", millis?: number) =>
      ({ id: "a", state, at: 0, ...millis === undefined ? {} : { millis } }) as const
    assert.strictEqual(plain(runWords(run("failed", 1_200))), "Failed, took 1.2 s")
    assert.strictEqual(runsWords([run("succeeded"), run("failed"), run("succeeded")]), "Last 3: 2 succeeded, 1 failed")
    assert.strictEqual(runsWords([]), "It has not run yet")
  })
})

describe("a JSON Schema as a table", () => {
  const rowsOf = (schema: unknown) =>
    schemaRows(JSON.stringify(schema))?.map(({ depth, name, notes, required, type }) =>
      [`${"  ".repeat(depth)}${name}${required ? "" : "?"}`, type, notes.join(", ")].join(" | ")
    )

  it("has a row for each field, with what may stand there", () => {
    assert.deepStrictEqual(
      rowsOf({
        type: "object",
        required: ["to", "items", "meta"],
        properties: {
          to: { type: "string", minLength: 1, maxLength: 64 },
          kind: { enum: ["a", "b"] },
          count: { type: "integer", minimum: -9_007_199_254_740_991, maximum: 5 },
          maybe: { anyOf: [{ type: "number" }, { type: "null" }, { type: "string", enum: ["NaN"] }] },
          words: { type: "array", items: { type: "string" } },
          items: { type: "array", items: { $ref: "#/$defs/Item" } },
          meta: { type: "object", additionalProperties: { type: "boolean" } }
        },
        $defs: { Item: { type: "object", properties: { id: { type: "string" } }, required: ["id"] } }
      }),
      [
        "to | text | not empty, at most 64 characters",
        "kind? | one of \"a\", \"b\" | ",
        "count? | whole number | at most 5",
        "maybe? | number or null | ",
        "words? | list of text | ",
        "items | list of objects | ",
        "  id | text | ",
        "meta | object | ",
        "  *? | true or false | "
      ]
    )
  })

  it("says what a value is that has no fields", () => {
    assert.deepStrictEqual(schemaRows("{\"type\":\"null\"}")?.map(({ name, type }) => [name, type]), [["", "null"]])
    assert.deepStrictEqual(schemaRows("{}")?.map(({ type }) => type), ["anything"])
  })

  it("ends where a schema refers to itself, and is nothing of what is no schema", () => {
    const tree = schemaRows(JSON.stringify({
      $ref: "#/$defs/Tree",
      $defs: {
        Tree: { type: "object", properties: { left: { $ref: "#/$defs/Tree" }, right: { $ref: "#/$defs/Tree" } } }
      }
    }))
    assert.isAtMost(tree?.length ?? Infinity, 200)
    assert.deepStrictEqual(schemaRows("{\"$ref\":\"#\"}")?.map(({ type }) => type), ["anything"])
    assert.isUndefined(schemaRows("not JSON"))
    assert.isUndefined(schemaRows("[]"))
  })
})

describe("settings and rules", () => {
  it("have names and values as people write them", () => {
    assert.strictEqual(settingWords("resultCacheTtlMillis"), "Result cache TTL")
    assert.strictEqual(settingWords("maxDeadBytes"), "Max dead (bytes)")
    assert.strictEqual(settingValue("1000000"), "1,000,000")
    assert.strictEqual(settingValue("5s"), "5s")
    assert.strictEqual(settingValue(""), "—")
  })

  it("are said in sentences", () => {
    assert.deepStrictEqual(
      Types.limitWords({ concurrency: 4, rate: { limit: 10, per: 1_000 }, keyConcurrency: 1 }).map(plain),
      ["At most 4 at once", "At most 10 in 1.0 s", "At most 1 at once for each key"]
    )
    assert.deepStrictEqual(Types.limitWords(), [])
  })
})

describe("names in addresses", () => {
  it("come back as they were, whatever is in them", () => {
    for (const name of ["email.send", "a/b:c d", "100%", "<img src=x>", "ünï"]) {
      assert.strictEqual(nameFrom(typePath(name).slice("/types/".length)), name)
    }
    assert.strictEqual(nameFrom("%"), "%")
  })
})
