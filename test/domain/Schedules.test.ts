import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Schedules from "../../src/domain/Schedules.ts"
import * as Task from "../../src/domain/TaskDefinition.ts"
import { makeRandom } from "../harness/random.ts"

const tick = Task.make("tick")
const report = Task.make("report", {
  args: { kind: Schema.String, day: Schema.optionalKey(Schema.Date) },
  priority: "low",
  version: 2,
  expiresIn: "1 hour",
  limits: { key: ({ kind }) => kind, keyConcurrency: 1 },
  tags: ({ kind }) => [kind]
})

const at = (text: string) => Date.parse(text)
const decode = Schema.decodeUnknownResult(Schedules.ScheduleDeclaration)

describe("every", () => {
  it("declares a task with defaults and a readable id", () => {
    assert.deepStrictEqual({ ...Task.every(tick, "5 minutes") }, {
      "~fastworker/Schedule": true,
      id: "tick:every:5m",
      name: "tick",
      args: "{}",
      kind: { every: 300_000 },
      catchUp: "once",
      overlap: "skip"
    })
  })

  it("declares all that the definition says of a task with these arguments", () => {
    const schedule = Task.every(report, 1_500, {
      id: "invoices",
      args: { kind: "invoices", day: new Date(0) },
      priority: "high",
      catchUp: "all",
      overlap: "replace",
      tags: ["nightly"],
      tenant: "acme"
    })

    assert.deepStrictEqual({ ...schedule }, {
      "~fastworker/Schedule": true,
      id: "invoices",
      name: "report",
      args: "{\"kind\":\"invoices\",\"day\":\"1970-01-01T00:00:00.000Z\"}",
      kind: { every: 1_500 },
      catchUp: "all",
      overlap: "replace",
      priority: "high",
      expiresIn: 3_600_000,
      limitKey: "invoices",
      tags: ["invoices", "nightly"],
      tenant: "acme",
      version: 2
    })
    assert.strictEqual(Task.every(report, 1_500, { args: { kind: "x" } }).priority, "low")
  })

  it("throws a sentence for what can't be", () => {
    assert.throws(() => Task.every(tick, -1), /Task "tick": the interval of its schedule must last.*got -1/u)
    assert.throws(() => Task.every(tick, 9), /Schedule "tick:every:9ms".*between 10/u)
    assert.throws(
      () => Task.every(report, "1 hour", { args: { kind: 1 as unknown as string } }),
      /Schedule "report:every:1h": its arguments do not fit: kind: Expected string/u
    )
    assert.throws(() => Task.every(report, "1 hour", {} as never), /its arguments do not fit: kind/u)
    assert.throws(() => Task.every(tick, "1 hour", { id: "" }), /id/u)
    assert.throws(() => Task.every(tick, "1 hour", { catchUp: "twice" as "all" }), /catchUp/u)
    assert.throws(() => Task.every(tick, "1 hour", { tags: Array.from({ length: 17 }, String) }), /tags/u)
  })
})

describe("cron", () => {
  it("declares the expression and its zone", () => {
    const { id, kind } = Task.cron(tick, "30 9 * * 1-5", { timeZone: "Europe/Berlin" })

    assert.deepStrictEqual(kind, { cron: "30 9 * * 1-5", timeZone: "Europe/Berlin" })
    assert.strictEqual(id, "tick:cron:30 9 * * 1-5 Europe/Berlin")
    assert.strictEqual(Task.cron(tick, "30 9 * * 1-5").id, "tick:cron:30 9 * * 1-5")
  })

  it("throws a sentence that names the expression or the zone", () => {
    assert.throws(() => Task.cron(tick, "every day"), /"every day" is not a cron expression: .*write for example/u)
    assert.throws(() => Task.cron(tick, "61 * * * *"), /"61 \* \* \* \*" is not a cron expression/u)
    assert.throws(() => Task.cron(tick, "0 0 30 2 *"), /"0 0 30 2 \*" is never due/u)
    assert.throws(
      () => Task.cron(tick, "0 0 * * *", { timeZone: "Europe/Bärlin" }),
      /"Europe\/Bärlin" is not a time zone/u
    )
  })
})

describe("nextAfter", () => {
  it("is the next multiple of the interval since 1970, never the time itself", () => {
    const schedule = Task.every(tick, "1 minute")

    assert.strictEqual(Schedules.nextAfter(schedule, 0), 60_000)
    assert.strictEqual(Schedules.nextAfter(schedule, 59_999), 60_000)
    assert.strictEqual(Schedules.nextAfter(schedule, 60_000), 120_000)
  })

  it("is the next time of the expression, in UTC without a zone", () => {
    const schedule = Task.cron(tick, "30 9 * * 1-5")

    // The first is a Friday.
    assert.strictEqual(Schedules.nextAfter(schedule, at("2026-01-02T09:29:59.999Z")), at("2026-01-02T09:30:00Z"))
    assert.strictEqual(Schedules.nextAfter(schedule, at("2026-01-02T09:30:00Z")), at("2026-01-05T09:30:00Z"))
    assert.strictEqual(
      Schedules.nextAfter(Task.cron(tick, "*/10 * * * * *"), at("2026-01-02T00:00:55Z")),
      at("2026-01-02T00:01:00Z")
    )
  })

  it("follows the clocks of its zone: after the hour that is skipped, and the first of two that are repeated", () => {
    const schedule = Task.cron(tick, "30 2 * * *", { timeZone: "Europe/Berlin" })
    const next = (text: string) => new Date(Schedules.nextAfter(schedule, at(text))).toISOString()

    assert.strictEqual(next("2026-01-01T12:00:00Z"), "2026-01-02T01:30:00.000Z")
    assert.strictEqual(next("2026-07-01T12:00:00Z"), "2026-07-02T00:30:00.000Z")
    // From 02:00 to 03:00 there is no time on 29 March.
    assert.strictEqual(next("2026-03-28T12:00:00Z"), "2026-03-29T01:30:00.000Z")
    // 02:30 comes twice on 25 October, at 00:30 and 01:30 UTC.
    assert.strictEqual(next("2026-10-24T12:00:00Z"), "2026-10-25T00:30:00.000Z")
    assert.strictEqual(next("2026-10-25T00:30:00Z"), "2026-10-26T01:30:00.000Z")
  })

  it("is later than the time given, and the same from any time before it", () => {
    const random = makeRandom(7)
    const schedules = [
      Task.every(tick, 12_345),
      Task.cron(tick, "*/7 3-5 * * *", { timeZone: "America/New_York" }),
      Task.cron(tick, "0 0 29 2 *")
    ]

    for (let i = 0; i < 300; i++) {
      const time = Math.floor(random() * 4e12)
      for (const schedule of schedules) {
        const next = Schedules.nextAfter(schedule, time)
        assert.isAbove(next, time)
        const between = Math.floor(time + random() * (next - time - 1))
        assert.strictEqual(Schedules.nextAfter(schedule, between), next)
      }
    }
  })

  it("is never for an expression that is not one", () => {
    assert.strictEqual(Schedules.nextAfter({ kind: { cron: "x" } }, 0), Infinity)
  })
})

describe("ScheduleDeclaration", () => {
  it("takes what the constructors make, through JSON", () => {
    for (const schedule of [Task.every(report, "1 day", { args: { kind: "k" } }), Task.cron(tick, "0 0 1 1 *")]) {
      const { "~fastworker/Schedule": _, ...declaration } = schedule

      assert.deepStrictEqual(decode(JSON.parse(JSON.stringify(schedule))), Result.succeed(declaration))
    }
  })

  it("refuses what is out of bounds", () => {
    const { "~fastworker/Schedule": _, ...valid } = Task.every(tick, "1 hour")
    for (
      const change of [
        { id: "" },
        { name: "\n" },
        { kind: { every: 9 } },
        { kind: { every: 0.5e10 + 0.5 } },
        { kind: { cron: "nonsense" } },
        { kind: { cron: "* * * * *", timeZone: "Nowhere" } },
        { kind: {} },
        { args: "x".repeat(Schedules.maxScheduleArgs + 1) },
        { weight: 0 },
        { tags: [""] },
        { version: 0 }
      ]
    ) {
      assert.isTrue(Result.isFailure(decode({ ...valid, ...change })), JSON.stringify(change).slice(0, 80))
    }
  })
})

describe("isTaskSchedule", () => {
  it("tells schedules from anything else", () => {
    assert.isTrue(Schedules.isTaskSchedule(Task.every(tick, "1 hour")))
    assert.deepStrictEqual([null, 1, {}, tick].map(Schedules.isTaskSchedule), [false, false, false, false])
  })
})
