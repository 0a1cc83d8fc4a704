/**
 * What happened in the control plane, for whoever follows: clients, dashboard, logs, metrics. Every transition of a task
 * is one of these.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { FailureReason } from "./Outcome.ts"
import { Priority } from "./Priority.ts"
import { TaskId, TaskName } from "./Task.ts"
import { FinalState } from "./TaskState.ts"

const taskEvent = <const Type extends string, const F extends Schema.Struct.Fields>(type: Type, fields: F) =>
  Schema.Struct({ type: Schema.Literal(type), at: Schema.Finite, id: TaskId, name: TaskName, ...fields })

/**
 * Schema for one thing that happened. `at` is milliseconds since 1970.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Event = Schema.Union([
  taskEvent("task.delayed", { dueAt: Schema.Finite }),
  taskEvent("task.queued", {}),
  taskEvent("task.started", { worker: Schema.String, attempt: Schema.Int }),
  /** An attempt failed and is not the last. */
  taskEvent("task.retrying", { attempt: Schema.Int, reason: FailureReason, dueAt: Schema.Finite }),
  taskEvent("task.requeued", { cause: Schema.Literals(["worker lost", "crashed", "handed back"]) }),
  /** Somebody gave it another priority. */
  taskEvent("task.prioritized", { from: Priority, priority: Priority }),
  taskEvent("task.cancelling", { stop: Schema.Literals(["cancelled", "expired"]) }),
  taskEvent("task.finished", { state: FinalState, reason: Schema.optionalKey(FailureReason), attempt: Schema.Int }),
  Schema.Struct({
    type: Schema.Literals(["worker.joined", "worker.left", "worker.lost", "worker.unresponsive", "worker.responsive"]),
    at: Schema.Finite,
    worker: Schema.String
  }),
  /** What was paused or resumed: `all`, `task:NAME`, `worker:ID` or `schedule:ID`. */
  Schema.Struct({ type: Schema.Literals(["paused", "resumed"]), at: Schema.Finite, target: Schema.String })
])

/**
 * One thing that happened.
 *
 * @category models
 * @since 0.1.0
 */
export type Event = typeof Event.Type

/**
 * All types of events.
 *
 * @category constants
 * @since 0.1.0
 */
export const eventTypes: ReadonlyArray<Event["type"]> = Event.members.flatMap(({ fields: { type } }) =>
  "literals" in type ? type.literals : [type.literal]
)
