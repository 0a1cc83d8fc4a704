/**
 * Short texts as small numbers: each distinct text is held once, for as long as it is in use. Part of the history of a
 * control plane, whose names and workers come from outside and must not pile up.
 *
 * @since 0.1.0
 */

/**
 * Texts as numbers.
 *
 * @category models
 * @since 0.1.0
 */
export type Interner = ReturnType<typeof makeInterner>

/**
 * Creates it without a text.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeInterner = () => {
  const numbers = new Map<string, number>()
  const texts: Array<string> = []
  const uses: Array<number> = []
  const unused: Array<number> = []
  /** Most texts come again and again. */
  let lastText: string | undefined
  let lastNumber = 0

  return {
    /** Returns the number of a text, which is in use once more. */
    take(text: string): number {
      if (text === lastText) {
        uses[lastNumber] = (uses[lastNumber] as number) + 1
        return lastNumber
      }
      let number = numbers.get(text)
      if (number === undefined) {
        number = unused.pop() ?? texts.length
        texts[number] = text
        uses[number] = 0
        numbers.set(text, number)
      }
      uses[number] = (uses[number] as number) + 1
      lastText = text
      lastNumber = number
      return number
    },
    /** A text is in use once less. Returns whether it is not held any more. */
    release(number: number): boolean {
      const left = (uses[number] as number) - 1
      uses[number] = left
      if (left > 0) return false
      const text = texts[number] as string
      numbers.delete(text)
      texts[number] = ""
      unused.push(number)
      if (text === lastText) lastText = undefined
      return true
    },
    find: (text: string): number | undefined => numbers.get(text),
    text: (number: number): string => texts[number] as string,
    /** How often it is in use. */
    uses: (number: number): number => uses[number] ?? 0,
    entries: (): Iterable<[string, number]> => numbers.entries(),
    size: () => numbers.size
  }
}
