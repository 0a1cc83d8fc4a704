/** Windows over the page: a dialog that asks for all attention, and a drawer beside which the page stays usable. */
import * as Kobalte from "@kobalte/core/dialog"
import { type JSX, Show } from "solid-js"
import { IconButton } from "./Button.tsx"
import { X } from "./icons.ts"

/** Gives the focus back to what had it: there is no trigger that Kobalte would know. */
const createReturn = (to?: () => HTMLElement | null | undefined) => {
  const before = document.activeElement
  return (event: Event) => {
    event.preventDefault()
    const target = to?.() ?? before
    if (target instanceof HTMLElement && target.isConnected) target.focus({ preventScroll: true })
  }
}

/** The first thing to fill in, else the first answer: not the cross. */
const focusFirst = (event: Event) => {
  const dialog = event.currentTarget ?? event.target
  if (!(dialog instanceof HTMLElement)) return
  const first = dialog.querySelector<HTMLElement>(".dialog-body :is(input, textarea, select)") ??
    dialog.querySelector<HTMLElement>("footer button")
  if (first === null) return
  event.preventDefault()
  first.focus()
}

export const Dialog = (
  props: {
    readonly title: string
    readonly onClose: () => void
    readonly width?: number
    readonly children: JSX.Element
    /** Buttons, the one that does it last. */
    readonly footer?: JSX.Element
  }
) => {
  const giveBack = createReturn()
  return (
    <Kobalte.Root open onOpenChange={(open) => open || props.onClose()}>
      <Kobalte.Portal>
        <Kobalte.Overlay class="veil" />
        <Kobalte.Content
          class="dialog"
          data-modal=""
          onOpenAutoFocus={focusFirst}
          onCloseAutoFocus={giveBack}
          style={{ "--dialog-width": `${props.width ?? 480}px` }}
        >
          <header>
            <Kobalte.Title as="h2">{props.title}</Kobalte.Title>
            <IconButton icon={X} label="Close" onClick={props.onClose} />
          </header>
          <div class="dialog-body">{props.children}</div>
          <Show when={props.footer}>
            <footer>{props.footer}</footer>
          </Show>
        </Kobalte.Content>
      </Kobalte.Portal>
    </Kobalte.Root>
  )
}

/** At the right edge, 640 pixels wide; the list beside it can still be used, Esc closes it and gives the focus back. */
export const Drawer = (
  props: {
    readonly label: string
    readonly onClose: () => void
    /** What gets the focus when it is closed. Default: what had it before. */
    readonly returnTo?: () => HTMLElement | null | undefined
    /** Stays in sight at the top. */
    readonly head: JSX.Element
    readonly children: JSX.Element
  }
) => {
  const giveBack = createReturn(() => props.returnTo?.())
  return (
    <Kobalte.Root open modal={false} preventScroll={false} onOpenChange={(open) => open || props.onClose()}>
      <Kobalte.Portal>
        <Kobalte.Content
          class="drawer"
          aria-label={props.label}
          aria-labelledby={undefined}
          // The first button would show its tip; what is read out first is the label.
          onOpenAutoFocus={(event) => {
            event.preventDefault()
            if (event.currentTarget instanceof HTMLElement) event.currentTarget.focus()
          }}
          onCloseAutoFocus={giveBack}
          onInteractOutside={(event) => event.preventDefault()}
        >
          <header>
            {props.head}
            <IconButton icon={X} label="Close" onClick={props.onClose} />
          </header>
          {props.children}
        </Kobalte.Content>
      </Kobalte.Portal>
    </Kobalte.Root>
  )
}
