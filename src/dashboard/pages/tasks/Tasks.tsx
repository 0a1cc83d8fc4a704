/** The tasks: a list, over which one of them opens in a drawer; after a reload the one that is open has the page. */
import { useParams } from "@solidjs/router"
import { createEffect, createSignal, lazy, Show } from "solid-js"
import { nameFrom } from "../../paths.ts"
import { TaskListPage } from "./TaskListPage.tsx"
import "./tasks.css"

const TaskPage = lazy(() => import("./detail/TaskPage.tsx"))

export default function Tasks() {
  const params = useParams<{ readonly id?: string }>()
  const id = () => params.id === undefined ? undefined : nameFrom(params.id)
  const [isPage, setPage] = createSignal(params.id !== undefined)
  createEffect(() => {
    if (params.id === undefined) setPage(false)
  })
  return (
    <Show
      when={isPage() ? id() : undefined}
      fallback={<TaskListPage open={id()} onExpand={() => setPage(true)} />}
    >
      {(id) => <TaskPage id={id()} />}
    </Show>
  )
}
