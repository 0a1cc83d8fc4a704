/** Which dialog is open. The dialogs themselves are loaded when they are needed. */
import { type Accessor, createSignal } from "solid-js"
import type { Priority } from "../../domain/Priority.ts"

export interface Confirmation {
  /** "Retry 118 failed tasks?" */
  readonly title: string
  /** Scope and consequence: "Of webhook.deliver, seen up to 14:19:02." */
  readonly text: string
  /** What the button says: "Retry 118". */
  readonly action: string
  /** How many are changed: above 1,000 it has to be typed. */
  readonly count?: number
  /** The count has to be typed however small it is: for what can't be undone. */
  readonly grave?: boolean
}

/** What the dialog to run a task starts with. */
export interface Draft {
  readonly name?: string
  /** JSON text. */
  readonly args?: string
  /** JSON pointers to what is not shown of them: it has to be typed again. */
  readonly redacted?: ReadonlyArray<string>
  readonly priority?: Priority
  readonly tags?: ReadonlyArray<string>
  readonly tenant?: string
}

export type OpenDialog =
  | { readonly kind: "palette" }
  | { readonly kind: "help" }
  | { readonly kind: "run"; readonly draft: Draft }
  | { readonly kind: "confirm"; readonly confirmation: Confirmation; readonly answer: (yes: boolean) => void }

export interface Dialogs {
  readonly current: Accessor<OpenDialog | undefined>
  readonly palette: () => void
  readonly help: () => void
  /** Runs a task, or one again with edits. */
  readonly run: (draft?: Draft) => void
  readonly confirm: (confirmation: Confirmation) => Promise<boolean>
  readonly close: () => void
}

export const createDialogs = (): Dialogs => {
  const [current, setCurrent] = createSignal<OpenDialog>()
  const open = (dialog: OpenDialog | undefined) => {
    const before = current()
    setCurrent(() => dialog)
    if (before?.kind === "confirm") before.answer(false)
  }
  return {
    current,
    palette: () => open({ kind: "palette" }),
    help: () => open({ kind: "help" }),
    run: (draft = {}) => open({ kind: "run", draft }),
    confirm: (confirmation) => new Promise((resolve) => open({ kind: "confirm", confirmation, answer: resolve })),
    close: () => open(undefined)
  }
}
