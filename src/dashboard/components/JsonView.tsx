/** Shows a payload as text, coloured. Everything in it is a text node: it can never become markup. */
import { createMemo, For, Show } from "solid-js"
import { CopyButton } from "./CopyButton.tsx"
import { pretty, tokensOf } from "./json.ts"

/** Tokens that are coloured; what follows is plain text, which costs the browser nothing. */
const maxTokens = 4_000

export const JsonView = (
  props: { readonly text: string; readonly label: string; readonly plain?: boolean; readonly maxHeight?: string }
) => {
  const shown = createMemo(() => props.plain === true ? props.text : pretty(props.text))
  const parts = createMemo(() => {
    const tokens = tokensOf(shown())
    return { coloured: tokens.slice(0, maxTokens), rest: tokens.slice(maxTokens).map(({ text }) => text).join("") }
  })
  return (
    <div class="json copyable" style={{ "--json-max": props.maxHeight }}>
      <pre tabIndex={0} role="region" aria-label={props.label}>
        <For each={parts().coloured}>
          {(token) => token.kind === "space" ? token.text : <span class={token.kind}>{token.text}</span>}
        </For>
        <Show when={parts().rest !== ""}>{parts().rest}</Show>
      </pre>
      <CopyButton text={props.text} label={`Copy ${props.label}`} />
    </div>
  )
}
