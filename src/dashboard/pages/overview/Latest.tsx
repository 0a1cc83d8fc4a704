/**
 * The tasks that changed last. The order is renewed once a second and stands still under the pointer or the focus, so
 * that nobody opens another task than the one that was meant; the rows themselves stay live.
 */
import { A } from "@solidjs/router"
import { createEffect, createSignal, For, on, onCleanup, Show } from "solid-js"
import type { TaskRow } from "../../../domain/View.ts"
import { EmptyState } from "../../components/Feedback.tsx"
import { ChevronRight } from "../../components/icons.ts"
import { PriorityGlyph, StatusBadge } from "../../components/StatusBadge.tsx"
import { Age, Took, Until } from "../../components/Times.tsx"
import { useApp } from "../../Context.ts"
import { shortId } from "../../format.ts"
import { rowOf } from "../../live/merge.ts"
import { createRows } from "../../live/Rows.ts"
import { taskPath, typePath } from "../../paths.ts"

const maxShown = 8

export const changedAt = (task: TaskRow): number => task.finishedAt ?? task.startedAt ?? task.submittedAt

export const Latest = () => {
  const { live } = useApp()
  const rows = createRows()
  const [ids, setIds] = createSignal<ReadonlyArray<string>>([])
  const [held, setHeld] = createSignal(false)

  const renew = () => {
    const latest = live.data.latest.slice(0, maxShown)
    const same = ids().length === latest.length && latest.every(([id], index) => id === ids()[index])
    rows.put(latest.map((tuple) => rowOf(tuple, rows.get(tuple[0]))))
    if (!same) setIds(latest.map(([id]) => id))
    rows.keep(ids())
  }
  createEffect(on([live.now, live.ready, held], () => {
    if (!held() && !live.frozen()) renew()
  }))
  let timer: ReturnType<typeof setTimeout> | undefined
  onCleanup(() => clearTimeout(timer))
  const hold = (on: boolean) => {
    clearTimeout(timer)
    if (on) setHeld(true)
    else timer = setTimeout(() => setHeld(false), 300)
  }

  return (
    <section class="block latest" aria-labelledby="latest">
      <header>
        <h2 id="latest">Latest tasks</h2>
        <span class="quiet">{held() ? "held while you look" : "newest first"}</span>
        <A class="more" href="/tasks">
          All tasks<ChevronRight size={14} class="icon" aria-hidden="true" />
        </A>
      </header>
      <Show
        when={ids().length > 0}
        fallback={
          <EmptyState
            title="No task yet"
            text="Tasks stand here as they are submitted, run and finish. Submit one:"
            code={`fastworker submit add '{"x": 1, "y": 2}'`}
          />
        }
      >
        <div
          class="scroll"
          tabIndex={0}
          role="region"
          aria-label="Table of the latest tasks"
          onPointerEnter={() => hold(true)}
          onPointerLeave={() => hold(false)}
          onFocusIn={() => hold(true)}
          onFocusOut={() => hold(false)}
        >
          <table class="table">
            <thead>
              <tr>
                <th scope="col">ID</th>
                <th scope="col">Task type</th>
                <th scope="col">Priority</th>
                <th scope="col">Status</th>
                <th scope="col">Worker</th>
                <th scope="col" class="end">Attempt</th>
                <th scope="col" class="end">Duration</th>
                <th scope="col" class="end">Changed</th>
              </tr>
            </thead>
            <tbody>
              <For each={ids()}>{(id) => <Row use={rows.use(id)} />}</For>
            </tbody>
          </table>
        </div>
      </Show>
    </section>
  )
}

const Row = (props: { readonly use: () => TaskRow | undefined }) => (
  <Show when={props.use()}>
    {(task) => (
      <tr>
        <td class="mono">
          <A href={taskPath(task().id)} data-tip={task().id}>{shortId(task().id)}</A>
        </td>
        <td class="mono">
          <A href={typePath(task().name)}>{task().name}</A>
        </td>
        <td>
          <PriorityGlyph priority={task().priority} />
        </td>
        <td>
          <StatusBadge task={task()} />
        </td>
        <td class="quiet">{task().worker ?? "—"}</td>
        <td class="end num quiet">{task().attempt === 0 ? "—" : task().attempt}</td>
        <td class="end num">
          <Duration task={task()} />
        </td>
        <td class="end num quiet">
          <Age at={changedAt(task())} />
        </td>
      </tr>
    )}
  </Show>
)

/** How long the last attempt took or takes; when it is due for one that waits for its time. */
const Duration = (props: { readonly task: TaskRow }) => (
  <Show
    when={props.task.startedAt !== undefined && props.task.state !== "delayed" && props.task.state !== "queued"}
    fallback={<Show when={props.task.dueAt} fallback="—">{(dueAt) => <Until at={dueAt()} />}</Show>}
  >
    <Took from={props.task.startedAt ?? 0} to={props.task.finishedAt} />
  </Show>
)
