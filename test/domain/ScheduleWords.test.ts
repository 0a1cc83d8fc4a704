import { assert, describe, it } from "@effect/vitest"
import { nextAfter } from "../../src/domain/Schedules.ts"
import { scheduleWords } from "../../src/domain/ScheduleWords.ts"

const cron = (cron: string, timeZone?: string) =>
  scheduleWords({ kind: { cron, ...(timeZone === undefined ? {} : { timeZone }) } })

describe("scheduleWords", () => {
  it("tells intervals in the largest unit that fits", () => {
    const words = [10, 1_000, 1_500, 60_000, 90_000, 300_000, 7_200_000, 86_400_000, 150_000].map((every) =>
      scheduleWords({ kind: { every } })
    )

    assert.deepStrictEqual(words, [
      "Every 10 ms",
      "Every 1 s",
      "Every 1.5 s",
      "Every 60 s",
      "Every 90 s",
      "Every 5 minutes",
      "Every 2 hours",
      "Every day",
      "Every 150 s"
    ])
  })

  it("tells the crons that people write as people say them", () => {
    const told = [
      "* * * * *",
      "*/5 * * * *",
      "0 * * * *",
      "15 * * * *",
      "0,30 * * * *",
      "0 */2 * * *",
      "0 2 * * *",
      "0 9,17 * * *",
      "30 9 * * 1-5",
      "0 9 * * MON",
      "0 9 * * 1,3",
      "0 0 1 * *",
      "0 0 1 1 *",
      "0 0 13 * 5",
      "0 6 * 6-8 *",
      "*/10 * * * * *",
      "* * * * * *",
      "30 0 2 * * *",
      "*/5 * * * 1-5"
    ].map((expression) => cron(expression))

    assert.deepStrictEqual(
      told,
      [
        "Every minute",
        "Every 5 minutes",
        "Every hour",
        "Every hour at minute 15",
        "Every hour at minutes 0 and 30",
        "Every 2 hours",
        "Every day at 02:00",
        "Every day at 09:00 and 17:00",
        "Monday to Friday at 09:30",
        "Every Monday at 09:00",
        "Monday and Wednesday at 09:00",
        "Day 1 of every month at 00:00",
        "Day 1 of January at 00:00",
        "Day 13 of every month or Friday at 00:00",
        "Every day in June to August at 06:00",
        "Every 10 seconds",
        "Every second",
        "Every day at 02:00:30",
        "Every 5 minutes, Monday to Friday"
      ].map((words) => `${words} (UTC)`)
    )
  })

  it("names the time zone", () => {
    assert.strictEqual(cron("0 2 * * *", "Europe/Berlin"), "Every day at 02:00 (Europe/Berlin)")
  })

  it("tells the others field by field", () => {
    assert.strictEqual(
      cron("5-20/5 8-18 * * *"),
      "At minute every 5 minutes from 5 to 20 of hour 08 to 18 (UTC)"
    )
    assert.strictEqual(cron("10 1 2 * * 2#1"), "At the times of 10 1 2 * * 2#1 (UTC)")
  })

  it("tells of every step of minutes that is not even that it is one", () => {
    // Every 7 minutes begins anew with each hour: 56 and 0 are 4 apart, which no interval says.
    const at = Date.UTC(2026, 0, 1, 0, 50)
    const first = nextAfter({ kind: { cron: "*/7 * * * *" } }, at)

    assert.deepStrictEqual([first - at, nextAfter({ kind: { cron: "*/7 * * * *" } }, first) - first], [
      360_000,
      240_000
    ])
    assert.strictEqual(cron("*/7 * * * *"), "At minute every 7 minutes of every hour (UTC)")
  })
})
