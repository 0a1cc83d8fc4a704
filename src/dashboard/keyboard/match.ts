/** How well words of a search fit a text: 0 is not at all. Pure. */
export const score = (text: string, search: string): number => {
  const low = text.toLowerCase()
  let sum = 1
  for (const word of search.toLowerCase().split(/\s+/u).filter((word) => word !== "")) {
    const at = low.indexOf(word)
    if (at === -1) return 0
    sum += at === 0 ? 4 : /[\s._:/-]/u.test(low[at - 1] ?? "") ? 2 : 1
  }
  return sum
}
