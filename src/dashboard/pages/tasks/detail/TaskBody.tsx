/** Everything about a task below its title. */
import { useSearchParams } from "@solidjs/router"
import { createUniqueId, Match, Show, Switch } from "solid-js"
import type { TaskDetail } from "../../../../domain/View.ts"
import { Tabs } from "../../../components/Choice.tsx"
import { EmptyState, ErrorPanel, Skeleton } from "../../../components/Feedback.tsx"
import { Clock } from "../../../components/icons.ts"
import { JsonView } from "../../../components/JsonView.tsx"
import { Until } from "../../../components/Times.tsx"
import { plural } from "../../../format.ts"
import { Attempts } from "./Attempts.tsx"
import { rawOf } from "./code.ts"
import type { Task } from "./createTask.ts"
import { Facts, FirstLine } from "./Facts.tsx"
import { Failures } from "./Failures.tsx"
import { PayloadView } from "./PayloadView.tsx"
import { ProgressBar } from "./ProgressBar.tsx"
import { History, StatePath } from "./StatePath.tsx"

type Part = "input" | "result" | "error" | "history" | "raw"
const parts: ReadonlySet<unknown> = new Set<Part>(["input", "result", "error", "history", "raw"])
const isPart = (value: unknown): value is Part => parts.has(value)

const failed = (task: TaskDetail) => task.attempts.filter(({ failure }) => failure !== undefined).length
/** What somebody wants to see first. */
const firstPart = (task: TaskDetail): Part =>
  task.failure !== undefined || task.retrying === true
    ? "error"
    : task.state === "succeeded" && task.result !== undefined
    ? "result"
    : "input"

export const TaskBody = (props: { readonly shown: Task }) => (
  <Show
    when={props.shown.task}
    fallback={
      <Show when={props.shown.problem()} fallback={<Skeleton rows={8} />}>
        {(problem) => (
          <Show
            when={problem().status === 404}
            fallback={<ErrorPanel title="The task can't be shown" problem={problem()} retry={props.shown.reload} />}
          >
            <EmptyState
              title="This task is not known"
              text="It was never submitted here, or it finished so long ago that it was forgotten."
            />
          </Show>
        )}
      </Show>
    }
  >
    {(task) => (
      <>
        <Show when={props.shown.problem()}>
          {(problem) => (
            <ErrorPanel
              title="This is how the task was: it can't be read now"
              problem={problem()}
              retry={props.shown.reload}
            />
          )}
        </Show>
        <Body task={task()} />
      </>
    )}
  </Show>
)

const Body = (props: { readonly task: TaskDetail }) => {
  const [search, setSearch] = useSearchParams()
  const panel = createUniqueId()
  const part = () => isPart(search["tab"]) ? search["tab"] : firstPart(props.task)
  const options = () => [
    { value: "input" as const, label: "Input" },
    { value: "result" as const, label: "Result" },
    { value: "error" as const, label: "Error", ...failed(props.task) > 1 ? { note: failed(props.task) } : {} },
    { value: "history" as const, label: "History" },
    { value: "raw" as const, label: "Raw" }
  ]
  return (
    <div class="task">
      <FirstLine task={props.task} />
      <StatePath task={props.task} />
      <Show when={props.task.waiting}>
        {(waiting) => (
          <section class="waiting" aria-label="Why is it waiting?">
            <Clock size={16} class="icon" aria-hidden="true" />
            <div>
              <h2>Why is it waiting?</h2>
              <p>{waiting().text}</p>
            </div>
            <Show when={waiting().ahead !== undefined}>
              <b class="num">{plural(waiting().ahead ?? 0, "task")} ahead</b>
            </Show>
            <Show when={waiting().until}>
              {(until) => (
                <b class="num">
                  <Until at={until()} />
                </b>
              )}
            </Show>
          </section>
        )}
      </Show>
      <Show when={props.task.progress}>{(progress) => <ProgressBar progress={progress()} />}</Show>
      <Show when={props.task.attempts.length > 0}>
        <Attempts task={props.task} />
      </Show>
      <Facts task={props.task} />
      <Tabs
        label="Parts of the task"
        value={part()}
        options={options()}
        controls={panel}
        onChange={(tab) => setSearch({ tab }, { replace: true, scroll: false })}
      />
      <div id={panel} role="tabpanel" aria-label={options().find(({ value }) => value === part())?.label} class="part">
        <Switch>
          <Match when={part() === "input"}>
            <PayloadView
              id={props.task.id}
              part="args"
              payload={props.task.args}
              label="Arguments"
              missing="The arguments are not kept any more."
            />
          </Match>
          <Match when={part() === "result"}>
            <PayloadView
              id={props.task.id}
              part="result"
              payload={props.task.result}
              label="Result"
              missing={props.task.state !== "succeeded"
                ? "It has no result: only tasks that succeeded have."
                : props.task.ignoreResult === true
                ? "It was submitted with ignoreResult: its result was not kept."
                : "The result is not kept any more."}
            />
          </Match>
          <Match when={part() === "error"}>
            <Failures task={props.task} />
          </Match>
          <Match when={part() === "history"}>
            <History task={props.task} />
          </Match>
          <Match when={part() === "raw"}>
            <JsonView text={rawOf(props.task)} label="Everything as JSON" maxHeight="none" />
          </Match>
        </Switch>
      </div>
    </div>
  )
}
