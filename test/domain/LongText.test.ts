import { assert, describe, it } from "vitest"
import { encode } from "../../src/domain/LongText.ts"
import { makeRandom } from "../harness/random.ts"

const long = (unit: string) => unit.repeat(Math.ceil(20_000 / unit.length))

/** Texts of which some have what must be escaped, anywhere; each as a long one and as a short one. */
const units = [
  "plain",
  "\"",
  "\\",
  "\n",
  "\u0000",
  "\u001f",
  "\u007f",
  "\u2028",
  "für",
  "漢字",
  "😀",
  "\ud800",
  "\udc00x",
  "</script>"
]

/** What it makes, as text. The bytes that it says of pieces must be theirs. */
const stringify = (value: unknown) => {
  const json = encode(value)
  if (typeof json !== "object") return json
  for (const { bytes, text } of json) assert.strictEqual(bytes ?? Buffer.byteLength(text), Buffer.byteLength(text))
  return json.map(({ text }) => text).join("")
}

describe("encode", () => {
  it("makes the same text as the engine, of any value", () => {
    const random = makeRandom(1)
    const pick = <A>(of: ReadonlyArray<A>): A => of[Math.floor(random() * of.length)] as A
    const text = () => {
      const unit = pick(units)
      return random() < 0.4
        ? unit
        : random() < 0.5
        ? long(unit)
        : `${"a".repeat(20_000 + Math.floor(random() * 16))}${unit}${long("b")}`
    }
    const value = (depth: number): unknown => {
      const what = random()
      if (depth > 0 && what < 0.35) {
        return Object.fromEntries(Array.from({ length: Math.floor(random() * 5) }, (_, i) => [
          random() < 0.1 ? text() : `k${i}`,
          value(depth - 1)
        ]))
      }
      if (depth > 0 && what < 0.45) return Array.from({ length: 3 }, () => value(depth - 1))
      return what < 0.8
        ? text()
        : pick([0, -1.5, NaN, true, false, null, undefined, new Date(0), Symbol("s"), () => 1, {
          toJSON: () => long("j")
        }])
    }

    for (let i = 0; i < 400; i++) {
      const given = value(3)
      assert.isTrue(stringify(given) === JSON.stringify(given), `value ${i}`)
    }
  })

  it("takes own properties alone, and what an object says of itself", () => {
    const inherited = Object.create({ data: long("x") }) as object
    class Told {
      readonly data = long("x")
      toJSON() {
        return "told"
      }
    }

    assert.strictEqual(stringify(inherited), "{}")
    assert.strictEqual(stringify(new Told()), "\"told\"")
    assert.strictEqual(stringify({ data: long("x"), left: undefined }), JSON.stringify({ data: long("x") }))
    assert.throws(() => stringify({ data: long("x"), big: 1n }), TypeError)
  })
})
