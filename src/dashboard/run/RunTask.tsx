/** The dialog that submits a task. */
import { Dialog } from "../components/Dialog.tsx"
import type { Draft } from "../components/Dialogs.ts"

export const RunTask = (props: { readonly draft: Draft; readonly onClose: () => void }) => (
  <Dialog title="Run a task" onClose={props.onClose}>{props.draft.name}</Dialog>
)
