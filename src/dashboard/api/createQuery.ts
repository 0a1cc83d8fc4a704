/**
 * A read that follows its key: asks again when the key changes, gives up the answer before, keeps showing what it had.
 */
import { type Accessor, createEffect, createSignal, on, onCleanup } from "solid-js"
import { useApp } from "../Context.ts"
import type { Problem, Result } from "./Client.ts"

export interface QueryOptions {
  /** Asks again every so many milliseconds, while the page is visible, live and not frozen. */
  readonly every?: number
  /** Forgets what it had when the key changes: for another thing, not the same thing filtered. */
  readonly forget?: boolean
}

export interface Asked<A> {
  /** The last good answer; stays while another one is on its way. */
  readonly data: Accessor<A | undefined>
  /** Why the last request failed. */
  readonly problem: Accessor<Problem | undefined>
  readonly loading: Accessor<boolean>
  /** The data is of another key and the answer takes long: dim it (`data-stale`). */
  readonly stale: Accessor<boolean>
  readonly reload: () => void
  /** Puts a value in the place of the answer. */
  readonly set: (value: A) => void
}

const dimMillis = 300

/** With `undefined` as key nothing is asked. */
export const createQuery = <K, A>(
  key: Accessor<K | undefined>,
  load: (key: K, signal: AbortSignal) => Promise<Result<A>>,
  options: QueryOptions = {}
): Asked<A> => {
  const { live } = useApp()
  const [data, setData] = createSignal<A>()
  const [problem, setProblem] = createSignal<Problem>()
  const [loading, setLoading] = createSignal(false)
  const [stale, setStale] = createSignal(false)
  let abort: AbortController | undefined
  let dim: ReturnType<typeof setTimeout> | undefined

  const ask = (now: K | undefined, isSameKey: boolean) => {
    abort?.abort()
    clearTimeout(dim)
    if (now === undefined) return
    const own = new AbortController()
    abort = own
    setLoading(true)
    if (!isSameKey) dim = setTimeout(() => setStale(true), dimMillis)
    void load(now, own.signal).then((result) => {
      if (own.signal.aborted) return
      clearTimeout(dim)
      setLoading(false)
      setStale(false)
      if (result.ok) {
        setData(() => result.value)
        setProblem(undefined)
      } else if (result.problem.code !== "Unreachable" || data() === undefined) setProblem(result.problem)
      // Otherwise what was answered stays: that there is no connection is said once, for the whole page.
    })
  }

  createEffect(on(key, (now) => {
    if (options.forget === true) setData(undefined)
    ask(now, false)
  }))
  // After an interruption what is shown is old.
  createEffect(on(live.resyncs, () => ask(key(), true), { defer: true }))
  if (options.every !== undefined) {
    const timer = setInterval(() => {
      if (document.visibilityState === "visible" && live.status() === "live" && !live.frozen() && !loading()) {
        ask(key(), true)
      }
    }, options.every)
    onCleanup(() => clearInterval(timer))
  }
  onCleanup(() => {
    abort?.abort()
    clearTimeout(dim)
  })
  return { data, problem, loading, stale, reload: () => ask(key(), true), set: (value) => setData(() => value) }
}
