/** The attempts one below the other on one axis of time: light is waiting, solid is running, nothing is the pause between. */
import { A } from "@solidjs/router"
import { createMemo, Index, Show } from "solid-js"
import type { AttemptView, TaskDetail } from "../../../../domain/View.ts"
import { states } from "../../../components/status.ts"
import { StatusShape } from "../../../components/StatusBadge.tsx"
import { useApp } from "../../../Context.ts"
import { duration } from "../../../format.ts"
import { workerPath } from "../../../paths.ts"
import { type Bar, timelineOf } from "./timeline.ts"

const place = ({ from, size }: Bar) => ({ left: `${from * 100}%`, width: `${size * 100}%` })

/** 2 s where it could be 2.0 s: steps are round. */
const label = (millis: number) => millis === 0 ? "0" : duration(millis).replace(".0", "")

/** What ended it, in a word or two. */
const outcome = ({ failure, state }: AttemptView): string => failure?.type ?? states[state].label

export const Attempts = (props: { readonly task: TaskDetail }) => {
  const { live } = useApp()
  const isRunning = () => props.task.attempts.some(({ endedAt }) => endedAt === undefined)
  const timeline = createMemo(() => timelineOf(props.task, isRunning() ? live.now() : 0))
  return (
    <section class="attempts" aria-label="Attempts">
      <header>
        <h2>Attempts</h2>
        <span class="legend" aria-hidden="true">
          <span class="is-wait">waits</span>
          <span data-tone={states[props.task.attempts.at(-1)?.state ?? "running"].tone}>runs</span>
        </span>
      </header>
      <ol>
        <Index each={timeline()?.rows ?? []}>
          {(row) => (
            <li data-tone={states[row().attempt.state].tone}>
              <span class="num">#{row().attempt.attempt}</span>
              <Show when={row().attempt.worker} fallback={<span class="quiet">—</span>}>
                {(worker) => <A class="clip follow" href={workerPath(worker())}>{worker()}</A>}
              </Show>
              <span
                class="track"
                data-tip={`${row().waitMillis > 0 ? `waited ${duration(row().waitMillis)}, ` : ""}${
                  row().attempt.endedAt === undefined ? "runs for" : "ran for"
                } ${duration(row().runMillis)}`}
              >
                <Show when={row().wait}>{(wait) => <i class="is-wait" style={place(wait())} />}</Show>
                <i style={place(row().run)} />
              </span>
              <span class="num end">{duration(row().runMillis)}</span>
              <span class="status clip" data-tip={row().attempt.failure?.message}>
                <StatusShape state={row().attempt.state} />
                <span class="clip">{outcome(row().attempt)}</span>
              </span>
            </li>
          )}
        </Index>
      </ol>
      <p class="axis num" aria-hidden="true">
        <span class="track">
          <Index each={timeline()?.ticks ?? []}>
            {(tick) => <i style={{ left: `${tick().at * 100}%` }}>{label(tick().millis)}</i>}
          </Index>
        </span>
      </p>
    </section>
  )
}
