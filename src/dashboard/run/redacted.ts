/**
 * Arguments of which some values were not shown: what stands in their place is left out, so that it is never sent as if it
 * were the value. Pure.
 */
import { type Raw, readRaw } from "./raw.ts"

const keysOf = (path: string): ReadonlyArray<string> =>
  path.slice(1).split("/").map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"))

/** A path for people: `card.number`, of each `cards.*.number`. */
export const nameOf = (path: string): string => path === "" ? "all of it" : keysOf(path).join(".")

const without = (raw: Raw, paths: ReadonlyArray<ReadonlyArray<string>>): string => {
  if (paths.length === 0 || (raw.kind !== "object" && raw.kind !== "array")) return raw.text
  const below = (key: string) => paths.filter(([first]) => first === "*" || first === key).map((path) => path.slice(1))
  const isHidden = (inner: ReadonlyArray<ReadonlyArray<string>>) => inner.some((path) => path.length === 0)
  if (raw.kind === "array") {
    const items = raw.items.flatMap((item, index) => {
      const inner = below(String(index))
      return isHidden(inner) ? [] : [without(item, inner)]
    })
    return `[${items.join(",")}]`
  }
  const fields = [...raw.fields].flatMap(([name, field]) => {
    const inner = below(name)
    return isHidden(inner) ? [] : [`${JSON.stringify(name)}:${without(field, inner)}`]
  })
  return `{${fields.join(",")}}`
}

/** JSON text without what is at these JSON pointers; `undefined` when nothing of it is left. */
export const withoutRedacted = (text: string, paths: ReadonlyArray<string>): string | undefined => {
  if (paths.length === 0) return text
  const raw = paths.includes("") ? undefined : readRaw(text)
  return raw === undefined ? undefined : without(raw, paths.map(keysOf))
}
