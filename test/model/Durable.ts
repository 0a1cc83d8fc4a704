/**
 * What must be back after a restart: what the ledger knew when the last entry that the journal has stored was made.
 * Written down from what happened, not from what the journal was given.
 */
import type { Body } from "../../src/domain/Body.ts"
import type { PriorityLevel } from "../../src/domain/Priority.ts"
import type { TaskOptions } from "../../src/domain/Task.ts"
import type { OutcomeMark } from "./Ledger.ts"

/** A task without an outcome; times by the wall clock. */
export interface Snapshot {
  readonly id: string
  readonly name: string
  readonly level: PriorityLevel
  readonly args: Body
  readonly options: TaskOptions | undefined
  readonly attempt: number
  readonly crashes: number
  readonly losses: number
  readonly failures: number
  readonly dueAt: number
  readonly expiresAt: number
  readonly stop: "cancelled" | "expired" | undefined
  readonly isLeased: boolean
  readonly progress: string | undefined
}

/** What is kept of a schedule; `nextAt` by the wall clock. */
export interface StoredSchedule {
  readonly declaration: string
  readonly nextAt: number | undefined
  readonly paused: boolean
}

interface Note {
  readonly position: number
  /** The task of whose acceptance it tells. */
  readonly accepts: string | undefined
  readonly apply: () => void
}

export type Durable = ReturnType<typeof makeDurable>

export const makeDurable = (position: () => number) => {
  const tasks = new Map<string, Snapshot>()
  const outcomes = new Map<string, OutcomeMark>()
  const dead = new Set<string>()
  const pauses = new Set<string>()
  const schedules = new Map<string, StoredSchedule>()
  /** Keys that are held for a period, by name and key: until when, by the wall clock. */
  const periods = new Map<string, { readonly id: string; readonly until: number }>()
  let notes: Array<Note> = []

  const note = (apply: () => void, accepts?: string, before = 0) =>
    void notes.push({ position: position() - before, accepts, apply })

  const put = <A>(to: Map<string, A>, key: string, value: A | undefined, accepts?: string) =>
    note(() => {
      if (value === undefined) to.delete(key)
      else to.set(key, value)
    }, accepts)

  return {
    tasks,
    outcomes,
    dead,
    pauses,
    schedules,
    periods,

    /** `isFollowed`: the journal has a further entry already, for its unique key. */
    accepted: (task: Snapshot, isFollowed: boolean) =>
      note(
        () => {
          tasks.delete(task.id)
          tasks.set(task.id, task)
          // Another task with an id that was forgotten.
          outcomes.delete(task.id)
        },
        task.id,
        isFollowed ? 1 : 0
      ),
    changed: (task: Snapshot) =>
      note(() => {
        if (tasks.has(task.id)) tasks.set(task.id, task)
      }),
    progress: (id: string, progress: string) =>
      note(() => {
        const task = tasks.get(id)
        if (task !== undefined) tasks.set(id, { ...task, progress })
      }),
    finished: (id: string, mark: OutcomeMark, isDead: boolean) =>
      note(() => {
        if (!tasks.delete(id)) return
        outcomes.set(id, mark)
        if (isDead) dead.add(id)
      }),
    forgotten: (id: string) => note(() => void dead.delete(id)),
    paused: (target: string, isPaused: boolean) =>
      note(() => {
        if (isPaused) pauses.add(target)
        else pauses.delete(target)
      }),
    schedule: (id: string, schedule: StoredSchedule | undefined) => put(schedules, id, schedule),
    /** A key of a task that is not accepted after all is not held. */
    period: (id: string, holder: { readonly id: string; readonly until: number } | undefined) =>
      put(periods, id, holder, holder?.id),

    /** The key of a task that could not be stored is free; the journal is told next. */
    freed: (id: string) => note(() => void periods.delete(id), undefined, -1),

    /** A new control plane begins with dropping the keys whose period is over. */
    restarts(wall: number) {
      let entries = 0
      for (const [id, { until }] of periods) {
        if (until <= wall) note(() => void periods.delete(id), undefined, -(++entries))
      }
    },

    /** Everything up to this position is stored. */
    committed(position: number) {
      let count = 0
      for (const note of notes) {
        if (note.position > position) break
        note.apply()
        count++
      }
      if (count > 0) notes = notes.slice(count)
    },

    refused(ids: ReadonlySet<string>) {
      notes = notes.filter(({ accepts }) => accepts === undefined || !ids.has(accepts))
    },

    crash() {
      notes = []
    }
  }
}
