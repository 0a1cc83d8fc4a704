/**
 * The states of a task and the one table that says which may follow which. Owns no task: the control plane's core applies
 * {@link transition} and nothing else changes a state.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * Schema for the state of a task.
 *
 * **Details**
 *
 * `delayed` waits for its time (submitted for later, or between two attempts), `queued` for a free slot. `running` is
 * leased to a worker; `cancelling` too, which was told to stop and has not said that it has. The others are final.
 *
 * @category schemas
 * @since 0.1.0
 */
export const TaskState = Schema.Literals([
  "delayed",
  "queued",
  "running",
  "cancelling",
  "succeeded",
  "failed",
  "cancelled",
  "expired"
])

/**
 * The state of a task.
 *
 * @category models
 * @since 0.1.0
 */
export type TaskState = typeof TaskState.Type

/**
 * Schema for the states that are final for ever.
 *
 * @category schemas
 * @since 0.1.0
 */
export const FinalState = Schema.Literals(["succeeded", "failed", "cancelled", "expired"])

/**
 * A state that is final for ever.
 *
 * @category models
 * @since 0.1.0
 */
export type FinalState = typeof FinalState.Type

/**
 * What may follow each state.
 *
 * **Details**
 *
 * A running task goes back to `queued` when its worker is lost or hands it back, and to `delayed` when it is to be
 * retried. A delayed one is `running` at once when a worker says that it has been running it all along: the control
 * plane was restarted. One that is being cancelled can still succeed or fail, if that was on its way, but never waits
 * again.
 *
 * @category transitions
 * @since 0.1.0
 */
export const successors: Readonly<Record<TaskState, ReadonlyArray<TaskState>>> = {
  delayed: ["queued", "running", "failed", "cancelled", "expired"],
  queued: ["running", "failed", "cancelled", "expired"],
  running: ["succeeded", "failed", "queued", "delayed", "cancelling", "cancelled", "expired"],
  cancelling: ["succeeded", "failed", "cancelled", "expired"],
  succeeded: [],
  failed: [],
  cancelled: [],
  expired: []
}

/**
 * Returns whether a state is final.
 *
 * @category transitions
 * @since 0.1.0
 */
export const isFinal = (state: TaskState): state is FinalState => successors[state].length === 0

/**
 * Returns the next state, or `undefined` when the table does not allow the step: then the caller must leave the task as
 * it is.
 *
 * @category transitions
 * @since 0.1.0
 */
export const transition = <To extends TaskState>(from: TaskState, to: To): To | undefined =>
  successors[from].includes(to) ? to : undefined
