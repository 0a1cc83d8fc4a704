import { assert, describe, it } from "@effect/vitest"
import { makeInterner } from "../../src/layers/Interner.ts"
import { makeRandom } from "../harness/random.ts"

describe("interner", () => {
  it("gives one number to a text for as long as it is in use, over random sequences", () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = makeRandom(seed)
      const interner = makeInterner()
      const uses: Array<readonly [string, number]> = []
      for (let i = 0; i < 500; i++) {
        if (random() < 0.5 || uses.length === 0) {
          const text = `t${Math.floor(random() * 12)}`
          uses.push([text, interner.take(text)])
        } else {
          const [[text, number] = ["", -1]] = uses.splice(Math.floor(random() * uses.length), 1)
          assert.strictEqual(interner.release(number), !uses.some(([other]) => other === text))
        }
        const numbers = new Map(uses)
        assert.strictEqual(new Set(numbers.values()).size, numbers.size)
        assert.strictEqual(interner.size(), numbers.size)
        for (const [text, number] of uses) {
          assert.deepStrictEqual([interner.find(text), interner.text(number), numbers.get(text)], [
            number,
            text,
            number
          ])
          assert.strictEqual(interner.uses(number), uses.filter(([other]) => other === text).length)
        }
      }
    }
  })

  it("holds no more texts than are in use, however many there were", () => {
    const interner = makeInterner()
    for (let i = 0; i < 10_000; i++) interner.release(interner.take(`worker-${i}`))

    assert.deepStrictEqual([interner.size(), interner.take("last")], [0, 0])
  })
})
