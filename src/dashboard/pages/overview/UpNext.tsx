/** What is due next. */
import { A } from "@solidjs/router"
import { For, Show } from "solid-js"
import { EmptyState } from "../../components/Feedback.tsx"
import { ChevronRight } from "../../components/icons.ts"
import { Until } from "../../components/Times.tsx"
import { useApp } from "../../Context.ts"

export const UpNext = () => {
  const { live } = useApp()
  return (
    <section class="block" aria-labelledby="up-next">
      <header>
        <h2 id="up-next">Up next</h2>
        <A class="more" href="/schedules">
          Schedules<ChevronRight size={14} class="icon" aria-hidden="true" />
        </A>
      </header>
      <Show
        when={live.data.upNext.length > 0}
        fallback={<EmptyState small title="Nothing is scheduled" text="Schedules that workers declare stand here." />}
      >
        <ul class="up-next">
          <For each={live.data.upNext}>
            {(schedule) => (
              <li>
                <span class="mono clip">{schedule.name}</span>
                <span class="num quiet">
                  <Until at={schedule.nextAt} />
                </span>
                <span class="faint small clip">{schedule.words}</span>
              </li>
            )}
          </For>
        </ul>
      </Show>
    </section>
  )
}
