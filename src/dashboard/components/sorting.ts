/** The order of a table as it stands in the address: `sort=busy`, or `sort=-busy` the other way round. Pure. */

/** What a row is sorted by: numbers go from the largest down, words from A up. */
export type SortValue = number | string

export type SortKeys<A> = Readonly<Record<string, (row: A) => SortValue>>

export const byName = (a: string, b: string): number => a.localeCompare(b, "en", { numeric: true })

const compare = (a: SortValue, b: SortValue): number =>
  typeof a === "number" && typeof b === "number" ? b - a : byName(String(a), String(b))

/** Rows that are equal stay as they were; an order that is unknown changes nothing. */
export const sorted = <A>(rows: ReadonlyArray<A>, keys: SortKeys<A>, sort: string): ReadonlyArray<A> => {
  const isReversed = sort.startsWith("-")
  const key = keys[isReversed ? sort.slice(1) : sort]
  if (key === undefined) return rows
  const sign = isReversed ? -1 : 1
  return rows.toSorted((a, b) => sign * compare(key(a), key(b)))
}

/** What the head of a column asks for next: its order, the other way round, none. */
export const nextSort = (now: string, key: string): string => now === key ? `-${key}` : now === `-${key}` ? "" : key
