/** A task over the list, from which one goes to the ones above and below. */
import { Show } from "solid-js"
import { IconButton } from "../../../components/Button.tsx"
import { Drawer } from "../../../components/Dialog.tsx"
import { ChevronLeft, ChevronRight, ExternalLink } from "../../../components/icons.ts"
import { useCommand } from "../../../keyboard/Commands.ts"
import { createTask } from "./createTask.ts"
import { TaskBody } from "./TaskBody.tsx"
import { TaskButtons, TaskTitle } from "./TaskHead.tsx"

export default function TaskDrawer(
  props: {
    readonly id: string
    /** `undefined` at the ends of the list. */
    readonly previous: (() => void) | undefined
    readonly next: (() => void) | undefined
    readonly onClose: () => void
    /** To the whole page. */
    readonly onExpand: () => void
    readonly onOpen: (id: string) => void
  }
) {
  const shown = createTask(() => props.id)
  const noPrevious = () => props.previous === undefined ? "This is the first one." : undefined
  const noNext = () => props.next === undefined ? "This is the last one." : undefined
  useCommand("task.previous", () => props.previous?.(), noPrevious)
  useCommand("task.next", () => props.next?.(), noNext)
  return (
    <Drawer
      label={`Task ${props.id}`}
      onClose={props.onClose}
      returnTo={() => document.querySelector<HTMLElement>(".tasks-list .grid-row[tabindex='0']")}
      head={
        <>
          <span class="steps">
            <IconButton
              size="small"
              icon={ChevronLeft}
              label="Previous task"
              command="task.previous"
              blocked={noPrevious()}
              onClick={() => props.previous?.()}
            />
            <IconButton
              size="small"
              icon={ChevronRight}
              label="Next task"
              command="task.next"
              blocked={noNext()}
              onClick={() => props.next?.()}
            />
          </span>
          <span class="task-title">
            <Show when={shown.task} fallback={<span class="mono quiet clip">{props.id}</span>}>
              {(task) => <TaskTitle task={task()} />}
            </Show>
          </span>
          <span class="task-actions">
            <Show when={shown.task}>
              {(task) => <TaskButtons task={task()} reload={shown.reload} onOpen={props.onOpen} />}
            </Show>
            <IconButton size="small" icon={ExternalLink} label="Open as a page" onClick={props.onExpand} />
          </span>
        </>
      }
    >
      <TaskBody shown={shown} />
    </Drawer>
  )
}
