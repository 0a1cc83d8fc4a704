/** One task type: how it goes, what it takes and gives, its rules, and what it failed with. */
import { A, useParams, useSearchParams } from "@solidjs/router"
import { For, Show } from "solid-js"
import type { ErrorGroup, Range, TypeDetail } from "../../../domain/View.ts"
import { createQuery } from "../../api/createQuery.ts"
import { rangeLabels } from "../../charts/series.ts"
import { Button } from "../../components/Button.tsx"
import { SegmentedControl } from "../../components/Choice.tsx"
import { CopyButton } from "../../components/CopyButton.tsx"
import { Facts, Figures } from "../../components/Facts.tsx"
import { EmptyState, ErrorPanel, Skeleton } from "../../components/Feedback.tsx"
import { ChevronRight, Pause, Play, Plus } from "../../components/icons.ts"
import { Page } from "../../components/Page.tsx"
import { Sparkline } from "../../components/Sparkline.tsx"
import { PriorityGlyph } from "../../components/StatusBadge.tsx"
import { Age } from "../../components/Times.tsx"
import { useApp } from "../../Context.ts"
import { compact, count, duration, percent, shortId } from "../../format.ts"
import { errorPath, nameFrom, taskPath, tasksPath, workerPath } from "../../paths.ts"
import { Charts } from "../overview/Charts.tsx"
import { isTypePaused, pauseType, resumeType } from "./actions.ts"
import { SchemaPanel } from "./SchemaPanel.tsx"
import { failedShare, limitWords } from "./words.ts"
import "./types.css"
import "../overview/overview.css"

const reloadMillis = 2_000
const seriesMillis = 5_000
const maxErrors = 8
const maxWorkers = 24

const ranges = Object.entries(rangeLabels).map(([value, label]) => ({ value: value as Range, label }))
const isRange = (value: unknown): value is Range => typeof value === "string" && value in rangeLabels

export default function TypePage() {
  const app = useApp()
  const { api, dialogs, live } = app
  const params = useParams<{ name: string }>()
  const [search, setSearch] = useSearchParams<{ range?: string }>()
  const name = () => nameFrom(params.name)
  const range = (): Range => isRange(search.range) ? search.range : "15m"
  const detail = createQuery(name, api.types.detail, { every: reloadMillis, forget: true })
  const series = createQuery(
    () => ({ range: range(), type: name() }),
    api.series,
    { every: seriesMillis }
  )
  const isUnknown = () => detail.data() === undefined && detail.problem()?.status === 404
  const isPaused = () => isTypePaused(app, name())

  return (
    <Page
      title={name()}
      before={<A class="crumb" href="/types">Task types</A>}
      mark={
        <>
          <CopyButton text={name()} label="Copy the name" />
          <Show when={isPaused()}>
            <span class="tag" data-tone="warn">Paused</span>
          </Show>
        </>
      }
      controls={
        <Show when={!isUnknown()}>
          <SegmentedControl
            label="Time range"
            value={range()}
            options={ranges}
            onChange={(value) => setSearch({ range: value === "15m" ? undefined : value }, { replace: true })}
          />
          <Button
            icon={isPaused() ? Play : Pause}
            blocked={live.blocked()}
            tip={isPaused() ? "Its tasks start again" : "None of its tasks starts until it is resumed"}
            onClick={() => void (isPaused() ? resumeType(app, name()) : pauseType(app, name()))}
          >
            {isPaused() ? "Resume" : "Pause"}
          </Button>
          <Button
            kind="primary"
            icon={Plus}
            blocked={live.blocked()}
            onClick={() => dialogs.run({ name: name() })}
          >
            Run a task
          </Button>
        </Show>
      }
    >
      <Show
        when={!isUnknown()}
        fallback={
          <EmptyState
            title="No such task type"
            text={`No worker has announced “${name()}”, and no task of it is known. Its tasks can be submitted all the same: they wait until a worker knows it.`}
          >
            <A class="link" href="/types">All task types</A>
          </EmptyState>
        }
      >
        <Show when={detail.problem()}>
          {(problem) => <ErrorPanel title="It can't be shown" problem={problem()} retry={detail.reload} />}
        </Show>
        <Show
          when={detail.data()}
          fallback={
            <Show when={detail.loading()}>
              <Skeleton rows={8} height={52} />
            </Show>
          }
        >
          {(type) => (
            <>
              <Show when={isPaused()}>
                <div class="meaning" data-tone="warn">
                  <p>
                    <strong>Paused.</strong> None of its tasks starts; what runs goes on, what is submitted waits.
                  </p>
                </div>
              </Show>
              <Show when={type().workers === 0}>
                <div class="meaning" data-tone={type().waiting > 0 ? "bad" : "mute"}>
                  <p>
                    <strong>No worker knows it now.</strong> Its tasks wait until one joins that does.
                  </p>
                </div>
              </Show>
              <Show when={type().description}>{(text) => <p class="about-type">{text()}</p>}</Show>
              <Numbers type={type()} />
              <div class="type-charts">
                <Charts series={series} range={range()} type={name()} />
              </div>
              <div class="two">
                <div>
                  <SchemaPanel type={type()} />
                </div>
                <div>
                  <Rules type={type()} />
                  <Handlers type={type()} />
                </div>
              </div>
              <Errors groups={type().errors} name={name()} />
            </>
          )}
        </Show>
      </Show>
    </Page>
  )
}

const Numbers = (props: { readonly type: TypeDetail }) => {
  const failed = () => failedShare(props.type)
  const orNone = (value: number | undefined) => value === undefined ? "—" : duration(value)
  const link = (state: string, text: string) => (
    <A class="plain-link" href={tasksPath({ type: props.type.name, state })}>{text}</A>
  )
  return (
    <div class="panel">
      <Figures
        figures={[
          {
            name: "Waiting",
            value: () => link("queued", compact(props.type.waiting)),
            note: () => props.type.delayed > 0 ? link("delayed", `${compact(props.type.delayed)} for later`) : undefined
          },
          { name: "Running", value: () => link("running", compact(props.type.running)) },
          { name: "Done a minute", value: () => count(props.type.perMinute) },
          {
            name: "Failed",
            value: () => failed() === undefined ? "—" : percent(failed() ?? 0),
            note: () =>
              failed() === undefined
                ? "none finished yet"
                : `${count(props.type.failed)} of ${count(props.type.finished)}`,
            tone: () => props.type.failed > 0 ? "bad" : undefined
          },
          {
            name: "Wait p95",
            value: () => orNone(props.type.wait?.p95),
            note: () => props.type.wait === undefined ? undefined : `p50 ${duration(props.type.wait.p50)}`
          },
          {
            name: "Run p95",
            value: () => orNone(props.type.run?.p95),
            note: () => props.type.run === undefined ? undefined : `p50 ${duration(props.type.run.p50)}`
          }
        ]}
      />
    </div>
  )
}

const Rules = (props: { readonly type: TypeDetail }) => (
  <section class="block" aria-labelledby="rules">
    <header>
      <h2 id="rules">Rules</h2>
      <A class="more" href={tasksPath({ type: props.type.name })}>
        Its tasks<ChevronRight size={14} class="icon" aria-hidden="true" />
      </A>
    </header>
    <div class="panel-pad">
      <Facts
        facts={[
          { name: "Priority", value: <PriorityGlyph priority={props.type.priority ?? "normal"} /> },
          { name: "Retries", value: props.type.retry ?? "Never: one attempt" },
          {
            name: "Timeout",
            value: props.type.timeoutMillis === undefined
              ? "None"
              : `${duration(props.type.timeoutMillis)} for an attempt`
          },
          {
            name: "Limits",
            value: (
              <For each={limitWords(props.type.limits)} fallback="None">
                {(line) => <div>{line}</div>}
              </For>
            )
          },
          {
            name: "Runs in",
            value: props.type.isolation === "thread"
              ? "A thread of its own: it may compute without a pause"
              : "The worker's event loop"
          },
          ...props.type.retention === undefined
            ? []
            : [{ name: "Result kept", value: duration(props.type.retention) }],
          { name: "Version", value: props.type.version === undefined ? "—" : `${props.type.version}` }
        ]}
      />
    </div>
  </section>
)

const Handlers = (props: { readonly type: TypeDetail }) => (
  <section class="block" aria-labelledby="handlers">
    <header>
      <h2 id="handlers">Workers</h2>
      <span class="num">{count(props.type.workers)}</span>
    </header>
    <Show when={props.type.workerIds.length > 0} fallback={<p class="panel-pad quiet">No worker has a handler now.</p>}>
      <div class="panel-pad chips">
        <For each={props.type.workerIds.toSorted().slice(0, maxWorkers)}>
          {(id) => <A href={workerPath(id)}>{id}</A>}
        </For>
        <Show when={props.type.workerIds.length > maxWorkers}>
          <span>and {count(props.type.workerIds.length - maxWorkers)} more</span>
        </Show>
      </div>
    </Show>
  </section>
)

const Errors = (props: { readonly groups: ReadonlyArray<ErrorGroup>; readonly name: string }) => (
  <section class="block type-errors" aria-labelledby="type-errors">
    <header>
      <h2 id="type-errors">Errors</h2>
      <span class="quiet">last 24 hours</span>
      <A class="more" href={`/errors?type=${encodeURIComponent(props.name)}&range=24h`}>
        All its errors<ChevronRight size={14} class="icon" aria-hidden="true" />
      </A>
    </header>
    <Show
      when={props.groups.length > 0}
      fallback={<EmptyState small title="Nothing failed in the last 24 hours" />}
    >
      <table class="table errors">
        <thead>
          <tr>
            <th scope="col">Error</th>
            <th scope="col">Newest</th>
            <th scope="col">24 hours</th>
            <th scope="col" class="end">Count</th>
            <th scope="col" class="end">Last seen</th>
            <th scope="col" class="end">To retry</th>
          </tr>
        </thead>
        <tbody>
          <For each={props.groups.slice(0, maxErrors)}>
            {(group) => (
              <tr>
                <td>
                  <span class="error-name">
                    <A class="clip" href={errorPath(group.key)}>{group.type}</A>
                    <Show when={group.isNew}>
                      <span class="tag" data-tone="bad">New</span>
                    </Show>
                    <Show when={group.isRising}>
                      <span class="tag" data-tone="warn">Rising</span>
                    </Show>
                  </span>
                  <span class="quiet clip error-text" data-tip={group.message}>{group.message || "No message"}</span>
                </td>
                <td class="mono clip">
                  <A href={taskPath(group.sample)}>{shortId(group.sample)}</A>
                </td>
                <td>
                  <Sparkline values={group.series} width={64} tone="bad" />
                </td>
                <td class="end num">
                  <b>{count(group.count)}</b>
                </td>
                <td class="end num quiet">
                  <Age at={group.lastAt} />
                </td>
                <td class="end num">{count(group.retryable)}</td>
              </tr>
            )}
          </For>
        </tbody>
      </table>
    </Show>
  </section>
)
