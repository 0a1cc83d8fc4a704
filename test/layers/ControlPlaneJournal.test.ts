import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { DatabaseSync } from "node:sqlite"
import type { Settings } from "../../src/domain/Settings.ts"
import * as JournalSqlite from "../../src/layers/JournalSqlite.ts"
import { Journal } from "../../src/services/Journal.ts"
import { newFile } from "../harness/Journals.ts"
import { startControlPlane } from "../harness/Roles.ts"
import { talk } from "../harness/Talk.ts"
import { makeMemoryJournal } from "../model/MemoryJournal.ts"

describe("restore", () => {
  it.live("brings back the task of an id that lives again, and not the outcome of its first life", () =>
    Effect.gen(function*() {
      const journal = makeMemoryJournal(Date.now)
      const start = (settings: Partial<Settings>) =>
        Effect.provideService(startControlPlane(settings), Journal, journal.store)
      const submit = (address: string, id: string) =>
        Effect.gen(function*() {
          const { begin, say } = yield* talk(address)
          const submitted = yield* begin({ op: "submit", tasks: [{ id, name: "t" }] })
          // It is there when another question is answered.
          yield* say({ op: "status", ids: [id] })
          journal.commit(Infinity)
          assert.isUndefined((yield* submitted).header.refused)
        })
      const cancel = (address: string, id: string) =>
        Effect.gen(function*() {
          const { begin, say } = yield* talk(address)
          const cancelled = yield* begin({ op: "cancel", id })
          yield* say({ op: "status", ids: [id] })
          journal.commit(Infinity)
          assert.include((yield* cancelled).header, { state: "cancelled" })
        })
      // Remembers the last id and at most one other.
      yield* Effect.scoped(Effect.gen(function*() {
        const { address } = yield* start({ resultCacheSize: 0, tombstones: 1 })
        for (const id of ["a", "b", "c"]) {
          yield* submit(address, id)
          yield* cancel(address, id)
        }
        yield* submit(address, "a")
      }))
      const { outcomes, tasks } = journal.contents()

      const second = yield* start({})
      const { say } = yield* talk(second.address)
      const [lives, ended] = [yield* say({ op: "result", id: "a" }), yield* say({ op: "result", id: "b" })]

      assert.deepStrictEqual(tasks.map(({ id }) => id), ["a"])
      assert.sameMembers(outcomes.map(({ id }) => id), ["a", "b", "c"])
      assert.deepStrictEqual([lives.header.state, ended.header.state], ["queued", "cancelled"])
    }))
})

describe("a task that was cancelled before its acceptance could be stored", () => {
  it.live("is not there: submitted again it is accepted anew, when it is stored", () =>
    Effect.gen(function*() {
      const journal = makeMemoryJournal(Date.now)
      const { address } = yield* Effect.provideService(startControlPlane(), Journal, journal.store)
      const { begin, say } = yield* talk(address)
      const submit = begin({ op: "submit", tasks: [{ id: "a", name: "t" }] })
      const first = yield* submit
      yield* begin({ op: "cancel", id: "a" })
      yield* say({ op: "status", ids: ["a"] })
      journal.refuse()
      const [refusal] = (yield* first).header.refused as ReadonlyArray<{ readonly error: object }>
      journal.commit(Infinity)

      const second = yield* submit
      const { header } = yield* say({ op: "status", ids: ["a"] })
      const stored = journal.contents().tasks.length
      journal.commit(Infinity)

      assert.include(refusal?.error, { _tag: "JournalFailed" })
      assert.isUndefined((yield* second).header.refused)
      assert.include((header.tasks as ReadonlyArray<object>)[0], { id: "a", state: "delayed" })
      assert.deepStrictEqual([stored, journal.contents().tasks.map(({ id }) => id)], [0, ["a"]])
    }))
})

describe("the outcome of a task that was cancelled before its acceptance was stored", () => {
  const session = "c".repeat(32)
  const cancelEarly = Effect.gen(function*() {
    const journal = makeMemoryJournal(Date.now)
    const { address } = yield* Effect.provideService(startControlPlane(), Journal, journal.store)
    const { begin, say } = yield* talk(address)
    yield* begin({ op: "submit", session, tasks: [{ id: "a", name: "t", watch: true }] })
    yield* begin({ op: "cancel", id: "a" })
    const collected = yield* begin({ op: "collect", session, ack: 0, wait: 300 })
    const asked = yield* begin({ op: "result", id: "a", wait: 300 })
    yield* say({ op: "status", ids: ["a"] })
    return { journal, begin, say, collected, asked }
  })

  it.live("is told when that is stored", () =>
    Effect.gen(function*() {
      const { asked, begin, collected, journal, say } = yield* cancelEarly
      yield* begin({ op: "watch", session: "d".repeat(32), ids: ["a"] })
      yield* say({ op: "status", ids: ["a"] })
      journal.commit(Infinity)

      const [first, second] = [(yield* collected).header, (yield* asked).header]
      const third = (yield* say({ op: "collect", session: "d".repeat(32), ack: 0, wait: 0 })).header

      assert.deepInclude((first.outcomes as ReadonlyArray<object>)[0], { id: "a", state: "cancelled" })
      assert.include(second, { state: "cancelled" })
      assert.deepInclude((third.outcomes as ReadonlyArray<object>)[0], { id: "a", state: "cancelled" })
    }))

  it.live("is told nobody when that is refused", () =>
    Effect.gen(function*() {
      const { asked, collected, journal } = yield* cancelEarly
      journal.refuse()
      journal.commit(Infinity)

      const [first, second] = [(yield* collected).header, (yield* asked).header]

      assert.deepStrictEqual(first.outcomes, [])
      assert.include(second.error, { _tag: "TaskNotFound", id: "a" })
    }))
})

describe("a journal with a record that was damaged", () => {
  for (
    const [what, sql] of [
      ["is no JSON", `UPDATE task SET record = '{"name'`],
      ["is of no priority", `UPDATE task SET state = replace(state, '"level":2', '"level":9')`],
      [
        "has a time that can't be",
        `UPDATE task SET record = replace(record, '"submittedAt":', '"submittedAt":9E300,"x":')`
      ],
      ["has no options where some are", `UPDATE task SET record = '{"options":null,' || substr(record, 2)`],
      ["has a negative number of attempts", `UPDATE task SET state = replace(state, '"attempt":0', '"attempt":-1')`],
      ["has bytes instead of a text", "UPDATE task SET record = x'00'"],
      ["has a value of a kind that there is not", "UPDATE value SET kind = 'kind'"],
      ["has a schedule without times", `UPDATE value SET value = replace(value, '"kind"', '"kinds"')`]
    ] as const
  ) {
    it.live(`which ${what} is not started with: it is said how to look at it`, () =>
      Effect.gen(function*() {
        const file = yield* newFile
        const start = Effect.flatMap(
          Layer.build(JournalSqlite.layer(file)),
          (context) => Effect.provideContext(startControlPlane(), context)
        )
        yield* Effect.scoped(Effect.gen(function*() {
          const { address } = yield* start
          const { say } = yield* talk(address)
          yield* say({ op: "submit", tasks: [{ id: "a", name: "t" }] })
          const schedule = { id: "s", name: "t", args: "{}", kind: { every: 60_000 }, catchUp: "once", overlap: "skip" }
          yield* say({ op: "schedule", schedule })
        }))
        const database = new DatabaseSync(file)
        database.exec(sql)
        database.close()

        const error = yield* Effect.flip(start)

        assert.strictEqual(error._tag, "JournalCorrupt")
        assert.include(error.message, "is damaged (")
        assert.include(error.message, `fastworker journal check ${file}`)
      }))
  }
})
