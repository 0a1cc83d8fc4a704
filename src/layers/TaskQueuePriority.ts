/**
 * The queue in memory. The waiting tasks of one priority, name, fairness key and limit key are a lane, a doubly linked
 * list through the records themselves: offer and removal cost O(1), and nothing has to be compacted. Nothing survives a
 * crash.
 *
 * Fairness: within a priority the tasks of one fairness key are a flow. A flow has a virtual time that grows by 1 / weight
 * with each of its tasks that is served; the flow that is least advanced goes first, and within it the oldest task. A flow
 * that begins starts where the one stands that was served last, as does one that could start nothing for a while; but how
 * far one is ahead is remembered when nothing of it waits, or it would be ahead again and again. So of two flows that both
 * always have tasks that may start, neither is served more than one task ahead of its share; and without fairness keys all
 * are one flow: first in, first out.
 *
 * Cost: for each priority and name a heap of its lanes, ordered by virtual time and age. Times only grow, so what a heap
 * knows is a lower bound, and is corrected when a lane comes to the top. A take costs O(names with waiting tasks + log lanes).
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

/** The tasks of one priority and fairness key. */
interface Flow {
  readonly key: string
  /** Virtual time: how much it has been served, divided by its weight. */
  pass: number
  weight: number
  size: number
}

interface Lane {
  readonly names: Names
  readonly flow: Flow
  readonly limitKey: string
  readonly id: string
  head: TaskRecord | undefined
  tail: TaskRecord | undefined
  /** The task that was restored last, while it waits: the next one to be restored mostly stands behind it. */
  restored: TaskRecord | undefined
  /** Virtual time and age with which it stands in the heap; lower bounds of what they are. */
  pass: number
  sequence: number
  /** Place in the heap, -1 while it is parked: its limit admits no more. */
  index: number
}

/** The tasks of one priority and name. */
interface Names {
  readonly level: Level
  readonly name: string
  readonly lanes: Map<string, Lane>
  readonly heap: Array<Lane>
  /** Lanes that are not in the heap, by limit key. */
  readonly parked: Map<string, Set<Lane>>
  /** Place in the level's list. */
  index: number
}

interface Level {
  readonly names: Map<string, Names>
  /** The same, to walk through. */
  readonly list: Array<Names>
  readonly flows: Map<string, Flow>
  /** Those of them of which nothing waits. */
  idle: number
  /** Virtual time of the flow that was served last. */
  pass: number
  size: number
  /** Takes since this level was served while it had tasks, of whatever level. */
  passed: number
}

type Eligible = (name: string) => boolean
type Admits = (name: string, limitKey: string) => boolean

const levelNumbers = [0, 1, 2, 3] as const

/** Flows of one priority that are remembered while nothing of them waits: after more of them all are forgotten. */
const maxIdle = 1_000

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

const isBefore = (a: Lane, b: Lane) => a.pass !== b.pass ? a.pass < b.pass : a.sequence < b.sequence

const place = (heap: Array<Lane>, lane: Lane, index: number) => {
  heap[index] = lane
  lane.index = index
}

const siftUp = (heap: Array<Lane>, lane: Lane, from: number) => {
  let index = from
  while (index > 0) {
    const up = (index - 1) >> 1
    const parent = heap[up] as Lane
    if (!isBefore(lane, parent)) break
    place(heap, parent, index)
    index = up
  }
  place(heap, lane, index)
}

const siftDown = (heap: Array<Lane>, lane: Lane, from: number) => {
  let index = from
  while (true) {
    const left = 2 * index + 1
    if (left >= heap.length) break
    const right = left + 1
    const down = right < heap.length && isBefore(heap[right] as Lane, heap[left] as Lane) ? right : left
    const child = heap[down] as Lane
    if (!isBefore(child, lane)) break
    place(heap, child, index)
    index = down
  }
  place(heap, lane, index)
}

const leaveHeap = (heap: Array<Lane>, lane: Lane) => {
  const { index } = lane
  if (index === -1) return
  lane.index = -1
  const last = heap.pop()
  if (last === undefined || last === lane) return
  siftDown(heap, last, index)
  siftUp(heap, last, last.index)
}

/** Puts a lane where it belongs now: new, unparked, or with another head. */
const enterHeap = (heap: Array<Lane>, lane: Lane) => {
  lane.pass = lane.flow.pass
  lane.sequence = lane.head?.sequence ?? Infinity
  if (lane.index === -1) return siftUp(heap, lane, heap.length)
  siftDown(heap, lane, lane.index)
  siftUp(heap, lane, lane.index)
}

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
  const level = (): Level => ({ names: new Map(), list: [], flows: new Map(), idle: 0, pass: 0, size: 0, passed: 0 })
  const levels = [level(), level(), level(), level()] as const
  let size = 0
  let bytes = 0

  const flowOf = (level: Level, { options }: TaskRecord): Flow => {
    const key = options?.fairKey ?? options?.tenant ?? ""
    let flow = level.flows.get(key)
    if (flow === undefined) {
      flow = { key, pass: level.pass, weight: 1, size: 0 }
      level.flows.set(key, flow)
    } else if (flow.size === 0) {
      level.idle--
      flow.pass = Math.max(flow.pass, level.pass)
    }
    return flow
  }

  /** Nothing of a flow waits any more. It is remembered for as long as it is ahead of the others. */
  const retire = (level: Level, flow: Flow) => {
    if (level.size === 0) {
      level.flows.clear()
      level.idle = 0
      level.pass = 0
    } else if (flow.pass <= level.pass) level.flows.delete(flow.key)
    else if (++level.idle > maxIdle) {
      level.idle = 0
      for (const { key, size } of level.flows.values()) if (size === 0) level.flows.delete(key)
    }
  }

  const laneIdOf = ({ options }: TaskRecord): string =>
    options === undefined ? "" : `${options.fairKey ?? options.tenant ?? ""}\n${options.limitKey ?? ""}`

  const laneOf = (task: TaskRecord): Lane => {
    const level = levels[task.level]
    let names = level.names.get(task.name)
    if (names === undefined) {
      names = { level, name: task.name, lanes: new Map(), heap: [], parked: new Map(), index: level.list.length }
      level.names.set(task.name, names)
      level.list.push(names)
    }
    const id = laneIdOf(task)
    const found = names.lanes.get(id)
    if (found !== undefined) return found
    const lane: Lane = {
      names,
      flow: flowOf(level, task),
      limitKey: task.options?.limitKey ?? "",
      id,
      head: undefined,
      tail: undefined,
      restored: undefined,
      pass: 0,
      sequence: 0,
      index: -1
    }
    names.lanes.set(id, lane)
    return lane
  }

  const insertAfter = (lane: Lane, previous: TaskRecord | undefined, task: TaskRecord) => {
    const { flow, names } = lane
    const isNew = lane.head === undefined
    const next = previous === undefined ? lane.head : previous.next
    task.previous = previous
    task.next = next
    if (previous === undefined) lane.head = task
    else previous.next = task
    if (next === undefined) lane.tail = task
    else next.previous = task
    flow.size++
    if (task.options?.weight !== undefined) flow.weight = task.options.weight
    names.level.size++
    size++
    bytes += task.args.length
    if (isNew || (previous === undefined && lane.index !== -1)) enterHeap(names.heap, lane)
  }

  const unlink = (lane: Lane, task: TaskRecord) => {
    const { flow, names } = lane
    const { level } = names
    const wasHead = task.previous === undefined
    if (task.previous === undefined) lane.head = task.next
    else task.previous.next = task.next
    if (task.next === undefined) lane.tail = task.previous
    else task.next.previous = task.previous
    if (lane.restored === task) lane.restored = task.previous
    task.next = undefined
    task.previous = undefined
    level.size--
    size--
    bytes -= task.args.length
    // What is empty goes: names and keys come from outside, and must not pile up.
    if (--flow.size === 0) retire(level, flow)
    if (lane.head === undefined) dropLane(lane)
    else if (wasHead && lane.index !== -1) enterHeap(names.heap, lane)
  }

  const dropLane = (lane: Lane) => {
    const { names } = lane
    const { level } = names
    if (lane.index === -1) unpark(lane)
    else leaveHeap(names.heap, lane)
    names.lanes.delete(lane.id)
    if (names.lanes.size > 0) return
    level.names.delete(names.name)
    const last = level.list.pop()
    if (last !== undefined && last !== names) {
      level.list[names.index] = last
      last.index = names.index
    }
  }

  /** The lane of a name that goes first; lanes whose limit admits no more are parked on the way. */
  const firstOf = (names: Names, admits: Admits): Lane | undefined => {
    const { heap, name } = names
    while (true) {
      const [lane] = heap
      if (lane === undefined) return undefined
      if (lane.pass < lane.flow.pass) enterHeap(heap, lane)
      else if (lane.limitKey === "" || admits(name, lane.limitKey)) return lane
      else park(lane)
    }
  }

  const park = (lane: Lane) => {
    const { limitKey, names: { heap, parked } } = lane
    leaveHeap(heap, lane)
    const others = parked.get(limitKey)
    if (others === undefined) parked.set(limitKey, new Set([lane]))
    else others.add(lane)
  }

  const unpark = (lane: Lane) => {
    const { limitKey, names: { parked } } = lane
    const others = parked.get(limitKey)
    if (others?.delete(lane) === true && others.size === 0) parked.delete(limitKey)
  }

  const firstOfLevel = ({ list }: Level, eligible: Eligible, admits: Admits): Lane | undefined => {
    let best: Lane | undefined
    for (const names of list) {
      if (names.heap.length === 0 || !eligible(names.name)) continue
      const lane = firstOf(names, admits)
      if (lane !== undefined && (best === undefined || isBefore(lane, best))) best = lane
    }
    return best
  }

  const serve = (number: PriorityLevel, lane: Lane): TaskRecord => {
    const task = lane.head as TaskRecord
    const { flow } = lane
    const served = levels[number]
    served.pass = Math.max(served.pass, flow.pass)
    // Before the lane finds its new place, which is further back. What it could not use while nothing of it could start
    // is not made up for.
    flow.pass = Math.max(flow.pass, served.pass) + 1 / flow.weight
    unlink(lane, task)
    for (const level of levels) level.passed = level.size > 0 ? level.passed + 1 : 0
    served.passed = 0
    return task
  }

  const append = (task: TaskRecord) => {
    const lane = laneOf(task)
    insertAfter(lane, lane.tail, task)
  }

  return TaskQueue.of({
    maxWaiting,
    maxWaitingBytes,
    offer(task) {
      if (size >= maxWaiting || bytes + task.args.length > maxWaitingBytes) return false
      append(task)
      return true
    },
    append,
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
        const lane = firstOfLevel(levels[number], eligible, admits)
        if (lane === undefined) continue
        starved = lane
        starvedNumber = number
        most = levels[number].passed
      }
      if (starved !== undefined) return serve(starvedNumber, starved)
      for (const number of levelNumbers) {
        const lane = firstOfLevel(levels[number], eligible, admits)
        if (lane !== undefined) return serve(number, lane)
      }
      return undefined
    },
    remove(task) {
      const lane = levels[task.level].names.get(task.name)?.lanes.get(laneIdOf(task))
      if (lane !== undefined) unlink(lane, task)
    },
    unpark(name, limitKey) {
      for (const level of levels) {
        const names = level.names.get(name)
        const lanes = names?.parked.get(limitKey)
        if (names === undefined || lanes === undefined) continue
        names.parked.delete(limitKey)
        for (const lane of lanes) enterHeap(names.heap, lane)
      }
    },
    unparkAll(name) {
      for (const level of levels) {
        const names = level.names.get(name)
        if (names === undefined) continue
        for (const lanes of names.parked.values()) for (const lane of lanes) enterHeap(names.heap, lane)
        names.parked.clear()
      }
    },
    tasksOf(name) {
      const tasks: Array<TaskRecord> = []
      for (const { names } of levels) {
        const first = tasks.length
        for (const lane of names.get(name)?.lanes.values() ?? []) {
          for (let task = lane.head; task !== undefined; task = task.next) tasks.push(task)
        }
        tasks.push(...tasks.splice(first).sort((a, b) => a.sequence - b.sequence))
      }
      return tasks
    },
    size: () => size,
    sizeOf: (number) => levels[number].size,
    bytes: () => bytes
  })
}

/**
 * Layer that holds the waiting tasks in memory, four priorities, first in first out for each fairness key.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<TaskQueue> => Layer.effect(TaskQueue, make(options))
