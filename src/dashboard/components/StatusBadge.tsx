/** States and priorities: always a shape and a word, never a colour alone. */
import { type JSX, Show } from "solid-js"
import type { Priority } from "../../domain/Priority.ts"
import type { TaskState } from "../../domain/TaskState.ts"
import { priorities } from "../live/merge.ts"
import { type ShownState, shownState, states } from "./status.ts"

const Cut = (props: { readonly d: string }) => (
  <>
    <circle cx="8" cy="8" r="6" fill="currentColor" />
    <path
      d={props.d}
      fill="none"
      stroke="var(--surface)"
      stroke-width="1.6"
      stroke-linecap="round"
      stroke-linejoin="round"
    />
  </>
)
const Line = (props: { readonly d: string; readonly ring?: boolean }) => (
  <g fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round">
    <Show when={props.ring}>
      <circle cx="8" cy="8" r="5.5" />
    </Show>
    <path d={props.d} />
  </g>
)

const shapes: Readonly<Record<ShownState, () => JSX.Element>> = {
  succeeded: () => <Cut d="m5.3 8.3 1.9 1.9 3.5-4" />,
  failed: () => <Cut d="m5.9 5.9 4.2 4.2m0-4.2-4.2 4.2" />,
  running: () => (
    <g fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round">
      <circle cx="8" cy="8" r="5.5" opacity=".35" />
      <path d="M8 2.5A5.5 5.5 0 0 1 13.5 8" />
    </g>
  ),
  cancelling: () => <Line ring d="M6 6h4v4H6z" />,
  retrying: () => <Line d="M13 8.2A5 5 0 1 1 11.5 4.4L13 5.6M13 2.7v2.9h-2.9" />,
  queued: () => <Line d="M3.5 4.5h9M3.5 8h9M3.5 11.5h5" />,
  delayed: () => <Line ring d="M8 5v3l2 1.4" />,
  cancelled: () => <Line ring d="m4.2 11.8 7.6-7.6" />,
  expired: () => <Line d="M4.5 2.5h7M4.5 13.5h7M5.5 2.5c0 3.4 5 4.2 5 11M10.5 2.5c0 3.4-5 4.2-5 11" />
}

/** The shape alone; a word must stand beside it. */
export const StatusShape = (props: { readonly state: ShownState }) => (
  <svg width="14" height="14" viewBox="0 0 16 16" aria-hidden="true">{shapes[props.state]()}</svg>
)

export const StatusBadge = (
  props: { readonly task: { readonly state: TaskState; readonly retrying?: boolean }; readonly label?: string }
) => {
  const state = () => shownState(props.task)
  return (
    <span class="status" data-tone={states[state()].tone}>
      <StatusShape state={state()} />
      {props.label ?? states[state()].label}
    </span>
  )
}

export const priorityLabels: Readonly<Record<Priority, string>> = {
  critical: "Critical",
  high: "High",
  normal: "Normal",
  low: "Low"
}

/** Four bars of which as many are filled as the priority is urgent, and its name. */
export const PriorityGlyph = (props: { readonly priority: Priority; readonly iconOnly?: boolean }) => {
  const level = () => priorities.indexOf(props.priority)
  const bar = (index: number) => (
    <rect
      x={index * 3.6}
      y={10 - index * 3}
      width="2.5"
      height={4 + index * 3}
      rx=".8"
      fill={index < 4 - level() ? "var(--level)" : "var(--fill-2)"}
    />
  )
  return (
    <span
      class="priority"
      data-level={level()}
      data-tip={props.iconOnly === true ? `${priorityLabels[props.priority]} priority` : undefined}
    >
      <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">{[0, 1, 2, 3].map(bar)}</svg>
      <span class={props.iconOnly === true ? "reader" : undefined}>{priorityLabels[props.priority]}</span>
    </span>
  )
}
