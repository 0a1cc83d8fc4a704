/** What stands where data would be: nothing yet, nothing at all, something went wrong. */
import { For, type JSX, Show } from "solid-js"
import type { Problem } from "../api/Client.ts"
import { Button } from "./Button.tsx"
import { CopyButton } from "./CopyButton.tsx"

/** Bars where text will be. Only for the first time: later the old data stays. */
export const Skeleton = (props: { readonly rows?: number; readonly height?: number }) => (
  <div aria-hidden="true">
    <For each={Array.from({ length: props.rows ?? 1 })}>
      {(_, index) => (
        <div style={{ height: `${props.height ?? 36}px`, display: "grid", "align-items": "center", padding: "0 20px" }}>
          <span class="skeleton" style={{ width: `${[72, 56, 64, 48][index() % 4] ?? 60}%` }} />
        </div>
      )}
    </For>
  </div>
)

/** Code that can be copied. */
export const Snippet = (props: { readonly code: string; readonly label: string }) => (
  <div class="copyable">
    <pre tabIndex={0} role="group" aria-label={props.label}>{props.code}</pre>
    <CopyButton text={props.code} label={`Copy ${props.label}`} />
  </div>
)

/** Says what would be here, and how to get it: `code` fills it, `children` are buttons. */
export const EmptyState = (
  props: {
    readonly title: string
    readonly text?: string
    readonly code?: string
    readonly small?: boolean
    readonly children?: JSX.Element
  }
) => (
  <div class="empty" data-small={props.small === true ? "" : undefined}>
    <h2>{props.title}</h2>
    <Show when={props.text}>
      <p>{props.text}</p>
    </Show>
    <Show when={props.code}>{(code) => <Snippet code={code()} label="the command" />}</Show>
    {props.children}
  </div>
)

/** In the place of the part that failed; the rest of the page lives on. */
export const ErrorPanel = (
  props: { readonly title: string; readonly problem: Problem; readonly retry?: () => void }
) => (
  <div class="error-panel" role="alert">
    <div>
      <b>{props.title}</b>
      <span>{props.problem.detail}</span>
    </div>
    <Show when={props.retry}>
      {(retry) => <Button size="small" onClick={() => retry()()}>Try again</Button>}
    </Show>
  </div>
)
