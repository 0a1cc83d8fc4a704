/** Pausing a task type: its tasks wait, others run. */
import type { App } from "../../Context.ts"
import { isTargetPaused, pauseTarget, resumeTarget } from "../../shell/pauses.ts"

export const isTypePaused = (app: App, name: string): boolean => isTargetPaused(app, { task: name })

export const pauseType = (app: App, name: string): Promise<void> =>
  pauseTarget(app, { task: name }, { name, done: `No task of ${name} starts. What runs goes on.` })

export const resumeType = (app: App, name: string): Promise<void> =>
  resumeTarget(app, { task: name }, { name, done: `Tasks of ${name} start again.` })
