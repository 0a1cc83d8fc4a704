/** Narrows a short list that is already here. `/` leads to it, Esc clears it and then leaves. */
import { useCommand } from "../keyboard/Commands.ts"
import { Search } from "./icons.ts"

export const FilterField = (
  props: { readonly label: string; readonly value: string; readonly onChange: (value: string) => void }
) => {
  let input: HTMLInputElement | undefined
  useCommand("search", () => {
    input?.focus()
    input?.select()
  })
  return (
    <div class="search filter">
      <Search size={14} class="icon" aria-hidden="true" />
      <input
        ref={input}
        class="input"
        type="search"
        autocomplete="off"
        spellcheck={false}
        placeholder={props.label}
        aria-label={props.label}
        value={props.value}
        onInput={(event) => props.onChange(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return
          event.stopPropagation()
          if (props.value === "") event.currentTarget.blur()
          else props.onChange("")
        }}
      />
    </div>
  )
}

/** Whether one of the texts has all the words, without regard to case. */
export const matches = (query: string, ...texts: ReadonlyArray<string | undefined>): boolean => {
  const all = texts.join(" ").toLowerCase()
  return query.toLowerCase().split(/\s+/u).every((word) => all.includes(word))
}
