/** The columns of the list: which there are, which are shown, what stands in them. */
import { useHref, useLocation } from "@solidjs/router"
import { type Accessor, createSignal, type JSX, Show } from "solid-js"
import type { TaskRow } from "../../../domain/View.ts"
import { PriorityGlyph, StatusBadge } from "../../components/StatusBadge.tsx"
import { Age, Moment, Took, Until } from "../../components/Times.tsx"
import type { Column } from "../../components/VirtualGrid.tsx"
import { shortId } from "../../format.ts"
import type { Rows } from "../../live/Rows.ts"
import { taskPath, workerPath } from "../../paths.ts"
import { read, write } from "../../Preferences.ts"

export const columnNames = {
  priority: "Priority",
  status: "Status",
  attempt: "Attempt",
  worker: "Worker",
  wait: "Wait",
  run: "Run",
  age: "Age",
  tags: "Tags",
  tenant: "Tenant",
  schedule: "Schedule",
  submitted: "Submitted"
} as const
export type ColumnName = keyof typeof columnNames
const all = Object.keys(columnNames) as ReadonlyArray<ColumnName>
const usual: ReadonlyArray<ColumnName> = ["priority", "status", "attempt", "worker", "wait", "run", "age"]
const stored = "tasks.columns"

export interface Columns {
  readonly shown: Accessor<ReadonlyArray<ColumnName>>
  readonly toggle: (name: ColumnName) => void
}

/** Which columns are shown, as this browser remembers it. */
export const createColumns = (): Columns => {
  const before = read(stored)?.split(",").filter((name): name is ColumnName => name in columnNames)
  const [shown, setShown] = createSignal<ReadonlyArray<ColumnName>>(before ?? usual)
  return {
    shown,
    toggle: (name) => {
      const next = all.filter((other) => shown().includes(other) !== (other === name))
      setShown(next)
      write(stored, next.join(","))
    }
  }
}

const isWaiting = ({ state }: TaskRow) => state === "queued" || state === "delayed"

/** From its submission to the start of the last attempt. */
const Wait = (props: { readonly task: TaskRow }) => (
  <Show
    when={props.task.state === "delayed" ? props.task.dueAt : undefined}
    fallback={
      <Show when={props.task.state === "queued" || props.task.startedAt !== undefined} fallback="—">
        <Took
          from={props.task.submittedAt}
          to={props.task.state === "queued" ? undefined : props.task.startedAt}
        />
      </Show>
    }
  >
    {(dueAt) => <Until at={dueAt()} />}
  </Show>
)

const Run = (props: { readonly task: TaskRow }) => (
  <Show when={!isWaiting(props.task) && props.task.startedAt !== undefined} fallback="—">
    <Took from={props.task.startedAt ?? 0} to={props.task.finishedAt} />
  </Show>
)

/** A link that leaves the list as it is; it is reached with the row, not with Tab. */
const Id = (props: { readonly id: string }) => {
  const location = useLocation()
  const href = useHref(() => `${taskPath(props.id)}${location.search}`)
  return (
    <a class="mono follow" href={href()} {...{ noscroll: true }} tabIndex={-1} data-tip={props.id}>
      {shortId(props.id)}
    </a>
  )
}

interface Made extends Omit<Column, "cell" | "head"> {
  readonly cell: (task: TaskRow) => JSX.Element
}

/** A column of numbers or times. */
const number = (width: string, view: (task: TaskRow) => JSX.Element, isQuiet = true): Made => ({
  width,
  end: true,
  cell: (task) => <span class={isQuiet ? "num quiet" : "num"}>{view(task)}</span>
})

const made: Readonly<Record<ColumnName, Made>> = {
  priority: { width: "104px", cell: (task) => <PriorityGlyph priority={task.priority} /> },
  status: { width: "124px", cell: (task) => <StatusBadge task={task} /> },
  attempt: number("76px", (task) => task.attempt === 0 ? "—" : task.attempt),
  worker: {
    width: "minmax(112px, 0.5fr)",
    cell: (task) => (
      <Show when={task.worker} fallback={<span class="quiet">—</span>}>
        {(worker) => <a class="quiet follow" tabIndex={-1} href={useHref(() => workerPath(worker()))()}>{worker()}</a>}
      </Show>
    )
  },
  wait: number("88px", (task) => <Wait task={task} />),
  run: number("88px", (task) => <Run task={task} />, false),
  age: number("100px", (task) => <Age at={task.submittedAt} />),
  tags: {
    width: "minmax(96px, 0.5fr)",
    cell: (task) => <span class="quiet">{task.tags?.join(", ") ?? "—"}</span>
  },
  tenant: { width: "minmax(88px, 0.4fr)", cell: (task) => <span class="quiet">{task.tenant ?? "—"}</span> },
  schedule: { width: "minmax(88px, 0.4fr)", cell: (task) => <span class="quiet">{task.schedule ?? "—"}</span> },
  submitted: number("112px", (task) => <Moment at={task.submittedAt} />)
}

/** Width in pixels that a column needs at least. */
const least = (width: string): number => Number(/\d+/u.exec(width)?.[0] ?? 0)

export const wideColumns = (rows: Rows, shown: ReadonlyArray<ColumnName>): ReadonlyArray<Column> => {
  const cell = (draw: (task: TaskRow) => JSX.Element) => (id: string) => {
    const task = rows.use(id)
    return <Show when={task()}>{(task) => draw(task())}</Show>
  }
  return [
    { head: "ID", width: "148px", cell: (id) => <Id id={id} /> },
    {
      head: "Task type",
      width: "minmax(180px, 1fr)",
      cell: cell((task) => <span class="mono" data-tip={task.name}>{task.name}</span>)
    },
    ...shown.map((name) => ({ ...made[name], head: columnNames[name], cell: cell(made[name].cell) }))
  ]
}

export const widthOf = (columns: ReadonlyArray<Column>): number =>
  columns.reduce((sum, { width }) => sum + least(width), 0)

/** On a phone: two lines with what matters most. */
export const narrowColumns = (rows: Rows): ReadonlyArray<Column> => [
  {
    head: "Task",
    width: "minmax(0, 1fr)",
    cell: (id) => {
      const task = rows.use(id)
      return (
        <Show when={task()}>
          {(task) => (
            <span class="lines">
              <span class="mono clip">{task().name}</span>
              <span
                class="small clip"
                classList={{ "is-bad": task().error !== undefined, quiet: task().error === undefined }}
              >
                {task().error ?? `${shortId(id)}${task().worker === undefined ? "" : ` · ${task().worker}`}`}
              </span>
            </span>
          )}
        </Show>
      )
    }
  },
  {
    head: "Status",
    width: "116px",
    end: true,
    cell: (id) => {
      const task = rows.use(id)
      return (
        <Show when={task()}>
          {(task) => (
            <span class="lines">
              <StatusBadge task={task()} />
              <span class="small num quiet">
                <Age at={task().submittedAt} />
              </span>
            </span>
          )}
        </Show>
      )
    }
  }
]
