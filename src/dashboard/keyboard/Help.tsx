/** All shortcuts, with the switch that turns single keys off. */
import { For } from "solid-js"
import { Dialog } from "../components/Dialog.tsx"
import { useApp } from "../Context.ts"
import { catalog, type Entry } from "./catalog.ts"
import { Keys } from "./Keys.tsx"

const groups: ReadonlyArray<Entry["group"]> = ["Everywhere", "Go to", "Lists", "Tasks", "Control plane"]

const all: ReadonlyArray<Entry> = Object.values(catalog)

export const Help = (props: { readonly onClose: () => void }) => {
  const { preferences } = useApp()
  return (
    <Dialog title="Keyboard shortcuts" width={640} onClose={props.onClose}>
      <label class="check">
        <input
          type="checkbox"
          checked={preferences.singleKeys()}
          onChange={(event) => preferences.setSingleKeys(event.currentTarget.checked)}
        />
        Shortcuts of a single key
      </label>
      <div class="shortcuts">
        <For each={groups}>
          {(group) => (
            <section>
              <h3>{group}</h3>
              <ul>
                <For each={all.filter((entry) => entry.group === group && entry.hidden !== true)}>
                  {(entry) => (
                    <li>
                      <span>{entry.label}</span>
                      <Keys of={entry.keys} />
                      <span class="reader">{entry.keys}</span>
                    </li>
                  )}
                </For>
              </ul>
            </section>
          )}
        </For>
      </div>
    </Dialog>
  )
}
