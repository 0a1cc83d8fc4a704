/**
 * One square for each slot of a worker, in the colour of the priority of what runs in it. One stop of the Tab key for a
 * worker: arrow keys go from square to square, Enter opens the task.
 */
import { A } from "@solidjs/router"
import { createUniqueId, For, Show } from "solid-js"
import type { WorkerRow } from "../../domain/View.ts"
import { useApp } from "../Context.ts"
import { duration, plural } from "../format.ts"
import { taskPath } from "../paths.ts"
import { createStrip } from "./createStrip.ts"

/** Most squares that are drawn; the rest is a number. */
const maxSquares = 32

export const SlotSquares = (props: { readonly worker: WorkerRow; readonly max?: number }) => {
  const { live } = useApp()
  const id = createUniqueId()
  const max = () => props.max ?? maxSquares
  const isLost = () => props.worker.state === "lost"
  const busy = () => isLost() ? [] : props.worker.busy.slice(0, max())
  /** Busy slots beyond those that were told of. */
  const untold = () => isLost() ? 0 : Math.max(0, Math.min(props.worker.running, max()) - busy().length)
  const free = () => Math.max(0, Math.min(props.worker.slots, max()) - busy().length - untold())
  const label = () =>
    isLost() ? "No slots: the worker is lost" : `${props.worker.running} of ${plural(props.worker.slots, "slot")} busy`
  const strip = createStrip(() => busy().length)
  return (
    <Show
      when={busy().length > 0}
      fallback={
        <span class="slots" role="img" aria-label={label()} data-lost={isLost() ? "" : undefined}>
          <For each={Array.from({ length: untold() })}>{() => <i data-busy="" />}</For>
          <For each={Array.from({ length: free() })}>{() => <i />}</For>
        </span>
      }
    >
      <span
        class="slots"
        role="listbox"
        aria-orientation="horizontal"
        aria-label={label()}
        tabIndex={0}
        aria-activedescendant={strip.at() < 0 ? undefined : `${id}-${strip.at()}`}
        onKeyDown={strip.onKeyDown}
        onFocus={() => strip.enter()}
        onBlur={strip.leave}
      >
        <For each={busy()}>
          {(slot, index) => {
            const text = () => `${slot[1]}, ${duration(Math.max(0, live.now() - slot[3]))}`
            return (
              <A
                id={`${id}-${index()}`}
                href={taskPath(slot[0])}
                role="option"
                aria-selected={strip.at() === index()}
                aria-label={text()}
                data-level={slot[2]}
                data-tip={text()}
                tabIndex={-1}
              />
            )
          }}
        </For>
        <For each={Array.from({ length: untold() })}>{() => <i data-busy="" aria-hidden="true" />}</For>
        <For each={Array.from({ length: free() })}>{() => <i aria-hidden="true" />}</For>
        <Show when={props.worker.slots > max()}>
          <small aria-hidden="true">+{props.worker.slots - max()}</small>
        </Show>
      </span>
    </Show>
  )
}
