/**
 * What a control plane shows of its state: tasks, workers and counts as people and tools see them, in wall time. Reads
 * the core and its services, changes nothing.
 *
 * @since 0.1.0
 */
import { Buffer } from "node:buffer"
import type { TaskFilter } from "../domain/Message.ts"
import { withoutSchemas } from "../domain/Message.ts"
import type { Outcome } from "../domain/Outcome.ts"
import { fromLevel } from "../domain/Priority.ts"
import * as Sensitive from "../domain/Sensitive.ts"
import type { ScheduleStatus, Stats, TaskStatus, WorkerStatus } from "../domain/Status.ts"
import type { EndedAttempt, TaskRecord } from "../domain/Task.ts"
import { isFinal } from "../domain/TaskState.ts"
import { isUnresponsive } from "../domain/WorkerInfo.ts"
import type { ResultCache } from "../services/ResultCache.ts"
import type { Core } from "./ControlPlaneCore.ts"
import { matches } from "./ControlPlaneCore.ts"
import type { Journaling } from "./ControlPlaneJournal.ts"
import { makeSensitiveOf, shownError } from "./Redaction.ts"

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
export const makeViews = ({ core, epoch, journaling, namespace, now, results, startedAt, wall }: {
  readonly core: Core
  readonly results: ResultCache["Service"]
  readonly journaling: Journaling | undefined
  readonly namespace: string
  readonly epoch: string
  readonly startedAt: number
  readonly now: () => number
  readonly wall: (millis: number) => number
}) => {
  const { registry } = core
  const sensitiveOf = makeSensitiveOf(registry.type)

  const statusOf = (id: string, time: number): TaskStatus | undefined => {
    const task = core.task(id)
    if (task !== undefined) return statusOfTask(task)
    const outcome = results.get(id, time)
    if (outcome !== undefined) return statusOfOutcome(outcome)
    return undefined
  }

  const statusOfTask = (task: TaskRecord): TaskStatus => {
    const { detail } = task
    return {
      id: task.id as TaskStatus["id"],
      name: task.name,
      priority: fromLevel(task.level),
      state: task.state,
      attempt: task.attempt,
      submittedAt: wall(task.submittedAt),
      ...(task.worker === undefined
        ? { waiting: core.whyWaiting(task, now()).text }
        : { worker: task.worker.id, startedAt: wall(task.leasedAt) }),
      ...(task.state === "delayed" && detail !== undefined ? { dueAt: wall(detail.dueAt) } : {}),
      ...(detail === undefined || detail.expiresAt === Infinity ? {} : { expiresAt: wall(detail.expiresAt) }),
      ...said(task, detail?.history ?? [])
    }
  }

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
    ...(outcome.reason === undefined ? {} : { reason: outcome.reason }),
    ...said(outcome, outcome.history)
  })

  /** What the submission said, and the attempts that have ended. */
  const said = (task: TaskRecord | Outcome, history: ReadonlyArray<EndedAttempt>) => {
    const { options } = task
    const sensitive = history.length === 0 ? undefined : sensitiveOf(task)
    // Only to find the values that are sensitive in the errors.
    const args = sensitive === undefined ? undefined : "args" in task ? task.args : core.dead.get(task.id)?.args
    return {
      ...(options?.tags === undefined ? {} : { tags: options.tags }),
      ...(options?.tenant === undefined ? {} : { tenant: options.tenant }),
      ...(options?.retryOf === undefined ? {} : { retryOf: options.retryOf as TaskStatus["id"] }),
      ...(options?.schedule === undefined ? {} : { schedule: options.schedule }),
      ...(options?.parent === undefined ? {} : { parent: options.parent as TaskStatus["id"] }),
      ...(history.length === 0 ? {} : {
        history: history.map(({ attempt, body, endedAt, reason, startedAt, worker }) => {
          const error = shownError(reason, body, sensitive, args)
          return {
            attempt,
            worker,
            reason,
            startedAt: wall(startedAt),
            endedAt: wall(endedAt),
            ...(error.length === 0 ? {} : { error: Buffer.from(error).toString() })
          }
        })
      })
    }
  }

  /** Those that a filter means: the living, oldest first, then outcomes, newest first; or the dead alone. */
  const list = (filter: TaskFilter & { readonly dead?: boolean }, limit: number) => {
    const tasks: Array<TaskStatus> = []
    let total = 0
    const time = now()
    const add = <A extends TaskRecord | Outcome>(item: A, status: (item: A) => TaskStatus) => {
      if (!matches(filter, item, time)) return
      total++
      if (tasks.length < limit) tasks.push(status(item))
    }
    if (filter.dead === true) {
      for (const { outcome } of core.dead.values()) add(outcome, statusOfOutcome)
      return { tasks, total }
    }
    if (filter.state === undefined || !isFinal(filter.state)) {
      for (const task of core.tasks()) {
        add(task, statusOfTask)
      }
    }
    if (filter.state === undefined || isFinal(filter.state)) {
      for (const outcome of results.outcomes()) add(outcome, statusOfOutcome)
    }
    return { tasks, total }
  }

  const schedules = (): ReadonlyArray<ScheduleStatus> => {
    const times = { now: now(), wall: wall(now()) }
    return [...core.schedules.records()].map((record) => {
      const nextAt = core.schedules.nextWall(record, times)
      const { args, name, sensitive } = record.declaration
      const hidden = sensitiveOf({ name, options: sensitive === undefined ? undefined : { sensitive } })?.args
      return {
        ...record.declaration,
        ...(hidden === undefined ? {} : { args: Sensitive.redact(args, hidden) }),
        paused: record.paused,
        skipped: record.skipped,
        ...(nextAt === undefined ? {} : { nextAt: Math.round(nextAt) }),
        ...(record.lastAt === undefined ? {} : { lastAt: record.lastAt }),
        ...(record.lastTask === undefined ? {} : { lastTask: record.lastTask as TaskStatus["id"] })
      }
    })
  }

  const workers = (): ReadonlyArray<WorkerStatus> =>
    [...registry.workers()].map((worker) => ({
      id: worker.id,
      state: worker.state !== "lost" && isUnresponsive(worker)
        ? "unresponsive"
        : worker.paused
        ? "paused"
        : worker.state,
      lag: worker.lag,
      key: worker.key,
      local: worker.local,
      slots: worker.slots,
      running: worker.leases.size,
      tasks: [...worker.names].sort(),
      registeredAt: wall(worker.registeredAt),
      lastSeenAt: wall(worker.lastSeen),
      succeeded: worker.succeeded,
      failed: worker.failed,
      about: worker.about,
      ...(worker.load === undefined ? {} : { load: worker.load })
    }))

  /** All task types without their schemas, which together could be more than a message holds; or one with them. */
  const taskTypes = (name?: string) => {
    const type = name === undefined ? undefined : registry.type(name)
    const types = name === undefined ? [...registry.types()].map(withoutSchemas) : type === undefined ? [] : [type]
    return types.map((type) => ({
      ...type,
      workers: [...registry.workers()].filter(({ names }) => names.has(type.name)).map(({ id }) => id)
    }))
  }

  const stats = (): Stats => ({
    version: packageVersion,
    namespace,
    epoch,
    upMillis: Math.round(now() - startedAt),
    draining: core.isDraining(),
    waiting: core.waiting(),
    delayed: core.delayed(),
    waitingByPriority: core.waitingByPriority(),
    waitingBytes: core.waitingBytes(),
    ...core.counts,
    workers: registry.size(),
    sessions: core.sessions.size(),
    results: results.size(),
    resultBytes: results.bytes(),
    dead: core.dead.size(),
    schedules: core.schedules.size(),
    paused: core.pauses.targets(),
    ...journalFailure()
  })

  const journalFailure = () => {
    const failure = journaling?.failure()
    return failure === undefined ? {} : { journal: failure.reason }
  }

  return { statusOf, list, schedules, workers, taskTypes, stats }
}
