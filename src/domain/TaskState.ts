/**
 * The states of a task and the one table that says which may follow which. Owns no task: the control plane's core applies
 * {@link transition} and nothing else changes a state.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * Schema for the state of a task. `queued` waits for a free slot, `running` is leased to a worker, the others are final.
 *
 * @category schemas
 * @since 0.1.0
 */
export const TaskState = Schema.Literals(["queued", "running", "succeeded", "failed", "cancelled"])

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
export const FinalState = Schema.Literals(["succeeded", "failed", "cancelled"])

/**
 * A state that is final for ever.
 *
 * @category models
 * @since 0.1.0
 */
export type FinalState = typeof FinalState.Type

/**
 * What may follow each state. A running task goes back to `queued` when its worker is lost or hands it back.
 *
 * @category transitions
 * @since 0.1.0
 */
export const successors: Readonly<Record<TaskState, ReadonlyArray<TaskState>>> = {
  queued: ["running", "failed", "cancelled"],
  running: ["succeeded", "failed", "queued"],
  succeeded: [],
  failed: [],
  cancelled: []
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
