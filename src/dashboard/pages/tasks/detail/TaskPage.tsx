/** A task that has the page to itself: opened by its address. */
import { A, useLocation, useNavigate } from "@solidjs/router"
import { Show } from "solid-js"
import { ChevronLeft } from "../../../components/icons.ts"
import { Page } from "../../../components/Page.tsx"
import { StatusBadge } from "../../../components/StatusBadge.tsx"
import { shortId } from "../../../format.ts"
import { taskPath } from "../../../paths.ts"
import { createTask } from "./createTask.ts"
import { headline } from "./states.ts"
import { TaskBody } from "./TaskBody.tsx"
import { TaskButtons } from "./TaskHead.tsx"

export default function TaskPage(props: { readonly id: string }) {
  const navigate = useNavigate()
  const location = useLocation()
  const shown = createTask(() => props.id)
  return (
    <Page
      title={shown.task?.name ?? `Task ${shortId(props.id)}`}
      before={
        <A class="button" data-kind="quiet" data-size="small" href={`/tasks${location.search}`}>
          <ChevronLeft size={14} class="icon" aria-hidden="true" />
          Tasks
        </A>
      }
      controls={
        <Show when={shown.task}>
          {(task) => (
            <>
              <span class="page-status">
                <StatusBadge task={task()} label={headline(task())} />
              </span>
              <TaskButtons task={task()} reload={shown.reload} onOpen={(id) => navigate(taskPath(id))} />
            </>
          )}
        </Show>
      }
    >
      <div class="task-page">
        <TaskBody shown={shown} />
      </div>
    </Page>
  )
}
