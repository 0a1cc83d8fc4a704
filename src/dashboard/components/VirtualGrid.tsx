/**
 * A long list: rows of 36 pixels, or 56 with a second line, of which only those in sight are drawn, so that 100,000 cost
 * what 40 do. One row has the focus; it stays drawn while it is scrolled out of sight, so that the focus is never lost.
 */
import { createEffect, createMemo, createSignal, For, type JSX, on, onCleanup, onMount, Show, untrack } from "solid-js"
import { useCommand } from "../keyboard/Commands.ts"
import type { Selection } from "./selection.ts"

export interface Column {
  readonly head: JSX.Element
  /** Track of the grid: "120px", "minmax(120px, 1fr)". */
  readonly width: string
  readonly end?: boolean
  readonly cell: (id: string) => JSX.Element
}

export interface VirtualGridProps {
  readonly label: string
  /** In the order of the list; unique. */
  readonly ids: ReadonlyArray<string>
  readonly columns: ReadonlyArray<Column>
  /** How many there are, loaded or not. Default: those in `ids`. */
  readonly total?: number
  readonly onOpen?: (id: string) => void
  readonly onEnd?: () => void
  readonly selection?: Selection
  /** The row that is open elsewhere: it gets the focus with the next key. */
  readonly current?: string | undefined
  /** The row that has the focus, as it changes. */
  readonly onActive?: (id: string | undefined) => void
  /** Any CSS length. Default: what is left of the window. */
  readonly height?: string
  /** Width below which it scrolls sideways, in pixels. */
  readonly minWidth?: number
  /** Whether a row has two lines. Asked when `ids` change: a row that is on the screen never grows. */
  readonly tall?: (id: string) => boolean
  /** What stands in the second line, below all columns but the first. Without it the columns have both lines. */
  readonly second?: ((id: string) => JSX.Element) | undefined
}

export const rowHeight = 36
export const tallHeight = 56
const headHeight = 28
const overscan = 6
/** When fewer rows than this are left below, more are asked for. */
const endRows = 20

/** Where each row begins, and at the end where the last one ends. Pure. */
export const topsOf = (ids: ReadonlyArray<string>, isTall: (id: string) => boolean): Float64Array => {
  const tops = new Float64Array(ids.length + 1)
  let top = 0
  for (let index = 0; index < ids.length; index++) {
    top += isTall(ids[index] ?? "") ? tallHeight : rowHeight
    tops[index + 1] = top
  }
  return tops
}

/** The row at a place. */
const rowAt = (tops: Float64Array, place: number): number => {
  let low = 0
  let high = tops.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((tops[middle] ?? 0) <= place) low = middle
    else high = middle - 1
  }
  return low
}

/** Which rows are drawn. Pure. */
export const windowOf = (scrollTop: number, height: number, tops: Float64Array): readonly [number, number] => [
  Math.max(0, rowAt(tops, scrollTop) - overscan),
  Math.min(tops.length - 1, rowAt(tops, scrollTop + height) + 1 + overscan)
]

export const VirtualGrid = (props: VirtualGridProps) => {
  const [scrollTop, setScrollTop] = createSignal(0)
  const [height, setHeight] = createSignal(600)
  const [active, setActive] = createSignal<string>()
  let scroller: HTMLDivElement | undefined
  let body: HTMLDivElement | undefined

  const places = createMemo(() => new Map(props.ids.map((id, index) => [id, index])))
  const activeId = () => {
    const id = active() ?? props.current
    return id !== undefined && places().has(id) ? id : props.ids[0]
  }
  /** Whether a row had the focus before the rows were drawn anew: an element that is moved in the document loses it. */
  let hadFocus = false
  const tops = createMemo(() => {
    const { ids, tall } = props
    return untrack(() => topsOf(ids, (id) => tall?.(id) === true))
  })
  const topOf = (index: number) => tops()[index] ?? 0
  const isTall = (index: number) => topOf(index + 1) - topOf(index) === tallHeight
  const drawn = createMemo(() => {
    hadFocus = document.activeElement?.closest(".grid-row") !== null && body?.contains(document.activeElement) === true
    const [from, to] = windowOf(scrollTop(), height(), tops())
    const ids = props.ids.slice(from, to)
    const kept = activeId()
    const place = kept === undefined ? undefined : places().get(kept)
    if (kept === undefined || place === undefined || place >= from && place < to) return ids
    return place < from ? [kept, ...ids] : [...ids, kept]
  })

  const see = (index: number) => {
    if (scroller === undefined) return
    const top = topOf(index)
    const bottom = topOf(index + 1) - (scroller.clientHeight - headHeight)
    if (scroller.scrollTop > top) scroller.scrollTop = top
    else if (scroller.scrollTop < bottom) scroller.scrollTop = bottom
    setScrollTop(scroller.scrollTop)
  }
  const focus = (index: number) => {
    const id = props.ids[Math.min(Math.max(index, 0), props.ids.length - 1)]
    if (id === undefined) return
    setActive(id)
    props.onActive?.(id)
    see(places().get(id) ?? 0)
    rowOf(id)?.focus({ preventScroll: true })
  }
  const at = () => places().get(activeId() ?? "") ?? 0
  /** The first key goes to where one is, the next ones move. */
  const move = (by: number) => focus(body?.contains(document.activeElement) === true ? at() + by : at())

  const onKey = (event: KeyboardEvent) => {
    const id = activeId()
    if (id === undefined || event.altKey || !(event.target as Element).matches(".grid-row")) return
    const page = Math.max(1, Math.floor(height() / rowHeight) - 2)
    const isMod = event.ctrlKey || event.metaKey
    const step = ({ ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page } as Record<string, number>)[event.key]
    if (step !== undefined && !isMod) {
      if (event.shiftKey && props.selection !== undefined) {
        if (props.selection.ids().size === 0) props.selection.toggle(id)
        focus(at() + step)
        props.selection.extend(activeId() ?? id, props.ids)
      } else focus(at() + step)
    } else if (event.key === "Home") focus(0)
    else if (event.key === "End") focus(props.ids.length - 1)
    else if (event.key === "Enter" && !isMod) props.onOpen?.(id)
    else if (event.key === " " && props.selection !== undefined) props.selection.toggle(id)
    else if (event.key === "a" && isMod && props.selection !== undefined) props.selection.all(props.ids)
    // What is open beside the list is closed first.
    else if (event.key === "Escape" && props.current === undefined && (props.selection?.ids().size ?? 0) > 0) {
      props.selection?.clear()
    } else return
    event.preventDefault()
  }
  useCommand("row.next", () => move(1))
  useCommand("row.previous", () => move(-1))
  useCommand(
    "row.select",
    () => {
      const id = activeId()
      if (id !== undefined) props.selection?.toggle(id)
    },
    () => props.selection === undefined ? "Nothing can be selected here." : undefined
  )

  onMount(() => {
    const observer = new ResizeObserver(([entry]) => setHeight(entry?.contentRect.height ?? 600))
    if (scroller !== undefined) observer.observe(scroller)
    onCleanup(() => observer.disconnect())
  })
  // What is open elsewhere is where one is.
  createEffect(on(() => props.current, (current) => {
    const place = current === undefined ? undefined : places().get(current)
    if (place === undefined) return
    setActive(current)
    see(place)
  }))
  const rowOf = (id: string) => body?.querySelector<HTMLElement>(`[data-id="${CSS.escape(id)}"]`)
  createEffect(on(drawn, () => {
    const kept = activeId()
    if (hadFocus && kept !== undefined && body?.contains(document.activeElement) === false) {
      rowOf(kept)?.focus({ preventScroll: true })
    }
    const [, to] = windowOf(scrollTop(), height(), tops())
    if (props.ids.length > 0 && to + endRows >= props.ids.length) props.onEnd?.()
  }))

  return (
    <div
      ref={scroller}
      class="grid"
      role="grid"
      aria-label={props.label}
      aria-rowcount={(props.total ?? props.ids.length) + 1}
      aria-colcount={props.columns.length}
      aria-multiselectable={props.selection === undefined ? undefined : "true"}
      style={{
        height: props.height ?? "max(320px, calc(100dvh - 220px))",
        "--columns": props.columns.map(({ width }) => width).join(" "),
        "--grid-min": `${props.minWidth ?? 0}px`
      }}
      onScroll={(event) => setScrollTop(event.currentTarget.scrollTop)}
      onKeyDown={onKey}
    >
      <div class="grid-head" role="row" aria-rowindex={1}>
        <For each={props.columns}>
          {(column) => <span role="columnheader" classList={{ end: column.end === true }}>{column.head}</span>}
        </For>
      </div>
      <div
        ref={body}
        class="grid-body"
        role="rowgroup"
        style={{ height: `${topOf(props.ids.length)}px` }}
      >
        <For each={drawn()}>
          {(id) => (
            <div
              class="grid-row"
              role="row"
              data-id={id}
              aria-rowindex={(places().get(id) ?? 0) + 2}
              aria-selected={props.selection === undefined ? undefined : props.selection.ids().has(id)}
              aria-current={props.current === id ? "true" : undefined}
              tabIndex={activeId() === id ? 0 : -1}
              data-tall={isTall(places().get(id) ?? 0) ? "" : undefined}
              data-second={props.second === undefined ? undefined : ""}
              style={{ transform: `translateY(${topOf(places().get(id) ?? 0)}px)` }}
              onFocus={() => {
                setActive(id)
                props.onActive?.(id)
              }}
              onClick={(event) => {
                if (event.target.closest("a, button, input, label") !== null) return
                if (getSelection()?.isCollapsed === false) return
                if (props.selection !== undefined && event.shiftKey) props.selection.extend(id, props.ids)
                else if (props.selection !== undefined && (event.ctrlKey || event.metaKey)) props.selection.toggle(id)
                else props.onOpen?.(id)
              }}
            >
              <For each={props.columns}>
                {(column) => <div role="gridcell" classList={{ end: column.end === true }}>{column.cell(id)}</div>}
              </For>
              <Show when={props.second !== undefined && isTall(places().get(id) ?? 0)}>
                <div role="gridcell" class="second">{props.second?.(id)}</div>
              </Show>
            </div>
          )}
        </For>
      </div>
    </div>
  )
}

/** The first column of a grid whose rows can be selected. */
export const selectColumn = (selection: Selection, ids: () => ReadonlyArray<string>): Column => ({
  width: "48px",
  head: <span class="reader">Selected</span>,
  cell: (id) => (
    <input
      type="checkbox"
      tabIndex={-1}
      aria-label={`Select ${id}`}
      checked={selection.ids().has(id)}
      onClick={(event) => event.shiftKey ? selection.extend(id, ids()) : selection.toggle(id)}
    />
  )
})
