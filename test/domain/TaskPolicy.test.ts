import { assert, describe, it } from "@effect/vitest"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Task from "../../src/domain/TaskDefinition.ts"
import * as TaskPolicy from "../../src/domain/TaskPolicy.ts"

const args = { customer: Schema.String, size: Schema.Int }
const one = { customer: "c1", size: 2 }

describe("make", () => {
  it("says nothing for a definition that says nothing", () => {
    const { policy } = Task.make("t")

    assert.deepStrictEqual({ ...policy }, {
      timeoutMillis: undefined,
      expiresInMillis: undefined,
      retry: undefined,
      unique: undefined,
      limits: undefined,
      limitKey: undefined,
      fairKey: undefined,
      weight: undefined,
      tags: undefined,
      retentionMillis: undefined,
      version: 1,
      upgrade: undefined,
      isolation: "fiber",
      sensitive: undefined
    })
    assert.isTrue(Object.isFrozen(policy))
    assert.deepStrictEqual(TaskPolicy.submission(policy, {}), {})
  })

  it("holds durations in whole milliseconds, rounded up", () => {
    const { policy } = Task.make("t", { timeout: "30 seconds", expiresIn: 0.2, retention: { hours: 1 } })

    assert.deepStrictEqual([policy.timeoutMillis, policy.expiresInMillis, policy.retentionMillis], [
      30_000,
      1,
      3_600_000
    ])
  })

  it("makes 3 attempts with the default schedule, and as many as possible with another", () => {
    const schedule = Schedule.spaced("1 second")

    const defaults = Task.make("t", { retry: {} }).policy.retry
    const own = Task.make("t", { retry: { schedule } }).policy.retry
    const limited = Task.make("t", { retry: { schedule, attempts: 2 } }).policy.retry

    assert.deepStrictEqual([defaults?.attempts, own?.attempts, limited?.attempts], [3, TaskPolicy.maxAttempts, 2])
    assert.strictEqual(defaults?.schedule, TaskPolicy.defaultRetrySchedule)
    assert.strictEqual(own?.schedule, schedule)
  })

  it("holds limits as they cross the wire", () => {
    const { policy } = Task.make("t", {
      args,
      limits: {
        concurrency: 5,
        rate: { limit: 100, per: "1 minute" },
        key: ({ customer }) => customer,
        keyConcurrency: 1,
        keyRate: { limit: 3, per: 500 }
      }
    })

    assert.deepStrictEqual(policy.limits, {
      concurrency: 5,
      rate: { limit: 100, per: 60_000 },
      keyConcurrency: 1,
      keyRate: { limit: 3, per: 500 }
    })
    assert.deepStrictEqual(TaskPolicy.submission(policy, one), { limitKey: "c1" })
  })

  for (
    const [options, sentence] of [
      [{ timeout: -1 }, /Task "t": timeout must last from 1 millisecond to 10 years.*got -1/u],
      [{ timeout: NaN }, /timeout must last/u],
      [{ timeout: Infinity }, /timeout must last/u],
      [{ timeout: 0 }, /timeout must last/u],
      [{ timeout: "soon" }, /timeout must last.*got "soon"/u],
      [{ expiresIn: -1 }, /expiresIn must last/u],
      [{ retention: -1 }, /retention must last/u],
      [{ retry: { attempts: 0 } }, /retry\.attempts must be a whole number from 1 to 1000; got 0/u],
      [{ retry: { attempts: 1.5 } }, /retry\.attempts/u],
      [{ retry: { attempts: 1_001 } }, /retry\.attempts/u],
      [{ version: 0 }, /version must be a whole number from 1; got 0/u],
      [{ version: 1.5 }, /version must/u],
      [{ version: NaN }, /version must/u],
      [{ limits: { concurrency: 0 } }, /limits\.concurrency must/u],
      [{ limits: { rate: { limit: -1, per: 1 } } }, /limits\.rate\.limit must/u],
      [{ limits: { rate: { limit: 1, per: -1 } } }, /limits\.rate\.per must last/u],
      [{ limits: { keyConcurrency: 1 } }, /limits\.keyConcurrency and limits\.keyRate need limits\.key/u],
      [{ limits: { key: () => "k", keyRate: { limit: 0.5, per: 1 } } }, /limits\.keyRate\.limit must/u],
      [{ unique: { key: () => "k", while: -5 } }, /unique\.while must last/u],
      [{ unique: { key: () => "k", while: "waiting", onConflict: "fail" } }, /unique\.onConflict must be/u],
      [{ isolation: "process" }, /isolation must be "fiber" or "thread"; got "process"/u]
    ] as const
  ) {
    it(`throws a sentence for ${JSON.stringify(options)}`, () => {
      assert.throws(() => Task.make("t", options as {}), sentence)
      assert.throws(() => Task.define("t", { ...options as {}, run: () => Promise.resolve() }), sentence)
    })
  }
})

describe("submission", () => {
  it("asks the functions of the definition about the arguments", () => {
    const { policy } = Task.make("t", {
      args,
      expiresIn: "1 hour",
      version: 3,
      unique: { key: ({ customer }) => `mail ${customer}`, while: "unfinished" },
      limits: { key: ({ customer }) => customer, keyConcurrency: 1 },
      fairness: { key: ({ customer }) => customer, weight: ({ size }) => size },
      tags: ({ customer }) => ["mail", customer]
    })

    assert.deepStrictEqual(TaskPolicy.submission(policy, one), {
      expiresIn: 3_600_000,
      unique: { key: "mail c1", while: "unfinished", onConflict: "reject" },
      limitKey: "c1",
      fairKey: "c1",
      weight: 2,
      tags: ["mail", "c1"],
      version: 3
    })
  })

  it("holds a unique key for a time when `while` is one", () => {
    const { policy } = Task.make("t", {
      args,
      unique: { key: ({ customer }) => customer, while: "10 minutes", onConflict: "existing" }
    })

    assert.deepStrictEqual(TaskPolicy.submission(policy, one), {
      unique: { key: "c1", while: "period", period: 600_000, onConflict: "existing" }
    })
  })
})
