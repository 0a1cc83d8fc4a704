/**
 * The waiting tasks of one priority, by name, fairness key and limit key: for each a doubly linked lane through the records
 * themselves, so that nothing has to be compacted. Part of the queue in memory, which owns bounds and the order of
 * priorities; whose turn it is among fairness keys is told by `Flows.ts`.
 *
 * The lanes of one name and fairness key, a group, are in a heap by age, and the groups of one name in a heap by turn. A
 * take looks at the first group of each name. A lane whose limit key is not admitted is parked, out of the heap.
 *
 * @since 0.1.0
 */
import type { TaskRecord } from "../domain/Task.ts"
import type { Flow } from "./Flows.ts"
import { makeFlows } from "./Flows.ts"
import type { Placed } from "./Heap.ts"
import * as Heap from "./Heap.ts"

/** Tasks of one name, fairness key and limit key. Its `order` is the age of its first task. */
interface Lane extends Placed {
  readonly limitKey: string
  readonly group: Group
  head: TaskRecord | undefined
  tail: TaskRecord | undefined
  /** The task that was restored last, while it waits: the next one to be restored mostly stands behind it. */
  restored: TaskRecord | undefined
  /** Whether it is parked; its `index` is then its place in the list of parked lanes. */
  isParked: boolean
}

/**
 * Tasks of one name and fairness key. Its `at` is the pass of its flow as it was when that was last looked at, so never
 * more than it is: the flow moves on with tasks of other names too. Its `order` is the age of its first task.
 */
interface Group extends Placed {
  readonly fairKey: string
  readonly flow: Flow
  readonly named: Named
  /** Tasks without a limit key. */
  plain: Lane | undefined
  keyed: Map<string, Lane> | undefined
  /** Lanes with tasks that are not parked. */
  readonly open: Array<Lane>
  size: number
}

/** Tasks of one name. */
interface Named {
  readonly name: string
  /** Tasks without a fairness key. */
  plain: Group | undefined
  keyed: Map<string, Group> | undefined
  /** Groups with tasks that are not parked, and the first of them. */
  readonly open: Array<Group>
  first: Group | undefined
  size: number
  /** Place in the list of names, -1 when it is not in it. */
  index: number
}

/**
 * The waiting tasks of one priority.
 *
 * @category models
 * @since 0.1.0
 */
export interface Lanes {
  /** Adds a task at the end of its lane. */
  readonly append: (task: TaskRecord) => void
  /** Puts a task where it belongs by its age. */
  readonly restore: (task: TaskRecord) => void
  readonly remove: (task: TaskRecord) => void
  /** Finds the task whose turn it is, of those that are eligible and admitted. Parks what is not admitted. */
  readonly seek: (
    eligible: (name: string) => boolean,
    admits: (name: string, limitKey: string) => boolean
  ) => boolean
  /** Removes the task that {@link seek} has just found: its fairness key has had its turn. */
  readonly serve: () => TaskRecord | undefined
  readonly unpark: (name: string, limitKey: string) => void
  readonly unparkAll: (name: string) => void
  /** The tasks of a name, oldest first. */
  readonly tasksOf: (name: string) => ReadonlyArray<TaskRecord>
  /** The oldest task of all. */
  readonly oldest: () => TaskRecord | undefined
}

/** Names without tasks that are kept for their next one; further ones go: names come from outside, and must not pile up. */
const maxEmptyNames = 64

const makeLane = (group: Group, limitKey: string): Lane => ({
  limitKey,
  group,
  head: undefined,
  tail: undefined,
  restored: undefined,
  isParked: false,
  at: 0,
  order: 0,
  index: -1
})

const makeGroup = (named: Named, fairKey: string, flow: Flow): Group => ({
  fairKey,
  flow,
  named,
  plain: undefined,
  keyed: undefined,
  open: [],
  size: 0,
  at: 0,
  order: 0,
  index: -1
})

const fairKeyOf = ({ options }: TaskRecord): string => options?.fairKey ?? options?.tenant ?? ""

const removeAt = <A extends { index: number }>(list: Array<A>, item: A) => {
  const last = list.pop()
  if (last !== undefined && last !== item) {
    list[item.index] = last
    last.index = item.index
  }
  item.index = -1
}

/**
 * Creates the lanes of one priority.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeLanes = (): Lanes => {
  const flows = makeFlows()
  const names = new Map<string, Named>()
  /** Names with tasks that are not parked, in no order. */
  const open: Array<Named> = []
  /** Parked lanes by name and limit key, in no order. */
  const parked = new Map<string, Map<string, Array<Lane>>>()
  /** What {@link Lanes.seek} has found. */
  let chosen: Lane | undefined

  const namedOf = (name: string): Named => {
    const found = names.get(name)
    if (found !== undefined) return found
    const named: Named = { name, plain: undefined, keyed: undefined, open: [], first: undefined, size: 0, index: -1 }
    names.set(name, named)
    return named
  }

  const groupOf = (named: Named, fairKey: string): Group => {
    if (fairKey === "") return named.plain ??= makeGroup(named, "", flows.of(""))
    named.keyed ??= new Map()
    const found = named.keyed.get(fairKey)
    if (found !== undefined) return found
    const group = makeGroup(named, fairKey, flows.of(fairKey))
    named.keyed.set(fairKey, group)
    return group
  }

  const laneOf = (task: TaskRecord): Lane => {
    const group = groupOf(namedOf(task.name), fairKeyOf(task))
    const limitKey = task.options?.limitKey ?? ""
    if (limitKey === "") return group.plain ??= makeLane(group, "")
    group.keyed ??= new Map()
    const found = group.keyed.get(limitKey)
    if (found !== undefined) return found
    const lane = makeLane(group, limitKey)
    group.keyed.set(limitKey, lane)
    return lane
  }

  /** Puts a lane, and its group and name, where they belong after its first task changed. */
  const settle = (lane: Lane) => {
    const { group, head } = lane
    if (lane.isParked) return
    if (head === undefined) Heap.remove(group.open, lane)
    else {
      lane.order = head.sequence
      if (lane.index === -1) Heap.push(group.open, lane)
      else if (group.open.length > 1) Heap.moved(group.open, lane)
    }
    settleGroup(group)
  }

  const settleGroup = (group: Group) => {
    const { flow, named } = group
    const first = group.open[0]
    if (first === undefined) {
      if (group.index === -1) return
      Heap.remove(named.open, group)
      named.first = named.open[0]
      if (named.first === undefined) removeAt(open, named)
      return
    }
    group.at = flow.pass
    group.order = first.order
    if (group.index === -1) Heap.push(named.open, group)
    else if (named.open.length > 1) Heap.moved(named.open, group)
    named.first = named.open[0]
    if (named.index === -1) named.index = open.push(named) - 1
  }

  const insertAfter = (lane: Lane, previous: TaskRecord | undefined, task: TaskRecord) => {
    const { group } = lane
    const next = previous === undefined ? lane.head : previous.next
    task.previous = previous
    task.next = next
    if (previous === undefined) lane.head = task
    else previous.next = task
    if (next === undefined) lane.tail = task
    else next.previous = task
    group.named.size++
    group.size++
    flows.joined(group.flow, task.options?.weight ?? 1)
    if (previous === undefined) settle(lane)
  }

  const unlink = (lane: Lane, task: TaskRecord) => {
    const { group } = lane
    const { named } = group
    const isFirst = task.previous === undefined
    if (task.previous === undefined) lane.head = task.next
    else task.previous.next = task.next
    if (task.next === undefined) lane.tail = task.previous
    else task.next.previous = task.previous
    if (lane.restored === task) lane.restored = task.previous
    task.next = undefined
    task.previous = undefined
    named.size--
    group.size--
    if (isFirst) settle(lane)
    if (lane.head === undefined && lane.limitKey !== "") {
      if (lane.isParked) leaveParked(lane)
      group.keyed?.delete(lane.limitKey)
    }
    if (group.size === 0 && group.fairKey !== "") named.keyed?.delete(group.fairKey)
    if (named.size === 0 && names.size > maxEmptyNames) names.delete(named.name)
    flows.left(group.flow)
  }

  const park = (lane: Lane) => {
    const { group, limitKey } = lane
    const { name } = group.named
    Heap.remove(group.open, lane)
    settleGroup(group)
    lane.isParked = true
    let keys = parked.get(name)
    if (keys === undefined) parked.set(name, keys = new Map())
    const lanes = keys.get(limitKey)
    if (lanes !== undefined) lane.index = lanes.push(lane) - 1
    else {
      keys.set(limitKey, [lane])
      lane.index = 0
    }
  }

  /** An empty lane is not parked any more. */
  const leaveParked = (lane: Lane) => {
    const { name } = lane.group.named
    const keys = parked.get(name)
    const lanes = keys?.get(lane.limitKey)
    if (keys === undefined || lanes === undefined) return
    removeAt(lanes, lane)
    lane.isParked = false
    if (lanes.length === 0) dropParked(name, keys, lane.limitKey)
  }

  const dropParked = (name: string, keys: Map<string, Array<Lane>>, limitKey: string) => {
    keys.delete(limitKey)
    if (keys.size === 0) parked.delete(name)
  }

  const reopen = (lanes: ReadonlyArray<Lane>) => {
    for (const lane of lanes) {
      lane.isParked = false
      lane.index = -1
      settle(lane)
    }
  }

  return {
    append(task) {
      const lane = laneOf(task)
      insertAfter(lane, lane.tail, task)
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
    remove: (task) => unlink(laneOf(task), task),
    seek(eligible, admits) {
      chosen = undefined
      let best: Group | undefined
      // From the end: a name whose last group is parked leaves its place to the last one.
      for (let i = open.length - 1; i >= 0; i--) {
        const named = open[i] as Named
        // The place of a group is never behind the one that it should have.
        if (best !== undefined && !Heap.isBefore(named.first as Group, best)) continue
        if (!eligible(named.name)) continue
        for (let group = named.first; group !== undefined; group = named.first) {
          if (group.at !== group.flow.pass) settleGroup(group)
          else if (best !== undefined && !Heap.isBefore(group, best)) break
          else {
            const lane = group.open[0] as Lane
            if (lane.limitKey === "" || admits(named.name, lane.limitKey)) {
              best = group
              chosen = lane
              break
            }
            park(lane)
          }
        }
      }
      return chosen !== undefined
    },
    serve() {
      const task = chosen?.head
      if (chosen === undefined || task === undefined) return undefined
      flows.served(chosen.group.flow)
      unlink(chosen, task)
      return task
    },
    unpark(name, limitKey) {
      const keys = parked.get(name)
      const lanes = keys?.get(limitKey)
      if (keys === undefined || lanes === undefined) return
      dropParked(name, keys, limitKey)
      reopen(lanes)
    },
    unparkAll(name) {
      const keys = parked.get(name)
      if (keys === undefined) return
      parked.delete(name)
      for (const lanes of keys.values()) reopen(lanes)
    },
    tasksOf(name) {
      const named = names.get(name)
      if (named === undefined) return []
      const tasks: Array<TaskRecord> = []
      const add = (lane: Lane | undefined) => {
        for (let task = lane?.head; task !== undefined; task = task.next) tasks.push(task)
      }
      const addGroup = (group: Group | undefined) => {
        add(group?.plain)
        if (group?.keyed !== undefined) { for (const lane of group.keyed.values()) add(lane) }
      }
      addGroup(named.plain)
      for (const group of named.keyed?.values() ?? []) addGroup(group)
      return tasks.sort((a, b) => a.sequence - b.sequence)
    },
    oldest() {
      let oldest: TaskRecord | undefined
      const look = (lane: Lane | undefined) => {
        const head = lane?.head
        if (head !== undefined && (oldest === undefined || head.sequence < oldest.sequence)) oldest = head
      }
      // The first of the open lanes of a group is its oldest.
      for (const { open: groups } of open) for (const group of groups) look(group.open[0])
      for (const keys of parked.values()) for (const lanes of keys.values()) for (const lane of lanes) look(lane)
      return oldest
    }
  }
}
