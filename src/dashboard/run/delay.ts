/** Spans of time as people type them. Pure. */
const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds of "90 s", "10 m", "1 h 30 m"; a bare number is seconds. `undefined` when it is none. */
export const delayOf = (text: string): number | undefined => {
  const parts = [...text.trim().matchAll(/(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?(?=\s|\d|$)/gu)]
  const left = parts.reduce((rest, [whole]) => rest.replace(whole, ""), text)
  if (parts.length === 0 || left.trim() !== "") return undefined
  return Math.round(parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (units[unit ?? "s"] ?? 0), 0))
}
