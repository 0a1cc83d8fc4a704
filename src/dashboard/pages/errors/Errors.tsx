/** What fails, the same errors together, and the way to run them again. */
import { useSearchParams } from "@solidjs/router"
import { createEffect, createMemo, For, on, Show } from "solid-js"
import { createStore, reconcile } from "solid-js/store"
import type { ErrorGroup, Range } from "../../../domain/View.ts"
import { createQuery } from "../../api/createQuery.ts"
import { rangeLabels, rangeWords } from "../../charts/series.ts"
import { Button } from "../../components/Button.tsx"
import { SegmentedControl } from "../../components/Choice.tsx"
import { EmptyState, ErrorPanel, Skeleton } from "../../components/Feedback.tsx"
import { Menu } from "../../components/Menu.tsx"
import { Page } from "../../components/Page.tsx"
import { retryGroup } from "../../components/retryGroup.ts"
import { TokenSearch } from "../../components/TokenSearch.tsx"
import { useApp } from "../../Context.ts"
import { count, plural } from "../../format.ts"
import { useCommand } from "../../keyboard/Commands.ts"
import { GroupRows } from "./GroupRows.tsx"
import { errorSorts, errorTokens, isErrorSort, matching, sortedBy } from "./groups.ts"
import "./errors.css"

const ranges = Object.entries(rangeLabels).map(([value, label]) => ({ value: value as Range, label }))
const isRange = (value: unknown): value is Range => typeof value === "string" && value in rangeLabels
const reloadMillis = 5_000

export default function Errors() {
  const app = useApp()
  const { api, live } = app
  const [search, setSearch] = useSearchParams()
  const range = (): Range => isRange(search["range"]) ? search["range"] : "1h"
  const sort = () => isErrorSort(search["sort"]) ? search["sort"] : "count"
  const text = () => typeof search["q"] === "string" ? search["q"] : ""
  const opened = () => typeof search["group"] === "string" ? search["group"] : undefined
  const set = (params: Record<string, string | undefined>) => setSearch(params, { replace: true, scroll: false })

  const errors = createQuery(range, (range, signal) => api.errors({ range }, signal), { every: reloadMillis })
  createEffect(on(() => live.data.errors, errors.reload, { defer: true }))
  // Groups keep their rows, so that what is opened and has the focus stays.
  const [store, setStore] = createStore<{ groups: ReadonlyArray<ErrorGroup> }>({ groups: [] })
  createEffect(on(errors.data, (data) => setStore("groups", reconcile(data?.groups ?? [], { key: "key" }))))
  const shown = createMemo(() => sortedBy(matching(store.groups, text()), sort()))
  const failures = () => shown().reduce((sum, group) => sum + group.count, 0)

  let body: HTMLTableElement | undefined
  const buttons = () => [...body?.querySelectorAll<HTMLElement>("[data-group]") ?? []]
  const at = () => buttons().findIndex((button) => button.closest("tr")?.contains(document.activeElement) === true)
  const move = (by: number) => {
    const all = buttons()
    const next = all[Math.min(Math.max(0, at() === -1 ? 0 : at() + by), all.length - 1)]
    next?.focus()
    next?.scrollIntoView({ block: "nearest" })
  }
  const focused = () => shown().find(({ key }) => key === buttons()[at()]?.dataset["group"])
  useCommand("row.next", () => move(1))
  useCommand("row.previous", () => move(-1))
  useCommand("task.retry", () => {
    const group = focused() ?? shown().find(({ key }) => key === opened())
    if (group !== undefined) void retryGroup(app, group).then(errors.reload)
  }, live.blocked)

  const names = Object.entries(errorTokens).map(([name, hint]) => ({
    name,
    hint,
    values: () =>
      name === "is"
        ? ["new", "rising"]
        : [...new Set(store.groups.flatMap((group) => name === "type" ? group.name : group.workers))]
  }))
  const sortItems = (["count", "last", "first"] as const).map((value) => ({
    label: errorSorts[value],
    only: true,
    get checked() {
      return sort() === value
    },
    run: () => set({ sort: value === "count" ? undefined : value })
  }))
  const controls = (
    <>
      <TokenSearch
        label="Search errors"
        placeholder="words, type: or is:new"
        value={text()}
        names={names}
        onChange={(q) => set({ q: q === "" ? undefined : q })}
      />
      <Menu label={errorSorts[sort()]} text items={sortItems} />
      <SegmentedControl
        label="Time range"
        value={range()}
        options={ranges}
        onChange={(value) => set({ range: value === "1h" ? undefined : value })}
      />
    </>
  )
  return (
    <Page title="Errors" controls={controls}>
      <Show when={errors.problem()}>
        {(problem) => <ErrorPanel title="The errors can't be shown" problem={problem()} retry={errors.reload} />}
      </Show>
      <Show
        when={errors.data()}
        fallback={
          <Show when={errors.loading()}>
            <Skeleton rows={8} height={60} />
          </Show>
        }
      >
        <Show
          when={shown().length > 0}
          fallback={
            <Show
              when={store.groups.length > 0}
              fallback={
                <EmptyState
                  title={`Nothing failed in the last ${rangeWords[range()]}`}
                  text="Errors stand here grouped: by task type, kind and message, with the numbers in it left out."
                />
              }
            >
              <EmptyState
                title="No error matches"
                text={`None of ${plural(store.groups.length, "group")} matches “${text()}”.`}
              >
                <Button onClick={() => set({ q: undefined })}>Clear the search</Button>
              </EmptyState>
            </Show>
          }
        >
          <p class="errors-sum quiet num">
            <b>{count(failures())}</b> {failures() === 1 ? "failure" : "failures"} in{" "}
            {plural(shown().length, "group")}, last {rangeWords[range()]}
          </p>
          <div class="scroll" data-stale={errors.stale() ? "" : undefined}>
            <table class="table error-groups" ref={body}>
              <thead>
                <tr>
                  <th scope="col">Error</th>
                  <th scope="col">Task type</th>
                  <th scope="col">Last {rangeWords[range()]}</th>
                  <th scope="col" class="end">Count</th>
                  <th scope="col">Workers</th>
                  <th scope="col" class="end">First seen</th>
                  <th scope="col" class="end">Last seen</th>
                  <th scope="col">
                    <span class="reader">Actions</span>
                  </th>
                </tr>
              </thead>
              <For each={shown()}>
                {(group) => (
                  <GroupRows
                    group={group}
                    isOpen={opened() === group.key}
                    onToggle={() => set({ group: opened() === group.key ? undefined : group.key })}
                    reload={errors.reload}
                  />
                )}
              </For>
            </table>
          </div>
        </Show>
      </Show>
    </Page>
  )
}
