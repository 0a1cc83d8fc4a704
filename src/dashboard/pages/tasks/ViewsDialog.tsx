/** Gives what is shown a name to find it again by, and takes names away. */
import { createSignal, createUniqueId, For, Show } from "solid-js"
import { Button, IconButton } from "../../components/Button.tsx"
import { Dialog } from "../../components/Dialog.tsx"
import { Trash } from "../../components/icons.ts"
import type { SavedViews } from "./views.ts"

const maxName = 60

export const ViewsDialog = (
  props: {
    readonly views: SavedViews
    readonly search: string
    /** What the list is of, in words: a name to begin with. */
    readonly words: string
    readonly onClose: () => void
  }
) => {
  const id = createUniqueId()
  const [name, setName] = createSignal(props.words.slice(0, maxName))
  const blocked = () => name().trim() === "" ? "Give it a name first." : undefined
  const isThere = () => props.views.list().some((view) => view.name === name().trim())
  const save = () => {
    if (blocked() !== undefined) return
    props.views.save({ name: name().trim(), search: props.search })
    props.onClose()
  }
  return (
    <Dialog
      title="Save this view"
      onClose={props.onClose}
      footer={
        <>
          <Button onClick={props.onClose}>Close</Button>
          <Button kind="primary" blocked={blocked()} onClick={save}>{isThere() ? "Replace" : "Save"}</Button>
        </>
      }
    >
      <form
        class="field"
        onSubmit={(event) => {
          event.preventDefault()
          save()
        }}
      >
        <label for={id}>Name</label>
        <input
          id={id}
          class="input"
          maxLength={maxName}
          autocomplete="off"
          value={name()}
          onInput={(event) => setName(event.currentTarget.value)}
        />
        <p>The search, the state and the order, as they stand in the address. Kept in this browser.</p>
      </form>
      <Show when={props.views.list().length > 0}>
        <ul class="views" aria-label="Saved views">
          <For each={props.views.list()}>
            {(view) => (
              <li>
                <span class="clip">{view.name}</span>
                <IconButton
                  size="small"
                  icon={Trash}
                  label={`Remove ${view.name}`}
                  onClick={() => props.views.remove(view.name)}
                />
              </li>
            )}
          </For>
        </ul>
      </Show>
    </Dialog>
  )
}
