/**
 * Contract of the queue: the waiting tasks, by priority. Owns order and bounds; does not know workers, limits or outcomes.
 *
 * Order: higher priority first; within a priority, fairness keys take turns by their weights; first in first out within a
 * key, and a task that is restored takes its old place. Without keys that is first in first out within a priority. An
 * implementation states how long a lower priority can be passed over, and how far two keys can be apart.
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
  /**
   * Removes and returns the next task whose name is eligible and whose limit key is admitted, or `undefined`. Tasks
   * whose key is not admitted are parked: they wait, and are not asked about again until they are unparked. Tasks without a
   * limit key are not asked about.
   */
  readonly take: (
    eligible: (name: string) => boolean,
    admits: (name: string, limitKey: string) => boolean
  ) => TaskRecord | undefined
  /** Tasks of this name and limit key, which were not admitted, may be asked about again. */
  readonly unpark: (name: string, limitKey: string) => void
  /** The same for all keys of a name. */
  readonly unparkAll: (name: string) => void
  /** Removes a waiting task, wherever it stands. */
  readonly remove: (task: TaskRecord) => void
  /** The waiting tasks of one name, in order of priority, then age. */
  readonly tasksOf: (name: string) => ReadonlyArray<TaskRecord>
  /** Number of waiting tasks of all priorities, parked ones included. */
  readonly size: () => number
  readonly sizeOf: (level: PriorityLevel) => number
  /** The task of a priority that has waited longest. Looks at each name and each key that waits. */
  readonly oldestOf: (level: PriorityLevel) => TaskRecord | undefined
  /** Sum of the bytes of the waiting tasks' arguments. */
  readonly bytes: () => number
  readonly maxWaiting: number
  readonly maxWaitingBytes: number
}>()("fastworker/services/TaskQueue") {}
