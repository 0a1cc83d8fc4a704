/** Views of the list that somebody saved in this browser: a name and what stands behind the `?` of the address. */
import { type Accessor, createSignal } from "solid-js"
import { read, write } from "../../Preferences.ts"

export interface SavedView {
  readonly name: string
  readonly search: string
}

export interface SavedViews {
  readonly list: Accessor<ReadonlyArray<SavedView>>
  /** Takes the place of one with the same name. */
  readonly save: (view: SavedView) => void
  readonly remove: (name: string) => void
}

const stored = "tasks.views"
const maxViews = 50

/** What was written by this page, or by anybody. Pure. */
export const parseViews = (text: string | null): ReadonlyArray<SavedView> => {
  try {
    const value: unknown = JSON.parse(text ?? "[]")
    return (Array.isArray(value) ? value : []).filter((view): view is SavedView =>
      typeof view === "object" && view !== null && typeof view.name === "string" && typeof view.search === "string"
    ).slice(0, maxViews)
  } catch {
    return []
  }
}

export const createViews = (): SavedViews => {
  const [list, setList] = createSignal(parseViews(read(stored)))
  const keep = (views: ReadonlyArray<SavedView>) => {
    setList(views)
    write(stored, JSON.stringify(views))
  }
  return {
    list,
    save: (view) => keep([...list().filter(({ name }) => name !== view.name), view].slice(-maxViews)),
    remove: (name) => keep(list().filter((view) => view.name !== name))
  }
}
