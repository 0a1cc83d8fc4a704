/** What was said when it was submitted, and what it has to do with other tasks. */
import { A } from "@solidjs/router"
import { For, type JSX, Show } from "solid-js"
import type { TaskDetail } from "../../../../domain/View.ts"
import { CopyButton } from "../../../components/CopyButton.tsx"
import { PriorityGlyph } from "../../../components/StatusBadge.tsx"
import { Moment, Until } from "../../../components/Times.tsx"
import { count, exact, shortId } from "../../../format.ts"
import { errorPath, taskPath, tasksPath, typePath, workerPath } from "../../../paths.ts"

export const FirstLine = (props: { readonly task: TaskDetail }) => (
  <p class="first-line">
    <span class="task-id">
      <span class="mono clip">{props.task.id}</span>
      <CopyButton text={props.task.id} label="Copy the id" />
    </span>
    <PriorityGlyph priority={props.task.priority} />
    <Show when={props.task.worker}>{(worker) => <A class="link" href={workerPath(worker())}>{worker()}</A>}</Show>
    <span class="num quiet" data-tip={new Date(props.task.submittedAt).toDateString()}>
      submitted {exact(props.task.submittedAt)}
    </span>
  </p>
)

const Task = (props: { readonly id: string }) => (
  <A class="link mono" href={taskPath(props.id)} data-tip={props.id}>{shortId(props.id)}</A>
)

export const Facts = (props: { readonly task: TaskDetail }) => {
  const facts = (): ReadonlyArray<readonly [string, JSX.Element]> => {
    const { task } = props
    const { errorGroup, expiresAt, fairKey, limitKey, parent, retriedAs = [], retryOf, schedule, tags = [], tenant } =
      task
    return [
      ["Type", <A class="link mono" href={typePath(task.name)}>{task.name}</A>],
      ...parent === undefined ? [] : [["Submitted by", <Task id={parent} />] as const],
      ...retryOf === undefined ? [] : [["Retry of", <Task id={retryOf} />] as const],
      ...retriedAs.length === 0
        ? []
        : [
          [
            "Retried as",
            <span class="list">
              <For each={retriedAs}>{(id) => <Task id={id} />}</For>
            </span>
          ] as const
        ],
      ...schedule === undefined
        ? []
        : [["Schedule", <A class="link" href={tasksPath({ schedule })}>{schedule}</A>] as const],
      ...errorGroup === undefined
        ? []
        : [["Same error", <A class="link" href={errorPath(errorGroup)}>All with this error</A>] as const],
      ...tags.length === 0 ? [] : [
        [
          "Tags",
          <span class="list">
            <For each={tags}>{(tag) => <A class="link" href={tasksPath({ tag })}>{tag}</A>}</For>
          </span>
        ] as const
      ],
      ...tenant === undefined ? [] : [["Tenant", <A class="link" href={tasksPath({ tenant })}>{tenant}</A>] as const],
      ...expiresAt === undefined ? [] : [
        [
          "Expires",
          <>
            <Moment at={expiresAt} />{" "}
            <span class="quiet">
              (<Until at={expiresAt} />)
            </span>
          </>
        ] as const
      ],
      ...task.uniqueKey === undefined ? [] : [["Unique key", <span class="mono">{task.uniqueKey}</span>] as const],
      ...limitKey === undefined ? [] : [["Limit key", <span class="mono">{limitKey}</span>] as const],
      ...fairKey === undefined ? [] : [["Fair key", <span class="mono">{fairKey}</span>] as const],
      ...task.weight === undefined ? [] : [["Weight", count(task.weight)] as const],
      ...task.version === undefined ? [] : [["Version", `${task.version}`] as const]
    ]
  }
  return (
    <dl class="task-facts">
      <For each={facts()}>
        {([name, value]) => (
          <div>
            <dt>{name}</dt>
            <dd class="clip">{value}</dd>
          </div>
        )}
      </For>
    </dl>
  )
}
