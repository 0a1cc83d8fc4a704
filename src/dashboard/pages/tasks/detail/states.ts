/** What can be said of a task by its state. Pure. */
import type { TaskState } from "../../../../domain/TaskState.ts"
import type { TaskDetail } from "../../../../domain/View.ts"
import { shownState, states } from "../../../components/status.ts"
import { plural } from "../../../format.ts"

const finals: ReadonlySet<TaskState> = new Set(["succeeded", "failed", "cancelled", "expired"])
export const isFinal = (state: TaskState): boolean => finals.has(state)

/** Failed after 3 attempts, Retrying after 2 attempts, Running, attempt 2 */
export const headline = (task: Pick<TaskDetail, "state" | "attempt" | "retrying">): string => {
  const shown = shownState(task)
  const { label } = states[shown]
  if (task.attempt < 2 && shown !== "retrying") return label
  if (shown === "running") return `${label}, attempt ${task.attempt}`
  return shown === "failed" || shown === "succeeded" || shown === "retrying"
    ? `${label} after ${plural(task.attempt, "attempt")}`
    : label
}

/** Why it can't be done; `undefined` when it can. */
export const noRetry = (task: TaskDetail): string | undefined =>
  task.can.retry
    ? undefined
    : task.retriedAs !== undefined && task.retriedAs.length > 0
    ? "It was retried already."
    : isFinal(task.state)
    ? "Only tasks that failed or expired, and are still kept, can be retried."
    : "It has not finished yet."
export const noCancel = (task: TaskDetail): string | undefined =>
  task.can.cancel
    ? undefined
    : task.state === "cancelling"
    ? "It was told to stop already."
    : "It has finished."
