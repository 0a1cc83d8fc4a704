/** What the states of a worker mean, for people. Pure. */
import type { WorkerRow } from "../../../domain/View.ts"
import type { Tone } from "../../components/status.ts"
import { duration, plural } from "../../format.ts"

export interface Meaning {
  readonly tone: Tone
  readonly title: string
  readonly text: string
}

const runs = (count: number) => count === 0 ? "It runs nothing now" : `What it runs goes on (${plural(count, "task")})`

/** Nothing to say of a worker that is active. `now` is the control plane's time. */
export const meaningOf = (worker: WorkerRow, now: number): Meaning | undefined => {
  const silent = duration(Math.floor(Math.max(0, now - worker.lastSeenAt) / 1_000) * 1_000 || 1_000)
  switch (worker.state) {
    case "active":
      return undefined
    case "paused":
      return {
        tone: "warn",
        title: "Paused",
        text: `It gets no tasks until it is resumed. ${runs(worker.running)}.`
      }
    case "draining":
      return {
        tone: "warn",
        title: "Draining",
        text: `It gets no more tasks. ${runs(worker.running)}; ` +
          (worker.running === 0 ? "it leaves." : "when that is finished it leaves and its process ends.")
      }
    case "unresponsive":
      return {
        tone: "bad",
        title: "Not answering",
        text:
          `Its process lives, but its event loop has been blocked for ${duration(worker.lag)}: something computes ` +
          "without a pause. It gets no tasks meanwhile and its tasks stay with it. Run such work in a thread " +
          "(isolation: \"thread\")."
      }
    case "lost":
      return {
        tone: "bad",
        title: `Lost ${silent} ago`,
        text:
          "Nothing was heard from it any more: it crashed, was killed, or the network between is down. Its tasks went " +
          "back to the queue and run elsewhere. When it comes back it registers by itself; until then it is shown for " +
          "10 minutes."
      }
  }
}

/** Share of the finished tasks that failed; `undefined` without any. */
export const failedShare = (worker: { readonly failed: number; readonly succeeded: number }): number | undefined =>
  worker.failed + worker.succeeded === 0 ? undefined : worker.failed / (worker.failed + worker.succeeded)
