/** Pausing and resuming a worker, a task type or a schedule: at once, with the way back in the message. */
import type { PauseTarget } from "../../domain/Message.ts"
import type { App } from "../Context.ts"

export interface PauseWords {
  readonly name: string
  /** What is so from now on. */
  readonly done: string
}

/** `task:mail.send`, as in the list of what is paused. */
const nameOf = ({ schedule, task, worker }: PauseTarget): string =>
  worker !== undefined ? `worker:${worker}` : task !== undefined ? `task:${task}` : `schedule:${schedule ?? ""}`

export const isTargetPaused = ({ live }: App, target: PauseTarget): boolean => live.data.paused.includes(nameOf(target))

export const pauseTarget = async (app: App, target: PauseTarget, words: PauseWords): Promise<void> => {
  const result = await app.api.pause(target)
  if (!result.ok) return app.toasts.fail(`${words.name} is not paused.`, result.problem)
  app.toasts.add({
    text: words.done,
    label: "Resume",
    undo: () => void resumeTarget(app, target, { name: words.name, done: `${words.name} goes on.` })
  })
}

export const resumeTarget = async (app: App, target: PauseTarget, words: PauseWords): Promise<void> => {
  const result = await app.api.resume(target)
  if (result.ok) app.toasts.add({ text: words.done })
  else app.toasts.fail(`${words.name} is still paused.`, result.problem)
}
