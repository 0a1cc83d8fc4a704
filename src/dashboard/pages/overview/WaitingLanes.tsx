/** Four lanes of tasks that are ready to run, with bars on a scale of logarithms: 3 can be seen beside 3,000. */
import { A } from "@solidjs/router"
import { For, Show } from "solid-js"
import { PriorityGlyph } from "../../components/StatusBadge.tsx"
import { useApp } from "../../Context.ts"
import { change, compact, count, duration, rate } from "../../format.ts"
import { priorities } from "../../live/merge.ts"
import { tasksPath } from "../../paths.ts"

/** A full bar stands for so many tasks at least. */
const fullBar = 3_000
/** Below this a lane does not grow, it breathes. */
const growth = 0.5

export const WaitingLanes = () => {
  const { live } = useApp()
  const full = () => Math.log10(1 + Math.max(fullBar, ...live.data.lanes.map(({ waiting }) => waiting * 1.5)))
  return (
    <section aria-labelledby="flow-waiting">
      <header>
        <h2 id="flow-waiting">Waiting</h2>
        <span class="num">{count(live.data.lanes.reduce((sum, { waiting }) => sum + waiting, 0))}</span>
        <span class="num quiet small push">{rate(live.data.flow.arriving)} arriving per s</span>
      </header>
      <ul>
        <For each={live.data.lanes}>
          {(lane) => (
            <li class="lane" data-level={priorities.indexOf(lane.priority)}>
              <A href={tasksPath({ state: "queued", priority: lane.priority })}>
                <PriorityGlyph priority={lane.priority} />
              </A>
              <span class="bar" aria-hidden="true">
                <i style={{ width: `${Math.log10(1 + lane.waiting) / full() * 100}%` }} />
              </span>
              <b class="num">{compact(lane.waiting)}</b>
              <span class="num quiet small">
                <Show when={lane.oldestMillis !== undefined} fallback="–">
                  <span class="reader">oldest</span> {duration(lane.oldestMillis ?? 0)}
                </Show>
              </span>
              <span
                class="num small"
                classList={{ grows: lane.changePerSecond > growth, quiet: lane.changePerSecond <= growth }}
              >
                {change(lane.changePerSecond)}
              </span>
            </li>
          )}
        </For>
      </ul>
      <p class="lane caption">
        <span>
          <Show when={live.data.stats.delayed > 0}>
            <A href={tasksPath({ state: "delayed" })}>{count(live.data.stats.delayed)} for later</A>
          </Show>
        </span>
        <span aria-hidden="true">tasks</span>
        <span aria-hidden="true">oldest</span>
        <span aria-hidden="true">change</span>
      </p>
    </section>
  )
}
