/** All workers, live: what they run, how busy they are and how they feel. */
import { A, useSearchParams } from "@solidjs/router"
import { createMemo, createSignal, For, on, Show } from "solid-js"
import type { WorkerRow } from "../../../domain/View.ts"
import { Button } from "../../components/Button.tsx"
import { EmptyState, Skeleton } from "../../components/Feedback.tsx"
import { FilterField, matches } from "../../components/FilterField.tsx"
import { Menu } from "../../components/Menu.tsx"
import { Page } from "../../components/Page.tsx"
import { SlotSquares } from "../../components/SlotSquares.tsx"
import { createSortHeads } from "../../components/SortHead.tsx"
import { byName, sorted, type SortKeys } from "../../components/sorting.ts"
import { Sparkline } from "../../components/Sparkline.tsx"
import { workerStates } from "../../components/status.ts"
import { Age } from "../../components/Times.tsx"
import { type App, useApp } from "../../Context.ts"
import { ago, bytes, count, duration, percent, plural } from "../../format.ts"
import { createRowKeys } from "../../keyboard/createRowKeys.ts"
import { workerPath } from "../../paths.ts"
import { addressOf } from "../overview/notable.ts"
import { workerMenu } from "./actions.ts"
import { failedShare } from "./words.ts"
import "./workers.css"

const maxSquares = 16
/** Rows that are drawn at first. */
const maxRows = 100
/** An order that depends on live numbers is renewed so often, and not under the pointer. */
const renewMillis = 5_000
/** Lag from which on an event loop is slow. */
const slowLag = 200

const sortKeys: SortKeys<WorkerRow> = {
  name: ({ id }) => id,
  state: ({ state }) => ["lost", "unresponsive", "paused", "draining", "active"].indexOf(state).toString(),
  busy: ({ running, slots }) => running / Math.max(1, slots),
  rate: ({ perMinute }) => perMinute,
  failed: (worker) => failedShare(worker) ?? -1,
  heartbeat: ({ lastSeenAt }) => -lastSeenAt,
  lag: ({ lag }) => lag,
  heap: ({ heapUsed }) => heapUsed ?? -1
}

/** This process first, the others by name. */
const natural = (workers: ReadonlyArray<WorkerRow>) =>
  workers.toSorted((a, b) => Number(b.local) - Number(a.local) || byName(a.id, b.id) || a.registeredAt - b.registeredAt)

const summary = ({ live }: App): string => {
  const { workers } = live.data
  const up = workers.filter(({ state }) => state !== "lost")
  const slots = up.reduce((sum, { slots }) => sum + slots, 0)
  const busy = up.reduce((sum, { running }) => sum + running, 0)
  const others = (["paused", "draining", "unresponsive", "lost"] as const).flatMap((state) => {
    const found = workers.filter((worker) => worker.state === state).length
    return found === 0 ? [] : [`${count(found)} ${workerStates[state].label.toLowerCase()}`]
  })
  return [`${count(busy)} of ${plural(slots, "slot")} busy`, ...others].join(", ")
}

export default function Workers() {
  const app = useApp()
  const { live } = app
  const [search, setSearch] = useSearchParams<{ sort?: string; q?: string }>()
  const sort = () => search.sort ?? ""
  const query = () => search.q ?? ""
  const [held, setHeld] = createSignal(false)
  const [all, setAll] = createSignal(false)
  const rowKeys = createRowKeys()

  const keys = createMemo(() => live.data.workers.map(({ key }) => key).join())
  const turn = createMemo<number>((before) => {
    const next = Math.floor(live.now() / renewMillis)
    return held() || live.frozen() || sort() === "" ? before : next
  }, 0)
  const found = createMemo(
    on(
      [keys, sort, query, turn],
      () =>
        sorted(natural(live.data.workers), sortKeys, sort()).filter(({ host, id, state, version }) =>
          matches(query(), id, host, version, workerStates[state].label)
        )
    )
  )
  const shown = () => all() ? found() : found().slice(0, maxRows)
  const head = createSortHeads(sort, (sort) => setSearch({ sort }, { replace: true }))

  return (
    <Page
      title="Workers"
      mark={
        <Show when={live.data.workers.length > 0}>
          <span class="quiet num">{summary(app)}</span>
        </Show>
      }
      controls={
        <Show when={live.data.workers.length > 0}>
          <FilterField
            label="Filter workers"
            value={query()}
            onChange={(q) => setSearch({ q: q === "" ? undefined : q }, { replace: true })}
          />
        </Show>
      }
    >
      <Show when={live.ready()} fallback={<Skeleton rows={8} />}>
        <Show
          when={live.data.workers.length > 0}
          fallback={
            <EmptyState
              title="No worker is connected"
              text="Workers run the tasks, as many as you like, on any machine. One finds this control plane by itself:"
              code="fastworker worker --tasks tasks.ts"
            />
          }
        >
          <Show
            when={found().length > 0}
            fallback={
              <EmptyState title={`No worker matches “${query()}”`}>
                <Button onClick={() => setSearch({ q: undefined }, { replace: true })}>Clear the filter</Button>
              </EmptyState>
            }
          >
            <table
              class="table workers"
              ref={rowKeys.ref}
              onKeyDown={rowKeys.onKeyDown}
              onPointerEnter={() => setHeld(true)}
              onPointerLeave={() => setHeld(false)}
              aria-label="Workers"
            >
              <thead>
                <tr>
                  {head("name", "Worker", { words: true })}
                  {head("state", "State", { words: true })}
                  <th scope="col" class="slots-cell">Slots</th>
                  {head("busy", "Busy", { end: true })}
                  <th scope="col" class="load-cell">Load 15 m</th>
                  {head("rate", "Done/min", { end: true })}
                  {head("failed", "Failed", {
                    end: true,
                    class: "wide",
                    tip: "Attempts that failed, of all that ended"
                  })}
                  {head("heartbeat", "Heard", { end: true, tip: "When something was heard from it last" })}
                  {head("lag", "Lag", { end: true, class: "wide", tip: "How late its event loop is" })}
                  {head("heap", "Heap", { end: true, class: "wide" })}
                  <th scope="col" class="wide">Version</th>
                  <th scope="col" class="menu-cell">
                    <span class="reader">Actions</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                <For each={shown()}>{(worker) => <Row worker={worker} />}</For>
              </tbody>
            </table>
            <Show when={found().length > shown().length}>
              <p class="table-more">
                <Button size="small" onClick={() => setAll(true)}>
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

const Row = (props: { readonly worker: WorkerRow }) => {
  const app = useApp()
  const { live } = app
  const state = () => workerStates[props.worker.state]
  const isLost = () => props.worker.state === "lost"
  const failed = () => failedShare(props.worker)
  return (
    <tr data-lost={isLost() ? "" : undefined}>
      <td>
        <A
          data-row
          class="row-name clip"
          href={workerPath(addressOf(props.worker, live.data.workers))}
          data-tip={props.worker.host === undefined
            ? undefined
            : `${props.worker.host}, process ${props.worker.pid ?? "?"}`}
        >
          {props.worker.id}
        </A>
        <Show when={props.worker.local}>
          <small class="faint">local</small>
        </Show>
      </td>
      <td>
        <span class="status" data-tone={state().tone}>
          <i class="dot" data-shape={state().shape} />
          {state().label}
        </span>
      </td>
      <td class="slots-cell">
        <SlotSquares worker={props.worker} max={maxSquares} />
      </td>
      <td class="end num">
        <Show when={!isLost()} fallback="—">
          <b>{props.worker.running}</b>
          <span class="quiet">/{props.worker.slots}</span>
        </Show>
      </td>
      <td class="load-cell">
        <Sparkline values={props.worker.loads} width={64} tone={isLost() ? "mute" : "accent"} />
      </td>
      <td class="end num">{isLost() ? "—" : count(props.worker.perMinute)}</td>
      <td class="end num wide">{failed() === undefined ? "—" : percent(failed() ?? 0)}</td>
      <td class="end num" data-tone={isLost() || props.worker.state === "unresponsive" ? "bad" : undefined}>
        <Show when={isLost()} fallback={heard(live.now() - props.worker.lastSeenAt)}>
          <Age at={props.worker.lastSeenAt} />
        </Show>
      </td>
      <td class="end num wide" data-tone={!isLost() && props.worker.lag >= slowLag ? "warn" : undefined}>
        {isLost() ? "—" : duration(props.worker.lag)}
      </td>
      <td class="end num wide">
        {isLost() || props.worker.heapUsed === undefined ? "—" : bytes(props.worker.heapUsed)}
      </td>
      <td class="num wide quiet">{props.worker.version ?? "—"}</td>
      <td class="end menu-cell">
        <Menu size="small" label={`Actions for ${props.worker.id}`} items={workerMenu(app, props.worker)} />
      </td>
    </tr>
  )
}

/** Below a second the number would only flicker. */
const heard = (millis: number): string => millis < 2_000 ? "now" : ago(millis)
