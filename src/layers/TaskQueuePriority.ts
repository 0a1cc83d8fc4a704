/**
 * The queue in memory: four priorities, each with its lanes (see `Lanes.ts`). Offer, removal and a take of plain tasks cost
 * O(1) and O(names that have waiting tasks), with fairness or limit keys O(log keys) more; so do restored tasks, which are
 * older than nearly all that wait. To unpark a limit key costs that for each fairness key that waits for it. Nothing
 * survives a crash.
 *
 * Starvation bound: a priority that has a task which is eligible and admitted is passed over at most `maxPassed` + 2 times
 * in a row.
 *
 * Fairness bound: over any row of takes from one priority in which two fairness keys both always have a task that is
 * eligible and admitted, the numbers of tasks that they get, each divided by the key's weight, differ by at most 1 / weight
 * of the one + 1 / weight of the other. Among keys of equal weight, one that begins to wait gets its first task after at
 * most one of each other key, however many these have. A task that is restored had its key's turn all the same.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { PriorityLevel } from "../domain/Priority.ts"
import type { TaskRecord } from "../domain/Task.ts"
import { Settings } from "../services/Settings.ts"
import { TaskQueue } from "../services/TaskQueue.ts"
import type { Lanes } from "./Lanes.ts"
import { makeLanes } from "./Lanes.ts"

/**
 * What the queue can be told.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** How often a priority with waiting tasks may be passed over before it is served, at least 1. Default: 64. */
  readonly maxPassed?: number
}

interface Level {
  readonly lanes: Lanes
  size: number
  /** Takes since this level was served while it had tasks, of whatever level. */
  passed: number
}

const levelNumbers = [0, 1, 2, 3] as const

/**
 * Creates the queue with the bounds of the settings.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(options: Options = {}) {
  const { maxWaiting, maxWaitingBytes } = yield* Settings
  return makeUnsafe({ maxWaiting, maxWaitingBytes, maxPassed: options.maxPassed ?? 64 })
})

/**
 * Creates the queue from its bounds.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeUnsafe = (
  { maxPassed, maxWaiting, maxWaitingBytes }: {
    readonly maxWaiting: number
    readonly maxWaitingBytes: number
    readonly maxPassed: number
  }
): TaskQueue["Service"] => {
  const level = (): Level => ({ lanes: makeLanes(), size: 0, passed: 0 })
  const levels = [level(), level(), level(), level()] as const
  let size = 0
  let bytes = 0

  const counted = (task: TaskRecord, by: 1 | -1) => {
    levels[task.level].size += by
    size += by
    bytes += by * task.args.length
  }

  const serve = (number: PriorityLevel): TaskRecord | undefined => {
    const task = levels[number].lanes.serve()
    if (task !== undefined) counted(task, -1)
    for (const level of levels) level.passed = level.size > 0 ? level.passed + 1 : 0
    levels[number].passed = 0
    return task
  }

  const queue = TaskQueue.of({
    maxWaiting,
    maxWaitingBytes,
    offer(task) {
      if (size >= maxWaiting || bytes + task.args.length > maxWaitingBytes) return false
      queue.append(task)
      return true
    },
    append(task) {
      levels[task.level].lanes.append(task)
      counted(task, 1)
    },
    restore(task) {
      levels[task.level].lanes.restore(task)
      counted(task, 1)
    },
    take(eligible, admits) {
      if (size === 0) return undefined
      // The one that was passed over most often goes first: then no two can pass a third over in turns.
      let starved: PriorityLevel | undefined
      let most = Math.max(1, maxPassed) - 1
      for (const number of levelNumbers) {
        const { lanes, passed } = levels[number]
        if (passed <= most || !lanes.seek(eligible, admits)) continue
        starved = number
        most = passed
      }
      if (starved !== undefined) return serve(starved)
      for (const number of levelNumbers) {
        const { lanes, size } = levels[number]
        if (size > 0 && lanes.seek(eligible, admits)) return serve(number)
      }
      return undefined
    },
    unpark(name, limitKey) {
      for (const { lanes } of levels) lanes.unpark(name, limitKey)
    },
    unparkAll(name) {
      for (const { lanes } of levels) lanes.unparkAll(name)
    },
    remove(task) {
      levels[task.level].lanes.remove(task)
      counted(task, -1)
    },
    tasksOf: (name) => levels.flatMap(({ lanes }) => lanes.tasksOf(name)),
    size: () => size,
    sizeOf: (number: PriorityLevel) => levels[number].size,
    oldestOf: (number: PriorityLevel) => levels[number].lanes.oldest(),
    bytes: () => bytes
  })
  return queue
}

/**
 * Layer that holds the waiting tasks in memory, four priorities, in turns by fairness key.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<TaskQueue> => Layer.effect(TaskQueue, make(options))
