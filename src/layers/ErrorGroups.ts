/**
 * Failures that are the same but for their numbers, counted by time: of a task name, a reason, a kind of error and a
 * message without what differs. Part of the history of a control plane; bounded, the group that was seen longest ago goes
 * first. Times are milliseconds of the monotonic clock.
 *
 * @since 0.1.0
 */
import type { FailureText } from "../domain/FailureText.ts"
import { normalize } from "../domain/FailureText.ts"
import type { FailureReason } from "../domain/Outcome.ts"
import type { Range } from "../domain/View.ts"
import { fingerprint } from "./Fingerprint.ts"

/** Groups, at most. */
const maxGroups = 300

/** Messages of which the group is remembered. */
const maxExact = 1_000

/** Workers that are named of a group: the newest. */
const maxWorkers = 8

/** Values of a series. */
const points = 30

/** A group is new for so long, and one that is not may be rising within it. */
const newMillis = 15 * 60_000

/** What the newest part of a group is compared with: the same time before, twice. */
const risingMillis = 5 * 60_000
const risingLeast = 5
const risingFactor = 2

/** Counts by steps of a time, in a ring. */
interface Ring {
  readonly step: number
  readonly counts: Uint32Array
  readonly retried: Uint32Array
  index: number
}

/**
 * A failure that is counted.
 *
 * @category models
 * @since 0.1.0
 */
export interface Failed {
  readonly id: string
  readonly name: string
  readonly reason: FailureReason | "lost"
  readonly text: FailureText
  readonly worker: string | undefined
  readonly at: number
  /** Whether the task runs again. */
  readonly isRetried: boolean
}

/**
 * The same failures.
 *
 * @category models
 * @since 0.1.0
 */
export interface Group {
  readonly number: number
  readonly key: string
  readonly name: string
  readonly reason: FailureReason | "lost"
  readonly type: string
  /** Of the newest of them. */
  message: string
  total: number
  firstAt: number
  lastAt: number
  /** The newest task with it. */
  sample: string
  readonly workers: Set<string>
  readonly fine: Ring
  readonly coarse: Ring
}

/**
 * What is told of a group in a range of time.
 *
 * @category models
 * @since 0.1.0
 */
export interface GroupCounts {
  readonly count: number
  readonly retried: number
  readonly series: ReadonlyArray<number>
  readonly isNew: boolean
  readonly isRising: boolean
}

/**
 * The groups of a control plane.
 *
 * @category models
 * @since 0.1.0
 */
export type ErrorGroups = ReturnType<typeof makeErrorGroups>

/**
 * The length of each range, in milliseconds.
 *
 * @category constants
 * @since 0.1.0
 */
export const rangeMillis: Readonly<Record<Range, number>> = {
  "5m": 300_000,
  "15m": 900_000,
  "1h": 3_600_000,
  "6h": 21_600_000,
  "24h": 86_400_000
}

const makeRing = (step: number, size: number, at: number): Ring => ({
  step,
  counts: new Uint32Array(size),
  retried: new Uint32Array(size),
  index: Math.floor(at / step)
})

const place = (index: number, size: number) => ((index % size) + size) % size

const advance = (ring: Ring, at: number) => {
  const size = ring.counts.length
  const index = Math.floor(at / ring.step)
  for (let i = Math.max(ring.index + 1, index - size + 1); i <= index; i++) {
    ring.counts[place(i, size)] = 0
    ring.retried[place(i, size)] = 0
  }
  ring.index = Math.max(ring.index, index)
}

const countIn = (ring: Ring, at: number, isRetried: boolean) => {
  advance(ring, at)
  const size = ring.counts.length
  const index = Math.floor(at / ring.step)
  if (index <= ring.index - size) return
  const slot = place(index, size)
  ring.counts[slot] = (ring.counts[slot] as number) + 1
  if (isRetried) ring.retried[slot] = (ring.retried[slot] as number) + 1
}

/** The sum of so many steps that end so many steps ago. */
const sum = (counts: Uint32Array, index: number, steps: number, ago = 0): number => {
  let total = 0
  for (let i = 0; i < steps; i++) total += counts[place(index - ago - i, counts.length)] as number
  return total
}

/**
 * Creates it without a group.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeErrorGroups = () => {
  // In the order in which they were seen last.
  const groups = new Map<string, Group>()
  const byNumber = new Map<number, Group>()
  /** Groups by messages as they are: most come again, and to strip one costs more than all the rest. */
  const exact = new Map<string, Group>()
  let made = 0

  const open = ({ at, name, reason, text: { message, type } }: Failed, key: string): Group => {
    if (groups.size >= maxGroups) {
      for (const [oldest, { number }] of groups) {
        groups.delete(oldest)
        byNumber.delete(number)
        break
      }
      exact.clear()
    }
    const group: Group = {
      number: made++,
      key,
      name,
      reason,
      type,
      message,
      total: 0,
      firstAt: at,
      lastAt: at,
      sample: "",
      workers: new Set(),
      fine: makeRing(10_000, 90, at),
      coarse: makeRing(120_000, 720, at)
    }
    byNumber.set(group.number, group)
    return group
  }

  const groupOf = (failed: Failed): Group => {
    const { name, reason, text: { message, type } } = failed
    const said = `${name}\n${reason}\n${type}\n${message}`
    const known = exact.get(said)
    if (known !== undefined) return known
    const key = fingerprint(`${name}\n${reason}\n${type}\n${normalize(message)}`, "").toString(36)
    const group = groups.get(key) ?? open(failed, key)
    if (exact.size >= maxExact) exact.clear()
    exact.set(said, group)
    return group
  }

  return {
    /** Counts a failure. Returns its group. */
    add(failed: Failed): Group {
      const { at, id, isRetried, text, worker } = failed
      const group = groupOf(failed)
      const { key } = group
      groups.delete(key)
      groups.set(key, group)
      group.total++
      if (at < group.firstAt) group.firstAt = at
      if (at >= group.lastAt) {
        group.lastAt = at
        group.message = text.message
        group.sample = id
      }
      if (worker !== undefined) {
        group.workers.delete(worker)
        group.workers.add(worker)
        if (group.workers.size > maxWorkers) {
          for (const oldest of group.workers) {
            group.workers.delete(oldest)
            break
          }
        }
      }
      countIn(group.fine, at, isRetried)
      countIn(group.coarse, at, isRetried)
      return group
    },

    find: (key: string): Group | undefined => groups.get(key),
    byNumber: (number: number): Group | undefined => byNumber.get(number),
    /** The group that was seen last comes last. */
    values: (): Iterable<Group> => groups.values(),
    size: () => groups.size,

    /** How often it was seen within a range that ends now. */
    counts(group: Group, range: Range, now: number): GroupCounts {
      const { coarse, fine, firstAt } = group
      advance(fine, now)
      advance(coarse, now)
      const ring = rangeMillis[range] <= newMillis ? fine : coarse
      const steps = rangeMillis[range] / ring.step
      const each = steps / points
      const recent = risingMillis / fine.step
      const before = sum(fine.counts, fine.index, 2 * recent, recent) / 2
      const latest = sum(fine.counts, fine.index, recent)
      return {
        count: sum(ring.counts, ring.index, steps),
        retried: sum(ring.retried, ring.index, steps),
        series: Array.from(
          { length: points },
          (_, point) => sum(ring.counts, ring.index, each, (points - 1 - point) * each)
        ),
        isNew: now - firstAt < newMillis,
        // One that has just begun has nothing to be compared with.
        isRising: now - firstAt >= risingMillis && latest >= risingLeast && latest > risingFactor * before
      }
    },

    /** Groups that were seen within the last 15 minutes. */
    recent(now: number): number {
      let count = 0
      for (const { lastAt } of groups.values()) if (now - lastAt < newMillis) count++
      return count
    }
  }
}
