/** Opening files that are journals, were journals once, will be, or never were. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import * as JournalFile from "../../src/layers/JournalFile.ts"
import * as JournalSqlite from "../../src/layers/JournalSqlite.ts"
import { accepted, bounds, folder, newFile } from "../harness/Journals.ts"

/** Opens a journal as a control plane does, stores a task each of these ids, and says what was there. */
const use = (file: string, ...ids: ReadonlyArray<string>) =>
  Effect.scoped(Effect.gen(function*() {
    const journal = yield* JournalSqlite.make(file)
    const { tasks } = yield* journal.load(bounds)
    for (const id of ids) journal.append(accepted(id, new Uint8Array(2_000)))
    return tasks.map(({ id }) => id)
  }))

const failureOf = (file: string) => Effect.flip(use(file))

const faultOf = (body: () => unknown) => {
  try {
    body()
  } catch (error) {
    return JournalFile.toFault(error)
  }
  throw new Error("it did not fail")
}

/** Overwrites bytes of the file. */
const damage = (file: string, from: number, to: number) => {
  const bytes = readFileSync(file)
  bytes.fill(0xa5, from, to)
  writeFileSync(file, bytes)
}

const ids = Array.from({ length: 50 }, (_, i) => `t${i}`)

describe("open", () => {
  it.live("says what is wrong with the path", () =>
    Effect.gen(function*() {
      const path = yield* folder
      writeFileSync(join(path, "file"), "")
      mkdirSync(join(path, "folder"))
      const cases = [
        ["none/journal", "its folder does not exist"],
        ["file/journal", "its folder is a file"],
        ["folder", "it is not a file"]
      ] as const
      for (const [name, reason] of cases) {
        const file = join(path, name)

        const error = yield* failureOf(file)

        assert.strictEqual(error._tag, "JournalUnusable")
        assert.strictEqual(error.message, `The journal ${file} can't be used: ${reason}`)
      }
    }))

  it("says what the system does not permit", () => {
    const fault = (code: string) => JournalFile.toFault(Object.assign(new Error("no"), { code }))

    assert.deepInclude(fault("EACCES"), { fault: "JournalUnusable", reason: "this user has no permission" })
    assert.deepInclude(fault("EROFS"), { fault: "JournalUnusable", reason: "the file system is read-only" })
    assert.deepInclude(fault("ENOSPC"), { fault: "JournalFailed", reason: "the disk is full" })
  })

  it.live("takes an empty file as a new journal", () =>
    Effect.gen(function*() {
      const file = yield* newFile
      writeFileSync(file, "")

      assert.deepStrictEqual(yield* use(file, "a"), [])
      assert.deepStrictEqual(yield* use(file), ["a"])
    }))

  it.live("refuses what is no database, and a database of something else, and leaves both as they are", () =>
    Effect.gen(function*() {
      const [text, foreign] = [yield* newFile, yield* newFile]
      writeFileSync(text, "what I did last summer\n".repeat(100))
      const database = new DatabaseSync(foreign)
      database.exec("CREATE TABLE mine (a)")
      database.close()
      const before = [readFileSync(text), readFileSync(foreign)]

      const [notOne, notOurs] = [yield* failureOf(text), yield* failureOf(foreign)]

      assert.strictEqual(notOne._tag, "JournalCorrupt")
      assert.include(notOne.message, "it is not an SQLite database. Run `fastworker journal check ")
      assert.strictEqual(notOurs._tag, "JournalUnusable")
      assert.include(notOurs.message, "it is a database of something else")
      assert.deepStrictEqual([readFileSync(text), readFileSync(foreign)], before)
    }))

  it.live("names the command that checks a damaged journal, wherever the damage is", () =>
    Effect.gen(function*() {
      for (const from of [0, 100, 4096, 12_000, 60_000]) {
        const file = yield* newFile
        yield* use(file, ...ids)
        damage(file, from, from === 0 ? 16 : from + 8_192)

        const error = yield* failureOf(file)

        assert.strictEqual(error._tag, "JournalCorrupt", `at ${from}`)
        assert.include(error.message, `fastworker journal check ${file}`)
      }
    }))

  it.live("refuses the format of a newer version", () =>
    Effect.gen(function*() {
      const file = yield* newFile
      yield* use(file, "a")
      const database = new DatabaseSync(file)
      database.exec("PRAGMA user_version = 7")
      database.close()

      const error = yield* failureOf(file)

      assert.strictEqual(error._tag, "JournalTooNew")
      assert.strictEqual(
        error.message,
        `The journal ${file} was written by a newer version of FastWorker (its format is version 7, this program ` +
          `knows 1): update FastWorker, or use another file`
      )
    }))
})

describe("migrations", () => {
  const next = [...JournalFile.migrations, "ALTER TABLE task ADD COLUMN tags TEXT NOT NULL DEFAULT '[]'"]
  const rowsOf = (database: DatabaseSync) =>
    database.prepare("SELECT * FROM task").all().map((row): Record<string, unknown> => ({ ...row, args: undefined }))
  const versionOf = (database: DatabaseSync) => database.prepare("PRAGMA user_version").get()?.["user_version"]
  const row = {
    args: undefined,
    seq: 1,
    id: "a",
    record: "{\"id\":\"a\",\"name\":\"größe ✓\"}",
    state: "{\"state\":\"queued\"}"
  }

  it.live("bring an older journal up to date, once, with all that is in it", () =>
    Effect.gen(function*() {
      const file = yield* newFile
      yield* use(file, "a")

      for (let round = 0; round < 2; round++) {
        const database = JournalFile.open(file, next)
        const found = [versionOf(database), rowsOf(database)]
        database.close()

        assert.deepStrictEqual(found, [2, [{ ...row, checkpoint: null, tags: "[]" }]])
      }
      assert.strictEqual((yield* failureOf(file))._tag, "JournalTooNew")
    }))

  it.live("leave the journal as it was when one of them fails", () =>
    Effect.gen(function*() {
      const file = yield* newFile
      yield* use(file, "a")

      const fault = faultOf(() =>
        JournalFile.open(file, [...next, "DROP TABLE dead; ALTER TABLE nowhere ADD COLUMN a"])
      )

      assert.match(fault.reason, /no such table: nowhere/u)
      assert.deepStrictEqual(yield* use(file), ["a"])
      const database = JournalFile.open(file)
      assert.deepStrictEqual([versionOf(database), rowsOf(database)], [1, [{ ...row, checkpoint: null }]])
      database.close()
    }))

  it.live("make of nothing what they make of version 1", () =>
    Effect.gen(function*() {
      const [fresh, migrated] = [yield* newFile, yield* newFile]
      yield* use(migrated)
      const schemaOf = (file: string) => {
        const database = JournalFile.open(file, next)
        const rows = database.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name").all()
        database.close()
        return rows
      }

      assert.deepStrictEqual(schemaOf(fresh), schemaOf(migrated))
    }))
})

describe("withoutSqliteWarning", () => {
  it.live("keeps that one warning back, lets the others through, and is over when the body is", () =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      const onWarning = ({ message }: Error) => void seen.push(message)
      const before = Object.getOwnPropertyDescriptor(process, "emitWarning")
      process.on("warning", onWarning)

      const value = JournalFile.withoutSqliteWarning(() => {
        process.emitWarning("SQLite is an experimental feature and might change at any time", "ExperimentalWarning")
        process.emitWarning("another is an experimental feature", "ExperimentalWarning")
        process.emitWarning("SQLite is slow today", "SomeWarning")
        return 1
      })
      process.emitWarning("SQLite after it", "ExperimentalWarning")
      yield* Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))
      process.off("warning", onWarning)

      assert.strictEqual(value, 1)
      assert.deepStrictEqual(seen, ["another is an experimental feature", "SQLite is slow today", "SQLite after it"])
      assert.deepStrictEqual(Object.getOwnPropertyDescriptor(process, "emitWarning"), before)
    }))
})
