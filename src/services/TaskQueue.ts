/**
 * Contract of the queue: the waiting tasks, by priority. Owns order and bounds; does not know workers or outcomes.
 *
 * Order: higher priority first, first in first out within a priority, and a task that is restored takes its old place.
 * An implementation states how long a lower priority can be passed over.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type { PriorityLevel } from "../domain/Priority.ts"
import type { TaskRecord } from "../domain/Task.ts"

/**
 * Service that holds the waiting tasks. Its methods are synchronous: they are called for every task.
 *
 * @category services
 * @since 0.1.0
 */
export class TaskQueue extends Context.Service<TaskQueue, {
  /** Adds a task at the end of its priority; `false` when a bound would be passed, then nothing changed. */
  readonly offer: (task: TaskRecord) => boolean
  /** Adds a task at the end of its priority. Never refused: it was admitted once. */
  readonly append: (task: TaskRecord) => void
  /** Puts a task that was taken back to where it stood. Never refused: it was admitted once. */
  readonly restore: (task: TaskRecord) => void
  /** Removes and returns the next task whose name is eligible, or `undefined`. */
  readonly take: (
    eligible: (name: string) => boolean,
    admits: (name: string, limitKey: string) => boolean
  ) => TaskRecord | undefined
  /** Tasks of this name and limit key, which were not admitted, may be asked for again. */
  readonly unpark: (name: string, limitKey: string) => void
  /** The same for all keys of a name. */
  readonly unparkAll: (name: string) => void
  /** Removes a waiting task, wherever it stands. */
  readonly remove: (task: TaskRecord) => void
  /** The waiting tasks of one name, in order of priority, then age. */
  readonly tasksOf: (name: string) => ReadonlyArray<TaskRecord>
  /** Number of waiting tasks of all priorities. */
  readonly size: () => number
  readonly sizeOf: (level: PriorityLevel) => number
  /** Sum of the bytes of the waiting tasks' arguments. */
  readonly bytes: () => number
  readonly maxWaiting: number
  readonly maxWaitingBytes: number
}>()("fastworker/services/TaskQueue") {}
