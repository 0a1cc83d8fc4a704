import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { groupsOf, itemsOf, maxBatch } from "../../src/domain/Batch.ts"
import { makeRandom } from "../harness/random.ts"

interface Row {
  readonly id: string
  readonly size: number
  readonly name: string
  readonly extra?: number
}

const how = {
  isSame: (first: Row, row: Row) => first.name === row.name && first.extra === row.extra,
  sizeOf: ({ size }: Row) => size,
  commonOf: ({ extra, name }: Row) => ({ name, ...(extra === undefined ? {} : { extra }) })
}

describe("groupsOf", () => {
  it("says once what neighbours have in common, and keeps the order", () => {
    const rows = [
      { id: "1", name: "a", size: 1 },
      { id: "2", name: "a", size: 2 },
      { id: "3", name: "b", size: 3 },
      { id: "4", name: "a", size: 4, extra: 1 }
    ]
    assert.deepStrictEqual<unknown>(groupsOf(rows, how), [
      { name: "a", ids: ["1", "2"], sizes: [1, 2] },
      { name: "b", ids: ["3"], sizes: [3] },
      { name: "a", extra: 1, ids: ["4"], sizes: [4] }
    ])
    assert.deepStrictEqual(groupsOf([], how), [])
  })

  it("gives groups whose items are what was grouped, of any list", () => {
    const random = makeRandom(7)
    for (let round = 0; round < 300; round++) {
      const rows = Array.from({ length: Math.floor(random() * 30) }, (_, i): Row => ({
        id: `${i}`,
        size: Math.floor(random() * 100),
        name: random() < 0.7 ? "a" : "b",
        ...(random() < 0.2 ? { extra: 1 } : {})
      }))
      assert.deepStrictEqual(itemsOf<Row>(undefined, groupsOf(rows, how)), Result.succeed(rows))
    }
  })
})

describe("itemsOf", () => {
  const group = (count: number) => ({ name: "b", ids: Array(count).fill("x"), sizes: Array(count).fill(0) })
  const reasonOf = (items: ReturnType<typeof itemsOf<Row>>) => Result.isFailure(items) ? items.failure.reason : "none"

  it("has the list before the groups", () => {
    const listed = { id: "1", name: "a", size: 1 }
    assert.deepStrictEqual(
      itemsOf<Row>([listed], [{ name: "b", ids: ["2"], sizes: [2] }]),
      Result.succeed([listed, { id: "2", name: "b", size: 2 }])
    )
    assert.deepStrictEqual(itemsOf<Row>(), Result.succeed([]))
  })

  it("refuses a group that has not as many sizes as ids", () => {
    assert.strictEqual(
      reasonOf(itemsOf<Row>([], [{ name: "b", ids: ["2"], sizes: [] }])),
      "a group has 1 ids and 0 sizes"
    )
  })

  it("refuses more items than a message may have, in groups or not", () => {
    const listed = { id: "1", name: "a", size: 1 }
    const reason = `more than ${maxBatch} items in one message`
    assert.isTrue(Result.isSuccess(itemsOf<Row>([], [group(maxBatch)])))
    assert.strictEqual(reasonOf(itemsOf<Row>([listed], [group(maxBatch)])), reason)
    assert.strictEqual(reasonOf(itemsOf<Row>([], [group(maxBatch), group(1)])), reason)
  })
})
