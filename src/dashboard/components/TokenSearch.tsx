/**
 * A search of words and `name:value` tokens, with suggestions: a combobox whose text is the whole search, so that it can
 * be copied, edited and put into an address. What the names mean is the page's business.
 */
import { createEffect, createMemo, createSignal, createUniqueId, For, on, onCleanup, Show } from "solid-js"
import { useCommand } from "../keyboard/Commands.ts"
import { IconButton } from "./Button.tsx"
import { Search, X } from "./icons.ts"
import { suggestionsFor, tokenAt, type TokenName } from "./tokens.ts"

const changeMillis = 150

export const TokenSearch = (
  props: {
    readonly label: string
    readonly placeholder?: string
    readonly value: string
    readonly names: ReadonlyArray<TokenName>
    /** 150 ms after the last key, at once with Enter. */
    readonly onChange: (value: string) => void
  }
) => {
  const id = createUniqueId()
  const [text, setText] = createSignal<string>()
  const [place, setPlace] = createSignal(0)
  const [open, setOpen] = createSignal(false)
  const [at, setAt] = createSignal(-1)
  let input: HTMLInputElement | undefined
  let timer: ReturnType<typeof setTimeout> | undefined

  const value = () => text() ?? props.value
  const suggestions = createMemo(() => open() ? suggestionsFor(value(), place(), props.names) : [])
  /** What somebody types stays as it is typed, whatever the page makes of it, until the field is left. */
  let isOwn = false
  const settle = () => {
    isOwn = false
    setText(undefined)
  }
  const commit = (next: string, now = false) => {
    setText(next)
    clearTimeout(timer)
    const tell = () => {
      isOwn = true
      props.onChange(next.trim())
      if (document.activeElement !== input) settle()
    }
    if (now) tell()
    else timer = setTimeout(tell, changeMillis)
  }
  createEffect(on(() => props.value, () => {
    if (isOwn) isOwn = false
    else settle()
  }, { defer: true }))
  onCleanup(() => clearTimeout(timer))
  const choose = (suggestion: string) => {
    const { from, to } = tokenAt(value(), place())
    const ends = suggestion.endsWith(":")
    const next = `${value().slice(0, from)}${suggestion}${ends ? "" : " "}${value().slice(to).trimStart()}`
    commit(next, false)
    setAt(-1)
    const caret = from + suggestion.length + (ends ? 0 : 1)
    setPlace(caret)
    queueMicrotask(() => {
      input?.focus()
      input?.setSelectionRange(caret, caret)
    })
  }
  const onKey = (event: KeyboardEvent) => {
    const all = suggestions()
    if (event.key === "ArrowDown" && all.length > 0) setAt((index) => (index + 1) % all.length)
    else if (event.key === "ArrowUp" && all.length > 0) setAt((index) => (index <= 0 ? all.length : index) - 1)
    else if (event.key === "Enter") {
      const chosen = all[at()]
      if (chosen === undefined) {
        commit(value(), true)
        setOpen(false)
      } else choose(chosen.text)
    } else if (event.key === "Escape" && open() && all.length > 0) setOpen(false)
    else if (event.key === "Escape" && value() !== "") commit("", true)
    else if (event.key === "Escape") input?.blur()
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  useCommand("search", () => {
    input?.focus()
    input?.select()
  })

  return (
    <div class="search">
      <Search size={14} class="icon" aria-hidden="true" />
      <input
        ref={input}
        class="input"
        role="combobox"
        aria-label={props.label}
        aria-expanded={suggestions().length > 0}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={at() < 0 ? undefined : `${id}-${at()}`}
        aria-keyshortcuts="/"
        autocomplete="off"
        spellcheck={false}
        placeholder={props.placeholder}
        value={value()}
        onInput={(event) => {
          setPlace(event.currentTarget.selectionStart ?? 0)
          setOpen(true)
          setAt(-1)
          commit(event.currentTarget.value)
        }}
        onClick={(event) => {
          setPlace(event.currentTarget.selectionStart ?? 0)
          setOpen(true)
        }}
        onFocus={() => setOpen(true)}
        onBlur={() => {
          setOpen(false)
          if (text() !== undefined) commit(value(), true)
        }}
        onKeyDown={onKey}
      />
      <Show when={value() !== ""}>
        <IconButton size="small" icon={X} label="Clear the search" onClick={() => commit("", true)} />
      </Show>
      <Show when={suggestions().length > 0}>
        <div class="menu" role="listbox" id={`${id}-list`} aria-label="Suggestions">
          <For each={suggestions()}>
            {(suggestion, index) => (
              <div
                role="option"
                id={`${id}-${index()}`}
                aria-selected={at() === index()}
                onPointerDown={(event) => {
                  event.preventDefault()
                  choose(suggestion.text)
                }}
              >
                <span class="mono">{suggestion.text}</span>
                <Show when={suggestion.hint}>
                  <span class="quiet small">{suggestion.hint}</span>
                </Show>
              </div>
            )}
          </For>
        </div>
      </Show>
    </div>
  )
}
