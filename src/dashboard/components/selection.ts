/** Which rows of a list are selected, and where a range began. */
import { type Accessor, createSignal } from "solid-js"

export interface Selection {
  readonly ids: Accessor<ReadonlySet<string>>
  readonly toggle: (id: string) => void
  /** From where the last one was toggled to here, in the order of the list. */
  readonly extend: (id: string, order: ReadonlyArray<string>) => void
  readonly all: (order: ReadonlyArray<string>) => void
  readonly clear: () => void
}

export const createSelection = (): Selection => {
  const [ids, setIds] = createSignal<ReadonlySet<string>>(new Set())
  let anchor: string | undefined
  return {
    ids,
    toggle: (id) => {
      anchor = id
      setIds((before) => {
        const next = new Set(before)
        if (!next.delete(id)) next.add(id)
        return next
      })
    },
    extend: (id, order) => {
      const to = order.indexOf(id)
      const from = anchor === undefined ? to : order.indexOf(anchor)
      if (to === -1) return
      anchor ??= id
      setIds((before) =>
        new Set([...before, ...order.slice(Math.min(from === -1 ? to : from, to), Math.max(from, to) + 1)])
      )
    },
    all: (order) => void setIds(new Set(order)),
    clear: () => {
      anchor = undefined
      setIds(new Set<string>())
    }
  }
}
