/**
 * What schedules must submit: computed from their declaration and the two clocks before each tick, and compared with what
 * the tick accepted and skipped.
 */
import { nextAfter } from "../../src/domain/Schedules.ts"
import type { ScheduleBook, ScheduleRecord } from "../../src/layers/ScheduleBook.ts"
import { Broken } from "./Script.ts"

export interface Expected {
  readonly id: string
  readonly due: number
  readonly nextAt: number | undefined
  readonly lastTask: string | undefined
}

/** A due time that is looked at later than this was missed. */
const latenessMillis = 5_000

/** The times of a schedule that have come, by its own clock, and the first that has not. */
const passedTimes = ({ declaration, nextAt }: ScheduleRecord, clock: number) => {
  const passed: Array<number> = []
  let at = nextAt
  while (at !== undefined && at <= clock && passed.length < 10_000) {
    passed.push(at)
    at = "every" in declaration.kind ? at + declaration.kind.every : nextAfter(declaration, at)
  }
  return { passed, nextAt: at === Infinity ? undefined : at }
}

/** How often each schedule must submit something in the next tick. */
export const expectedOf = (
  schedules: ScheduleBook,
  now: number,
  wall: number
): ReadonlyArray<Expected> => {
  const expected: Array<Expected> = []
  for (const record of schedules.records()) {
    const clock = "every" in record.declaration.kind ? now : wall
    if (record.paused || record.nextAt === undefined || record.nextAt > clock) continue
    const { nextAt, passed } = passedTimes(record, clock)
    const isFresh = clock - (passed[passed.length - 1] as number) <= latenessMillis
    const { catchUp, id } = record.declaration
    const due = catchUp === "all" || (passed.length === 1 && isFresh)
      ? passed.length
      : catchUp === "once" || isFresh
      ? 1
      : 0
    expected.push({ id, due, nextAt, lastTask: record.lastTask })
  }
  return expected
}

/**
 * `submitted`: how often each schedule submitted or skipped a due time in the tick. With `isAgain` some of them may have
 * been submitted before: the wall clock was set back, or a control plane before this one did it.
 */
export const checkDue = (
  schedules: ScheduleBook,
  expected: ReadonlyArray<Expected>,
  submitted: ReadonlyMap<string, number>,
  isAgain: (id: string) => boolean
) => {
  let some = 0
  for (const { due, id, nextAt } of expected) {
    const count = submitted.get(id) ?? 0
    if (count > 0) some++
    if (isAgain(id) ? count > due : count !== due) {
      throw new Broken("a schedule is due as declared", `${id} submitted ${count} times, not ${due}`)
    }
    const record = schedules.get(id)
    if (record !== undefined && record.nextAt !== nextAt) {
      throw new Broken("a schedule is due as declared", `${id} is due next at ${record.nextAt}, not ${nextAt}`)
    }
  }
  if (submitted.size > some) {
    throw new Broken("nothing before it is due", `schedules ${[...submitted.keys()].join(", ")} were not due`)
  }
}
