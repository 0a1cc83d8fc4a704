/** What became of the tasks in the range. */
import { A } from "@solidjs/router"
import { For } from "solid-js"
import type { Range, Series } from "../../../domain/View.ts"
import { rangeMillis, rangeWords, summed } from "../../charts/series.ts"
import { Sparkline } from "../../components/Sparkline.tsx"
import { type ShownState, states } from "../../components/status.ts"
import { StatusShape } from "../../components/StatusBadge.tsx"
import { useApp } from "../../Context.ts"
import { compact, percent } from "../../format.ts"
import { tasksPath } from "../../paths.ts"

const points = 24

interface Outcome {
  readonly state: ShownState
  readonly series: "succeeded" | "retried" | "failed" | "cancelled" | "expired"
  readonly label?: string
}

const outcomes: ReadonlyArray<Outcome> = [
  { state: "succeeded", series: "succeeded" },
  { state: "retrying", series: "retried", label: "Retried" },
  { state: "failed", series: "failed" },
  { state: "cancelled", series: "cancelled" },
  { state: "expired", series: "expired" }
]

export const Finished = (props: { readonly series: Series | undefined; readonly range: Range }) => {
  const { live } = useApp()
  const totals = () => props.series?.totals
  const finished = () => {
    const all = totals()
    return all === undefined ? 0 : all.succeeded + all.failed + all.cancelled + all.expired
  }
  const shown = () => outcomes.filter(({ series }) => series !== "expired" || (totals()?.expired ?? 0) > 0)
  return (
    <section aria-labelledby="flow-finished">
      <header>
        <h2 id="flow-finished">Finished</h2>
        <span class="quiet small push">last {rangeWords[props.range]}</span>
      </header>
      <ul>
        <For each={shown()}>
          {(outcome) => {
            const count = () => totals()?.[outcome.series] ?? 0
            return (
              <li class="outcome" data-tone={states[outcome.state].tone}>
                <A
                  class="status"
                  href={tasksPath({
                    state: outcome.state,
                    since: Math.floor(live.now() / 60_000) * 60_000 - rangeMillis[props.range]
                  })}
                >
                  <StatusShape state={outcome.state} />
                  {outcome.label ?? states[outcome.state].label}
                </A>
                <Sparkline
                  values={summed(props.series?.[outcome.series] ?? [], points)}
                  tone={states[outcome.state].tone}
                  width={40}
                />
                <b class="num">{compact(count())}</b>
                <span class="num quiet small">
                  {outcome.state === "retrying" || finished() === 0 ? "" : percent(count() / finished())}
                </span>
              </li>
            )
          }}
        </For>
      </ul>
    </section>
  )
}
