/**
 * Rows of tasks that a page holds: a plain map for all of them and a signal for each that is drawn, so that a list of
 * 100,000 costs what is seen of it. Frames change only tasks that the page put in.
 */
import { type Accessor, createSignal, onCleanup, type Setter } from "solid-js"
import type { TaskRow } from "../../domain/View.ts"
import { useApp } from "../Context.ts"
import { rowOf } from "./merge.ts"

export interface Rows {
  readonly put: (rows: ReadonlyArray<TaskRow>) => void
  /** The newest that is known, without following it. */
  readonly get: (id: string) => TaskRow | undefined
  /** Follows a task for as long as the caller is drawn. */
  readonly use: (id: string) => Accessor<TaskRow | undefined>
  /** Forgets all but these. */
  readonly keep: (ids: Iterable<string>) => void
}

interface Drawn {
  readonly row: Accessor<TaskRow | undefined>
  readonly set: Setter<TaskRow | undefined>
  users: number
}

/** Frames are this old when they come, at most; a list may be older than the frame that came before it. */
const settleMillis = 500

const isFinal = ({ state }: TaskRow) =>
  state === "succeeded" || state === "failed" || state === "cancelled" || state === "expired"

/** Most ids in one lookup. */
const maxLookup = 500

export const createRows = (): Rows => {
  const { api, live } = useApp()
  const known = new Map<string, TaskRow>()
  const drawn = new Map<string, Drawn>()
  let asking: AbortController | undefined
  let settle: ReturnType<typeof setTimeout> | undefined

  const store = (row: TaskRow) => {
    known.set(row.id, row)
    drawn.get(row.id)?.set(row)
  }
  /** More changed than a frame carries, or frames are missing: asks for what is on the screen. */
  const lookUp = async () => {
    if (asking !== undefined || drawn.size === 0) return
    const own = new AbortController()
    asking = own
    const result = await api.tasks.lookup([...drawn.keys()].slice(0, maxLookup), own.signal)
    asking = undefined
    if (result.ok && !own.signal.aborted) { for (const row of result.value.tasks) store(row) }
  }
  onCleanup(() => {
    asking?.abort()
    clearTimeout(settle)
  })

  live.onFrame((frame) => {
    for (const tuple of frame.tasks ?? []) {
      const row = known.get(tuple[0])
      if (row !== undefined) store(rowOf(tuple, row))
    }
    if (frame.over === true) void lookUp()
  })

  return {
    put: (rows) => {
      for (const row of rows) store(row)
      // What changed while the answer was on its way was in a frame that came before these rows were here.
      if (rows.every(isFinal)) return
      clearTimeout(settle)
      settle = setTimeout(() => void lookUp(), settleMillis)
    },
    get: (id) => known.get(id),
    use: (id) => {
      let entry = drawn.get(id)
      if (entry === undefined) {
        const [row, set] = createSignal(known.get(id))
        entry = { row, set, users: 0 }
        drawn.set(id, entry)
      }
      const own = entry
      own.users += 1
      onCleanup(() => {
        own.users -= 1
        if (own.users === 0) drawn.delete(id)
      })
      return own.row
    },
    keep: (ids) => {
      const kept = new Set(ids)
      for (const id of known.keys()) if (!kept.has(id)) known.delete(id)
    }
  }
}
