/** What every row about a group of errors has. */
import { Show } from "solid-js"
import type { ErrorGroup } from "../../domain/View.ts"
import { useApp } from "../Context.ts"
import { count, plural } from "../format.ts"
import type { CommandId } from "../keyboard/catalog.ts"
import { Button } from "./Button.tsx"
import { RotateCw } from "./icons.ts"
import { retryGroup } from "./retryGroup.ts"

/** What is special about a group. */
export const GroupTags = (props: { readonly group: ErrorGroup }) => (
  <>
    <Show when={props.group.isNew}>
      <span class="tag" data-tone="bad">New</span>
    </Show>
    <Show when={props.group.isRising}>
      <span class="tag" data-tone="warn">Rising</span>
    </Show>
  </>
)

/** Runs the tasks of a group again; nothing when none can be. */
export const RetryGroup = (
  props: { readonly group: ErrorGroup; readonly reload: () => void; readonly command?: CommandId }
) => {
  const app = useApp()
  return (
    <Show when={props.group.retryable > 0}>
      <Button
        size="small"
        icon={RotateCw}
        {...(props.command === undefined ? {} : { command: props.command })}
        blocked={app.live.blocked()}
        aria-label={`Retry ${plural(props.group.retryable, "task")} that failed with ${props.group.type}`}
        onClick={() => void retryGroup(app, props.group).then(props.reload)}
      >
        Retry {count(props.group.retryable)}
      </Button>
    </Show>
  )
}
