/** Settings as people call them. Pure. */
import { count } from "../../format.ts"

const units = /(?:Millis|Bytes)$/u

/** "resultCacheTtlMillis" is "Result cache TTL". */
export const settingWords = (name: string): string => {
  const words = name.replace(units, "").replace(/([a-z])([A-Z])/gu, "$1 $2").toLowerCase().replace(/\bttl\b/u, "TTL")
  // Two settings may differ by their unit alone.
  const all = name.endsWith("Bytes") ? `${words} (bytes)` : words
  return all.charAt(0).toUpperCase() + all.slice(1)
}

/** "1000000" is "1,000,000", "1h" stays, nothing is a dash. */
export const settingValue = (value: string): string =>
  value === "" ? "—" : /^\d{4,}$/u.test(value) ? count(Number(value)) : value
