/** One group of errors; opened it shows the whole message and the tasks that failed with it last. */
import { A } from "@solidjs/router"
import { createUniqueId, For, Show } from "solid-js"
import type { ErrorGroup } from "../../../domain/View.ts"
import { createQuery } from "../../api/createQuery.ts"
import { GroupTags, RetryGroup } from "../../components/ErrorGroups.tsx"
import { ErrorPanel, Skeleton } from "../../components/Feedback.tsx"
import { ChevronRight } from "../../components/icons.ts"
import { Sparkline } from "../../components/Sparkline.tsx"
import { StatusBadge } from "../../components/StatusBadge.tsx"
import { Age } from "../../components/Times.tsx"
import { useApp } from "../../Context.ts"
import { count, shortId } from "../../format.ts"
import { createRows } from "../../live/Rows.ts"
import { taskPath, tasksPath, typePath, workerPath } from "../../paths.ts"

const maxWorkers = 2
const maxTasks = 8
const reloadMillis = 5_000

export const GroupRows = (
  props: {
    readonly group: ErrorGroup
    readonly isOpen: boolean
    readonly onToggle: () => void
    readonly reload: () => void
  }
) => {
  const id = createUniqueId()
  const others = () => props.group.workers.slice(maxWorkers)
  return (
    <tbody>
      <tr data-open={props.isOpen ? "" : undefined}>
        <td>
          <button
            type="button"
            class="group-name"
            data-group={props.group.key}
            aria-expanded={props.isOpen}
            aria-controls={id}
            onClick={props.onToggle}
          >
            <ChevronRight size={14} class="icon" aria-hidden="true" />
            <b class="clip">{props.group.type}</b>
            <GroupTags group={props.group} />
          </button>
          <span class="quiet clip group-text" data-tip={props.group.message || undefined}>
            {props.group.message || "without a message"}
          </span>
        </td>
        <td class="mono clip">
          <A href={typePath(props.group.name)}>{props.group.name}</A>
        </td>
        <td>
          <Sparkline values={props.group.series} width={96} tone="bad" />
        </td>
        <td class="end num">
          <b>{count(props.group.count)}</b>
          <Show when={props.group.retried > 0}>
            <span class="small quiet under" data-tip="Attempts among them after which the task was tried again">
              {count(props.group.retried)} retried
            </span>
          </Show>
        </td>
        <td class="quiet clip">
          <For each={props.group.workers.slice(0, maxWorkers)}>
            {(worker, index) => (
              <>
                {index() > 0 ? ", " : ""}
                <A class="follow" href={workerPath(worker)}>{worker}</A>
              </>
            )}
          </For>
          <Show when={others().length > 0}>
            <span data-tip={others().join(", ")}>{` +${others().length}`}</span>
          </Show>
        </td>
        <td class="end num quiet">
          <Age at={props.group.firstAt} />
        </td>
        <td class="end num quiet">
          <Age at={props.group.lastAt} />
        </td>
        <td class="end">
          <RetryGroup group={props.group} reload={props.reload} command="task.retry" />
        </td>
      </tr>
      <Show when={props.isOpen}>
        <tr class="opened" id={id}>
          <td colSpan={8}>
            <Opened group={props.group} />
          </td>
        </tr>
      </Show>
    </tbody>
  )
}

const Opened = (props: { readonly group: ErrorGroup }) => {
  const { api } = useApp()
  const rows = createRows()
  const tasks = createQuery(
    () => props.group.key,
    (error, signal) => api.tasks.list({ error, limit: maxTasks, sort: "changed" }, signal),
    { every: reloadMillis }
  )
  const ids = () => {
    const page = tasks.data()?.tasks ?? []
    rows.put(page)
    return page.map(({ id }) => id)
  }
  return (
    <div class="opened-body">
      <p class="message">
        <b>{props.group.type}</b>
        {props.group.message === "" ? " without a message" : `: ${props.group.message}`}
      </p>
      <p class="links">
        <A class="link" href={taskPath(props.group.sample)}>Newest task with it</A>
        <A class="link" href={tasksPath({ error: props.group.key })}>All its tasks</A>
        <span class="quiet num">{count(props.group.total)} since the control plane started</span>
      </p>
      <Show when={tasks.problem()}>
        {(problem) => <ErrorPanel title="Its tasks can't be listed" problem={problem()} retry={tasks.reload} />}
      </Show>
      <Show
        when={tasks.data()}
        fallback={
          <Show when={tasks.loading()}>
            <Skeleton rows={3} />
          </Show>
        }
      >
        <Show when={ids().length > 0} fallback={<p class="quiet">None of its tasks is kept any more.</p>}>
          <table class="table inner">
            <thead>
              <tr>
                <th scope="col">Task</th>
                <th scope="col">Status</th>
                <th scope="col">Error</th>
                <th scope="col">Worker</th>
                <th scope="col" class="end">Attempt</th>
                <th scope="col" class="end">Changed</th>
              </tr>
            </thead>
            <tbody>
              <For each={ids()}>
                {(id) => {
                  const task = rows.use(id)
                  return (
                    <Show when={task()}>
                      {(task) => (
                        <tr>
                          <td class="mono">
                            <A href={taskPath(id)} data-tip={id}>{shortId(id)}</A>
                          </td>
                          <td>
                            <StatusBadge task={task()} />
                          </td>
                          <td class="clip quiet" data-tip={task().error}>{task().error ?? "—"}</td>
                          <td class="quiet">{task().worker ?? "—"}</td>
                          <td class="end num quiet">{task().attempt}</td>
                          <td class="end num quiet">
                            <Age at={task().finishedAt ?? task().startedAt ?? task().submittedAt} />
                          </td>
                        </tr>
                      )}
                    </Show>
                  )
                }}
              </For>
            </tbody>
          </table>
        </Show>
      </Show>
    </div>
  )
}
