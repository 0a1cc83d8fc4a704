/** Draws the dialog that is open. Loaded with the first one. */
import { Match, Switch } from "solid-js"
import { useApp } from "../Context.ts"
import { Help } from "../keyboard/Help.tsx"
import { Palette } from "../keyboard/Palette.tsx"
import { RunTask } from "../run/RunTask.tsx"
import { ConfirmDialog } from "./ConfirmDialog.tsx"
import type { OpenDialog } from "./Dialogs.ts"

const is = <K extends OpenDialog["kind"]>(dialog: OpenDialog | undefined, kind: K) =>
  dialog?.kind === kind ? dialog as Extract<OpenDialog, { readonly kind: K }> : undefined

export default function Overlays() {
  const { dialogs } = useApp()
  return (
    <Switch>
      <Match when={is(dialogs.current(), "palette")}>
        <Palette onClose={dialogs.close} />
      </Match>
      <Match when={is(dialogs.current(), "help")}>
        <Help onClose={dialogs.close} />
      </Match>
      <Match when={is(dialogs.current(), "run")} keyed>
        {({ draft }) => <RunTask draft={draft} onClose={dialogs.close} />}
      </Match>
      <Match when={is(dialogs.current(), "confirm")} keyed>
        {({ answer, confirmation }) => (
          <ConfirmDialog
            confirmation={confirmation}
            onAnswer={(yes) => {
              answer(yes)
              dialogs.close()
            }}
          />
        )}
      </Match>
    </Switch>
  )
}
