/**
 * Least loaded first: the worker with the lowest share of busy slots; among equals the one with the least expected work,
 * then the one that was served longest ago. Workers with equal handlers share a binary heap, so a choice costs O(groups
 * of different handlers) and an update O(log workers).
 *
 * The local worker of a control plane gets a task, by default, only while no other worker has a handler for it.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { LocalPolicy } from "../domain/Settings.ts"
import type { WorkerRecord } from "../domain/WorkerInfo.ts"
import { credit } from "../domain/WorkerInfo.ts"
import { Dispatcher } from "../services/Dispatcher.ts"
import { Settings } from "../services/Settings.ts"
import { WorkerRegistry } from "../services/WorkerRegistry.ts"

interface Group {
  readonly local: boolean
  readonly heap: Array<WorkerRecord>
  members: number
}

/**
 * Returns whether `a` should get a task before `b`.
 *
 * @category rules
 * @since 0.1.0
 */
export const isBefore = (a: WorkerRecord, b: WorkerRecord): boolean => {
  // Cross-multiplied shares: exact, where a quotient would round.
  const difference = a.leases.size * b.slots - b.leases.size * a.slots
  if (difference !== 0) return difference < 0
  if (a.expectedMillis !== b.expectedMillis) return a.expectedMillis < b.expectedMillis
  return a.servedAt < b.servedAt
}

const place = (heap: Array<WorkerRecord>, worker: WorkerRecord, index: number) => {
  heap[index] = worker
  worker.heapIndex = index
}

const siftUp = (heap: Array<WorkerRecord>, worker: WorkerRecord, from: number) => {
  let index = from
  while (index > 0) {
    const up = (index - 1) >> 1
    const parent = heap[up] as WorkerRecord
    if (!isBefore(worker, parent)) break
    place(heap, parent, index)
    index = up
  }
  place(heap, worker, index)
}

const siftDown = (heap: Array<WorkerRecord>, worker: WorkerRecord, from: number) => {
  let index = from
  while (true) {
    const left = 2 * index + 1
    if (left >= heap.length) break
    const right = left + 1
    const down = right < heap.length && isBefore(heap[right] as WorkerRecord, heap[left] as WorkerRecord) ? right : left
    const child = heap[down] as WorkerRecord
    if (!isBefore(child, worker)) break
    place(heap, child, index)
    index = down
  }
  place(heap, worker, index)
}

const leaveHeap = (heap: Array<WorkerRecord>, worker: WorkerRecord) => {
  const index = worker.heapIndex
  if (index === -1) return
  worker.heapIndex = -1
  const last = heap.pop()
  if (last === undefined || last === worker) return
  last.heapIndex = index
  siftDown(heap, last, index)
  siftUp(heap, last, last.heapIndex)
}

const bestOf = (workers: ReadonlyArray<WorkerRecord>): WorkerRecord | undefined => {
  let best = workers[0]
  for (const worker of workers) if (best !== undefined && isBefore(worker, best)) best = worker
  return best
}

/**
 * Creates the dispatcher.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeUnsafe = (
  { local, registry }: { readonly registry: WorkerRegistry["Service"]; readonly local: LocalPolicy }
): Dispatcher["Service"] => {
  const groups = new Map<string, Group>()
  const byWorker = new Map<WorkerRecord, Group>()
  const byName = new Map<string, Array<Group>>()

  const join = (worker: WorkerRecord): Group => {
    const key = `${worker.local ? "local" : "remote"}\n${worker.group}`
    let group = groups.get(key)
    if (group === undefined) {
      group = { local: worker.local, heap: [], members: 0 }
      groups.set(key, group)
      for (const name of worker.names) {
        const named = byName.get(name)
        if (named === undefined) byName.set(name, [group])
        else named.push(group)
      }
    }
    group.members++
    byWorker.set(worker, group)
    return group
  }

  return Dispatcher.of({
    pick(name, accepts) {
      const candidates = byName.get(name)
      if (candidates === undefined) return undefined
      let best: WorkerRecord | undefined
      for (const group of candidates) {
        if (group.local && local === "when-alone" && registry.remoteHandlers(name) > 0) continue
        const worker = accepts === undefined ? group.heap[0] : bestOf(group.heap.filter(accepts))
        if (worker !== undefined && (best === undefined || isBefore(worker, best))) best = worker
      }
      return best
    },
    update(worker) {
      const { heap } = byWorker.get(worker) ?? join(worker)
      if (credit(worker) <= 0) leaveHeap(heap, worker)
      else if (worker.heapIndex === -1) siftUp(heap, worker, heap.length)
      else {
        siftDown(heap, worker, worker.heapIndex)
        siftUp(heap, worker, worker.heapIndex)
      }
    },
    remove(worker) {
      const group = byWorker.get(worker)
      if (group === undefined) return
      byWorker.delete(worker)
      leaveHeap(group.heap, worker)
      if (--group.members > 0) return
      groups.delete(`${worker.local ? "local" : "remote"}\n${worker.group}`)
      for (const name of worker.names) {
        const rest = (byName.get(name) ?? []).filter((other) => other !== group)
        if (rest.length === 0) byName.delete(name)
        else byName.set(name, rest)
      }
    }
  })
}

/**
 * Layer that chooses the least-loaded worker.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Dispatcher, never, WorkerRegistry> = Layer.effect(
  Dispatcher,
  Effect.gen(function*() {
    const { local } = yield* Settings
    return makeUnsafe({ registry: yield* WorkerRegistry, local })
  })
)
