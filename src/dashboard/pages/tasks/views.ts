/** Views of the list that somebody saved in this browser: a name and what stands behind the `?` of the address. */
import { type Accessor, createSignal } from "solid-js"
import { read, write } from "../../Preferences.ts"
import { maxViews, parseViews, type SavedView } from "./parseViews.ts"

export interface SavedViews {
  readonly list: Accessor<ReadonlyArray<SavedView>>
  /** Takes the place of one with the same name. */
  readonly save: (view: SavedView) => void
  readonly remove: (name: string) => void
}

const stored = "tasks.views"

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
