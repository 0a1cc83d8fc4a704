/**
 * What a control plane shows of its state: tasks, workers and counts as people and tools see them, in wall time. Reads
 * the core and its services, changes nothing.
 *
 * @since 0.1.0
 */
import type { Stats, TaskStatus, WorkerStatus } from "../domain/Message.ts"
import type { Outcome } from "../domain/Outcome.ts"
import { fromLevel } from "../domain/Priority.ts"
import type { TaskRecord } from "../domain/Task.ts"
import type { TaskState } from "../domain/TaskState.ts"
import { isFinal } from "../domain/TaskState.ts"
import { isUnresponsive } from "../domain/WorkerInfo.ts"
import type { ResultCache } from "../services/ResultCache.ts"
import type { Core } from "./ControlPlaneCore.ts"

/**
 * The version of this package, for people.
 *
 * @category constants
 * @since 0.1.0
 */
export const packageVersion = "0.1.0"

/**
 * The views of a control plane.
 *
 * @category models
 * @since 0.1.0
 */
export type Views = ReturnType<typeof makeViews>

/**
 * Creates the views of a control plane. `now` is monotonic, `wall` makes milliseconds since 1970 of it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeViews = ({ core, epoch, namespace, now, results, startedAt, wall }: {
  readonly core: Core
  readonly results: ResultCache["Service"]
  readonly namespace: string
  readonly epoch: string
  readonly startedAt: number
  readonly now: () => number
  readonly wall: (millis: number) => number
}) => {
  const { queue, registry } = core

  const statusOf = (id: string, time: number): TaskStatus | undefined => {
    const task = core.task(id)
    if (task !== undefined) return statusOfTask(task)
    const outcome = results.get(id, time)
    if (outcome !== undefined) return statusOfOutcome(outcome)
    return undefined
  }

  const statusOfTask = (task: TaskRecord): TaskStatus => ({
    id: task.id as TaskStatus["id"],
    name: task.name,
    priority: fromLevel(task.level),
    state: task.state,
    attempt: task.attempt,
    submittedAt: wall(task.submittedAt),
    ...(task.worker === undefined
      ? { waiting: core.whyWaiting(task) }
      : { worker: task.worker.id, startedAt: wall(task.leasedAt) })
  })

  const statusOfOutcome = (outcome: Outcome): TaskStatus => ({
    id: outcome.id as TaskStatus["id"],
    name: outcome.name,
    priority: fromLevel(outcome.level),
    state: outcome.state,
    attempt: outcome.attempt,
    submittedAt: wall(outcome.submittedAt),
    ...(outcome.startedAt === undefined ? {} : { startedAt: wall(outcome.startedAt) }),
    finishedAt: wall(outcome.finishedAt),
    ...(outcome.worker === undefined ? {} : { worker: outcome.worker }),
    ...(outcome.reason === undefined ? {} : { reason: outcome.reason })
  })

  const list = (state: TaskState | undefined, limit: number) => {
    const tasks: Array<TaskStatus> = []
    let total = 0
    if (state === undefined || !isFinal(state)) {
      for (const task of core.tasks()) {
        if (state !== undefined && task.state !== state) continue
        total++
        if (tasks.length < limit) tasks.push(statusOfTask(task))
      }
    }
    if (state === undefined || isFinal(state)) {
      for (const outcome of results.outcomes()) {
        if (state !== undefined && outcome.state !== state) continue
        total++
        if (tasks.length < limit) tasks.push(statusOfOutcome(outcome))
      }
    }
    return { tasks, total }
  }

  const workers = (): ReadonlyArray<WorkerStatus> =>
    [...registry.workers()].map((worker) => ({
      id: worker.id,
      state: worker.state !== "lost" && isUnresponsive(worker) ? "unresponsive" : worker.state,
      lag: worker.lag,
      local: worker.local,
      slots: worker.slots,
      running: worker.leases.size,
      tasks: [...worker.names].sort(),
      registeredAt: wall(worker.registeredAt),
      lastSeenAt: wall(worker.lastSeen),
      succeeded: worker.succeeded,
      failed: worker.failed,
      about: worker.about
    }))

  const taskTypes = () =>
    [...registry.types()].map((type) => ({
      ...type,
      workers: [...registry.workers()].filter(({ names }) => names.has(type.name)).map(({ id }) => id)
    }))

  const stats = (): Stats => ({
    version: packageVersion,
    namespace,
    epoch,
    upMillis: Math.round(now() - startedAt),
    draining: core.isDraining(),
    waiting: queue.size(),
    waitingByPriority: core.waitingByPriority(),
    waitingBytes: queue.bytes(),
    ...core.counts,
    workers: registry.size(),
    sessions: core.sessions.size(),
    results: results.size(),
    resultBytes: results.bytes()
  })

  return { statusOf, list, workers, taskTypes, stats }
}
