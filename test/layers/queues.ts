import type { PriorityLevel } from "../../src/domain/Priority.ts"
import type { TaskOptions, TaskRecord } from "../../src/domain/Task.ts"
import * as TaskQueuePriority from "../../src/layers/TaskQueuePriority.ts"
import type { TaskQueue } from "../../src/services/TaskQueue.ts"
import type { Random } from "../model/Random.ts"
import { makeTask } from "./records.ts"

export type Queue = TaskQueue["Service"]

/** A queue with room for everything; without starvation bound when none is given. */
export const makeQueue = (maxPassed = 1_000_000): Queue =>
  TaskQueuePriority.makeUnsafe({ maxWaiting: 2_000_000, maxWaitingBytes: 1_000_000, maxPassed })

export const all = () => true

/** Makes tasks, each younger than the one before. */
export const maker = () => {
  let sequence = 0
  return (options?: TaskOptions, name = "t", level: PriorityLevel = 2) => makeTask(sequence++, { options, name, level })
}

/** The fairness key of a task. */
export const keyOf = ({ options }: TaskRecord) => options?.fairKey ?? options?.tenant ?? ""

/** Takes so many tasks, or as many as there are. */
export const takeMany = (
  queue: Queue,
  count: number,
  eligible: (name: string) => boolean = all
): ReadonlyArray<TaskRecord> =>
  Array.from({ length: count }, () => queue.take(eligible, all)).filter((task) => task !== undefined)

/** What a task may say for the queue, at random. */
export const optionsFor = (random: Random): TaskOptions | undefined => {
  if (random.chance(0.3)) return undefined
  const options: { tenant?: string; fairKey?: string; limitKey?: string; weight?: number } = {}
  if (random.chance(0.5)) options.tenant = random.pick(["x", "y", "z"])
  if (random.chance(0.3)) options.fairKey = random.pick(["x", "v", ""])
  if (random.chance(0.5)) options.limitKey = random.pick(["l", "m", ""])
  if (random.chance(0.3)) options.weight = random.pick([0.5, 1, 2, 10])
  return options
}

/** What a take and an offer cost in processor time, in microseconds: other processes do not count. */
export const costOfTurns = (queue: Queue, newTask: (i: number) => TaskRecord, turns: number): number => {
  const before = process.cpuUsage()
  for (let i = 0; i < turns; i++) {
    queue.take(all, all)
    queue.offer(newTask(i))
  }
  const { system, user } = process.cpuUsage(before)
  return (system + user) / turns
}
