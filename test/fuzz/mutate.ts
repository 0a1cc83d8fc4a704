/** Ways to spoil bytes and JSON. */
import { Buffer } from "node:buffer"
import type { Random } from "./Fuzz.ts"

export const pick = <A>(random: Random, items: ReadonlyArray<A>): A => items[Math.floor(random() * items.length)] as A

export const upTo = (random: Random, most: number): number => Math.floor(random() * (most + 1))

const deep = (levels: number, open: string, close: string) => `${open.repeat(levels)}1${close.repeat(levels)}`

/** JSON values that somebody may not have thought of. */
const oddValues: ReadonlyArray<unknown> = [
  null,
  true,
  -1,
  0,
  0.5,
  1e308,
  -1e308,
  2 ** 53,
  -(2 ** 31) - 1,
  "",
  " ",
  "\u0000",
  "\ud800",
  "é".repeat(300),
  "x".repeat(100_000),
  "__proto__",
  "constructor",
  "NaN",
  "1",
  "../../etc/passwd",
  "%00",
  [],
  {},
  [[]],
  [null],
  { toString: 1 },
  Array.from({ length: 2_000 }, (_, i) => i),
  Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`k${i}`, i])),
  JSON.parse(deep(300, "[", "]")),
  JSON.parse(deep(400, "{\"a\":", "}"))
]

const isContainer = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null

/** All places of a value: the holder and the key. */
const placesOf = (value: unknown, places: Array<readonly [Record<string, unknown>, string]> = [], depth = 0) => {
  if (!isContainer(value) || depth > 20 || places.length > 2_000) return places
  for (const key of Object.keys(value)) {
    places.push([value, key])
    placesOf(value[key], places, depth + 1)
  }
  return places
}

/** Another value made of this one, by some small changes. */
export const mutateJson = (random: Random, given: unknown): unknown => {
  const root = { "": structuredClone(given) }
  for (let changes = upTo(random, 3); changes >= 0; changes--) {
    const places = placesOf(root)
    const [holder, key] = pick(random, places)
    const kind = random()
    if (kind < 0.5) holder[key] = structuredClone(pick(random, oddValues))
    else if (kind < 0.65) {
      if (Array.isArray(holder)) holder.splice(Number(key), 1)
      else if (key !== "") delete holder[key]
    } else if (kind < 0.8) {
      const [other, name] = pick(random, places)
      holder[key] = structuredClone(other[name])
    } else if (kind < 0.9 && typeof holder[key] === "string") {
      holder[key] = mutateBytes(random, Buffer.from(holder[key])).toString("latin1")
    } else {
      const inner = holder[key]
      if (isContainer(inner)) {
        Object.defineProperty(
          inner,
          pick(random, ["__proto__", "x", "", "0", "size", "id", "name", "tasks"]),
          {
            value: structuredClone(pick(random, oddValues)),
            enumerable: true,
            configurable: true,
            writable: true
          }
        )
      } else holder[key] = [inner]
    }
  }
  return root[""]
}

const oddBytes = [
  "\n",
  "\r\n",
  "\0",
  "{",
  "}",
  "[[[[",
  "\"",
  "\\",
  ",",
  ":",
  "e999",
  "-",
  "\xff\xfe",
  "\\ud800",
  "%",
  "%zz",
  "..",
  "/",
  "?"
]

/** Other bytes made of these, by some small changes. */
export const mutateBytes = (random: Random, given: Buffer): Buffer => {
  let bytes = Buffer.from(given)
  for (let changes = upTo(random, 4); changes >= 0; changes--) {
    const at = upTo(random, bytes.length)
    const to = Math.min(bytes.length, at + 1 + upTo(random, 8))
    const kind = random()
    if (kind < 0.3 && at < bytes.length) bytes[at] = upTo(random, 255)
    else if (kind < 0.5) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)])
    else if (kind < 0.7) {
      bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(pick(random, oddBytes), "latin1"), bytes.subarray(at)])
    } else if (kind < 0.85) bytes = Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)])
    else if (kind < 0.93) bytes = bytes.subarray(0, at)
    else {
      const chunk = bytes.subarray(at, to)
      bytes = Buffer.concat([bytes.subarray(0, at), ...Array.from({ length: 100 }, () => chunk), bytes.subarray(to)])
    }
  }
  return bytes
}

/** Bytes without a part of them: larger parts first. */
export function* simplerBytes(bytes: Buffer): Iterable<Buffer> {
  for (let size = Math.ceil(bytes.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < bytes.length; at += size) {
      yield Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + size)])
    }
  }
}

/** Bytes for people, to be pasted into a test. */
export const printBytes = (bytes: Buffer): string =>
  bytes.length > 2_000
    ? `${bytes.length} bytes: ${JSON.stringify(bytes.toString("latin1", 0, 2_000))}…`
    : JSON.stringify(bytes.toString("latin1"))
