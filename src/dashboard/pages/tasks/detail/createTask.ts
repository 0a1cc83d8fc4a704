/** One task with everything that is known of it, kept up to date: by the stream, and once in a while as long as it runs. */
import { type Accessor, createEffect, createMemo, on, onCleanup } from "solid-js"
import { createStore, reconcile } from "solid-js/store"
import type { TaskDetail } from "../../../../domain/View.ts"
import type { Problem } from "../../../api/Client.ts"
import { createQuery } from "../../../api/createQuery.ts"
import { useApp } from "../../../Context.ts"
import { isFinal } from "./states.ts"

export interface Task {
  /** `undefined` until it was read. */
  readonly task: TaskDetail | undefined
  readonly problem: Accessor<Problem | undefined>
  readonly loading: Accessor<boolean>
  readonly reload: () => void
}

/** Progress is not in the stream. */
const pollMillis = 2_000
/** Changes that come so soon after one another are asked for once. */
const gatherMillis = 150

export const createTask = (id: Accessor<string>): Task => {
  const { api, live } = useApp()
  const query = createQuery(id, api.tasks.detail, { forget: true })
  const [store, setStore] = createStore<{ task?: TaskDetail | undefined }>({})
  // What did not change keeps its elements, and with them the focus.
  createEffect(on(query.data, (data) => setStore("task", reconcile(data))))

  let soon: ReturnType<typeof setTimeout> | undefined
  const reloadSoon = () => {
    clearTimeout(soon)
    soon = setTimeout(query.reload, gatherMillis)
  }
  live.onFrame((frame) => {
    if (frame.over === true || frame.tasks?.some(([changed]) => changed === id()) === true) reloadSoon()
  })
  const isAlive = createMemo(() => store.task !== undefined && !isFinal(store.task.state))
  createEffect(() => {
    if (!isAlive()) return
    const timer = setInterval(() => {
      if (document.visibilityState === "visible" && live.status() === "live" && !live.frozen()) query.reload()
    }, pollMillis)
    onCleanup(() => clearInterval(timer))
  })
  onCleanup(() => clearTimeout(soon))

  return {
    get task() {
      // After a step to another task the store is a moment behind.
      return store.task?.id === id() ? store.task : undefined
    },
    problem: query.problem,
    loading: query.loading,
    reload: query.reload
  }
}
