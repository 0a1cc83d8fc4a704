/** Short messages about what was done, with a way back where there is one. */
import { createSignal, For, Show } from "solid-js"
import type { Problem } from "../api/Client.ts"
import { Button, IconButton } from "./Button.tsx"
import { X } from "./icons.ts"

export interface Toast {
  readonly text: string
  readonly detail?: string
  readonly tone?: "bad"
  /** Takes it back; with `label` it is something else than Undo. */
  readonly undo?: () => void
  readonly label?: string
}

export interface Toasts {
  readonly add: (toast: Toast) => void
  /** Says that something was not done, and why. */
  readonly fail: (text: string, problem: Problem) => void
  readonly list: () => ReadonlyArray<Toast>
  readonly remove: (toast: Toast) => void
}

const maxToasts = 4

export const createToasts = (): Toasts => {
  const [list, setList] = createSignal<ReadonlyArray<Toast>>([])
  const add = (toast: Toast) => setList((before) => [...before, toast].slice(-maxToasts))
  return {
    list,
    add: (toast) => void add(toast),
    fail: (text, problem) => void add({ text, detail: problem.detail, tone: "bad" }),
    remove: (toast) => setList((before) => before.filter((other) => other !== toast))
  }
}

const shownMillis = 6_000
const readMillis = 12_000

export const ToastRegion = (props: { readonly toasts: Toasts }) => (
  <section class="toasts" aria-label="Messages" aria-live="polite">
    <For each={props.toasts.list()}>
      {(toast) => {
        let timer: ReturnType<typeof setTimeout> | undefined
        const stop = () =>
          clearTimeout(timer)
        const start = () => {
          stop()
          timer = setTimeout(
            () =>
              props.toasts.remove(toast),
            toast.tone === "bad" || toast.undo !== undefined ? readMillis : shownMillis
          )
        }
        start()
        return (
          <div
            class="toast"
            data-tone={toast.tone}
            onPointerEnter={stop}
            onPointerLeave={start}
            onFocusIn={stop}
            onFocusOut={start}
          >
            <Show when={toast.tone}>
              <i class="dot" data-shape="diamond" />
            </Show>
            <span>
              {toast.text}
              <Show when={toast.detail}>
                <small>{toast.detail}</small>
              </Show>
            </span>
            <Show when={toast.undo}>
              {(undo) => (
                <Button
                  size="small"
                  onClick={() => {
                    props.toasts.remove(toast)
                    undo()()
                  }}
                >
                  {toast.label ?? "Undo"}
                </Button>
              )}
            </Show>
            <IconButton
              size="small"
              icon={X}
              label="Dismiss"
              onClick={() => props.toasts.remove(toast)}
            />
          </div>
        )
      }}
    </For>
  </section>
)
