/** Reads JSON without touching it: every value keeps the text that it was written with, big numbers too. Pure. */
import { tokensOf } from "../components/json.ts"

export type Raw =
  | { readonly kind: "object"; readonly text: string; readonly fields: ReadonlyMap<string, Raw> }
  | { readonly kind: "array"; readonly text: string; readonly items: ReadonlyArray<Raw> }
  | { readonly kind: "string" | "number" | "word"; readonly text: string }

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** `undefined` when it is not JSON. */
export const readRaw = (text: string): Raw | undefined => {
  if (!isJson(text)) return undefined
  const tokens = tokensOf(text).filter(({ kind }) => kind !== "space")
  let at = 0
  const take = () => tokens[at++]?.text ?? ""
  const read = (): Raw => {
    const first = tokens[at]?.text ?? ""
    const begin = at
    const textOf = () => tokens.slice(begin, at).map(({ text }) => text).join("")
    if (first === "{") {
      take()
      const fields = new Map<string, Raw>()
      while (tokens[at]?.text !== "}") {
        const name = JSON.parse(take()) as string
        take()
        fields.set(name, read())
        if (tokens[at]?.text === ",") take()
      }
      take()
      return { kind: "object", fields, text: textOf() }
    }
    if (first === "[") {
      take()
      const items: Array<Raw> = []
      while (tokens[at]?.text !== "]") {
        items.push(read())
        if (tokens[at]?.text === ",") take()
      }
      take()
      return { kind: "array", items, text: textOf() }
    }
    take()
    return { kind: first.startsWith("\"") ? "string" : /^[-\d]/u.test(first) ? "number" : "word", text: first }
  }
  return read()
}
