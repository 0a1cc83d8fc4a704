/**
 * The schedules of a control plane: each is a declaration and the next time at which it is due, not a chain of tasks.
 * Part of the core: synchronous, with the times as arguments.
 *
 * Crons follow the wall clock; intervals the monotonic one, so that a clock that is set does not disturb them. Due times
 * that were missed (the control plane was away, the schedule paused, the clock set forward) are treated as the schedule's
 * catch-up policy says.
 *
 * @since 0.1.0
 */
import type { ScheduleDeclaration } from "../domain/Schedules.ts"
import { nextAfter } from "../domain/Schedules.ts"

/**
 * Now, by both clocks, in milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface Times {
  readonly now: number
  readonly wall: number
}

/**
 * A schedule in the book, mutable and owned by it. `nextAt` is by the clock that the schedule follows; `undefined` when
 * it will never be due again.
 *
 * @category models
 * @since 0.1.0
 */
export interface ScheduleRecord {
  declaration: ScheduleDeclaration
  nextAt: number | undefined
  paused: boolean
  lastTask: string | undefined
  /** Wall time of the last due time that submitted a task. */
  lastAt: number | undefined
  skipped: number
}

/**
 * What a journal keeps of a schedule; `nextAt` is wall time.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredSchedule {
  readonly declaration: ScheduleDeclaration
  readonly nextAt?: number
  readonly paused: boolean
  readonly lastTask?: string
  readonly lastAt?: number
  readonly skipped: number
}

/**
 * The schedules of a control plane.
 *
 * @category models
 * @since 0.1.0
 */
export type ScheduleBook = ReturnType<typeof makeScheduleBook>

/** A due time that is looked at later than this was missed. */
const latenessMillis = 5_000

/** Missed due times that are made up for, at most, with the policy `all`. */
const maxCatchUp = 1_000

/** How far the clocks may run apart for an interval still to count as on its multiples. */
const maxDriftMillis = 500

/** Schedules, at most. */
const maxSchedules = 10_000

const isInterval = ({ declaration }: ScheduleRecord) => "every" in declaration.kind

const sameDeclaration = (a: ScheduleDeclaration, b: ScheduleDeclaration) => JSON.stringify(a) === JSON.stringify(b)

/**
 * Creates an empty book. `changed` is told of every schedule that changed (`undefined`: it was removed).
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeScheduleBook = (changed: (id: string, record: ScheduleRecord | undefined) => void) => {
  const records = new Map<string, ScheduleRecord>()
  /** Before these times, by their clocks, no schedule is due: {@link run} is called often. */
  let nextInterval = -Infinity
  let nextCron = -Infinity

  /** What is due next has changed. */
  const touch = () => {
    nextInterval = -Infinity
    nextCron = -Infinity
  }

  const clockOf = (record: ScheduleRecord, { now, wall }: Times) => isInterval(record) ? now : wall

  /** The next due time after one of the record's own clock. */
  const after = ({ declaration }: ScheduleRecord, at: number): number | undefined => {
    const next = "every" in declaration.kind ? at + declaration.kind.every : nextAfter(declaration, at)
    return Number.isFinite(next) ? next : undefined
  }

  /** The due times that have passed, oldest first; the schedule moves on to the first that has not. */
  const takePassed = (record: ScheduleRecord, clock: number): Array<number> => {
    const passed: Array<number> = []
    // An interval is not walked through: of a day's missed seconds only the newest count.
    if ("every" in record.declaration.kind && record.nextAt !== undefined) {
      const { every } = record.declaration.kind
      const missed = Math.floor((clock - record.nextAt) / every)
      if (missed > maxCatchUp) record.nextAt += (missed - maxCatchUp) * every
    }
    while (record.nextAt !== undefined && record.nextAt <= clock && passed.length <= maxCatchUp) {
      passed.push(record.nextAt)
      record.nextAt = after(record, record.nextAt)
    }
    if (record.nextAt !== undefined && record.nextAt <= clock) record.nextAt = after(record, clock)
    return passed
  }

  /** The two clocks run apart by little: the due time of an interval is the multiple of it that is meant. */
  const onGrid = ({ declaration: { kind } }: ScheduleRecord, wall: number): number => {
    if (!("every" in kind)) return wall
    const multiple = Math.round(wall / kind.every) * kind.every
    return Math.abs(multiple - wall) <= Math.min(maxDriftMillis, kind.every / 4) ? multiple : wall
  }

  const wanted = ({ declaration: { catchUp } }: ScheduleRecord, passed: Array<number>, clock: number) => {
    const newest = passed[passed.length - 1] as number
    const isFresh = clock - newest <= latenessMillis
    if (catchUp === "all" || (passed.length === 1 && isFresh)) return passed
    return catchUp === "once" || isFresh ? [newest] : []
  }

  /** A time that is written down once: when the clock was set back, an interval has later ones all the same. */
  const dueAt = (record: ScheduleRecord, wall: number): number => {
    const at = onGrid(record, wall)
    const { declaration: { kind }, lastAt } = record
    return "every" in kind && lastAt !== undefined && at <= lastAt ? lastAt + kind.every : at
  }

  return {
    /** Adds or changes a schedule. Returns whether there is room for it. */
    set(declaration: ScheduleDeclaration, times: Times): boolean {
      const known = records.get(declaration.id)
      if (known !== undefined && sameDeclaration(known.declaration, declaration)) return true
      if (known === undefined && records.size >= maxSchedules) return false
      const record: ScheduleRecord = {
        declaration,
        nextAt: undefined,
        paused: known?.paused ?? false,
        lastTask: known?.lastTask,
        lastAt: known?.lastAt,
        skipped: known?.skipped ?? 0
      }
      const next = nextAfter(declaration, times.wall)
      if (Number.isFinite(next)) record.nextAt = next - times.wall + clockOf(record, times)
      records.set(declaration.id, record)
      touch()
      changed(declaration.id, record)
      return true
    },

    get: (id: string): ScheduleRecord | undefined => records.get(id),
    records: (): Iterable<ScheduleRecord> => records.values(),
    size: () => records.size,

    remove(id: string): boolean {
      const removed = records.delete(id)
      if (removed) changed(id, undefined)
      return removed
    },

    /** Pauses or resumes one. What was due meanwhile is treated as missed. Returns whether it is known. */
    setPaused(id: string, paused: boolean): boolean {
      const record = records.get(id)
      if (record === undefined) return false
      record.paused = paused
      touch()
      changed(id, record)
      return true
    },

    /** Whether {@link run} may have something to do before so many milliseconds have passed. */
    isDueWithin: ({ now, wall }: Times, millis: number): boolean =>
      records.size > 0 && (now + millis >= nextInterval || wall + millis >= nextCron),

    /** Calls `submit` for every due time that has come, with the time by the wall clock. */
    run(times: Times, submit: (record: ScheduleRecord, dueAt: number) => void) {
      if (times.now < nextInterval && times.wall < nextCron) return
      nextInterval = Infinity
      nextCron = Infinity
      for (const record of records.values()) {
        const clock = clockOf(record, times)
        const passed = record.paused || record.nextAt === undefined || record.nextAt > clock
          ? []
          : takePassed(record, clock)
        if (!record.paused && record.nextAt !== undefined) {
          if (isInterval(record)) nextInterval = Math.min(nextInterval, record.nextAt)
          else nextCron = Math.min(nextCron, record.nextAt)
        }
        if (passed.length === 0) continue
        for (const at of wanted(record, passed, clock)) submit(record, dueAt(record, at - clock + times.wall))
        changed(record.declaration.id, record)
      }
    },

    /** When it is due next, by the wall clock. */
    nextWall: (record: ScheduleRecord, times: Times): number | undefined =>
      record.nextAt === undefined ? undefined : record.nextAt - clockOf(record, times) + times.wall,

    store: (record: ScheduleRecord, times: Times): StoredSchedule => {
      const { declaration, lastAt, lastTask, nextAt, paused, skipped } = record
      return {
        declaration,
        paused,
        skipped,
        ...(nextAt === undefined ? {} : { nextAt: nextAt - clockOf(record, times) + times.wall }),
        ...(lastAt === undefined ? {} : { lastAt }),
        ...(lastTask === undefined ? {} : { lastTask })
      }
    },

    restore(stored: StoredSchedule, times: Times) {
      const record: ScheduleRecord = { lastAt: undefined, lastTask: undefined, nextAt: undefined, ...stored }
      if (stored.nextAt !== undefined) record.nextAt = stored.nextAt - times.wall + clockOf(record, times)
      records.set(stored.declaration.id, record)
      touch()
    }
  }
}
