/** `fastworker journal`, on journals in every condition. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { fileURLToPath } from "node:url"
import * as JournalSqlite from "../../src/layers/JournalSqlite.ts"
import type { JournalEntry } from "../../src/services/Journal.ts"
import { Cluster, type Output } from "../harness/Cluster.ts"
import { accepted, bounds, entryAt, finished, makeModel, newFile } from "../harness/Journals.ts"
import { start } from "../harness/Processes.ts"
import { until } from "../harness/Until.ts"

/** Several commands one after the other, on a machine with other work. */
const slowMillis = 60_000

const fastworker = (...args: ReadonlyArray<string>) =>
  Effect.promise(async () => {
    await using cluster = await Cluster.make()
    return await cluster.run(args)
  })

const store = (file: string, entries: ReadonlyArray<JournalEntry>) =>
  Effect.scoped(Effect.gen(function*() {
    const journal = yield* JournalSqlite.make(file)
    yield* journal.load(bounds)
    for (const entry of entries) journal.append(entry)
  }))

const idsOf = (file: string) =>
  Effect.scoped(Effect.gen(function*() {
    const { outcomes, tasks } = yield* (yield* JournalSqlite.make(file)).load(bounds)
    return [...tasks, ...outcomes].map(({ id }) => id)
  }))

/** Changes the file behind the journal's back. */
const execute = (file: string, sql: string) => {
  const database = new DatabaseSync(file)
  database.exec(sql)
  database.close()
}

/** A process that has the journal open, with 70 entries in it. */
const startOwner = Effect.fnUntraced(function*(file: string) {
  const script = fileURLToPath(new URL("../fixtures/journal/appender.ts", import.meta.url))
  const owner = yield* start(process.execPath, [script, file, "0", "70"])
  yield* until("its commits", () => owner.output().endsWith("70\n"), 20_000)
  return owner
})

const entries: ReadonlyArray<JournalEntry> = [
  ...["a", "b", "c", "d"].map((id) => accepted(id)),
  finished("b"),
  finished("c", { isDead: true }),
  { type: "put", kind: "schedule", key: "nightly", value: "{}" }
]

describe("journal check", () => {
  it.live("prints what is in the journal and changes nothing, not even beside it", () =>
    Effect.gen(function*() {
      const file = yield* newFile
      yield* store(file, entries)
      const before = readFileSync(file)

      const text = yield* fastworker("journal", "check", file)
      const machine = yield* fastworker("journal", "check", file, "--json")

      assert.deepStrictEqual([text.code, text.stderr], [0, ""])
      assert.strictEqual(
        text.stdout,
        `${file}: format 1, ${before.length / 1024}KiB\n` +
          `2 tasks without an outcome, 2 outcomes, 1 dead, 1 schedule, 0 pauses, 0 unique keys\nNo problems\n`
      )
      assert.strictEqual(machine.code, 0)
      assert.deepStrictEqual(JSON.parse(machine.stdout), {
        file,
        ok: true,
        version: 1,
        bytes: before.length,
        counts: { tasks: 2, outcomes: 2, dead: 1, schedules: 1, pauses: 0, unique: 0 },
        problems: []
      })
      assert.deepStrictEqual(readFileSync(file), before)
      assert.deepStrictEqual(readdirSync(dirname(file)), ["journal"])
    }))

  it.live("names each row that is not JSON", () =>
    Effect.gen(function*() {
      const file = yield* newFile
      yield* store(file, entries)
      execute(
        file,
        `UPDATE task SET state = '{', record = 'x' WHERE id = 'd'; UPDATE outcome SET record = '' WHERE id = 'b';
         UPDATE dead SET record = '', outcome = ''; UPDATE value SET value = 'now'`
      )

      const { code, stdout } = yield* fastworker("journal", "check", file)
      const machine = yield* fastworker("journal", "check", file, "--json")

      assert.deepStrictEqual([code, machine.code], [1, 1])
      assert.deepInclude(JSON.parse(machine.stdout), { ok: false })
      assert.deepStrictEqual(stdout.split("\n").slice(2), [
        "6 problems:",
        "  task d: its record is not JSON",
        "  task d: its state is not JSON",
        "  outcome b: its record is not JSON",
        "  dead c: its record is not JSON",
        "  dead c: its outcome is not JSON",
        "  value schedule nightly: its value is not JSON",
        ""
      ])
    }))

  it.live("tells of damage, of files that are no journal, and of empty ones", () =>
    Effect.gen(function*() {
      const [damaged, text, empty] = [yield* newFile, yield* newFile, yield* newFile]
      yield* store(damaged, Array.from({ length: 60 }, (_, i) => accepted(`t${i}`, new Uint8Array(2_000))))
      const bytes = readFileSync(damaged)
      writeFileSync(damaged, bytes.fill(0xa5, bytes.length / 2, bytes.length / 2 + 20_000))
      writeFileSync(text, "a text, and no database at all\n".repeat(100))
      writeFileSync(empty, "")

      for (
        const [file, expected] of [
          [damaged, /^ {2}structure: .+/mu],
          [text, /^ {2}header: it is not an SQLite database$/mu],
          [empty, /^ {2}header: it is empty$/mu]
        ] as const
      ) {
        const { code, stderr, stdout } = yield* fastworker("journal", "check", file)

        assert.deepStrictEqual([code, stderr], [1, ""])
        assert.match(stdout, expected)
      }
    }), slowMillis)

  it.live("reads what a killed control plane left behind, and says so while one is at work", () =>
    Effect.gen(function*() {
      const file = yield* newFile
      const owner = yield* startOwner(file)

      const during = yield* fastworker("journal", "check", file)
      owner.child.kill("SIGKILL")
      yield* until("its end", () => owner.ended() !== undefined)
      const after = yield* fastworker("journal", "check", file, "--json")

      assert.deepStrictEqual(
        during,
        {
          code: 2,
          stdout: "",
          stderr:
            `fastworker: Another control plane uses the journal ${file}: stop it, or give this one a file of its own\n`
        }
      )
      assert.strictEqual(after.code, 0)
      const model = makeModel()
      for (let position = 1; position <= 70; position++) model.apply(entryAt(position))
      const { dead, outcomes, tasks } = model.contents()
      assert.deepStrictEqual((JSON.parse(after.stdout) as { counts: object }).counts, {
        tasks: tasks.length,
        outcomes: outcomes.length,
        dead: dead.length,
        schedules: 1,
        pauses: 0,
        unique: 0
      })
    }))

  it.live("exits with 2 for what it can't be asked", () =>
    Effect.gen(function*() {
      const [none, foreign, newer] = [yield* newFile, yield* newFile, yield* newFile]
      execute(foreign, "CREATE TABLE mine (a)")
      yield* store(newer, entries)
      execute(newer, "PRAGMA user_version = 2")
      const cases = [
        [["check"], /Missing required argument: file/u],
        [["compact", none], /there is no such file/u],
        [["check", none], /there is no such file/u],
        [["check", foreign], /it is a database of something else/u],
        [["check", newer], /was written by a newer version of FastWorker/u],
        [["compact", newer], /was written by a newer version of FastWorker/u]
      ] as const
      const outputs = yield* Effect.forEach(cases, ([args]) => fastworker("journal", ...args), { concurrency: 2 })

      for (const [index, [args, expected]] of cases.entries()) {
        const { code, stderr, stdout } = outputs[index] as Output
        assert.deepStrictEqual([code, stdout], [2, ""], args.join(" "))
        assert.match(stderr, expected)
      }
      assert.deepStrictEqual(readdirSync(dirname(none)), [])
    }), slowMillis)
})

describe("journal compact", () => {
  it.live("drops what is past its time, gives space back and keeps everything else", () =>
    Effect.gen(function*() {
      const file = yield* newFile
      yield* store(file, Array.from({ length: 50 }, (_, i) => accepted(`t${i}`, new Uint8Array(10_000))))
      yield* store(file, Array.from({ length: 48 }, (_, i) => finished(`t${i}`, { keepUntil: i < 46 ? 8e15 : 2e12 })))
      // Times that are far enough in the past for the command, and were not for the journal.
      execute(file, "UPDATE outcome SET keep_until = 1 WHERE keep_until = 2e12")
      const before = statSync(file).size

      const text = yield* fastworker("journal", "compact", file)
      const after = statSync(file).size
      const machine = yield* fastworker("journal", "compact", file, "--json")

      assert.deepStrictEqual([text.code, text.stderr], [0, ""])
      assert.strictEqual(
        text.stdout,
        `${file}: ${before / 1024}KiB before, ${after / 1024}KiB now; 2 expired outcomes dropped\n`
      )
      assert.isBelow(after, before / 4)
      assert.deepStrictEqual(JSON.parse(machine.stdout), { file, before: after, after, expired: 0 })
      assert.deepStrictEqual(statSync(file).mode & 0o777, 0o600)
      const outcomes = Array.from({ length: 46 }, (_, i) => `t${45 - i}`)
      assert.deepStrictEqual(yield* idsOf(file), ["t48", "t49", ...outcomes])
    }))

  it.live("refuses while a control plane uses the journal", () =>
    Effect.gen(function*() {
      const file = yield* newFile
      yield* startOwner(file)

      const { code, stdout } = yield* fastworker("journal", "compact", file, "--json")

      assert.strictEqual(code, 2)
      assert.deepInclude((JSON.parse(stdout) as { error: object }).error, { _tag: "JournalLocked", file })
    }))
})
