/** One square for each slot of a worker, in the colour of the priority of what runs in it; a square leads to its task. */
import { A } from "@solidjs/router"
import { For, Show } from "solid-js"
import type { WorkerRow } from "../../domain/View.ts"
import { useApp } from "../Context.ts"
import { duration, plural } from "../format.ts"
import { taskPath } from "../paths.ts"

/** Most squares that are drawn; the rest is a number. */
const maxSquares = 32

export const SlotSquares = (props: { readonly worker: WorkerRow; readonly max?: number }) => {
  const { live } = useApp()
  const max = () => props.max ?? maxSquares
  const lost = () => props.worker.state === "lost"
  const busy = () => lost() ? [] : props.worker.busy.slice(0, max())
  /** Busy slots beyond those that were told of. */
  const more = () => lost() ? 0 : Math.min(props.worker.running, max()) - busy().length
  const free = () => Math.max(0, Math.min(props.worker.slots, max()) - busy().length - Math.max(0, more()))
  return (
    <span
      class="slots"
      role="group"
      aria-label={lost()
        ? "No slots: the worker is lost"
        : `${props.worker.running} of ${plural(props.worker.slots, "slot")} busy`}
      data-lost={lost() ? "" : undefined}
    >
      <For each={busy()}>
        {(slot) => {
          const text = () => `${slot[1]}, ${duration(Math.max(0, live.now() - slot[3]))}`
          return (
            <A href={taskPath(slot[0])} data-level={slot[2]} data-tip={text()} aria-label={slot[1]} tabIndex={-1} />
          )
        }}
      </For>
      <For each={Array.from({ length: Math.max(0, more()) })}>{() => <i data-busy="" />}</For>
      <For each={Array.from({ length: free() })}>{() => <i />}</For>
      <Show when={props.worker.slots > max()}>
        <small>+{props.worker.slots - max()}</small>
      </Show>
    </span>
  )
}
