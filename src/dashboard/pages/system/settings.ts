/** Settings as people call them. Pure. */

const units = /(?:Millis|Bytes)$/u

/** "resultCacheTtlMillis" is "Result cache TTL". */
export const settingWords = (name: string): string => {
  const words = name.replace(units, "").replace(/([a-z])([A-Z])/gu, "$1 $2").toLowerCase().replace(/\bttl\b/u, "TTL")
  // Two settings may differ by their unit alone.
  const all = name.endsWith("Bytes") ? `${words} (bytes)` : words
  return all.charAt(0).toUpperCase() + all.slice(1)
}
