/** What can be done with a schedule. */
import type { useNavigate } from "@solidjs/router"
import type { ScheduleRow } from "../../../domain/View.ts"
import type { App } from "../../Context.ts"
import { taskPath } from "../../paths.ts"
import { isTargetPaused, pauseTarget, resumeTarget } from "../../shell/pauses.ts"

export interface ScheduleActions {
  readonly isPaused: (schedule: ScheduleRow) => boolean
  readonly run: (schedule: ScheduleRow) => Promise<void>
  readonly pause: (schedule: ScheduleRow) => Promise<void>
  readonly resume: (schedule: ScheduleRow) => Promise<void>
  /** Whether it was removed. */
  readonly remove: (schedule: ScheduleRow) => Promise<boolean>
}

export const makeActions = (
  app: App,
  navigate: ReturnType<typeof useNavigate>,
  reload: () => void
): ScheduleActions => {
  const { api, dialogs, toasts } = app
  return {
    isPaused: ({ id }) => isTargetPaused(app, { schedule: id }),
    run: async ({ id, name }) => {
      const result = await api.schedules.run(id)
      if (!result.ok) return toasts.fail(`${id} was not run.`, result.problem)
      const task = result.value.id
      toasts.add({ text: `${name} is submitted.`, label: "Open", undo: () => navigate(taskPath(task)) })
      reload()
    },
    pause: async ({ id }) => {
      await pauseTarget(app, { schedule: id }, { name: id, done: `${id} is paused: it submits nothing.` })
      reload()
    },
    resume: async ({ id }) => {
      await resumeTarget(app, { schedule: id }, { name: id, done: `${id} goes on.` })
      reload()
    },
    remove: async ({ id, name }) => {
      const yes = await dialogs.confirm({
        title: `Remove ${id}?`,
        text: `It submits no more tasks of ${name}; those that it submitted stay. A worker whose files declare it ` +
          "declares it again when it joins: remove it there too.",
        action: "Remove",
        grave: true
      })
      if (!yes) return false
      const result = await api.schedules.remove(id)
      if (result.ok) toasts.add({ text: `${id} is removed.` })
      else toasts.fail(`${id} was not removed.`, result.problem)
      reload()
      return result.ok
    }
  }
}
