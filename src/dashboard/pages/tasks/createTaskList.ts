/**
 * The list as it was when it was asked for, page by page as somebody scrolls. New tasks are counted, never put in between:
 * rows stay where they are until the list is asked for again.
 */
import { type Accessor, batch, createEffect, createSignal, on, onCleanup } from "solid-js"
import type { TaskRow } from "../../../domain/View.ts"
import type { Problem } from "../../api/Client.ts"
import { createQuery } from "../../api/createQuery.ts"
import type { TaskCounts, TaskQuery } from "../../api/Endpoints.ts"
import { useApp } from "../../Context.ts"
import { createRows, type Rows } from "../../live/Rows.ts"
import { type Filter, problemOf, queryOf, type Sort } from "./query.ts"

/** The first page is here at once, the others are few. */
const firstLimit = 100
const nextLimit = 500
const countMillis = 3_000
const dimMillis = 300

export interface TaskList {
  readonly ids: Accessor<ReadonlyArray<string>>
  readonly rows: Rows
  /** Whether it had an error when it was listed: later ones don't make its row any taller. */
  readonly hadError: (id: string) => boolean
  /** What was asked, with times as they were then; `undefined` until there was an answer. */
  readonly query: Accessor<TaskQuery | undefined>
  /** When the list was made. */
  readonly asOf: Accessor<number | undefined>
  readonly counts: Accessor<TaskCounts | undefined>
  readonly loading: Accessor<boolean>
  /** The list is of another filter and the answer takes long. */
  readonly stale: Accessor<boolean>
  readonly hasMore: Accessor<boolean>
  readonly problem: Accessor<Problem | undefined>
  /** Why there is no next page. */
  readonly moreProblem: Accessor<Problem | undefined>
  readonly more: () => void
  readonly reload: () => void
  readonly recount: () => void
}

export const createTaskList = (filter: Accessor<Filter>, sort: Accessor<Sort>): TaskList => {
  const { api, live } = useApp()
  const rows = createRows()
  const [ids, setIds] = createSignal<ReadonlyArray<string>>([])
  const [query, setQuery] = createSignal<TaskQuery>()
  const [asOf, setAsOf] = createSignal<number>()
  const [next, setNext] = createSignal<string | null>(null)
  const [loading, setLoading] = createSignal(true)
  const [stale, setStale] = createSignal(false)
  const [problem, setProblem] = createSignal<Problem>()
  const [moreProblem, setMoreProblem] = createSignal<Problem>()
  const withError = new Set<string>()
  let abort = new AbortController()
  let dim: ReturnType<typeof setTimeout> | undefined
  let isAdding = false

  const add = (tasks: ReadonlyArray<TaskRow>) => {
    rows.put(tasks)
    for (const { error, id } of tasks) if (error !== undefined) withError.add(id)
  }
  const begin = async (isSame: boolean) => {
    abort.abort()
    clearTimeout(dim)
    const own = new AbortController()
    abort = own
    isAdding = false
    setLoading(true)
    if (!isSame) dim = setTimeout(() => setStale(true), dimMillis)
    const now = live.now()
    const unreadable = problemOf(filter(), now)
    const asked = queryOf(filter(), now)
    const result = unreadable === undefined
      ? await api.tasks.list({ ...asked, sort: sort(), limit: firstLimit }, own.signal)
      : { ok: false as const, problem: { status: 0, title: "Not a time", detail: unreadable, code: "Time" } }
    if (own.signal.aborted) return
    clearTimeout(dim)
    batch(() => {
      setLoading(false)
      setStale(false)
      setMoreProblem(undefined)
      setProblem(result.ok ? undefined : result.problem)
      if (!result.ok) return
      withError.clear()
      add(result.value.tasks)
      setQuery(asked)
      setAsOf(result.value.asOf)
      setNext(result.value.next)
      setIds(result.value.tasks.map(({ id }) => id))
    })
    rows.keep(ids())
  }

  const more = async () => {
    const cursor = next()
    if (cursor === null || isAdding || loading() || moreProblem() !== undefined) return
    isAdding = true
    const own = abort
    const result = await api.tasks.list({ ...query(), sort: sort(), limit: nextLimit, cursor }, own.signal)
    if (own.signal.aborted) return
    isAdding = false
    batch(() => {
      setMoreProblem(result.ok ? undefined : result.problem)
      if (!result.ok) return
      const known = new Set(ids())
      const fresh = result.value.tasks.filter(({ id }) => !known.has(id))
      add(fresh)
      setNext(result.value.next)
      // What changed meanwhile may be met twice.
      setIds([...known, ...fresh.map(({ id }) => id)])
    })
  }

  createEffect(on([filter, sort], () => void begin(false)))
  // After an interruption the list stays, unless there is none.
  createEffect(on(live.resyncs, () => {
    if (ids().length === 0 || problem() !== undefined) void begin(true)
  }, { defer: true }))
  onCleanup(() => {
    abort.abort()
    clearTimeout(dim)
  })

  const counts = createQuery(
    () => {
      const asked = query()
      return asked === undefined ? undefined : { ...asked, after: asOf() }
    },
    api.tasks.counts,
    { every: countMillis }
  )
  // Nothing is pushed away when there is nothing.
  createEffect(on(() => counts.data()?.newer ?? 0, (newer) => {
    if (newer > 0 && ids().length === 0 && !loading()) void begin(true)
  }))

  return {
    ids,
    rows,
    hadError: (id) => withError.has(id),
    query,
    asOf,
    counts: counts.data,
    loading,
    stale,
    hasMore: () => next() !== null,
    problem,
    moreProblem,
    more: () => void more(),
    reload: () => void begin(true),
    recount: counts.reload
  }
}
