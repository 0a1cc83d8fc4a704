import { describe, expect, it } from "vitest"
import { Ids } from "../src/Headers.ts"

describe("Ids", () => {
  it("count up, wrap within the ids with the top bit set, and pass over those in use", () => {
    const ids = new Ids<string>(0xffff_fffe)
    ids.set(0x8000_0001 | 0, "in use")

    const taken = Array.from({ length: 4 }, () => ids.take() >>> 0)

    expect(taken).toEqual([0xffff_fffe, 0xffff_ffff, 0x8000_0000, 0x8000_0002])
  })

  it("start at random", () => {
    expect(new Set(Array.from({ length: 20 }, () => new Ids().take())).size).toBeGreaterThan(15)
  })
})
