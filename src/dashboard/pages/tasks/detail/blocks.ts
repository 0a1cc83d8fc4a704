/** Long text in blocks, so that only those in sight have to be laid out. Pure. */
import { pretty } from "../../../components/json.ts"

const linesOfBlock = 100
/** A line that is longer stands in blocks of its own. */
const maxLine = 10_000
/** Longer text is not even indented. */
const maxIndented = 16_000_000

const piecesOf = (line: string): ReadonlyArray<string> =>
  line.length <= maxLine
    ? [line]
    : Array.from(
      { length: Math.ceil(line.length / maxLine) },
      (_, index) => line.slice(index * maxLine, (index + 1) * maxLine)
    )

export const blocksOf = (text: string): ReadonlyArray<string> => {
  const lines = (text.length <= maxIndented ? pretty(text) : text).split("\n").flatMap(piecesOf)
  return Array.from(
    { length: Math.ceil(lines.length / linesOfBlock) },
    (_, index) => lines.slice(index * linesOfBlock, (index + 1) * linesOfBlock).join("\n")
  )
}
