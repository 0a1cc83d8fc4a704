/**
 * What became of the last tasks of a schedule, oldest first: one tick each, up when it succeeded, down when it did not. One
 * stop of the Tab key: arrow keys go from one to the next, Enter opens the task.
 */
import { A } from "@solidjs/router"
import { createUniqueId, For, Show } from "solid-js"
import type { ScheduleRow } from "../../../domain/View.ts"
import { createStrip } from "../../components/createStrip.ts"
import { states } from "../../components/status.ts"
import { useApp } from "../../Context.ts"
import { moment } from "../../format.ts"
import { taskPath } from "../../paths.ts"
import { runsWords, runWords } from "./words.ts"

const maxTicks = 20

export const Ticks = (props: { readonly runs: ScheduleRow["runs"] }) => {
  const { live } = useApp()
  const id = createUniqueId()
  const strip = createStrip(() => props.runs.length)
  return (
    <Show when={props.runs.length > 0} fallback={<span class="faint small">not yet</span>}>
      <span
        class="ticks"
        role="listbox"
        aria-orientation="horizontal"
        aria-label={runsWords(props.runs)}
        tabIndex={0}
        aria-activedescendant={strip.at() < 0 ? undefined : `${id}-${strip.at()}`}
        onKeyDown={strip.onKeyDown}
        onFocus={() => strip.enter(props.runs.length - 1)}
        onBlur={strip.leave}
      >
        <For each={Array.from({ length: Math.max(0, maxTicks - props.runs.length) })}>
          {() => <i aria-hidden="true" />}
        </For>
        <For each={props.runs}>
          {(run, index) => {
            const text = () => `${runWords(run)}, ${moment(run.at, live.now())}`
            return (
              <A
                id={`${id}-${index()}`}
                href={taskPath(run.id)}
                role="option"
                aria-selected={strip.at() === index()}
                aria-label={text()}
                data-tip={text()}
                data-tone={states[run.state].tone}
                data-state={run.state}
                tabIndex={-1}
              />
            )
          }}
        </For>
      </span>
    </Show>
  )
}
