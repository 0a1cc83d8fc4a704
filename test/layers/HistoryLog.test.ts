import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Outcome } from "../../src/domain/Outcome.ts"
import type { FinalState } from "../../src/domain/TaskState.ts"
import type { Chain, Extra, HistoryLog } from "../../src/layers/HistoryLog.ts"
import { makeHistoryLog } from "../../src/layers/HistoryLog.ts"
import { leastBytesInUse } from "../harness/Memory.ts"
import { makeRandom } from "../harness/random.ts"
import { makeOutcome } from "./records.ts"

const states: ReadonlyArray<FinalState> = ["succeeded", "failed", "cancelled", "expired"]

const finished = (id: string, fields: Partial<Outcome> = {}): Outcome => ({ ...makeOutcome(id), ...fields })

/** The ids that are kept, oldest first. */
const idsOf = (log: HistoryLog): ReadonlyArray<string> => {
  const ids: Array<string> = []
  for (let number = log.oldest(); number < log.next(); number++) if (log.has(number)) ids.push(log.id(number))
  return ids
}

/** The ids of a chain, oldest first. */
const chainOf = (log: HistoryLog, chain: Chain, value: string | number): ReadonlyArray<string> => {
  const ids: Array<string> = []
  for (let number = log.head(chain, value); number >= 0; number = log.before(chain, number)) {
    if (log.has(number)) ids.unshift(log.id(number))
  }
  return ids
}

const extra = (retryOf: string): Extra => ({
  options: { retryOf },
  history: [],
  path: undefined,
  dueAt: 0,
  expiresAt: Infinity,
  error: undefined,
  retriedAs: undefined
})

describe("history log", () => {
  it("keeps what a list keeps, and walks what a filter finds, over random sequences", () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = makeRandom(seed)
      const pick = <A>(items: ReadonlyArray<A>): A => items[Math.floor(random() * items.length)] as A
      const maxTasks = 1 + Math.floor(random() * (seed % 20 === 0 ? 2_500 : 60))
      const log = makeHistoryLog({ maxTasks, maxBytes: Infinity })
      let model: Array<{ readonly outcome: Outcome; readonly group: number; readonly place: number }> = []
      for (let i = 0; i < 3 * maxTasks + 50; i++) {
        if (random() < 0.05 && model.length > 0) {
          const { id } = pick(model).outcome
          assert.isTrue(log.remove(id))
          model = model.filter(({ outcome }) => outcome.id !== id)
          continue
        }
        // Now and then an id that was there before, as it is when all about the first one was forgotten.
        const id = random() < 0.05 && model.length > 0 ? pick(model).outcome.id : `id-${i}`
        const outcome = finished(id, {
          name: `type-${Math.floor(random() * 5)}`,
          state: pick(states),
          worker: random() < 0.2 ? undefined : `w${Math.floor(random() * 4)}`,
          finishedAt: i
        })
        const group = random() < 0.3 ? Math.floor(random() * 3) : -1
        log.add(outcome, undefined, group, undefined)
        model = model.filter((kept) => kept.outcome.id !== id)
        model.push({ outcome, group, place: log.next() - 1 })
        model = model.filter(({ place }) => place > log.next() - 1 - maxTasks)
        if (i % (maxTasks > 100 ? 301 : 17) !== 0) continue
        const where = (is: (kept: (typeof model)[number]) => boolean) =>
          model.filter(is).map(({ outcome }) => outcome.id)
        assert.deepStrictEqual(idsOf(log), where(() => true), `seed ${seed}, step ${i}`)
        assert.strictEqual(log.size(), model.length)
        for (const { outcome, place } of model.slice(-20)) assert.strictEqual(log.find(outcome.id), place)
        for (const state of states) {
          assert.deepStrictEqual(chainOf(log, "state", state), where(({ outcome }) => outcome.state === state))
          assert.strictEqual(log.count(state), where(({ outcome }) => outcome.state === state).length)
        }
        for (let n = 0; n < 5; n++) {
          assert.deepStrictEqual(
            chainOf(log, "name", `type-${n}`),
            where(({ outcome }) => outcome.name === `type-${n}`)
          )
          assert.deepStrictEqual(chainOf(log, "worker", `w${n}`), where(({ outcome }) => outcome.worker === `w${n}`))
          assert.deepStrictEqual(chainOf(log, "group", n), where(({ group }) => group === n))
        }
      }
    }
  })

  it("tells of a task what its outcome said", () => {
    const log = makeHistoryLog({ maxTasks: 10, maxBytes: Infinity })
    const args = new Uint8Array(3)
    const first = finished("a", { reason: "timeout", state: "failed", level: 1, worker: "w", attempt: 3, startedAt: 7 })
    log.add(first, args, 5, extra("z"))
    log.add(finished("b", { worker: undefined, startedAt: undefined }), undefined, -1, undefined)

    const told = [0, 1].map((number) => [
      log.id(number),
      log.name(number),
      log.level(number),
      log.state(number),
      log.reason(number),
      log.attempt(number),
      log.worker(number),
      log.startedAt(number),
      log.group(number),
      log.extra(number)?.options?.retryOf,
      log.args(number)
    ])

    assert.deepStrictEqual(told, [
      ["a", "t", 1, "failed", "timeout", 3, "w", 7, 5, "z", args],
      ["b", "t", 2, "succeeded", undefined, 1, undefined, undefined, -1, undefined, undefined]
    ])
  })

  it("drops the oldest arguments first, and tasks only when there are none left", () => {
    const args = new Uint8Array(1_000)
    const alone = makeHistoryLog({ maxTasks: 10, maxBytes: Infinity })
    alone.add(finished("0"), undefined, -1, undefined)
    const each = alone.bytes()
    const log = makeHistoryLog({ maxTasks: 100, maxBytes: 10 * each + 3_000 })
    const withArgs = () => idsOf(log).filter((id) => log.args(log.find(id) ?? 0) !== undefined)

    for (let i = 0; i < 10; i++) log.add(finished(`${i}`), args, -1, undefined)
    assert.deepStrictEqual([log.size(), withArgs()], [10, ["8", "9"]])
    for (let i = 0; i < 3; i++) log.add(finished(`${i}+`), undefined, -1, extra("x".repeat(1_500)))

    assert.deepStrictEqual(withArgs(), [])
    assert.isAtMost(log.bytes(), 10 * each + 3_000)
    assert.isTrue(log.size() < 13 && idsOf(log).includes("2+"))
  })

  it("remembers the newest tasks that run one again", () => {
    const log = makeHistoryLog({ maxTasks: 10, maxBytes: Infinity })
    log.add(finished("a", { state: "failed" }), undefined, -1, extra("z"))

    for (let i = 0; i < 25; i++) log.retried("a", `again-${i}`)
    log.retried("a", "again-24")
    log.retried("nobody", "x")

    const { retriedAs = [] } = log.extra(0) ?? {}
    assert.deepStrictEqual([retriedAs.length, retriedAs[0], retriedAs.at(-1)], [20, "again-5", "again-24"])
  })

  it("keeps nothing when it is to keep none", () => {
    const log = makeHistoryLog({ maxTasks: 0, maxBytes: 1_000 })

    log.add(finished("a"), new Uint8Array(1), -1, undefined)

    assert.deepStrictEqual([log.size(), log.bytes(), log.find("a"), log.remove("a")], [0, 0, undefined, false])
  })

  it.live("takes no more memory at its bound, however many tasks pass, and no more than it says", () =>
    Effect.gen(function*() {
      const maxTasks = 20_000
      const before = yield* leastBytesInUse
      const log = makeHistoryLog({ maxTasks, maxBytes: Infinity })
      const pass = (from: number, count: number) => {
        for (let i = from; i < from + count; i++) {
          const id = Buffer.from(i.toString(16).padStart(32, "0")).toString("latin1")
          log.add(finished(id, { name: `n${i % 7}`, worker: `w-${i % 3_000}` }), new Uint8Array(100), -1, undefined)
        }
      }
      pass(0, 2 * maxTasks)
      const full = yield* leastBytesInUse
      pass(2 * maxTasks, 10 * maxTasks)
      const later = yield* leastBytesInUse

      // Ten times as many tasks have passed: had they left anything, it would be more than that.
      assert.isBelow(later - full, 0.3 * log.bytes())
      assert.isBelow(full - before, 1.3 * log.bytes())
      assert.strictEqual(log.size(), maxTasks)
    }))
})
