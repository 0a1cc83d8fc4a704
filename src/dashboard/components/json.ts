/**
 * JSON as text: what was sent is shown as it was sent. Numbers are never parsed, `JSON.parse` would ruin those with more
 * than 53 bits. Pure.
 */
export type TokenKind = "key" | "string" | "number" | "word" | "mark" | "space"

export interface Token {
  readonly kind: TokenKind
  readonly text: string
}

const pattern = /"(?:[^"\\]|\\.)*"?|-?\d[\d.eE+-]*|true|false|null|[{}[\],:]|\s+|[^\s"{}[\],:]+/gu

/** Cuts text into tokens; what is not JSON becomes words, nothing is lost. */
export const tokensOf = (text: string): ReadonlyArray<Token> => {
  const tokens: Array<Token> = []
  const found = text.match(pattern) ?? []
  for (let index = 0; index < found.length; index++) {
    const token = found[index] ?? ""
    const first = token[0] ?? ""
    if (first === "\"") {
      const next = found[index + 1]?.trim() === "" ? found[index + 2] : found[index + 1]
      tokens.push({ kind: next === ":" ? "key" : "string", text: token })
    } else if (/^[-\d]/u.test(first)) tokens.push({ kind: "number", text: token })
    else if (token.trim() === "") tokens.push({ kind: "space", text: token })
    else tokens.push({ kind: /^[{}[\],:]$/u.test(token) ? "mark" : "word", text: token })
  }
  return tokens
}

/** Adds line breaks and indents, changes nothing else. Text that is cut off in the middle stays readable. */
export const pretty = (text: string): string => {
  let depth = 0
  let out = ""
  const tokens = tokensOf(text).filter(({ kind }) => kind !== "space")
  const line = () => `\n${"  ".repeat(Math.max(0, depth))}`
  for (let index = 0; index < tokens.length; index++) {
    const { kind, text } = tokens[index] ?? { kind: "space", text: "" }
    const next = tokens[index + 1]?.text
    if (kind !== "mark") out += text
    else if (text === "{" || text === "[") {
      depth += 1
      out += text
      if (next !== "}" && next !== "]") out += line()
    } else if (text === "}" || text === "]") {
      depth -= 1
      const before = tokens[index - 1]?.text
      out += before === "{" || before === "[" ? text : `${line()}${text}`
    } else if (text === ",") out += `,${line()}`
    else out += ": "
  }
  return out
}

/** Why it is not JSON, with the line; `undefined` when it is. */
export const jsonProblem = (text: string): string | undefined => {
  try {
    JSON.parse(text)
    return undefined
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const at = Number(/position (\d+)/u.exec(message)?.[1] ?? Number.NaN)
    const where = Number.isNaN(at) ? "" : ` (line ${text.slice(0, at).split("\n").length})`
    return text.trim() === ""
      ? "Write JSON: null when there is nothing to say."
      : `This is not JSON${where}: ${message.replace(/ in JSON at position.*$/u, "").replace(/, "[\s\S]*$/u, "")}.`
  }
}
