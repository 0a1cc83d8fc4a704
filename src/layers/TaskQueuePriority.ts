/**
 * The queue in memory: for each priority and task name a doubly linked lane through the records themselves, so that
 * offer, take of one name and removal cost O(1) and nothing has to be compacted. A take looks at the head of each lane
 * of one priority, so it costs O(names that have waiting tasks). Nothing survives a crash.
 *
 * Starvation bound: a priority that has an eligible task is passed over at most `maxPassed` + 2 times in a row.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { PriorityLevel } from "../domain/Priority.ts"
import type { TaskRecord } from "../domain/Task.ts"
import { Settings } from "../services/Settings.ts"
import { TaskQueue } from "../services/TaskQueue.ts"

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

interface Lane {
  readonly name: string
  readonly limitKey: string
  readonly id: string
  head: TaskRecord | undefined
  tail: TaskRecord | undefined
  /** The task that was restored last, while it waits: the next one to be restored mostly stands behind it. */
  restored: TaskRecord | undefined
  /** Place in the level's list of lanes that are not empty, -1 when it is empty. */
  index: number
}

interface Level {
  readonly lanes: Map<string, Lane>
  /** Lanes that are not empty, in no order. */
  readonly filled: Array<Lane>
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
  const level = (): Level => ({ lanes: new Map(), filled: [], size: 0, passed: 0 })
  const levels = [level(), level(), level(), level()] as const
  let size = 0
  let bytes = 0

  const laneOf = (task: TaskRecord): Lane => {
    const { lanes } = levels[task.level]
    const limitKey = task.options?.limitKey ?? ""
    const id = limitKey === "" ? task.name : `${task.name}\n${limitKey}`
    const found = lanes.get(id)
    if (found !== undefined) return found
    const lane: Lane = {
      name: task.name,
      limitKey,
      id,
      head: undefined,
      tail: undefined,
      restored: undefined,
      index: -1
    }
    lanes.set(id, lane)
    return lane
  }

  const insertAfter = (lane: Lane, previous: TaskRecord | undefined, task: TaskRecord) => {
    const level = levels[task.level]
    const next = previous === undefined ? lane.head : previous.next
    task.previous = previous
    task.next = next
    if (previous === undefined) lane.head = task
    else previous.next = task
    if (next === undefined) lane.tail = task
    else next.previous = task
    if (lane.index === -1) lane.index = level.filled.push(lane) - 1
    level.size++
    size++
    bytes += task.args.length
  }

  const unlink = (lane: Lane, task: TaskRecord) => {
    const level = levels[task.level]
    if (task.previous === undefined) lane.head = task.next
    else task.previous.next = task.next
    if (task.next === undefined) lane.tail = task.previous
    else task.next.previous = task.previous
    if (lane.restored === task) lane.restored = task.previous
    task.next = undefined
    task.previous = undefined
    if (lane.head === undefined) {
      const last = level.filled.pop()
      if (last !== undefined && last !== lane) {
        level.filled[lane.index] = last
        last.index = lane.index
      }
      // The empty lane goes too: names come from outside, and must not pile up.
      level.lanes.delete(lane.id)
      lane.index = -1
    }
    level.size--
    size--
    bytes -= task.args.length
  }

  const oldest = (
    level: Level,
    eligible: (name: string) => boolean,
    admits: (name: string, limitKey: string) => boolean
  ): Lane | undefined => {
    let best: Lane | undefined
    let sequence = Infinity
    for (const lane of level.filled) {
      const head = lane.head as TaskRecord
      if (
        head.sequence < sequence && eligible(lane.name) && (lane.limitKey === "" || admits(lane.name, lane.limitKey))
      ) {
        best = lane
        sequence = head.sequence
      }
    }
    return best
  }

  const serve = (number: PriorityLevel, lane: Lane): TaskRecord => {
    const task = lane.head as TaskRecord
    unlink(lane, task)
    for (const level of levels) level.passed = level.size > 0 ? level.passed + 1 : 0
    levels[number].passed = 0
    return task
  }

  return TaskQueue.of({
    maxWaiting,
    maxWaitingBytes,
    offer(task) {
      if (size >= maxWaiting || bytes + task.args.length > maxWaitingBytes) return false
      const lane = laneOf(task)
      insertAfter(lane, lane.tail, task)
      return true
    },
    restore(task) {
      const lane = laneOf(task)
      // A restored task is older than nearly all that wait: only others that were restored can stand before it.
      let previous = lane.restored
      while (previous !== undefined && previous.sequence > task.sequence) previous = previous.previous
      for (
        let at = previous === undefined ? lane.head : previous.next;
        at !== undefined && at.sequence < task.sequence;
        at = at.next
      ) previous = at
      insertAfter(lane, previous, task)
      lane.restored = task
    },
    take(eligible, admits) {
      if (size === 0) return undefined
      // The one that was passed over most often goes first: then no two can pass a third over in turns.
      let starved: Lane | undefined
      let starvedNumber: PriorityLevel = 0
      let most = Math.max(1, maxPassed) - 1
      for (const number of levelNumbers) {
        if (levels[number].passed <= most) continue
        const lane = oldest(levels[number], eligible, admits)
        if (lane === undefined) continue
        starved = lane
        starvedNumber = number
        most = levels[number].passed
      }
      if (starved !== undefined) return serve(starvedNumber, starved)
      for (const number of levelNumbers) {
        const lane = oldest(levels[number], eligible, admits)
        if (lane !== undefined) return serve(number, lane)
      }
      return undefined
    },
    append(task) {
      const lane = laneOf(task)
      insertAfter(lane, lane.tail, task)
    },
    unpark: () => {},
    unparkAll: () => {},
    remove: (task) => unlink(laneOf(task), task),
    tasksOf(name) {
      const tasks: Array<TaskRecord> = []
      for (const { filled } of levels) {
        for (const lane of filled) {
          if (lane.name !== name) continue
          for (let task = lane.head; task !== undefined; task = task.next) tasks.push(task)
        }
      }
      return tasks
    },
    size: () => size,
    sizeOf: (number) => levels[number].size,
    bytes: () => bytes
  })
}

/**
 * Layer that holds the waiting tasks in memory, four priorities, first in first out.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<TaskQueue> => Layer.effect(TaskQueue, make(options))
