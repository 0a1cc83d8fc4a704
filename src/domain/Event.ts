/**
 * What happened in the control plane, for whoever follows: dashboard, logs, metrics.
 *
 * @since 0.1.0
 */
import type { FailureReason } from "./Outcome.ts"
import type { FinalState } from "./TaskState.ts"

/**
 * One thing that happened. `at` is milliseconds since 1970.
 *
 * @category models
 * @since 0.1.0
 */
export type Event =
  | { readonly type: "task.queued"; readonly at: number; readonly id: string; readonly name: string }
  | {
    readonly type: "task.started"
    readonly at: number
    readonly id: string
    readonly name: string
    readonly worker: string
    readonly attempt: number
  }
  | {
    readonly type: "task.finished"
    readonly at: number
    readonly id: string
    readonly name: string
    readonly state: FinalState
    readonly reason: FailureReason | undefined
  }
  | {
    readonly type: "task.requeued"
    readonly at: number
    readonly id: string
    readonly name: string
    readonly cause: "worker lost" | "handed back"
  }
  | {
    readonly type: "worker.joined" | "worker.left" | "worker.lost" | "worker.unresponsive" | "worker.responsive"
    readonly at: number
    readonly worker: string
  }
