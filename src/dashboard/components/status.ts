/** How a state of a task is called and which colour it has. Pure. */
import type { TaskState } from "../../domain/TaskState.ts"
import type { WorkerRow } from "../../domain/View.ts"

/** A state as people see it: `retrying` is a task that is delayed because an attempt failed. */
export type ShownState = TaskState | "retrying"

export type Tone = "ok" | "bad" | "warn" | "run" | "due" | "mute"

export const states: Readonly<Record<ShownState, { readonly label: string; readonly tone: Tone }>> = {
  delayed: { label: "Scheduled", tone: "due" },
  queued: { label: "Waiting", tone: "mute" },
  running: { label: "Running", tone: "run" },
  cancelling: { label: "Stopping", tone: "warn" },
  retrying: { label: "Retrying", tone: "warn" },
  succeeded: { label: "Succeeded", tone: "ok" },
  failed: { label: "Failed", tone: "bad" },
  cancelled: { label: "Cancelled", tone: "mute" },
  expired: { label: "Expired", tone: "mute" }
}

export const shownState = (task: { readonly state: TaskState; readonly retrying?: boolean }): ShownState =>
  task.retrying === true && task.state === "delayed" ? "retrying" : task.state

export const workerStates: Readonly<
  Record<WorkerRow["state"], {
    readonly label: string
    readonly tone: Tone
    readonly shape: "dot" | "ring" | "diamond" | "bar"
  }>
> = {
  active: { label: "Active", tone: "ok", shape: "dot" },
  draining: { label: "Draining", tone: "warn", shape: "ring" },
  paused: { label: "Paused", tone: "warn", shape: "bar" },
  unresponsive: { label: "Not answering", tone: "bad", shape: "ring" },
  lost: { label: "Lost", tone: "bad", shape: "diamond" }
}
