/**
 * Who is told what happens in the core: the history, the journal, those who follow events, the log. Owns in what words.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Event } from "../domain/Event.ts"
import type { Outcome } from "../domain/Outcome.ts"
import { fromLevel } from "../domain/Priority.ts"
import type { TaskRecord } from "../domain/Task.ts"
import { TaskId } from "../domain/Task.ts"
import type { Core, Observer } from "./ControlPlaneCore.ts"
import type { Journaling } from "./ControlPlaneJournal.ts"
import type { HistoryMemory } from "./HistoryMemory.ts"

/**
 * Who is told.
 *
 * @category models
 * @since 0.1.0
 */
export interface Parts {
  readonly memory: HistoryMemory
  readonly journaling: Journaling | undefined
  /** To whoever follows events; without followers an event is not even made. */
  readonly publish: (event: (at: number) => Event) => void
  /** The same, of what people ask for later: it is noted too. */
  readonly tell: (event: (at: number) => Event) => void
  /** Notes something for people. */
  readonly note: (type: string, text: string, target?: string) => void
  readonly log: (effect: Effect.Effect<void>) => void
  /** Notes in a trace how long a task waited. */
  readonly queueSpan: ((task: TaskRecord) => void) | undefined
  /** Makes milliseconds since 1970 of monotonic ones. */
  readonly wall: (millis: number) => number
  /** Who waits for an outcome may know it now. */
  readonly told: (outcome: Outcome) => void
  /** What is observed, which is made with its observer. */
  readonly core: () => Core
}

const about = (task: TaskRecord, at: number) => ({ at, id: TaskId.make(task.id), name: task.name })

/**
 * Creates the observer of the core.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeObserver = (parts: Parts) => {
  const { core, journaling, log, memory, note, publish, queueSpan, tell, told, wall } = parts
  const remembered = memory.observer
  const stored = journaling?.observer
  let isRestoring = false
  /** Schedules that submitted nothing when they were due last: it is said once, however often they are due. */
  const skipping = new Set<string>()

  const observer: Observer = {
    accepted(task) {
      if (isRestoring) memory.restoredTask(task)
      else remembered.accepted(task)
      if (skipping.size > 0 && task.options?.schedule !== undefined) skipping.delete(task.options.schedule)
      if (!isRestoring) stored?.accepted(task)
    },
    retracted: (task) => remembered.retracted(task),
    delayed(task) {
      remembered.delayed(task)
      publish((at) => ({ ...about(task, at), type: "task.delayed", dueAt: wall(task.detail?.dueAt ?? 0) }))
    },
    queued(task) {
      remembered.queued(task)
      publish((at) => ({ ...about(task, at), type: "task.queued" }))
    },
    started(task, worker) {
      remembered.started(task)
      stored?.started(task)
      if (queueSpan !== undefined && task.options?.trace !== undefined) queueSpan(task)
      publish((at) => ({ ...about(task, at), type: "task.started", worker: worker.id, attempt: task.attempt }))
    },
    retrying(task, reason) {
      remembered.retrying(task)
      stored?.retrying(task)
      const { attempt, detail } = task
      publish((at) => ({
        ...about(task, at),
        type: "task.retrying",
        attempt,
        reason,
        dueAt: wall(detail?.dueAt ?? 0)
      }))
    },
    requeued(task, cause) {
      remembered.requeued(task, cause)
      stored?.requeued(task)
      publish((at) => ({ ...about(task, at), type: "task.requeued", cause }))
    },
    prioritized(task, from) {
      remembered.prioritized(task)
      stored?.prioritized(task)
      publish((at) => ({
        ...about(task, at),
        type: "task.prioritized",
        from: fromLevel(from),
        priority: fromLevel(task.level)
      }))
    },
    cancelling(task, stop) {
      remembered.cancelling(task, stop)
      stored?.cancelling(task)
      publish((at) => ({ ...about(task, at), type: "task.cancelling", stop }))
    },
    finished(outcome, task, keepMillis) {
      remembered.finished(outcome, task)
      stored?.finished(outcome, task, keepMillis)
      const { attempt, reason, state } = outcome
      publish((at) => ({
        ...about(task, at),
        type: "task.finished",
        attempt,
        state,
        ...(reason === undefined ? {} : { reason })
      }))
    },
    told,
    unresponsive({ id, lag }) {
      tell((at) => ({ type: "worker.unresponsive", at, worker: id }))
      log(
        Effect.logWarning(
          `Worker ${id} does not respond: a task blocks its event loop, for ${lag} ms now. It gets no more`
        )
      )
    },
    responsive({ id }) {
      tell((at) => ({ type: "worker.responsive", at, worker: id }))
      log(Effect.logInfo(`Worker ${id} responds again`))
    },
    stood(millis) {
      const text = `The control plane was stopped or blocked for ${Math.round(millis)} ms: ` +
        "that silence is held against nobody"
      note("stood", text)
      log(Effect.logWarning(text))
    },
    progress: (task, body) => stored?.progress(task, body),
    forgotten: (id) => stored?.forgotten(id),
    uniqueExpired: (name, key) => stored?.uniqueExpired(name, key),
    schedule(id, record) {
      if (record === undefined) skipping.delete(id)
      remembered.schedule(id, record)
      stored?.schedule(id, record, core())
    },
    paused(target, isPaused) {
      stored?.paused(target, isPaused)
      tell((at) => ({ type: isPaused ? "paused" : "resumed", at, target }))
    },
    skipped(id, why) {
      if (skipping.has(id)) return
      skipping.add(id)
      const text = `Schedule "${id}" was due and submitted nothing: ${why}`
      note("skipped", text, `schedule:${id}`)
      log(Effect.logWarning(text))
    }
  }

  return {
    observer,

    /** Puts back what a journal knows: nothing that happens meanwhile is news, and it is in the journal already. */
    restoring: (restore: () => void) => {
      isRestoring = true
      restore()
      isRestoring = false
    }
  }
}
