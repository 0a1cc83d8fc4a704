/** Tasks that run again and again: when each is due next and how its last ones ended. */
import { A, useNavigate, useSearchParams } from "@solidjs/router"
import { createEffect, createMemo, For, on, Show } from "solid-js"
import type { ScheduleRow } from "../../../domain/View.ts"
import { createQuery } from "../../api/createQuery.ts"
import { Button } from "../../components/Button.tsx"
import { EmptyState, ErrorPanel, Skeleton } from "../../components/Feedback.tsx"
import { FilterField, matches } from "../../components/FilterField.tsx"
import { RotateCw } from "../../components/icons.ts"
import { Menu } from "../../components/Menu.tsx"
import { Page } from "../../components/Page.tsx"
import { byName } from "../../components/sorting.ts"
import { Moment, Until } from "../../components/Times.tsx"
import { useApp } from "../../Context.ts"
import { count, plural } from "../../format.ts"
import { createRowKeys } from "../../keyboard/createRowKeys.ts"
import { typePath } from "../../paths.ts"
import { makeActions, type ScheduleActions } from "./actions.ts"
import { ScheduleDrawer } from "./ScheduleDrawer.tsx"
import { Ticks } from "./Ticks.tsx"
import { dueTimes } from "./words.ts"
import "./schedules.css"

const reloadMillis = 2_000

const example = `import { Task } from "fastworker"
import { report } from "./report.ts"

// In a file of tasks: workers declare it when they join.
export const daily = Task.cron(report, "0 2 * * *", { timeZone: "Europe/Berlin" })
export const often = Task.every(report, "10 minutes")`

export default function Schedules() {
  const app = useApp()
  const { api, live } = app
  const navigate = useNavigate()
  const [search, setSearch] = useSearchParams<{ q?: string; schedule?: string }>()
  const query = () => search.q ?? ""
  const schedules = createQuery(() => true as const, (_, signal) => api.schedules.list(signal), {
    every: reloadMillis
  })
  // One more or one less, or paused by somebody else: that does not wait.
  createEffect(on(() => [live.data.stats.schedules, live.data.paused.join()].join(), schedules.reload, { defer: true }))
  const actions = makeActions(app, navigate, schedules.reload)
  const rowKeys = createRowKeys()
  const all = () => schedules.data()?.schedules ?? []
  const byId = createMemo(() => new Map(all().map((schedule) => [schedule.id, schedule])))
  const found = createMemo(
    () => all().filter(({ id, name, words }) => matches(query(), id, name, words)).map(({ id }) => id).toSorted(byName),
    [],
    { equals: (a, b) => a.length === b.length && a.every((id, index) => id === b[index]) }
  )
  const open = (id: string | undefined) => setSearch({ schedule: id })
  const opened = () => search.schedule === undefined ? undefined : byId().get(search.schedule)
  const paused = () => all().filter(actions.isPaused).length

  return (
    <Page
      title="Schedules"
      mark={
        <Show when={all().length > 0}>
          <span class="quiet num">
            {plural(all().length, "schedule")}
            {paused() > 0 ? `, ${count(paused())} paused` : ""}
          </span>
        </Show>
      }
      controls={
        <Show when={all().length > 0}>
          <FilterField
            label="Filter schedules"
            value={query()}
            onChange={(q) => setSearch({ q: q === "" ? undefined : q }, { replace: true })}
          />
        </Show>
      }
    >
      <Show when={schedules.problem()}>
        {(problem) => <ErrorPanel title="The schedules can't be shown" problem={problem()} retry={schedules.reload} />}
      </Show>
      <Show
        when={schedules.data()}
        fallback={
          <Show when={schedules.loading()}>
            <Skeleton rows={6} height={52} />
          </Show>
        }
      >
        <Show
          when={all().length > 0}
          fallback={
            <EmptyState
              title="Nothing is scheduled"
              text="A schedule submits a task at certain times, once for all workers together. Declare it beside the task:"
              code={example}
            />
          }
        >
          <Show
            when={found().length > 0}
            fallback={
              <EmptyState title={`No schedule matches “${query()}”`}>
                <Button onClick={() => setSearch({ q: undefined }, { replace: true })}>Clear the filter</Button>
              </EmptyState>
            }
          >
            <table class="table schedules" ref={rowKeys.ref} onKeyDown={rowKeys.onKeyDown} aria-label="Schedules">
              <thead>
                <tr>
                  <th scope="col">Schedule</th>
                  <th scope="col" class="when-cell">When</th>
                  <th scope="col">Next</th>
                  <th scope="col" class="ticks-cell">Last 20</th>
                  <th scope="col" class="run-cell">
                    <span class="reader">Run</span>
                  </th>
                  <th scope="col" class="menu-cell">
                    <span class="reader">More</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                <For each={found()}>
                  {(id) => (
                    <Show when={byId().get(id)}>
                      {(schedule) => <Row schedule={schedule()} actions={actions} open={() => open(id)} />}
                    </Show>
                  )}
                </For>
              </tbody>
            </table>
          </Show>
          <Show when={opened()} fallback={<Missing id={search.schedule} close={() => open(undefined)} />}>
            {(schedule) => <ScheduleDrawer schedule={schedule()} actions={actions} onClose={() => open(undefined)} />}
          </Show>
        </Show>
      </Show>
    </Page>
  )
}

/** A link to a schedule that is not there any more says so. */
const Missing = (props: { readonly id: string | undefined; readonly close: () => void }) => (
  <Show when={props.id}>
    {(id) => (
      <div class="table-more">
        <span class="quiet">There is no schedule “{id()}” any more.</span>{" "}
        <Button size="small" onClick={props.close}>All right</Button>
      </div>
    )}
  </Show>
)

const Row = (
  props: { readonly schedule: ScheduleRow; readonly actions: ScheduleActions; readonly open: () => void }
) => {
  const { live } = useApp()
  const it = () => props.schedule
  const isPaused = () => props.actions.isPaused(it())
  return (
    <tr>
      <td>
        <span class="name-line">
          <button
            type="button"
            data-row={it().id}
            class="row-name clip"
            aria-haspopup="dialog"
            onClick={() => props.open()}
          >
            {it().id}
          </button>
          <Show when={isPaused()}>
            <span class="tag" data-tone="warn">Paused</span>
          </Show>
        </span>
        <A class="mono quiet clip schedule-type" href={typePath(it().name)}>{it().name}</A>
      </td>
      <td class="when-cell">
        <span class="clip schedule-words" data-tip={it().words}>{it().words}</span>
        <Show when={it().skipped > 0}>
          <span class="small quiet num" data-tip="The task before still ran, or it was refused">
            {plural(it().skipped, "time")} left out
          </span>
        </Show>
      </td>
      <td class="num">
        <Show when={!isPaused()} fallback={<span class="quiet">Paused</span>}>
          <Show when={dueTimes(it().upcoming)[0] ?? it().nextAt} fallback={<span class="quiet">Never again</span>}>
            {(at) => (
              <>
                <b class="next">
                  <Until at={at()} />
                </b>
                <span class="small quiet">
                  <Moment at={at()} />
                </span>
              </>
            )}
          </Show>
        </Show>
      </td>
      <td class="ticks-cell">
        <Ticks runs={it().runs} />
      </td>
      <td class="end run-cell">
        <Button
          size="small"
          icon={RotateCw}
          blocked={live.blocked()}
          aria-label={`Run now: ${it().id}`}
          onClick={() => void props.actions.run(it())}
        >
          Run now
        </Button>
      </td>
      <td class="end menu-cell">
        <Menu
          size="small"
          label={`Actions for ${it().id}`}
          items={[
            { label: "Details", run: () => props.open() },
            { label: "Run now", run: () => void props.actions.run(it()), blocked: live.blocked() },
            isPaused()
              ? { label: "Resume", run: () => void props.actions.resume(it()), blocked: live.blocked() }
              : { label: "Pause", run: () => void props.actions.pause(it()), blocked: live.blocked() },
            {
              label: "Remove…",
              kind: "danger",
              run: () => void props.actions.remove(it()),
              blocked: live.blocked()
            }
          ]}
        />
      </td>
    </tr>
  )
}
