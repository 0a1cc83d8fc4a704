import { assert, describe, it } from "@effect/vitest"
import * as Format from "../../src/dashboard/format.ts"

/** As it is read: the spaces that never break are spaces. */
const read = (text: string) => text.replaceAll("\u00a0", " ")

describe("format", () => {
  it("writes durations in at most two units and never one that is too long", () => {
    const expected: ReadonlyArray<readonly [number, string]> = [
      [-5, "0 ms"],
      [0, "0 ms"],
      [0.4, "0 ms"],
      [640, "640 ms"],
      [999.4, "999 ms"],
      [999.6, "1.0 s"],
      [1_200, "1.2 s"],
      [9_949, "9.9 s"],
      [9_950, "10 s"],
      [59_499, "59 s"],
      [59_500, "1 m"],
      [100_000, "1 m 40 s"],
      [3_599_499, "59 m 59 s"],
      [3_600_000, "1 h"],
      [14_580_000, "4 h 3 m"],
      [532_800_000, "6 d 4 h"]
    ]
    for (const [millis, text] of expected) assert.strictEqual(read(Format.duration(millis)), text, `${millis}`)
  })

  it("says how long ago in one unit, and never that it was in the future", () => {
    assert.deepStrictEqual(
      [-4_000, 0, 999, 1_000, 59_999, 60_000, 7_200_000, 200_000_000].map((age) => read(Format.ago(age))),
      [
        "now",
        "now",
        "now",
        "1 s ago",
        "59 s ago",
        "1 m ago",
        "2 h ago",
        "2 d ago"
      ]
    )
  })

  it("says when something is due", () => {
    assert.deepStrictEqual([-1, 999, 22_400, 42_060_000].map((millis) => read(Format.ahead(millis))), [
      "due",
      "due",
      "in 22 s",
      "in 11 h 41 m"
    ])
  })

  it("never calls a share nothing that is there, nor whole what is not", () => {
    assert.deepStrictEqual([0, 0.00001, 0.006, 0.5, 0.9999, 1].map((share) => read(Format.percent(share))), [
      "0 %",
      "< 0.1 %",
      "0.6 %",
      "50.0 %",
      "99.9 %",
      "100 %"
    ])
  })

  it("gives changes a sign and calls standing still ±0", () => {
    assert.deepStrictEqual([2.6, -0.2, 0.04, -0.04, 340].map(Format.change), [
      "+2.6/s",
      "−0.2/s",
      "±0/s",
      "±0/s",
      "+340/s"
    ])
  })

  it("writes sizes in powers of a thousand", () => {
    assert.deepStrictEqual([0, 412, 999, 1_200, 64_000, 999_600, 5_200_000].map((size) => read(Format.bytes(size))), [
      "0 B",
      "412 B",
      "999 B",
      "1.2 kB",
      "64 kB",
      "1 MB",
      "5.2 MB"
    ])
  })

  it("cuts long ids in the middle and leaves short ones", () => {
    assert.strictEqual(Format.shortId("01K9Z4T8PX1C"), "01K9Z4T8PX1C")
    assert.strictEqual(Format.shortId("0123456789abcdef"), "012345…abcdef")
  })
})
