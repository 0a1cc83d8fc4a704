/**
 * A row of small things that is one stop of the Tab key: arrow keys go from one to the next, Enter follows it. For a
 * `listbox` whose options are links.
 */
import { type Accessor, createSignal } from "solid-js"

const moves: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }

export const createStrip = (length: Accessor<number>) => {
  const [at, setAt] = createSignal(-1)
  return {
    /** The one that is pointed at, -1 without the focus. */
    at,
    /** `first` is where the focus comes in. */
    enter: (first = 0) => setAt(first),
    leave: () => setAt(-1),
    onKeyDown: (event: KeyboardEvent & { readonly currentTarget: HTMLElement }) => {
      const move = moves[event.key]
      const last = length() - 1
      if (move !== undefined) setAt((place) => Math.min(Math.max(0, place + move), last))
      else if (event.key === "Home") setAt(0)
      else if (event.key === "End") setAt(last)
      else if (event.key === "Enter") event.currentTarget.querySelectorAll("a")[at()]?.click()
      else return
      event.preventDefault()
      event.stopPropagation()
    }
  }
}
