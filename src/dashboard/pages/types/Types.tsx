/** All task types: how much of each there is, how fast it goes and how often it fails. */
import { A, useSearchParams } from "@solidjs/router"
import { createMemo, For, Show } from "solid-js"
import type { TypeRow } from "../../../domain/View.ts"
import { createQuery } from "../../api/createQuery.ts"
import { Button } from "../../components/Button.tsx"
import { EmptyState, ErrorPanel, Skeleton } from "../../components/Feedback.tsx"
import { FilterField, matches } from "../../components/FilterField.tsx"
import { Plus } from "../../components/icons.ts"
import { Menu } from "../../components/Menu.tsx"
import { Page } from "../../components/Page.tsx"
import { createSortHeads } from "../../components/SortHead.tsx"
import { sorted, type SortKeys } from "../../components/sorting.ts"
import { Sparkline } from "../../components/Sparkline.tsx"
import { PriorityGlyph } from "../../components/StatusBadge.tsx"
import { useApp } from "../../Context.ts"
import { compact, count, duration, percent, plural } from "../../format.ts"
import { createRowKeys } from "../../keyboard/createRowKeys.ts"
import { tasksPath, typePath } from "../../paths.ts"
import { isTypePaused, pauseType, resumeType } from "./actions.ts"
import { failedShare } from "./words.ts"
import "./types.css"

const reloadMillis = 2_000
/** Rows that are drawn at first. */
const maxRows = 200

const sortKeys: SortKeys<TypeRow> = {
  name: ({ name }) => name,
  workers: ({ workers }) => workers,
  waiting: ({ delayed, waiting }) => waiting + delayed / 1e9,
  running: ({ running }) => running,
  rate: ({ perMinute }) => perMinute,
  failed: (row) => failedShare(row) ?? -1,
  wait: ({ wait }) => wait?.p95 ?? -1,
  p50: ({ run }) => run?.p50 ?? -1,
  p95: ({ run }) => run?.p95 ?? -1
}

const example = `import { Schema } from "effect"
import { Task } from "fastworker"

export const send = Task.define("email.send", {
  args: { to: Schema.String },
  run: async ({ to }) => console.log(\`to \${to}\`)
})`

export default function Types() {
  const app = useApp()
  const { api, dialogs, live } = app
  const [search, setSearch] = useSearchParams<{ sort?: string; q?: string; all?: string }>()
  const sort = () => search.sort ?? ""
  const query = () => search.q ?? ""
  const types = createQuery(() => true as const, (_, signal) => api.types.list(signal), { every: reloadMillis })
  const rowKeys = createRowKeys()
  const all = () => types.data()?.types ?? []
  const byName = createMemo(() => new Map(all().map((type) => [type.name, type])))
  /** The names alone: rows stay as they are while their numbers change. */
  const found = createMemo(
    () =>
      sorted(all(), sortKeys, sort())
        .filter(({ description, name }) => matches(query(), name, description))
        .map(({ name }) => name),
    [],
    { equals: (a, b) => a.length === b.length && a.every((name, index) => name === b[index]) }
  )
  const isAll = () => search.all !== undefined
  const shown = () => isAll() ? found() : found().slice(0, maxRows)
  const head = createSortHeads(sort, (sort) => setSearch({ sort }, { replace: true }))

  return (
    <Page
      title="Task types"
      mark={
        <Show when={all().length > 0}>
          <span class="quiet num">{plural(all().length, "type")}</span>
        </Show>
      }
      controls={
        <>
          <Show when={all().length > 0}>
            <FilterField
              label="Filter task types"
              value={query()}
              onChange={(q) => setSearch({ q: q === "" ? undefined : q }, { replace: true })}
            />
          </Show>
          <Button kind="primary" icon={Plus} command="task.run" blocked={live.blocked()} onClick={() => dialogs.run()}>
            Run a task
          </Button>
        </>
      }
    >
      <Show when={types.problem()}>
        {(problem) => <ErrorPanel title="The task types can't be shown" problem={problem()} retry={types.reload} />}
      </Show>
      <Show
        when={types.data()}
        fallback={
          <Show when={types.loading()}>
            <Skeleton rows={8} height={52} />
          </Show>
        }
      >
        <Show
          when={all().length > 0}
          fallback={
            <EmptyState
              title="No task type is known yet"
              text="Workers announce what they can run when they join. Put a task into a file and start a worker with it: fastworker worker --tasks tasks.ts"
              code={example}
            />
          }
        >
          <Show
            when={found().length > 0}
            fallback={
              <EmptyState title={`No task type matches “${query()}”`}>
                <Button onClick={() => setSearch({ q: undefined }, { replace: true })}>Clear the filter</Button>
              </EmptyState>
            }
          >
            <table class="table types" ref={rowKeys.ref} onKeyDown={rowKeys.onKeyDown} aria-label="Task types">
              <thead>
                <tr>
                  {head("name", "Task type", { words: true })}
                  <th scope="col" class="wide">Priority</th>
                  {head("workers", "Workers", { end: true, class: "wide", tip: "That have a handler now" })}
                  {head("waiting", "Waiting", { end: true })}
                  {head("running", "Running", { end: true })}
                  <th scope="col" class="spark-cell">15 min</th>
                  {head("rate", "Done/min", { end: true })}
                  {head("failed", "Failed", {
                    end: true,
                    tip: "Of those that finished since the control plane's start"
                  })}
                  {head("wait", "Wait p95", { end: true, class: "wide", tip: "95 % waited less, over 15 minutes" })}
                  {head("p50", "Run p50", { end: true, class: "wide", tip: "Half ran faster, over 15 minutes" })}
                  {head("p95", "Run p95", { end: true, tip: "95 % ran faster, over 15 minutes" })}
                  <th scope="col" class="menu-cell">
                    <span class="reader">Actions</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                <For each={shown()}>
                  {(name) => <Show when={byName().get(name)}>{(type) => <Row type={type()} />}</Show>}
                </For>
              </tbody>
            </table>
            <Show when={found().length > shown().length}>
              <p class="table-more">
                <Button size="small" onClick={() => setSearch({ all: "1" }, { replace: true })}>
                  Show {count(found().length - shown().length)} more
                </Button>
              </p>
            </Show>
          </Show>
        </Show>
      </Show>
    </Page>
  )
}

const Row = (props: { readonly type: TypeRow }) => {
  const app = useApp()
  const { dialogs, live } = app
  const name = () => props.type.name
  const isPaused = () => isTypePaused(app, name())
  const failed = () => failedShare(props.type)
  const orNone = (value: number | undefined) => value === undefined ? "—" : duration(value)
  return (
    <tr>
      <td>
        <span class="name-line">
          <A data-row class="row-name mono clip" href={typePath(name())}>{name()}</A>
          <Show when={isPaused()}>
            <span class="tag" data-tone="warn">Paused</span>
          </Show>
          <Show when={props.type.workers === 0}>
            <span class="tag" data-tone={props.type.waiting > 0 ? "bad" : "mute"}>No worker</span>
          </Show>
        </span>
        <Show when={props.type.description}>
          {(text) => <span class="quiet small clip type-text" data-tip={text()}>{text()}</span>}
        </Show>
      </td>
      <td class="wide">
        <Show when={props.type.priority}>{(priority) => <PriorityGlyph priority={priority()} />}</Show>
      </td>
      <td class="end num wide">{count(props.type.workers)}</td>
      <td class="end num">
        <A href={tasksPath({ type: name(), state: "waiting" })} aria-label={`${count(props.type.waiting)} waiting`}>
          {compact(props.type.waiting)}
        </A>
        <Show when={props.type.delayed > 0}>
          <small class="quiet" data-tip="Delayed">+{compact(props.type.delayed)}</small>
        </Show>
      </td>
      <td class="end num">{compact(props.type.running)}</td>
      <td class="spark-cell">
        <Sparkline values={props.type.series} width={72} />
      </td>
      <td class="end num">{count(props.type.perMinute)}</td>
      <td class="end num" data-tone={props.type.failed > 0 ? "bad" : undefined}>
        <Show when={props.type.failed > 0} fallback={failed() === undefined ? "—" : percent(0)}>
          <A href={tasksPath({ type: name(), state: "failed" })}>{percent(failed() ?? 0)}</A>
        </Show>
      </td>
      <td class="end num wide">{orNone(props.type.wait?.p95)}</td>
      <td class="end num wide">{orNone(props.type.run?.p50)}</td>
      <td class="end num">{orNone(props.type.run?.p95)}</td>
      <td class="end menu-cell">
        <Menu
          size="small"
          label={`Actions for ${name()}`}
          items={[
            { label: "Run a task…", run: () => dialogs.run({ name: name() }), blocked: live.blocked() },
            isPaused()
              ? { label: "Resume", run: () => void resumeType(app, name()), blocked: live.blocked() }
              : { label: "Pause", run: () => void pauseType(app, name()), blocked: live.blocked() }
          ]}
        />
      </td>
    </tr>
  )
}
