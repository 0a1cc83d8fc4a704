/** Finds pages, commands, tasks by their id and task types, and carries out what is chosen: a combobox with a list. */
import * as Kobalte from "@kobalte/core/dialog"
import { useNavigate } from "@solidjs/router"
import { createEffect, createMemo, createSignal, For, Show } from "solid-js"
import { Dynamic } from "solid-js/web"
import { createQuery } from "../api/createQuery.ts"
import type { IconOf } from "../components/Button.tsx"
import { ArrowRight, Braces, List, Play } from "../components/icons.ts"
import { shownState, states } from "../components/status.ts"
import { useApp } from "../Context.ts"
import { taskPath, tasksPath, typePath } from "../paths.ts"
import { catalog, type CommandId, entryOf } from "./catalog.ts"
import { Keys } from "./Keys.tsx"
import { score } from "./match.ts"

interface Item {
  readonly id: string
  readonly group: "Go to" | "Actions" | "Tasks" | "Task types" | "Search"
  readonly label: string
  readonly note?: string
  readonly keys?: string
  readonly icon: IconOf
  readonly blocked?: string | undefined
  readonly run: () => void
}

const groups: ReadonlyArray<Item["group"]> = ["Tasks", "Actions", "Go to", "Task types", "Search"]
const maxOf: Readonly<Record<Item["group"], number>> = {
  "Tasks": 5,
  "Actions": 8,
  "Go to": 8,
  "Task types": 6,
  "Search": 1
}

/** Shorter than this it can be the beginning of any id. */
const minId = 6

export const Palette = (props: { readonly onClose: () => void }) => {
  const { api, commands } = useApp()
  const navigate = useNavigate()
  const [search, setSearch] = createSignal("")
  const [at, setAt] = createSignal(0)
  let list: HTMLDivElement | undefined

  const types = createQuery(() => true as const, (_, signal) => api.types.list(signal))
  const found = createQuery(
    () => /^[\w-]+$/u.test(search()) && search().length >= minId ? search() : undefined,
    (id, signal) => api.tasks.list({ id, limit: maxOf.Tasks }, signal)
  )

  const commandItems = (): ReadonlyArray<Item> =>
    (Object.keys(catalog) as Array<CommandId>).flatMap((id): ReadonlyArray<Item> => {
      const handler = commands.handlerOf(id)
      const { group, keys, label } = entryOf(id)
      if (handler === undefined || id === "find" || group === "Lists") return []
      return [{
        id,
        group: group === "Go to" ? "Go to" : "Actions",
        label,
        keys,
        icon: group === "Go to" ? ArrowRight : Play,
        blocked: handler.blocked?.(),
        run: handler.run
      }]
    })
  const items = createMemo(() => {
    const text = search().trim()
    const all: Array<Item> = [
      ...commandItems(),
      ...(text.length >= minId ? found.data()?.tasks ?? [] : []).map((task): Item => ({
        id: `task:${task.id}`,
        group: "Tasks",
        label: task.id,
        note: `${task.name} · ${states[shownState(task)].label}`,
        icon: List,
        run: () => navigate(taskPath(task.id))
      })),
      ...(text === "" ? [] : types.data()?.types ?? []).map((type): Item => ({
        id: `type:${type.name}`,
        group: "Task types",
        label: type.name,
        icon: Braces,
        run: () => navigate(typePath(type.name))
      })),
      ...text === "" ? [] : [
        {
          id: "search",
          group: "Search",
          label: `Search tasks for “${text}”`,
          icon: List,
          run: () => navigate(tasksPath({ q: text }))
        } as const
      ]
    ]
    const weights = new Map(all.map((item) => [
      item,
      item.group === "Tasks" || item.group === "Search" ? 1 : score(`${item.group} ${item.label}`, text)
    ]))
    return groups.flatMap((group) =>
      all.filter((item) => item.group === group && weights.get(item) !== 0)
        .sort((a, b) => (weights.get(b) ?? 0) - (weights.get(a) ?? 0))
        .slice(0, maxOf[group])
    )
  })
  const selected = () => items()[Math.min(at(), items().length - 1)]
  const choose = (item: Item | undefined) => {
    if (item === undefined || item.blocked !== undefined) return
    props.onClose()
    item.run()
  }
  const onKey = (event: KeyboardEvent) => {
    const last = items().length - 1
    if (event.key === "ArrowDown") setAt((place) => place >= last ? 0 : place + 1)
    else if (event.key === "ArrowUp") setAt((place) => place <= 0 ? last : place - 1)
    else if (event.key === "Home" && search() === "") setAt(0)
    else if (event.key === "Enter") choose(selected())
    else return
    event.preventDefault()
  }
  createEffect(() => {
    const id = selected()?.id
    list?.querySelector(`[data-item="${CSS.escape(id ?? "")}"]`)?.scrollIntoView({ block: "nearest" })
  })

  return (
    <Kobalte.Root open onOpenChange={(open) => open || props.onClose()}>
      <Kobalte.Portal>
        <Kobalte.Overlay class="veil" />
        <Kobalte.Content class="dialog palette" data-modal="" aria-label="Find or run" aria-labelledby={undefined}>
          <input
            role="combobox"
            aria-expanded="true"
            aria-controls="palette-list"
            aria-activedescendant={selected() === undefined
              ? undefined
              : `palette-${items().indexOf(selected() as Item)}`}
            aria-label="Find or run"
            aria-autocomplete="list"
            autocomplete="off"
            spellcheck={false}
            placeholder="Find a page, task or task type, or run a command"
            value={search()}
            onInput={(event) => {
              setSearch(event.currentTarget.value)
              setAt(0)
            }}
            onKeyDown={onKey}
          />
          <Show when={items().length > 0} fallback={<p role="status">Nothing is called that.</p>}>
            <div ref={list} role="listbox" id="palette-list" aria-label="Results">
              <For each={groups.filter((group) => items().some((item) => item.group === group))}>
                {(group) => (
                  <div role="group" aria-label={group}>
                    <div aria-hidden="true">{group}</div>
                    <For each={items().filter((item) => item.group === group)}>
                      {(item) => (
                        <div
                          role="option"
                          id={`palette-${items().indexOf(item)}`}
                          data-item={item.id}
                          aria-selected={selected() === item}
                          aria-disabled={item.blocked === undefined ? undefined : "true"}
                          onPointerMove={() => setAt(items().indexOf(item))}
                          onClick={() => choose(item)}
                        >
                          <Dynamic component={item.icon} size={16} class="icon" aria-hidden="true" />
                          <span
                            class="clip"
                            classList={{ mono: item.group === "Tasks" || item.group === "Task types" }}
                          >
                            {item.label}
                          </span>
                          <Show when={item.blocked ?? item.note}>
                            {(note) => <span class="quiet small clip">{note()}</span>}
                          </Show>
                          <Show when={item.keys}>
                            {(keys) => (
                              <span class="push">
                                <Keys of={keys()} />
                              </span>
                            )}
                          </Show>
                        </div>
                      )}
                    </For>
                  </div>
                )}
              </For>
            </div>
          </Show>
        </Kobalte.Content>
      </Kobalte.Portal>
    </Kobalte.Root>
  )
}
