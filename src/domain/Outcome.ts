/**
 * The final state of a task: what its caller gets. Owns the shape; bodies are the encoded value or error, opaque to the
 * control plane.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import type { Body } from "./Body.ts"
import type { PriorityLevel } from "./Priority.ts"
import type { EndedAttempt, TaskOptions } from "./Task.ts"
import type { FinalState } from "./TaskState.ts"

/**
 * Schema for why a task failed.
 *
 * **Details**
 *
 * `error`: the handler failed with the error that its definition declares; the body is that error, encoded. `defect`: it
 * failed in a way that the definition does not declare; the body is `{ name, message, stack? }`. `arguments`: the worker
 * could not decode the arguments; the body is `{ issues }`. `crash`: workers or threads were lost while they ran it, too
 * often; the body is `{ crashes, last? }`, with what the last thread said. `timeout`: the attempt took longer than its definition allows; the body is `{ timeout }` in milliseconds.
 * `unknown`: no process has a handler of that name; the body is `{ known }`, some names that have one. `size`: the result was too large; the body is
 * `{ size, limit }`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const FailureReason = Schema.Literals(["error", "defect", "arguments", "crash", "timeout", "unknown", "size"])

/**
 * Why a task failed.
 *
 * @category models
 * @since 0.1.0
 */
export type FailureReason = typeof FailureReason.Type

/**
 * The outcome of a task, immutable. Times are milliseconds of the monotonic clock; `startedAt` is missing when it never
 * ran.
 *
 * @category models
 * @since 0.1.0
 */
export interface Outcome {
  readonly id: string
  readonly name: string
  readonly level: PriorityLevel
  readonly state: FinalState
  readonly reason: FailureReason | undefined
  readonly attempt: number
  readonly options: TaskOptions | undefined
  /** Attempts before the last one, oldest first. */
  readonly history: ReadonlyArray<EndedAttempt>
  readonly worker: string | undefined
  readonly submittedAt: number
  readonly startedAt: number | undefined
  readonly finishedAt: number
  readonly body: Body
}

/**
 * What is remembered of a task after its outcome was evicted: enough to answer a resubmission and a status question.
 *
 * @category models
 * @since 0.1.0
 */
export interface Tombstone {
  readonly state: FinalState
  /** Fingerprint of its name and arguments. */
  readonly fingerprint: number
}
