/** What can be done with the tasks that are selected, or with all that match: the two are never called the same. */
import { createSignal, Show } from "solid-js"
import { Button, IconButton } from "../../components/Button.tsx"
import { copyText } from "../../components/CopyButton.tsx"
import { Ban, RotateCw, Trash, X } from "../../components/icons.ts"
import { Menu } from "../../components/Menu.tsx"
import type { Selection } from "../../components/selection.ts"
import { priorityLabels } from "../../components/StatusBadge.tsx"
import { useApp } from "../../Context.ts"
import { count, plural } from "../../format.ts"
import { type Action, type Actions, sayings } from "./actions.ts"
import type { TaskList } from "./createTaskList.ts"
import { priorityValues } from "./query.ts"

const icons = { retry: RotateCw, cancel: Ban, purge: Trash }
const actions = ["retry", "cancel", "purge"] as const
const commands = { retry: "task.retry", cancel: "task.cancel", purge: undefined } as const

export interface Bulk {
  readonly busy: () => Action | undefined
  readonly isAll: () => boolean
  readonly chooseAll: (on: boolean) => void
  readonly run: (action: Action) => Promise<void>
}

/** `words` says what the list is of. */
export const createBulk = (
  list: TaskList,
  selection: Selection,
  actions: Actions,
  words: () => string
): Bulk => {
  const [busy, setBusy] = createSignal<Action>()
  const [isAll, chooseAll] = createSignal(false)
  return {
    busy,
    isAll: () => isAll() && selection.ids().size > 0,
    chooseAll,
    run: async (action) => {
      const asOf = list.asOf()
      if (asOf === undefined || busy() !== undefined) return
      setBusy(action)
      const done = await actions.many(
        action,
        isAll()
          ? { query: list.query() ?? {}, asOf, words: words() }
          : { ids: [...selection.ids()], asOf, words: plural(selection.ids().size, "selected task") }
      )
      setBusy(undefined)
      if (!done) return
      selection.clear()
      chooseAll(false)
      // What was purged is gone, what was retried or cancelled stays and changes.
      if (action === "purge") list.reload()
      list.recount()
    }
  }
}

export const BulkBar = (
  props: { readonly bulk: Bulk; readonly list: TaskList; readonly selection: Selection }
) => {
  const { live, toasts } = useApp()
  const size = () => props.selection.ids().size
  const all = () => Math.max(props.list.counts()?.total ?? 0, props.list.ids().length)
  const label = (action: Action) =>
    props.bulk.isAll() ? `${sayings[action].verb} all that match…` : `${sayings[action].verb} ${count(size())}`
  const copy = async () => {
    const ids = [...props.selection.ids()]
    const done = await copyText(ids.join("\n"))
    toasts.add({ text: done ? `${plural(ids.length, "id")} copied.` : "The browser does not allow copying here." })
  }
  return (
    <Show when={size() > 0}>
      <div class="bulk" role="toolbar" aria-label="Selected tasks">
        <b class="num" role="status">
          {props.bulk.isAll() ? `All ${count(all())} that match` : `${count(size())} selected`}
        </b>
        <Show when={all() > size() || props.bulk.isAll()}>
          <Button size="small" kind="quiet" onClick={() => props.bulk.chooseAll(!props.bulk.isAll())}>
            {props.bulk.isAll() ? `Only the ${count(size())} selected` : `Select all ${count(all())} that match`}
          </Button>
        </Show>
        {actions.map((action) => (
          <Button
            size="small"
            icon={icons[action]}
            kind={action === "purge" ? "danger" : "plain"}
            {...commands[action] === undefined ? {} : { command: commands[action] }}
            blocked={live.blocked()}
            busy={props.bulk.busy() === action}
            onClick={() => void props.bulk.run(action)}
          >
            {label(action)}
          </Button>
        ))}
        <Menu
          label="Priority"
          text
          size="small"
          items={priorityValues.map((priority) => ({
            label: priorityLabels[priority],
            get blocked() {
              return live.blocked()
            },
            run: () => void props.bulk.run(priority)
          }))}
        />
        <Show when={!props.bulk.isAll()}>
          <Button size="small" kind="quiet" onClick={() => void copy()}>Copy ids</Button>
        </Show>
        <IconButton
          size="small"
          icon={X}
          label="Clear the selection"
          command="close"
          onClick={() => props.selection.clear()}
        />
      </div>
    </Show>
  )
}
