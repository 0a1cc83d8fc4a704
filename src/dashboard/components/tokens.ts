/** Searches of words and `name:value` tokens. Pure. A value with spaces stands in quotes: `q:"card declined"`. */
export interface TokenName {
  readonly name: string
  readonly hint: string
  /** Values to suggest; more can be typed. */
  readonly values?: () => ReadonlyArray<string>
}

export interface SearchToken {
  /** `undefined` for a plain word. */
  readonly name: string | undefined
  readonly value: string
}

export interface Suggestion {
  readonly text: string
  readonly hint?: string
}

const pattern = /(?:([a-z]+):)?(?:"([^"]*)"?|(\S+))|([a-z]+):(?=\s|$)/gu
const maxSuggestions = 8

/** Names that are not known make words: an id or a type may hold a colon. */
export const parseSearch = (text: string, names: ReadonlyArray<string>): ReadonlyArray<SearchToken> =>
  [...text.matchAll(pattern)].flatMap(([whole, name, quoted, plain]): ReadonlyArray<SearchToken> => {
    if (name !== undefined && names.includes(name)) {
      const value = quoted ?? plain ?? ""
      return value === "" ? [] : [{ name, value }]
    }
    const value = name === undefined ? quoted ?? plain ?? "" : whole
    return value === "" || names.includes(value.replace(/:$/u, "")) && value.endsWith(":")
      ? []
      : [{ name: undefined, value }]
  })

const quotedWhenNeeded = (value: string) =>
  /[\s"]/u.test(value) || value === "" ? `"${value.replaceAll("\"", "")}"` : value

export const printSearch = (tokens: ReadonlyArray<SearchToken>): string =>
  tokens.map(({ name, value }) => `${name === undefined ? "" : `${name}:`}${quotedWhenNeeded(value)}`).join(" ")

/** The token that the caret is in, as places in the text. */
export const tokenAt = (text: string, caret: number): { readonly from: number; readonly to: number } => {
  const from = text.slice(0, caret).search(/\S*$/u)
  const rest = /\s/u.exec(text.slice(caret))
  return { from, to: rest === null ? text.length : caret + rest.index }
}

export const suggestionsFor = (
  text: string,
  caret: number,
  names: ReadonlyArray<TokenName>
): ReadonlyArray<Suggestion> => {
  const { from } = tokenAt(text, caret)
  const typed = text.slice(from, caret)
  const colon = typed.indexOf(":")
  if (colon === -1) {
    return names.filter(({ name }) => name.startsWith(typed.toLowerCase()))
      .map(({ hint, name }) => ({ text: `${name}:`, hint })).slice(0, maxSuggestions)
  }
  const name = names.find((known) => known.name === typed.slice(0, colon))
  const value = typed.slice(colon + 1).toLowerCase()
  return (name?.values?.() ?? []).filter((known) => known.toLowerCase().includes(value) && known !== value)
    .map((known) => ({ text: `${typed.slice(0, colon)}:${quotedWhenNeeded(known)}` })).slice(0, maxSuggestions)
}
