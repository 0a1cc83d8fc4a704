/** One worker: what it is, how it feels, what it runs now and what happened to it. */
import { A, useParams } from "@solidjs/router"
import { createMemo, For, type JSX, Show } from "solid-js"
import type { WorkerDetail, WorkerRow } from "../../../domain/View.ts"
import { createQuery } from "../../api/createQuery.ts"
import { Button } from "../../components/Button.tsx"
import { Chart } from "../../components/Chart.tsx"
import { CopyButton } from "../../components/CopyButton.tsx"
import { Events } from "../../components/Events.tsx"
import { Facts, Figures } from "../../components/Facts.tsx"
import { EmptyState, ErrorPanel, Skeleton } from "../../components/Feedback.tsx"
import { ChevronRight, Pause, Play } from "../../components/icons.ts"
import { Page } from "../../components/Page.tsx"
import { SlotSquares } from "../../components/SlotSquares.tsx"
import { workerStates } from "../../components/status.ts"
import { PriorityGlyph } from "../../components/StatusBadge.tsx"
import { Age, Moment, Took } from "../../components/Times.tsx"
import { useApp } from "../../Context.ts"
import { ago, bytes, count, duration, percent, plural, shortId } from "../../format.ts"
import { createRowKeys } from "../../keyboard/createRowKeys.ts"
import { priorities } from "../../live/merge.ts"
import { nameFrom, taskPath, tasksPath, typePath } from "../../paths.ts"
import { drainBlocked, drainWorker, isWorkerPaused, pauseBlocked, pauseWorker, resumeWorker } from "./actions.ts"
import { failedShare, meaningOf } from "./words.ts"
import "./workers.css"

const reloadMillis = 5_000
const chartHeight = 132
/** Current tasks that are listed: what runs is told of so many at most. */
const maxCurrent = 64

export default function WorkerPage() {
  const app = useApp()
  const { api, live } = app
  const params = useParams<{ id: string }>()
  const id = () => nameFrom(params.id)
  const detail = createQuery(id, api.workers.detail, { every: reloadMillis, forget: true })
  /** By key, or the newest of those with this id. */
  const row = createMemo((): WorkerRow | undefined =>
    live.data.workers.find(({ key }) => key === id()) ??
      live.data.workers.filter((worker) => worker.id === id()).toSorted((a, b) => b.registeredAt - a.registeredAt)[0]
  )
  const isGone = () => row() === undefined && detail.problem()?.status === 404
  const worker = (): WorkerRow | undefined => row() ?? detail.data()

  return (
    <Page
      title={worker()?.id ?? id()}
      before={<A class="crumb" href="/workers">Workers</A>}
      mark={
        <Show when={!isGone() && worker()}>
          {(worker) => (
            <span class="status" data-tone={workerStates[worker().state].tone}>
              <i class="dot" data-shape={workerStates[worker().state].shape} />
              {workerStates[worker().state].label}
            </span>
          )}
        </Show>
      }
      controls={
        <Show when={!isGone() && row()}>
          {(worker) => (
            <>
              <Show
                when={isWorkerPaused(app, worker())}
                fallback={
                  <Button
                    icon={Pause}
                    blocked={pauseBlocked(app, worker())}
                    tip="It gets no more tasks until it is resumed"
                    onClick={() => void pauseWorker(app, worker())}
                  >
                    Pause
                  </Button>
                }
              >
                <Button
                  icon={Play}
                  blocked={pauseBlocked(app, worker())}
                  onClick={() => void resumeWorker(app, worker())}
                >
                  Resume
                </Button>
              </Show>
              <Button
                kind="danger"
                blocked={drainBlocked(app, worker())}
                tip="It finishes what it runs, then leaves"
                onClick={() => void drainWorker(app, worker())}
              >
                Drain
              </Button>
            </>
          )}
        </Show>
      }
    >
      <Show
        when={!isGone()}
        fallback={
          <EmptyState
            title={`${id()} is not here`}
            text="Workers that leave are forgotten at once, lost ones after 10 minutes. When it comes back it shows up by itself."
          >
            <A class="link" href="/workers">All workers</A>
          </EmptyState>
        }
      >
        <Show when={worker()} fallback={<Skeleton rows={8} height={52} />}>
          {(worker) => <Body worker={worker()} detail={detail.data()} />}
        </Show>
        <Show when={detail.problem()?.status === 404 ? undefined : detail.problem()}>
          {(problem) => <ErrorPanel title="The rest can't be shown" problem={problem()} retry={detail.reload} />}
        </Show>
      </Show>
    </Page>
  )
}

const Body = (props: { readonly worker: WorkerRow; readonly detail: WorkerDetail | undefined }) => {
  const { live } = useApp()
  const worker = () => props.worker
  const isLost = () => worker().state === "lost"
  const known = (value: number | undefined, format: (value: number) => string) =>
    isLost() || value === undefined ? "—" : format(value)
  const heard = () => {
    const millis = live.now() - worker().lastSeenAt
    return millis < 2_000 ? "now" : ago(millis)
  }
  const total = () => worker().succeeded + worker().failed

  return (
    <>
      <Show when={meaningOf(worker(), live.now())}>
        {(meaning) => (
          <div class="meaning" data-tone={meaning().tone}>
            <p>
              <strong>{meaning().title}.</strong> {meaning().text}
            </p>
          </div>
        )}
      </Show>
      <div class="panel">
        <div>
          <SlotSquares worker={worker()} max={128} />
        </div>
        <Figures
          figures={[
            {
              name: "Busy slots",
              value: () => isLost() ? "—" : count(worker().running),
              note: () => isLost() ? undefined : `of ${count(worker().slots)}`
            },
            { name: "Finished a minute", value: () => isLost() ? "—" : count(worker().perMinute) },
            {
              name: "Attempts that failed",
              value: () => percent(failedShare(worker()) ?? 0),
              note: () => total() === 0 ? "none ended yet" : `${count(worker().failed)} of ${count(total())}`
            },
            {
              name: "Heard from",
              value: heard,
              tone: () => isLost() || worker().state === "unresponsive" ? "bad" : undefined
            },
            { name: "Event-loop lag", value: () => known(worker().lag, duration) },
            {
              name: "Heap",
              value: () => known(worker().heapUsed, bytes),
              note: () =>
                isLost() || worker().heapLimit === undefined ? undefined : `of ${bytes(worker().heapLimit ?? 0)}`
            },
            { name: "Memory", value: () => known(worker().rss, bytes) },
            { name: "CPU", value: () => known(worker().cpu, percent), note: () => isLost() ? undefined : "of a core" }
          ]}
        />
      </div>
      <div class="cells">
        <Trends detail={props.detail} slots={worker().slots} />
        <section aria-labelledby="identity">
          <header>
            <h2 id="identity">Identity</h2>
          </header>
          <Facts
            facts={[
              {
                name: "Key",
                value: (
                  <span class="copy-line">
                    <span class="mono clip">{worker().key}</span>
                    <CopyButton text={worker().key} label="Copy the key" />
                  </span>
                ),
                tip: "Tells it apart from its restarts and from others with the same name"
              },
              { name: "Host", value: `${worker().host ?? "unknown"}${worker().local ? " (the control plane)" : ""}` },
              { name: "Process", value: worker().pid === undefined ? "unknown" : `${worker().pid}` },
              {
                name: "Versions",
                value: `FastWorker ${worker().version ?? "unknown"}, ${worker().runtime ?? "runtime unknown"}`
              },
              {
                name: "Joined",
                value: (
                  <>
                    <Moment at={worker().registeredAt} />, <Age at={worker().registeredAt} />
                  </>
                )
              }
            ]}
          />
        </section>
      </div>
      <div class="two">
        <Current worker={worker()} />
        <div>
          <Known detail={props.detail} />
          <section class="block" aria-labelledby="worker-events">
            <header>
              <h2 id="worker-events">Events</h2>
            </header>
            <Show
              when={(props.detail?.events.length ?? 0) > 0}
              fallback={<p class="panel-pad quiet">{props.detail === undefined ? "" : "Nothing was noted of it."}</p>}
            >
              <Events events={props.detail?.events ?? []} />
            </Show>
          </section>
        </div>
      </div>
    </>
  )
}

interface Trend {
  readonly id: string
  readonly title: string
  readonly color: string
  readonly values: (series: WorkerDetail["series"]) => ReadonlyArray<number | null>
  readonly format: (value: number) => string
  readonly atLeast?: number
  /** Said when it is zero all the time. */
  readonly none?: string
}

const plain = new Intl.NumberFormat("en", { maximumFractionDigits: 1 })
const share = (value: number) => `${plain.format(value * 100)}\u00a0%`

const trends: ReadonlyArray<Trend> = [
  { id: "load", title: "Busy slots", color: "--accent", values: ({ load }) => load, format: share, atLeast: 1 },
  {
    id: "finished",
    title: "Finished a minute",
    color: "--accent",
    values: ({ finished, stepMillis }) => finished.map((value) => value * 60_000 / stepMillis),
    format: (value) => plain.format(value),
    atLeast: 6,
    none: "Nothing finished in this time"
  },
  { id: "lag", title: "Event-loop lag", color: "--accent", values: ({ lag }) => lag, format: duration, atLeast: 50 },
  { id: "cpu", title: "CPU", color: "--accent", values: ({ cpu }) => cpu, format: share, atLeast: 0.5 },
  { id: "heap", title: "Heap", color: "--accent", values: ({ heap }) => heap, format: bytes, atLeast: 16e6 }
]

const Trends = (props: { readonly detail: WorkerDetail | undefined; readonly slots: number }) => (
  <For each={trends}>
    {(trend) => {
      const values = () => props.detail === undefined ? [] : trend.values(props.detail.series).slice(0, -1)
      const known = () => values().filter((value) => value !== null)
      const last = () => known().at(-1)
      const label = () =>
        last() === undefined
          ? `${trend.title}: nothing known yet.`
          : `${trend.title} over the last 15 minutes: now ${trend.format(last() ?? 0)}, at most ${
            trend.format(Math.max(...known()))
          }.`
      return (
        <section aria-labelledby={`trend-${trend.id}`}>
          <header>
            <h2 id={`trend-${trend.id}`}>{trend.title}</h2>
            <span class="small quiet push">15 min</span>
          </header>
          <Show
            when={known().length > 1}
            fallback={
              <p class="quiet small no-chart" style={{ height: `${chartHeight}px` }}>
                {props.detail === undefined ? "" : "It is drawn when it has said it for a while."}
              </p>
            }
          >
            <Chart
              label={label()}
              from={props.detail?.series.from ?? 0}
              stepMillis={props.detail?.series.stepMillis ?? 1}
              lines={[{ label: trend.title, values: values(), color: trend.color, kind: "area" }]}
              format={trend.format}
              height={chartHeight}
              {...trend.none === undefined ? {} : { none: trend.none }}
              {...trend.atLeast === undefined ? {} : { atLeast: trend.atLeast }}
            />
          </Show>
        </section>
      )
    }}
  </For>
)

const Current = (props: { readonly worker: WorkerRow }) => {
  const rowKeys = createRowKeys()
  const busy = () => props.worker.state === "lost" ? [] : props.worker.busy.slice(0, maxCurrent)
  const ids = createMemo(() => busy().map(([id]) => id), [], { equals: (a, b) => a.join() === b.join() })
  const untold = () => props.worker.state === "lost" ? 0 : props.worker.running - busy().length
  return (
    <section class="block" aria-labelledby="current">
      <header>
        <h2 id="current">Runs now</h2>
        <span class="num">{props.worker.state === "lost" ? 0 : count(props.worker.running)}</span>
        <A class="more" href={tasksPath({ worker: props.worker.id })}>
          All its tasks<ChevronRight size={14} class="icon" aria-hidden="true" />
        </A>
      </header>
      <Show
        when={ids().length > 0}
        fallback={
          <EmptyState
            small
            title={props.worker.state === "lost" ? "Nothing: its tasks run elsewhere" : "Nothing runs on it now"}
          />
        }
      >
        <table class="table" ref={rowKeys.ref} onKeyDown={rowKeys.onKeyDown} aria-labelledby="current">
          <thead>
            <tr>
              <th scope="col">Task</th>
              <th scope="col">Task type</th>
              <th scope="col" class="narrow-out">Priority</th>
              <th scope="col" class="end">Runs for</th>
            </tr>
          </thead>
          <tbody>
            <For each={ids()}>
              {(id) => {
                const slot = createMemo(() => busy().find(([other]) => other === id))
                return (
                  <Show when={slot()}>
                    {(slot) => (
                      <tr>
                        <td>
                          <A data-row class="mono" href={taskPath(id)}>{shortId(id)}</A>
                        </td>
                        <td class="mono clip type-cell">
                          <A href={typePath(slot()[1])}>{slot()[1]}</A>
                        </td>
                        <td class="narrow-out">
                          <PriorityGlyph priority={priorities[slot()[2]] ?? "normal"} />
                        </td>
                        <td class="end num">
                          <Took from={slot()[3]} />
                        </td>
                      </tr>
                    )}
                  </Show>
                )
              }}
            </For>
          </tbody>
        </table>
        <Show when={untold() > 0}>
          <p class="table-more">
            <A class="link" href={tasksPath({ worker: props.worker.id, state: "running" })}>
              and {plural(untold(), "more task")}
            </A>
          </p>
        </Show>
      </Show>
    </section>
  )
}

const Known = (props: { readonly detail: WorkerDetail | undefined }): JSX.Element => (
  <section class="block" aria-labelledby="known">
    <header>
      <h2 id="known">Task types it knows</h2>
      <span class="num">{props.detail === undefined ? "" : count(props.detail.tasks.length)}</span>
    </header>
    <Show
      when={(props.detail?.tasks.length ?? 0) > 0}
      fallback={
        <p class="panel-pad quiet">
          {props.detail === undefined ? "" : "None: it was started without files of tasks."}
        </p>
      }
    >
      <div class="panel-pad chips">
        <For each={props.detail?.tasks}>{(name) => <A href={typePath(name)} data-tip={name}>{name}</A>}</For>
      </div>
    </Show>
  </section>
)
