/** Names and values beside each other: facts as a list, the few that matter as large figures, bounded ones with a bar. */
import { For, type JSX, Show } from "solid-js"
import { percent } from "../format.ts"
import type { Tone } from "./status.ts"

export interface Fact {
  readonly name: string
  readonly value: JSX.Element
  /** Explains the name. */
  readonly tip?: string | undefined
}

export const Facts = (props: { readonly facts: ReadonlyArray<Fact> }) => (
  <dl class="facts">
    <For each={props.facts}>
      {(fact) => (
        <div>
          <dt data-tip={fact.tip}>{fact.name}</dt>
          <dd>{fact.value}</dd>
        </div>
      )}
    </For>
  </dl>
)

/** Large numbers in a row. Keep `figures` the same list and let the values follow, or all of it is drawn anew. */
export const Figures = (
  props: {
    readonly figures: ReadonlyArray<{
      readonly name: string
      readonly value: () => JSX.Element
      readonly note?: () => JSX.Element
      readonly tone?: () => Tone | undefined
    }>
  }
) => (
  <dl class="figures">
    <For each={props.figures}>
      {(figure) => (
        <div>
          <dt>{figure.name}</dt>
          <dd>
            <b class="num" data-tone={figure.tone?.()}>{figure.value()}</b>
            <Show when={figure.note?.()}>{(note) => <small class="num">{note()}</small>}</Show>
          </dd>
        </div>
      )}
    </For>
  </dl>
)

/** From here on something that is bounded needs a look. */
const high = 0.8
const full = 0.95

/** How full something is that has a bound. */
export const Gauge = (
  props: {
    readonly label: string
    readonly value: number
    readonly limit: number
    readonly format: (value: number) => string
    /** Being full is nothing special: the oldest make room. */
    readonly rolls?: boolean
  }
) => {
  const share = () => props.limit <= 0 ? 0 : Math.min(1, props.value / props.limit)
  const tone = () => props.rolls === true || share() < high ? undefined : share() < full ? "warn" : "bad"
  return (
    <div class="gauge" data-tone={tone()}>
      <span class="num">
        <b>{props.format(props.value)}</b> of {props.format(props.limit)}
        <Show when={tone()}>
          <em>{` · ${tone() === "bad" ? "full" : "nearly full"}`}</em>
        </Show>
      </span>
      <span
        class="gauge-bar"
        role="meter"
        aria-label={props.label}
        aria-valuemin={0}
        aria-valuemax={props.limit}
        aria-valuenow={Math.min(props.value, props.limit)}
        aria-valuetext={`${props.format(props.value)} of ${props.format(props.limit)}`}
        data-tip={percent(share())}
      >
        <i style={{ width: `${share() * 100}%` }} />
      </span>
    </div>
  )
}
