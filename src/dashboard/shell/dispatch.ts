/** Pauses and resumes the start of tasks. Pausing asks: nothing runs until somebody resumes it. */
import type { App } from "../Context.ts"
import { plural } from "../format.ts"

export const isPaused = ({ live }: App): boolean =>
  live.data.paused.includes("all") || live.data.stats.paused.includes("all")

export const dispatchPause = async (app: App): Promise<void> => {
  const { api, dialogs, live, toasts } = app
  if (isPaused(app)) return resume(app)
  const { running, waiting } = live.data.stats
  const yes = await dialogs.confirm({
    title: "Pause dispatch?",
    text:
      `No task starts until it is resumed. What runs goes on (${plural(running, "task")}), what is submitted waits ` +
      `(${plural(waiting, "task")} now).`,
    action: "Pause dispatch"
  })
  if (!yes) return
  const result = await api.pause({})
  if (result.ok) toasts.add({ text: "Dispatch is paused.", undo: () => void resume(app), label: "Resume" })
  else toasts.fail("Dispatch is not paused.", result.problem)
}

const resume = async ({ api, toasts }: App): Promise<void> => {
  const result = await api.resume({})
  if (result.ok) toasts.add({ text: "Dispatch goes on." })
  else toasts.fail("Dispatch is still paused.", result.problem)
}
