/** The workers and what runs in their slots. */
import { A } from "@solidjs/router"
import { createMemo, For, Show } from "solid-js"
import type { WorkerRow } from "../../../domain/View.ts"
import { EmptyState } from "../../components/Feedback.tsx"
import { SlotSquares } from "../../components/SlotSquares.tsx"
import { workerStates } from "../../components/status.ts"
import { useApp } from "../../Context.ts"
import { ago, count, plural } from "../../format.ts"
import { workerPath } from "../../paths.ts"
import { addressOf, notable } from "./notable.ts"

const takesTasks = ({ state }: WorkerRow) => state === "active" || state === "draining"

export const Running = () => {
  const { live } = useApp()
  const workers = () => live.data.workers
  const shown = createMemo(() => notable(workers()))
  const slots = () => workers().filter(takesTasks).reduce((sum, { slots }) => sum + slots, 0)
  const up = () => workers().filter(takesTasks).length
  const hidden = () => workers().length - shown().length
  const note = (worker: WorkerRow) => {
    if (worker.state === "lost" || worker.state === "unresponsive") {
      return `${worker.state === "lost" ? "lost" : "silent"} ${ago(live.now() - worker.lastSeenAt).replace(" ago", "")}`
    }
    return worker.state === "active"
      ? worker.local ? "local" : undefined
      : workerStates[worker.state].label.toLowerCase()
  }
  return (
    <section aria-labelledby="flow-running">
      <header>
        <h2 id="flow-running">Running</h2>
        <span class="num">{count(live.data.stats.running)} of {plural(slots(), "slot")}</span>
        <span class="quiet small push">
          {up() === workers().length ? plural(up(), "worker") : `${up()} of ${plural(workers().length, "worker")}`}
        </span>
      </header>
      <Show
        when={workers().length > 0}
        fallback={
          <EmptyState
            small
            title="No worker is connected"
            text="Tasks wait until one is. It finds this control plane by itself:"
            code="fastworker worker --tasks tasks.ts"
          />
        }
      >
        <ul>
          <For each={shown()}>
            {(worker) => (
              <li class="worker">
                <span class="name clip">
                  <i
                    class="dot"
                    data-tone={workerStates[worker.state].tone}
                    data-shape={workerStates[worker.state].shape}
                  />
                  <A href={workerPath(addressOf(worker, workers()))} class="clip">{worker.id}</A>
                  <Show when={note(worker)}>
                    {(text) => (
                      <em data-tone={worker.state === "active" ? "mute" : workerStates[worker.state].tone}>{text()}</em>
                    )}
                  </Show>
                </span>
                <SlotSquares worker={worker} max={16} />
                <span class="num quiet small end">
                  {worker.state === "lost" ? "—" : `${worker.running}/${worker.slots}`}
                </span>
              </li>
            )}
          </For>
        </ul>
        <Show when={hidden() > 0}>
          <A class="link small" href="/workers">and {count(hidden())} more</A>
        </Show>
      </Show>
    </section>
  )
}
