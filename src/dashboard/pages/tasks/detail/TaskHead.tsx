/** What a task is called, how it is, and what can be done with it. */
import { Show } from "solid-js"
import type { TaskDetail } from "../../../../domain/View.ts"
import { Button } from "../../../components/Button.tsx"
import { copyText } from "../../../components/CopyButton.tsx"
import { Ban, Pencil, RotateCw } from "../../../components/icons.ts"
import { Menu } from "../../../components/Menu.tsx"
import { priorityLabels, StatusBadge } from "../../../components/StatusBadge.tsx"
import { useApp } from "../../../Context.ts"
import { useCommand } from "../../../keyboard/Commands.ts"
import { useActions } from "../actions.ts"
import { priorityValues } from "../query.ts"
import { commandOf, typescriptOf } from "./code.ts"
import { headline, isFinal, noCancel, noRetry } from "./states.ts"

export const TaskTitle = (props: { readonly task: TaskDetail }) => (
  <>
    <h2 class="mono clip task-name" data-tip={props.task.name}>{props.task.name}</h2>
    <StatusBadge task={props.task} label={headline(props.task)} />
  </>
)

export const TaskButtons = (
  props: { readonly task: TaskDetail; readonly reload: () => void; readonly onOpen: (id: string) => void }
) => {
  const { api, dialogs, live, toasts } = useApp()
  const actions = useActions(props.onOpen)
  const retry = () => void actions.retry(props.task.id).then(props.reload)
  const cancel = () => void actions.cancel(props.task.id).then(props.reload)
  const retryBlocked = () => live.blocked() ?? noRetry(props.task)
  const cancelBlocked = () => live.blocked() ?? noCancel(props.task)

  /** The arguments as they were sent, all of them. */
  const argsOf = async (): Promise<string | undefined> => {
    const { args, id } = props.task
    if (args === undefined) {
      toasts.add({ text: "Its arguments are not kept any more." })
      return undefined
    }
    if (!args.truncated) return args.text
    const whole = await api.tasks.payload(id, "args")
    if (whole.ok) return whole.value
    toasts.fail("Its arguments can't be read.", whole.problem)
    return undefined
  }
  const again = async () => {
    const args = await argsOf()
    if (args === undefined) return
    const { name, priority, tags, tenant } = props.task
    dialogs.run({
      name,
      args,
      ...props.task.args?.redacted === undefined ? {} : { redacted: props.task.args.redacted },
      priority,
      ...tags === undefined ? {} : { tags },
      ...tenant === undefined ? {} : { tenant }
    })
  }
  const copy = async (what: string, text: string | undefined) => {
    if (text === undefined) return
    toasts.add({ text: await copyText(text) ? `${what} copied.` : "The browser does not allow copying here." })
  }
  const copyId = () => void copy("The id", props.task.id)
  const copyCode = (what: string, of: (task: TaskDetail, args: string) => string) =>
    void argsOf().then((args) => copy(what, args === undefined ? undefined : of(props.task, args)))

  const priorityItems = priorityValues.map((priority) => ({
    label: priorityLabels[priority],
    only: true,
    get checked() {
      return props.task.priority === priority
    },
    get blocked() {
      return cancelBlocked()
    },
    run: () => void actions.prioritize(props.task.id, priority).then(props.reload)
  }))

  useCommand("task.retry", retry, retryBlocked)
  useCommand("task.cancel", cancel, cancelBlocked)
  useCommand("task.copy", copyId)

  return (
    <>
      <Show
        when={isFinal(props.task.state)}
        fallback={
          <>
            <Button size="small" icon={Ban} command="task.cancel" blocked={cancelBlocked()} onClick={cancel}>
              Cancel
            </Button>
            <Menu label="Priority" text size="small" items={priorityItems} />
          </>
        }
      >
        <Button size="small" icon={RotateCw} command="task.retry" blocked={retryBlocked()} onClick={retry}>
          Retry
        </Button>
      </Show>
      <Button size="small" icon={Pencil} blocked={live.blocked()} onClick={() => void again()}>Run again…</Button>
      <Menu
        label="More"
        size="small"
        items={[
          { label: "Copy the id", run: copyId, command: "task.copy" },
          { label: "Copy as TypeScript", run: () => copyCode("The code", typescriptOf) },
          { label: "Copy as a command", run: () => copyCode("The command", commandOf) }
        ]}
      />
    </>
  )
}
