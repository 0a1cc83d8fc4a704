/** The list of tasks: search, states, rows, and what is done with many of them. */
import { useLocation, useNavigate, useSearchParams } from "@solidjs/router"
import { createMemo, createSignal, lazy, onCleanup, onMount, Show, Suspense } from "solid-js"
import { createQuery } from "../../api/createQuery.ts"
import { Button, IconButton } from "../../components/Button.tsx"
import { copyText } from "../../components/CopyButton.tsx"
import { EmptyState, ErrorPanel, Skeleton } from "../../components/Feedback.tsx"
import { ChevronUp, RotateCw } from "../../components/icons.ts"
import { Menu } from "../../components/Menu.tsx"
import { Page } from "../../components/Page.tsx"
import { createSelection } from "../../components/selection.ts"
import type { TokenName } from "../../components/tokens.ts"
import { TokenSearch } from "../../components/TokenSearch.tsx"
import { selectColumn, VirtualGrid } from "../../components/VirtualGrid.tsx"
import { useApp } from "../../Context.ts"
import { clock, count, plural } from "../../format.ts"
import { useCommand } from "../../keyboard/Commands.ts"
import type { Rows } from "../../live/Rows.ts"
import { taskPath } from "../../paths.ts"
import { useActions } from "./actions.ts"
import { BulkBar, createBulk } from "./BulkBar.tsx"
import { columnNames, createColumns, narrowColumns, wideColumns, widthOf } from "./columns.tsx"
import { createTaskList } from "./createTaskList.ts"
import {
  addressOf,
  filterOf,
  filterOfText,
  isFiltered,
  isSame,
  isSort,
  paramsOf,
  priorityValues,
  type Sort,
  sorts,
  stateValues,
  textOf,
  tokenHints,
  wordsOf
} from "./query.ts"
import { StatusTabs } from "./StatusTabs.tsx"
import { createViews } from "./views.ts"
import { ViewsDialog } from "./ViewsDialog.tsx"

const TaskDrawer = lazy(() => import("./detail/TaskDrawer.tsx"))

/** Rows whose tags and tenants are suggested. */
const maxLooked = 500
const keysOf = <A extends string>(record: Readonly<Record<A, unknown>>) => Object.keys(record) as Array<A>

const createNarrow = () => {
  const media = matchMedia("(max-width: 760px)")
  const [isNarrow, setNarrow] = createSignal(media.matches)
  const change = () => setNarrow(media.matches)
  media.addEventListener("change", change)
  onCleanup(() => media.removeEventListener("change", change))
  return isNarrow
}

export const TaskListPage = (props: { readonly open: string | undefined; readonly onExpand: () => void }) => {
  const { api, live, toasts } = useApp()
  const [search, setSearch] = useSearchParams()
  const location = useLocation()
  const navigate = useNavigate()
  const filter = createMemo(() => filterOf(search), undefined, { equals: isSame })
  const sort = createMemo((): Sort => isSort(search["sort"]) ? search["sort"] : "newest")
  const list = createTaskList(filter, sort)
  const selection = createSelection()
  const columns = createColumns()
  const views = createViews()
  const isNarrow = createNarrow()
  const [active, setActive] = createSignal<string>()
  const [saving, setSaving] = createSignal(false)

  const address = (id: string) => `${taskPath(id)}${location.search}`
  const open = (id: string) => navigate(address(id), { scroll: false })
  const close = () => navigate(`/tasks${location.search}`, { scroll: false })
  const actions = useActions(open)
  const words = () => wordsOf(filter())
  const bulk = createBulk(list, selection, actions, words)

  // Search
  const types = createQuery(() => true as const, (_, signal) => api.types.list(signal))
  const seen = (values: (id: string) => string | ReadonlyArray<string>) => [
    ...new Set(list.ids().slice(0, maxLooked).flatMap(values))
  ]
  const values: Readonly<Record<string, () => ReadonlyArray<string>>> = {
    status: () => stateValues,
    type: () => types.data()?.types.map(({ name }) => name) ?? [],
    priority: () => priorityValues,
    worker: () => [...new Set(live.data.workers.map(({ id }) => id))],
    tag: () => seen((id) => list.rows.get(id)?.tags ?? []),
    tenant: () => seen((id) => list.rows.get(id)?.tenant ?? []),
    schedule: () => seen((id) => list.rows.get(id)?.schedule ?? []),
    since: () => ["5m", "15m", "1h", "24h"],
    until: () => ["5m", "15m", "1h", "24h"]
  }
  const names: ReadonlyArray<TokenName> = Object.entries(tokenHints).map(([name, hint]) => ({
    name,
    hint,
    ...values[name] === undefined ? {} : { values: values[name] }
  }))
  const change = (text: string) => {
    const next = filterOfText(text)
    if (!isSame(next, filter())) setSearch(paramsOf(next), { replace: true, scroll: false })
  }
  const clear = () => setSearch(paramsOf({}), { scroll: false })
  const withState = (state: string | undefined) => {
    const { state: _, ...rest } = filter()
    return addressOf(state === undefined ? rest : { ...rest, state }, sort())
  }

  // Keys: on what is selected, else on the row that has the focus.
  const has = () => selection.ids().size > 0
  const focused = () => active() ?? list.ids()[0]
  const act = (action: "retry" | "cancel") => {
    const id = focused()
    if (has()) void bulk.run(action)
    else if (id !== undefined) void actions[action](id)
  }
  useCommand("task.retry", () => act("retry"), live.blocked)
  useCommand("task.cancel", () => act("cancel"), live.blocked)
  useCommand("task.copy", () => {
    const id = focused()
    if (id !== undefined) void copyText(id).then((done) => toasts.add({ text: done ? `${id} copied.` : "Not copied." }))
  })
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || event.defaultPrevented || props.open !== undefined || !has()) return
    if (event.target instanceof Element && event.target.closest("input:not([type=checkbox]), [role=dialog]") !== null) {
      return
    }
    selection.clear()
    bulk.chooseAll(false)
  }
  onMount(() => document.addEventListener("keydown", onKey))
  onCleanup(() => document.removeEventListener("keydown", onKey))

  // Rows
  const order = () => list.ids()
  const shown = createMemo(() =>
    isNarrow()
      ? [selectColumn(selection, order), ...narrowColumns(list.rows)]
      : [selectColumn(selection, order), ...wideColumns(list.rows, columns.shown())]
  )
  const newer = () => list.counts()?.newer ?? 0
  const step = (by: number) => {
    const ids = list.ids()
    const at = ids.indexOf(props.open ?? "")
    const id = ids[at + by]
    return at === -1 || id === undefined ? undefined : () => {
      if (at + by > ids.length - 10) list.more()
      navigate(address(id), { replace: true, scroll: false })
    }
  }

  const columnItems = keysOf(columnNames).map((name) => ({
    label: columnNames[name],
    get checked() {
      return columns.shown().includes(name)
    },
    run: () => columns.toggle(name)
  }))
  const viewItems = () => [
    ...views.list().map(({ name, search }) => ({ label: name, run: () => navigate(`/tasks${search}`) })),
    ...views.list().length > 0 ? [] : [
      { label: "Failed in the last hour", run: () => navigate(addressOf({ state: "failed", since: "1h" })) },
      { label: "Waiting longest", run: () => navigate(addressOf({ state: "queued" }, "oldest")) }
    ],
    { label: "Save this view…", run: () => setSaving(true) }
  ]
  const sortItems = keysOf(sorts).map((value) => ({
    label: sorts[value],
    only: true,
    get checked() {
      return sort() === value
    },
    run: () => setSearch({ sort: value === "newest" ? undefined : value }, { scroll: false })
  }))
  const controls = (
    <>
      <TokenSearch
        label="Search tasks"
        placeholder="status:failed type:webhook.* since:1h or words"
        value={textOf(filter())}
        names={names}
        onChange={change}
      />
      <Menu label="Views" text items={viewItems()} />
      <Menu label={isNarrow() ? "Order" : sorts[sort()].replace(" first", "")} text items={sortItems} />
      <Show when={!isNarrow()}>
        <Menu label="Columns" text items={columnItems} />
      </Show>
      <Button
        class="button live-button"
        command="live.freeze"
        tip={live.frozen() ? "Let the view go on" : "Freeze the view"}
        aria-pressed={live.frozen()}
        onClick={() => live.freeze(!live.frozen())}
      >
        <span
          class="live"
          data-state={live.frozen() ? "frozen" : live.status()}
          data-tone={live.frozen() ? "run" : live.status() === "live" ? "ok" : "warn"}
        >
          {live.frozen() ? "Frozen" : live.status() === "live" ? "Live" : "Not live"}
        </span>
      </Button>
    </>
  )
  return (
    <Page title="Tasks" controls={controls}>
      <div class="tasks-bar">
        <StatusTabs state={filter().state} counts={list.counts()} address={withState} />
        <Show when={list.asOf()}>
          {(asOf) => (
            <span class="as-of num quiet small">
              <span data-tip="The list stays as it was then; the rows in it are live">as of {clock(asOf())}</span>
              <IconButton size="small" icon={RotateCw} label="List again" busy={list.loading()} onClick={list.reload} />
            </span>
          )}
        </Show>
      </div>
      <Show when={list.problem()}>
        {(problem) => <ErrorPanel title="The list can't be shown" problem={problem()} retry={list.reload} />}
      </Show>
      <Show
        when={list.asOf() !== undefined}
        fallback={
          <Show when={list.loading()}>
            <Skeleton rows={14} />
          </Show>
        }
      >
        <div
          class="tasks-list"
          hidden={list.problem() !== undefined}
          data-stale={list.stale() ? "" : undefined}
          data-bulk={has() ? "" : undefined}
        >
          <Show
            when={list.ids().length > 0}
            fallback={
              <Show when={!list.loading()}>
                <Show
                  when={isFiltered(filter())}
                  fallback={
                    <EmptyState
                      title="No task yet"
                      text="Tasks stand here from the moment they are submitted. Submit one:"
                      code={`fastworker submit add '{"x": 1, "y": 2}'`}
                    />
                  }
                >
                  <EmptyState title="No task matches" text={`There are no ${words()}.`}>
                    <Button onClick={clear}>Clear the search</Button>
                  </EmptyState>
                </Show>
              </Show>
            }
          >
            <Show when={newer() > 0 && sort() !== "oldest"}>
              <button type="button" class="pill num" onClick={list.reload}>
                <ChevronUp size={14} class="icon" aria-hidden="true" />
                {plural(newer(), "new task")}
              </button>
            </Show>
            <VirtualGrid
              label="Tasks"
              ids={list.ids()}
              columns={shown()}
              total={list.counts()?.total ?? list.ids().length}
              selection={selection}
              current={props.open}
              onOpen={open}
              onActive={setActive}
              onEnd={list.more}
              minWidth={isNarrow() ? 0 : widthOf(shown())}
              height={isNarrow() ? "max(320px, calc(100dvh - 220px))" : "max(320px, calc(100dvh - 126px))"}
              tall={(id) => isNarrow() || list.hadError(id)}
              second={isNarrow() ? undefined : (id) => <ErrorLine rows={list.rows} id={id} />}
            />
            <Show when={list.moreProblem()}>
              {(problem) => (
                <ErrorPanel
                  title={`Only the first ${count(list.ids().length)} are here`}
                  problem={problem()}
                  retry={list.reload}
                />
              )}
            </Show>
          </Show>
          <BulkBar bulk={bulk} list={list} selection={selection} />
        </div>
      </Show>
      <Show when={props.open}>
        {(id) => (
          <Suspense>
            <TaskDrawer
              id={id()}
              previous={step(-1)}
              next={step(1)}
              onClose={close}
              onExpand={props.onExpand}
              onOpen={open}
            />
          </Suspense>
        )}
      </Show>
      <Show when={saving()}>
        <ViewsDialog
          views={views}
          search={location.search}
          words={words()}
          onClose={() => setSaving(false)}
        />
      </Show>
    </Page>
  )
}

const ErrorLine = (props: { readonly rows: Rows; readonly id: string }) => {
  const task = props.rows.use(props.id)
  return <span class="error-line clip" data-tip={task()?.error}>{task()?.error ?? "\u00a0"}</span>
}
