/**
 * Tasks that failed or expired, with all that is needed to run them again. Bounded by count and bytes: the oldest goes
 * first. Part of the core of a control plane.
 *
 * @since 0.1.0
 */
import { LRUCache } from "lru-cache"
import type { Body } from "../domain/Body.ts"
import type { Outcome } from "../domain/Outcome.ts"
import type { Settings as Values } from "../domain/Settings.ts"

/**
 * A task that failed or expired.
 *
 * @category models
 * @since 0.1.0
 */
export interface DeadTask {
  readonly outcome: Outcome
  readonly args: Body
}

/**
 * The dead tasks of a control plane.
 *
 * @category models
 * @since 0.1.0
 */
export type DeadTasks = ReturnType<typeof makeDeadTasks>

/** Bytes that a dead task, and each of its earlier attempts, accounts for besides arguments and errors. */
const overheadBytes = 600

const none: ReadonlyArray<string> = []

/**
 * Creates an empty store of dead tasks.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeDeadTasks = ({ maxDead, maxDeadBytes }: Pick<Values, "maxDead" | "maxDeadBytes">) => {
  let evicted: Array<string> = []
  // A plain map that is emptied from the front gets slow: it walks over what it has deleted.
  const tasks = new LRUCache<string, DeadTask>({
    max: Math.max(1, maxDead),
    maxSize: Math.max(1, maxDeadBytes),
    dispose: (_, id, reason) => {
      if (reason === "evict") evicted.push(id)
    }
  })
  return {
    /** Keeps a task. Returns the ids of those that are not kept any more for that, which may be its own. */
    put(task: DeadTask): ReadonlyArray<string> {
      const { body, history, id } = task.outcome
      const size = overheadBytes + task.args.length + body.length +
        history.reduce((sum, attempt) => sum + overheadBytes + attempt.body.length, 0)
      // What was kept of it before must not outlive what it is now.
      tasks.delete(id)
      if (maxDead === 0 || size > maxDeadBytes) return [id]
      tasks.set(id, task, { size })
      if (evicted.length === 0) return none
      const ids = evicted
      evicted = []
      return ids
    },
    // Looked at, a task is not younger: `peek` leaves the order alone.
    get: (id: string): DeadTask | undefined => tasks.peek(id),
    remove: (id: string): boolean => tasks.delete(id),
    /** Newest first. */
    values: (): Iterable<DeadTask> => tasks.values(),
    size: () => tasks.size,
    bytes: () => tasks.calculatedSize
  }
}
