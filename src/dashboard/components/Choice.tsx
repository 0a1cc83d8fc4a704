/** One of a few: a segmented control for how something is shown, tabs for what is shown. Arrow keys move, as in a radio group. */
import { For, type JSX, Show } from "solid-js"

export interface Option<A extends string> {
  readonly value: A
  readonly label: JSX.Element
  /** A number or word behind the label. */
  readonly note?: JSX.Element
}

interface ChoiceProps<A extends string> {
  readonly label: string
  readonly value: A
  readonly options: ReadonlyArray<Option<A>>
  readonly onChange: (value: A) => void
}

const moves: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }

const onKey = <A extends string>(event: KeyboardEvent, props: ChoiceProps<A>) => {
  const move = moves[event.key]
  if (move === undefined || event.ctrlKey || event.metaKey || event.altKey) return
  const at = props.options.findIndex(({ value }) => value === props.value)
  const next = (at + move + props.options.length) % props.options.length
  const option = props.options[next]
  if (option === undefined) return
  event.preventDefault()
  props.onChange(option.value)
  const buttons = (event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>("button")
  buttons[next]?.focus()
}

export const SegmentedControl = <A extends string>(props: ChoiceProps<A>) => (
  <div class="segments" role="radiogroup" aria-label={props.label} onKeyDown={(event) => onKey(event, props)}>
    <For each={props.options}>
      {(option) => (
        <button
          type="button"
          role="radio"
          aria-checked={option.value === props.value}
          tabIndex={option.value === props.value ? 0 : -1}
          onClick={() => props.onChange(option.value)}
        >
          {option.label}
        </button>
      )}
    </For>
  </div>
)

/** Give the panel `role="tabpanel"` and `aria-label`. */
export const Tabs = <A extends string>(props: ChoiceProps<A> & { readonly controls?: string }) => (
  <div
    class="tabs"
    role="tablist"
    aria-label={props.label}
    onKeyDown={(event) => onKey(event, props)}
  >
    <For each={props.options}>
      {(option) => (
        <button
          type="button"
          role="tab"
          aria-selected={option.value === props.value}
          aria-controls={props.controls}
          tabIndex={option.value === props.value ? 0 : -1}
          onClick={() => props.onChange(option.value)}
        >
          {option.label}
          <Show when={option.note !== undefined}>
            <small>{option.note}</small>
          </Show>
        </button>
      )}
    </For>
  </div>
)
