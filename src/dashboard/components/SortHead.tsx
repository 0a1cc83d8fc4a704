/** The head of a column that a table can be sorted by. */
import { Show } from "solid-js"
import { ChevronDown, ChevronUp } from "./icons.ts"
import { nextSort } from "./sorting.ts"

export const SortHead = (
  props: {
    readonly of: string
    readonly label: string
    readonly sort: string
    readonly onSort: (sort: string) => void
    readonly end?: boolean
    /** Words instead of numbers: they go from A up. */
    readonly words?: boolean
    readonly class?: string
    readonly tip?: string
  }
) => {
  const isOn = () => props.sort === props.of || props.sort === `-${props.of}`
  const isUp = () => (props.sort === props.of) === (props.words === true)
  return (
    <th
      scope="col"
      class={`${props.end === true ? "end " : ""}${props.class ?? ""}`}
      aria-sort={isOn() ? isUp() ? "ascending" : "descending" : undefined}
    >
      <button
        type="button"
        class="sort"
        data-tip={props.tip}
        onClick={() => props.onSort(nextSort(props.sort, props.of))}
      >
        {props.label}
        <Show when={isOn()}>
          {isUp() ? <ChevronUp size={12} aria-hidden="true" /> : <ChevronDown size={12} aria-hidden="true" />}
        </Show>
      </button>
    </th>
  )
}

interface HeadOptions {
  readonly words?: boolean
  readonly end?: boolean
  readonly class?: string
  readonly tip?: string
}

/** Returns what makes the heads of a table that is sorted in one way; "" is its natural order. */
export const createSortHeads =
  (sort: () => string, onSort: (sort: string | undefined) => void) =>
  (of: string, label: string, options: HeadOptions = {}) => (
    <SortHead
      of={of}
      label={label}
      sort={sort()}
      onSort={(next) => onSort(next === "" ? undefined : next)}
      {...options}
    />
  )
