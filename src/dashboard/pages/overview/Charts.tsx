/** Throughput and latency over the range. Dragging over a chart shows the tasks of that time. */
import { A, useNavigate } from "@solidjs/router"
import { createMemo, createSignal, Show, untrack } from "solid-js"
import type { Range, Series } from "../../../domain/View.ts"
import type { Asked } from "../../api/createQuery.ts"
import { highest, pointsOf, rangeMillis, rangeWords, rates } from "../../charts/series.ts"
import { Chart, type Line } from "../../components/Chart.tsx"
import { SegmentedControl } from "../../components/Choice.tsx"
import { ErrorPanel } from "../../components/Feedback.tsx"
import { useApp } from "../../Context.ts"
import { duration, minute, rate } from "../../format.ts"
import { tasksPath } from "../../paths.ts"

type Kind = "wait" | "run"

interface Drawing {
  readonly from: number
  readonly stepMillis: number
  readonly lines: ReadonlyArray<Line>
  readonly label: string
}

const height = 184

/** Milliseconds in the unit that fits the largest of them. */
export const unitOf = (top: number): { readonly name: string; readonly millis: number } =>
  top < 1_000
    ? { name: "milliseconds", millis: 1 }
    : top < 300_000
    ? { name: "seconds", millis: 1_000 }
    : { name: "minutes", millis: 60_000 }

const plain = new Intl.NumberFormat("en", { maximumFractionDigits: 2 })

export const Charts = (
  props: {
    readonly series: Asked<Series>
    readonly range: Range
    /** Only tasks of this type are in the series. */
    readonly type?: string
  }
) => {
  const { live } = useApp()
  const navigate = useNavigate()
  const [kind, setKind] = createSignal<Kind>("run")
  const series = () => props.series.data()
  const points = createMemo(() => {
    const now = series()
    // The clock alone draws nothing anew: it is read when the series changes.
    return now === undefined
      ? undefined
      : untrack(() => pointsOf(now, live.now(), live.now() - live.data.stats.upMillis))
  })
  const onRange = (since: number, until: number) => navigate(tasksPath({ type: props.type, since, until }))

  const throughput = createMemo(() => {
    const [now, grid] = [series(), points()]
    if (now === undefined || grid === undefined) return undefined
    const succeeded = rates(now.succeeded, grid)
    const failed = rates(now.failed, grid)
    const known = succeeded.filter((value) => value !== null)
    const peak = failed.reduce<number>((top, value) => Math.max(top, value ?? 0), 0)
    const mean = known.reduce((sum, value) => sum + value, 0) / Math.max(1, known.length)
    const at = minute(grid.from + failed.indexOf(peak) * grid.stepMillis)
    return {
      from: grid.from,
      stepMillis: grid.stepMillis,
      lines: [
        { label: "Succeeded", values: succeeded, color: "--accent", kind: "area" },
        { label: "Failed", values: failed, color: "--bad-ink", kind: "down" }
      ] satisfies ReadonlyArray<Line>,
      label: `Throughput over the last ${rangeWords[props.range]}: ${rate(mean)} succeeded per second on average, ` +
        (peak === 0 ? "none failed." : `failures peaked at ${rate(peak)} per second at ${at}.`)
    }
  })

  const latency = createMemo(() => {
    const [now, grid] = [series(), points()]
    if (now === undefined || grid === undefined) return undefined
    const all = now[kind()]
    const p99 = highest(all.p99, grid)
    const unit = unitOf(p99.reduce<number>((top, value) => Math.max(top, value ?? 0), 0))
    const scaled = (values: ReadonlyArray<number | null>) =>
      values.map((value) => value === null ? null : value / unit.millis)
    const last = (values: ReadonlyArray<number | null>) => values.findLast((value) => value !== null) ?? undefined
    const [median, high, top] = [last(all.p50), last(all.p95), last(all.p99)]
    return {
      from: grid.from,
      stepMillis: grid.stepMillis,
      unit,
      lines: [
        { label: "p99", values: scaled(p99), color: "--p3", dotted: true, end: "p99" },
        { label: "p95", values: scaled(highest(all.p95, grid)), color: "--p1", end: "p95" },
        { label: "p50", values: scaled(highest(all.p50, grid)), color: "--fg-2", end: "p50" }
      ] satisfies ReadonlyArray<Line>,
      label: `${kind() === "wait" ? "Wait" : "Run"} time over the last ${rangeWords[props.range]}: ` +
        (median === undefined || high === undefined || top === undefined
          ? "no tasks."
          : `now half are under ${duration(median)}, 95 % under ${duration(high)}, 99 % under ${duration(top)}.`)
    }
  })

  const drawn = (of: () => Drawing | undefined) => (
    <Show when={of()} fallback={<div style={{ height: `${height}px` }} />}>
      {(chart) => (
        <Chart
          label={chart().label}
          from={chart().from}
          stepMillis={chart().stepMillis}
          lines={chart().lines}
          height={height}
          none="No tasks in this time"
          format={(value) => plain.format(value)}
          onRange={onRange}
        />
      )}
    </Show>
  )

  return (
    <>
      <Show when={props.series.problem()}>
        {(problem) => <ErrorPanel title="The charts can't be shown" problem={problem()} retry={props.series.reload} />}
      </Show>
      <div class="charts" data-stale={props.series.stale() ? "" : undefined}>
        <section aria-labelledby="throughput">
          <header>
            <h2 id="throughput">Throughput</h2>
            <span class="quiet">tasks per second</span>
            <span class="legend push" aria-hidden="true">
              <span data-tone="accent">Succeeded ↑</span>
              <span data-tone="bad">Failed ↓</span>
            </span>
          </header>
          {drawn(throughput)}
        </section>
        <section aria-labelledby="latency">
          <header>
            <h2 id="latency">Latency</h2>
            <SegmentedControl
              label="Latency of"
              value={kind()}
              options={[{ value: "wait", label: "Wait" }, { value: "run", label: "Run" }]}
              onChange={setKind}
            />
            <span class="quiet small push">{latency()?.unit.name}</span>
          </header>
          {drawn(latency)}
        </section>
        <A
          class="reader"
          href={tasksPath({
            type: props.type,
            since: Math.floor(live.now() / 60_000) * 60_000 - rangeMillis[props.range]
          })}
        >
          Tasks of the last {rangeWords[props.range]}
        </A>
      </div>
    </>
  )
}
