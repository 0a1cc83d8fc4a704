/** The keys of a command, drawn. */
import { For } from "solid-js"
import { useApp } from "../Context.ts"
import { shownKeys } from "./keys.ts"

export const Keys = (props: { readonly of: string }) => {
  const { commands } = useApp()
  return (
    <span class="keys" aria-hidden="true">
      <For each={shownKeys(props.of, commands.isMac)}>{(key) => <kbd>{key}</kbd>}</For>
    </span>
  )
}
