/** Asks before many things are changed. Above 1,000 of them, or when there is no way back, the number has to be typed. */
import { createSignal, createUniqueId, Show } from "solid-js"
import { count as format } from "../format.ts"
import { Button } from "./Button.tsx"
import { Dialog } from "./Dialog.tsx"
import type { Confirmation } from "./Dialogs.ts"

const typedFrom = 1_000

export const ConfirmDialog = (
  props: { readonly confirmation: Confirmation; readonly onAnswer: (yes: boolean) => void }
) => {
  const id = createUniqueId()
  const [typed, setTyped] = createSignal("")
  const count = () => props.confirmation.count ?? 0
  const mustType = () => count() > typedFrom || props.confirmation.grave === true && count() > 0
  const blocked = () =>
    mustType() && typed().replace(/[,.\s]/gu, "") !== String(count()) ? `Type ${format(count())} first.` : undefined
  return (
    <Dialog
      title={props.confirmation.title}
      onClose={() => props.onAnswer(false)}
      footer={
        <>
          <Button onClick={() => props.onAnswer(false)}>Keep as it is</Button>
          <Button
            kind={props.confirmation.grave === true ? "danger" : "primary"}
            blocked={blocked()}
            onClick={() => props.onAnswer(true)}
          >
            {props.confirmation.action}
          </Button>
        </>
      }
    >
      <p class="quiet">{props.confirmation.text}</p>
      <Show when={mustType()}>
        <form
          class="field"
          onSubmit={(event) => {
            event.preventDefault()
            if (blocked() === undefined) props.onAnswer(true)
          }}
        >
          <label for={id}>Type {format(count())} to go on</label>
          <input
            id={id}
            class="input num"
            inputmode="numeric"
            autocomplete="off"
            value={typed()}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </form>
      </Show>
    </Dialog>
  )
}
