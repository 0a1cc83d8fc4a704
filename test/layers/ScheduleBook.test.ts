import { assert, describe, it } from "@effect/vitest"
import type { ScheduleDeclaration } from "../../src/domain/Schedules.ts"
import type { ScheduleBook, Times } from "../../src/layers/ScheduleBook.ts"
import { makeScheduleBook } from "../../src/layers/ScheduleBook.ts"

const minute = 60_000
/** 2026-11-23T10:00:00Z, when the monotonic clock says 1,000. */
const start = Date.UTC(2026, 10, 23, 10)
const at = (millis: number, clockSet = 0): Times => ({ now: 1_000 + millis, wall: start + millis + clockSet })

const every = (millis: number, rest: Partial<ScheduleDeclaration> = {}): ScheduleDeclaration => ({
  id: "s",
  name: "t",
  args: "{}",
  kind: { every: millis },
  catchUp: "once",
  overlap: "skip",
  ...rest
})
const cron = (expression: string, rest: Partial<ScheduleDeclaration> = {}, timeZone?: string): ScheduleDeclaration => ({
  ...every(1, rest),
  kind: { cron: expression, ...(timeZone === undefined ? {} : { timeZone }) }
})

/** The due times, as minutes since the start, for which tasks are submitted. */
const run = (book: ScheduleBook, times: Times): ReadonlyArray<number> => {
  const due: Array<number> = []
  book.run(times, (_, dueAt) => due.push((dueAt - start) / minute))
  return due
}

const makeBook = (declaration: ScheduleDeclaration) => {
  const changes: Array<string> = []
  const book = makeScheduleBook((id, record) => changes.push(`${id} ${record === undefined ? "removed" : "set"}`))
  book.set(declaration, at(0))
  return { book, changes }
}

describe("a book", () => {
  it("tells whether one of its schedules is due soon, which it knows again after each change when it has been run", () => {
    const { book } = makeBook(every(15 * minute))
    const isDue = (minutes: number) => book.isDueWithin(at(minutes * minute), minute)
    const afterRun = (minutes: number) => {
      run(book, at(minutes * minute))
      return isDue(minutes)
    }

    const said = [isDue(0), afterRun(0), isDue(13.9), isDue(14), afterRun(15)]
    book.set(cron("5 * * * *", { id: "other" }), at(15 * minute))
    said.push(isDue(15), afterRun(15), isDue(63.9), isDue(64.1))
    book.remove("s")
    book.remove("other")

    assert.deepStrictEqual(said, [true, false, false, true, false, true, false, true, true])
    assert.isFalse(isDue(15))
  })
})

describe("an interval", () => {
  it("is due at its multiples since 1970, once for each", () => {
    const { book } = makeBook(every(15 * minute))

    const due = [0, 14.9, 15, 15.1, 29.9, 30, 30].map((minutes) => run(book, at(minutes * minute)))

    assert.deepStrictEqual(due, [[], [], [15], [], [], [30], []])
  })

  it("is not disturbed when the wall clock is set, in either direction", () => {
    for (const clockSet of [-7 * 3_600_000, 3_600_000 * 24]) {
      const { book } = makeBook(every(15 * minute))

      const counts = [14, 15, 30, 44, 45].map((minutes) => run(book, at(minutes * minute, clockSet)).length)

      assert.deepStrictEqual(counts, [0, 1, 1, 0, 1], `set by ${clockSet} ms`)
    }
  })

  it("has a due time of its own for each task, also when the wall clock was set back in between", () => {
    const { book } = makeBook(every(15 * minute))
    const due: Array<number> = []

    for (const times of [at(15 * minute), at(30 * minute, -15 * minute), at(45 * minute, -15 * minute)]) {
      book.run(times, (record, dueAt) => {
        record.lastAt = dueAt
        due.push((dueAt - start) / minute)
      })
    }

    assert.deepStrictEqual(due, [15, 30, 45])
  })

  it("names the same due time whatever the clocks have drifted apart", () => {
    const { book } = makeBook(every(15 * minute))

    assert.deepStrictEqual(run(book, at(15 * minute, 37)), [15])
    assert.deepStrictEqual(run(book, at(30 * minute + 20, -41)), [30])
  })
})

describe("a cron", () => {
  it("follows the wall clock of its time zone", () => {
    // 10:00 UTC is 11:00 in Berlin: half past eleven is in 30 minutes.
    const { book } = makeBook(cron("30 11 * * *", {}, "Europe/Berlin"))

    const due = [29, 30, 31].map((minutes) => run(book, at(minutes * minute)))

    assert.deepStrictEqual(due, [[], [30], []])
  })

  it("does not run twice when the wall clock is set back", () => {
    const { book } = makeBook(cron("0 * * * *"))

    const due = [
      run(book, at(60 * minute)),
      run(book, at(61 * minute, -3_600_000)),
      run(book, at(119 * minute, -3_600_000))
    ]

    assert.deepStrictEqual(due, [[60], [], []])
  })
})

describe("missed due times", () => {
  // Three quarters of an hour pass unseen: due at 15, 30 and 45, and it is 50 now.
  const missed = (catchUp: ScheduleDeclaration["catchUp"]) =>
    run(makeBook(every(15 * minute, { catchUp })).book, at(50 * minute))

  it("are skipped, made up for once, or all, as the policy says", () => {
    assert.deepStrictEqual(missed("skip"), [])
    assert.deepStrictEqual(missed("once"), [45])
    assert.deepStrictEqual(missed("all"), [15, 30, 45])
  })

  it("do not count when the newest has just come", () => {
    const { book } = makeBook(every(15 * minute, { catchUp: "skip" }))

    assert.deepStrictEqual(run(book, at(45 * minute + 100)), [45])
  })

  it("are made up for a thousand times at most", () => {
    const { book } = makeBook(every(1_000, { catchUp: "all" }))

    const due = run(book, at(24 * 3_600_000))

    assert.isAtMost(due.length, 1_001)
    assert.isAtLeast(due.length, 1_000)
    assert.deepStrictEqual(run(book, at(24 * 3_600_000)), [])
  })

  it("of a paused schedule are treated the same when it goes on", () => {
    const { book } = makeBook(every(15 * minute, { catchUp: "once" }))
    book.setPaused("s", true)

    const paused = run(book, at(50 * minute))
    book.setPaused("s", false)
    const resumed = run(book, at(51 * minute))

    assert.deepStrictEqual([paused, resumed], [[], [45]])
  })
})

describe("the book", () => {
  it("leaves a schedule that is declared again as it was, and changes one that is declared otherwise", () => {
    const { book, changes } = makeBook(every(15 * minute))
    book.set(every(15 * minute), at(14 * minute))
    const same = run(book, at(15 * minute))

    book.set(every(10 * minute), at(15 * minute))

    assert.deepStrictEqual(same, [15])
    assert.deepStrictEqual(run(book, at(20 * minute)), [20])
    assert.deepStrictEqual(changes, ["s set", "s set", "s set", "s set"])
  })

  it("brings a stored schedule back with the times that passed meanwhile", () => {
    const { book } = makeBook(every(15 * minute, { catchUp: "all" }))
    run(book, at(15 * minute))
    const record = book.get("s")
    assert.isDefined(record)
    if (record === undefined) return
    const stored = JSON.parse(JSON.stringify(book.store(record, at(20 * minute)))) as ReturnType<ScheduleBook["store"]>

    // Another process: its monotonic clock knows nothing of the first one's.
    const again = makeScheduleBook(() => {})
    again.restore(stored, { now: 5, wall: start + 50 * minute })
    const due: Array<number> = []
    again.run({ now: 5, wall: start + 50 * minute }, (_, dueAt) => due.push((dueAt - start) / minute))

    assert.deepStrictEqual(due, [30, 45])
  })

  it("removes one, and says whether it was there", () => {
    const { book, changes } = makeBook(every(minute))

    assert.deepStrictEqual([book.remove("s"), book.remove("s")], [true, false])
    assert.deepStrictEqual(run(book, at(5 * minute)), [])
    assert.strictEqual(changes.at(-1), "s removed")
  })
})
