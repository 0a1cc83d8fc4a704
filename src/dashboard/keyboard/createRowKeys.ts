/** Goes through the rows of a table with j and k, and with the arrow keys once one has the focus. A row's link has `data-row`. */
import { useCommand } from "./Commands.ts"

const moves: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1 }

export const createRowKeys = () => {
  let table: HTMLElement | undefined
  const move = (by: number) => {
    const links = [...table?.querySelectorAll<HTMLElement>("[data-row]") ?? []]
    const at = links.findIndex((link) => link.closest("tr")?.contains(document.activeElement))
    const next = links[at === -1 ? 0 : Math.min(Math.max(0, at + by), links.length - 1)]
    next?.focus()
    next?.scrollIntoView({ block: "nearest" })
  }
  useCommand("row.next", () => move(1))
  useCommand("row.previous", () => move(-1))
  return {
    ref: (element: HTMLElement) => (table = element),
    onKeyDown: (event: KeyboardEvent) => {
      const by = moves[event.key]
      if (by === undefined || !(event.target instanceof Element) || !event.target.matches("[data-row]")) return
      event.preventDefault()
      move(by)
    }
  }
}
