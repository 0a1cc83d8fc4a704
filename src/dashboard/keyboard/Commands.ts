/**
 * The commands that can be given now. Owns the one listener for keys and who carries a command out: the component that
 * asked last for it, for as long as it is there. Keys mean nothing while somebody types.
 */
import { type Accessor, createSignal, onCleanup } from "solid-js"
import { useApp } from "../Context.ts"
import type { Preferences } from "../Preferences.ts"
import { catalog, type CommandId, entryOf } from "./catalog.ts"
import { isSingle, nameOf } from "./keys.ts"

export interface Handler {
  readonly run: () => void
  /** Why it can't be done now. */
  readonly blocked?: (() => string | undefined) | undefined
}

export interface Commands {
  readonly handle: (id: CommandId, handler: Handler) => () => void
  readonly run: (id: CommandId) => boolean
  /** Who would carry it out; follows changes. */
  readonly handlerOf: (id: CommandId) => Handler | undefined
  readonly isMac: boolean
}

/** Longest time between two keys of one command. */
const sequenceMillis = 1_200

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement &&
  (target.isContentEditable || target.matches("textarea, select, input:not([type=checkbox], [type=radio])"))

const keyed = Object.entries(catalog).filter(([, entry]) => !("local" in entry)) as Array<
  [CommandId, { readonly keys: string }]
>

export const createCommands = (preferences: Preferences): Commands => {
  const handlers = new Map<CommandId, Array<Handler>>()
  const [version, setVersion] = createSignal(0)
  let before = ""
  let beforeAt = 0

  const handlerOf = (id: CommandId) => {
    version()
    return handlers.get(id)?.at(-1)
  }
  const run = (id: CommandId) => {
    const handler = handlers.get(id)?.at(-1)
    if (handler === undefined || handler.blocked?.() !== undefined) return false
    handler.run()
    return true
  }
  const onKey = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing || event.repeat && event.key.length > 1) return
    const name = nameOf(event)
    const inDialog = event.target instanceof Element && event.target.closest("[role=dialog][data-modal]") !== null
    if (isTyping(event.target) && isSingle(name)) return
    const sequence = Date.now() - beforeAt < sequenceMillis ? `${before} ${name}` : name
    const find = (keys: string) => keyed.find(([id, entry]) => entry.keys === keys && handlers.has(id))
    const found = find(sequence) ?? find(name)
    before = name
    beforeAt = Date.now()
    if (found === undefined) return
    const [id, { keys }] = found
    if (isSingle(keys) && (!preferences.singleKeys() || inDialog)) return
    before = ""
    if (run(id)) event.preventDefault()
  }
  document.addEventListener("keydown", onKey)
  onCleanup(() => document.removeEventListener("keydown", onKey))

  return {
    handle: (id, handler) => {
      handlers.set(id, [...handlers.get(id) ?? [], handler])
      setVersion((count) => count + 1)
      return () => {
        const left = (handlers.get(id) ?? []).filter((other) => other !== handler)
        if (left.length === 0) handlers.delete(id)
        else handlers.set(id, left)
        setVersion((count) => count + 1)
      }
    },
    run,
    handlerOf,
    isMac: /mac|iphone|ipad/iu.test(navigator.platform)
  }
}

/** Carries out a command for as long as the component is there. With `blocked` it is shown, but not done. */
export const useCommand = (id: CommandId, run: () => void, blocked?: Accessor<string | undefined>): void => {
  onCleanup(useApp().commands.handle(id, { run, blocked }))
}

/** Keys of a command, as text for `data-keys`. */
export const keysOf = (id: CommandId): string => entryOf(id).keys
