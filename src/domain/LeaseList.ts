/**
 * The tasks that one worker holds, in the order in which it got them: a list through the tasks themselves, whose links the
 * queue does not use while they run. So nothing is made or looked up for a lease, and nothing is left behind.
 *
 * @since 0.1.0
 */
import type { TaskRecord } from "./Task.ts"

/**
 * The leases of a worker.
 *
 * @category models
 * @since 0.1.0
 */
export class LeaseList {
  #first: TaskRecord | undefined = undefined
  #last: TaskRecord | undefined = undefined
  #size = 0

  /** Number of leases. */
  get size(): number {
    return this.#size
  }

  /** Adds a task that is in no queue and held by nobody. */
  add(task: TaskRecord): void {
    task.next = undefined
    task.previous = this.#last
    if (this.#last === undefined) this.#first = task
    else this.#last.next = task
    this.#last = task
    this.#size++
  }

  /** Takes out a task that is held. */
  delete(task: TaskRecord): void {
    const { next, previous } = task
    if (previous === undefined) this.#first = next
    else previous.next = next
    if (next === undefined) this.#last = previous
    else next.previous = previous
    task.next = undefined
    task.previous = undefined
    this.#size--
  }

  /** The leases now: later changes do not show. */
  [Symbol.iterator](): IterableIterator<TaskRecord> {
    const tasks: Array<TaskRecord> = []
    for (let task = this.#first; task !== undefined; task = task.next) tasks.push(task)
    return tasks[Symbol.iterator]()
  }
}
