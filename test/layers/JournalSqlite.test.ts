/**
 * The journal on a real disk: what comes back, bounds, and what becomes of entries when processes are killed, files are
 * damaged and disks are full.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { isDeepStrictEqual } from "node:util"
import type { Worker } from "node:worker_threads"
import * as JournalSqlite from "../../src/layers/JournalSqlite.ts"
import type { JournalBounds, JournalContents, JournalEntry } from "../../src/services/Journal.ts"
import {
  accepted,
  bounds,
  changed,
  entryAt,
  finished,
  makeModel,
  newFile,
  smallDisk,
  smallDiskMissing
} from "../harness/Journals.ts"
import { start } from "../harness/Processes.ts"
import { makeRandom } from "../harness/random.ts"
import { until } from "../harness/Until.ts"

/** For tests that open many journals, on a machine with other work. */
const slowMillis = 60_000

/** Opens the journal for the length of the body, which gets what it held. */
const withJournal = <A, E, R>(
  file: string,
  body: (
    journal: Effect.Success<ReturnType<typeof JournalSqlite.make>>,
    contents: JournalContents
  ) => Effect.Effect<A, E, R>,
  limits: JournalBounds = bounds
) =>
  Effect.scoped(Effect.gen(function*() {
    const journal = yield* JournalSqlite.make(file)
    const contents = yield* journal.load(limits)
    return yield* body(journal, contents)
  }))

const store = (file: string, entries: ReadonlyArray<JournalEntry>, limits?: JournalBounds) =>
  withJournal(file, (journal) =>
    Effect.sync(() => {
      for (const entry of entries) journal.append(entry)
    }), limits)

const contentsOf = (file: string, limits?: JournalBounds) =>
  withJournal(file, (_, contents) => Effect.succeed(contents), limits)

const ids = (rows: ReadonlyArray<{ readonly id: string }>) => rows.map(({ id }) => id)

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/journal/${name}`, import.meta.url))

/** Starts a process that appends a part of the history; `committed` is the last number that it was told of. */
const startAppender = (file: string, to: number, from = 0) =>
  Effect.map(start(process.execPath, [fixture("appender.ts"), file, `${from}`, `${to}`]), (program) => ({
    kill: Effect.suspend(() => {
      program.child.kill("SIGKILL")
      return until("the end of the process", () => program.ended() !== undefined)
    }),
    commits: () => program.output().split("\n").length - 1,
    committed: () => Number(program.output().split("\n").at(-2)),
    output: program.output
  }))

/** The number up to which the history is there; fails when what is there is no beginning of the history. */
const storedUpTo = (contents: JournalContents) => {
  const model = makeModel()
  const last = Number(contents.values.schedule.get("position") ?? 0)
  for (let position = 1; position <= last; position++) model.apply(entryAt(position))
  let position = last
  for (; position < last + 4; position++) {
    if (position > last) model.apply(entryAt(position))
    const isIt = JSON.stringify(model.contents().tasks) === JSON.stringify(contents.tasks) &&
      JSON.stringify(ids(model.contents().outcomes)) === JSON.stringify(ids(contents.outcomes))
    if (isIt) break
  }
  assert.deepStrictEqual(contents, model.contents())
  // What changes nothing, such as a checkpoint of a task that has ended, can't be told from what is not there.
  for (;; position++) {
    model.apply(entryAt(position + 1))
    if (!isDeepStrictEqual(contents, model.contents())) return position
  }
}

describe("contents", () => {
  it.live("are empty at first", () =>
    Effect.gen(function*() {
      const file = yield* newFile

      assert.deepStrictEqual(yield* contentsOf(file), makeModel().contents())
      assert.strictEqual(statSync(file).mode & 0o777, 0o600)
    }))

  it.live("are what was appended, in order, after the journal was closed", () =>
    Effect.gen(function*() {
      const file = yield* newFile

      yield* store(file, [
        ...["z", "a", "m", "dead", "done"].map((id) => accepted(id)),
        accepted("empty", new Uint8Array()),
        changed("a", 2),
        { type: "checkpoint", id: "m", body: Uint8Array.of(4, 5) },
        finished("dead", { isDead: true, body: Uint8Array.of(7) }),
        finished("done", { body: new Uint8Array(), keepUntil: 8e15 + 0.5 }),
        { type: "put", kind: "schedule", key: "nightly ✓\0", value: "{}" },
        { type: "put", kind: "pause", key: "gone", value: "1" },
        { type: "put", kind: "pause", key: "gone", value: undefined }
      ])
      const contents = yield* contentsOf(file)

      assert.deepStrictEqual(ids(contents.tasks), ["z", "a", "m", "empty"])
      assert.deepStrictEqual(contents.tasks[1]?.state, "{\"attempt\":2}")
      assert.deepStrictEqual(contents.tasks[2]?.checkpoint, Uint8Array.of(4, 5))
      assert.deepStrictEqual(contents.tasks[3]?.args, new Uint8Array())
      assert.deepStrictEqual(contents.outcomes, [
        { id: "done", record: "{\"outcome\":\"done\"}", body: new Uint8Array(), keepUntil: 8e15 + 0.5 },
        { id: "dead", record: "{\"outcome\":\"dead\"}", body: Uint8Array.of(7), keepUntil: 8e15 }
      ])
      assert.deepStrictEqual(contents.dead, [{
        id: "dead",
        args: Uint8Array.of(1, 2, 3),
        record: "{\"id\":\"dead\",\"name\":\"größe ✓\"}",
        outcome: "{\"outcome\":\"dead\"}",
        body: Uint8Array.of(7)
      }])
      assert.deepStrictEqual(contents.values, {
        schedule: new Map([["nightly ✓\0", "{}"]]),
        pause: new Map(),
        unique: new Map()
      })
    }))

  it.live("do not depend on how entries fell into commits", () =>
    Effect.gen(function*() {
      for (let seed = 1; seed <= 6; seed++) {
        const random = makeRandom(seed)
        const pick = <A>(choices: ReadonlyArray<A>) => choices[Math.floor(random() * choices.length)] as A
        const limits = { maxOutcomes: 6, maxOutcomeBytes: 150, maxDead: 1_000, maxDeadBytes: 100_000 }
        const model = makeModel(limits)
        const file = yield* newFile
        const entry = (): JournalEntry => {
          const id = pick(["a", "b", "c", "d", "e"])
          const body = new Uint8Array(Math.floor(random() * 30)).fill(seed)
          return pick<() => JournalEntry>([
            () => accepted(id, body),
            () => accepted(id, body),
            () => changed(id, Math.floor(random() * 10)),
            () => ({ type: "checkpoint", id, body }),
            () => finished(id, { body, isDead: random() < 0.4 }),
            () => finished(id, { body, isDead: random() < 0.4 }),
            () => ({ type: "forgotten", id }),
            () => ({ type: "put", kind: pick(["unique", "pause"]), key: id, value: pick(["1", "2", undefined]) })
          ])()
        }
        for (let round = 0; round < 2; round++) {
          yield* withJournal(file, (journal, contents) =>
            Effect.gen(function*() {
              assert.deepStrictEqual(contents, model.contents(), `seed ${seed}, round ${round}`)
              for (let i = 0; i < 100; i++) {
                const next = entry()
                model.apply(next)
                journal.append(next)
                if (random() < 0.1) yield* journal.flush
              }
            }), limits)
        }
        assert.deepStrictEqual(yield* contentsOf(file, limits), model.contents(), `seed ${seed}`)
      }
    }), slowMillis)

  it.live("may be many and large", () =>
    Effect.gen(function*() {
      const file = yield* newFile
      const many = Array.from({ length: 20_000 }, (_, i) => accepted(`t${i}`, Uint8Array.of(i & 255)))
      const large = Array.from({ length: 20 }, (_, i) => accepted(`l${i}`, new Uint8Array(1024 * 1024).fill(i)))

      yield* store(file, [...many, ...large])
      const { tasks } = yield* contentsOf(file)

      assert.deepStrictEqual(ids(tasks), ids([...many, ...large] as ReadonlyArray<{ readonly id: string }>))
      assert.deepStrictEqual(tasks.at(300)?.args, Uint8Array.of(300 & 255))
      assert.deepStrictEqual(tasks.at(-2)?.args, new Uint8Array(1024 * 1024).fill(18))
    }))
})

describe("commits", () => {
  it.live("are told by number once they are on disk, and flush waits for them", () =>
    Effect.gen(function*() {
      const file = yield* newFile
      yield* withJournal(file, (journal) =>
        Effect.gen(function*() {
          const told: Array<number> = []
          journal.observe({ committed: (position) => void told.push(position), refused: () => {} })

          for (let i = 1; i <= 10; i++) journal.append(entryAt(i))
          const before = [journal.position(), journal.committed(), told.length]
          yield* journal.flush
          const between = journal.committed()
          journal.append(entryAt(11))
          yield* until("the commit without a flush", () => journal.committed() === 11)
          yield* journal.flush

          assert.deepStrictEqual(before, [10, 0, 0])
          assert.strictEqual(between, 10)
          assert.deepStrictEqual(told, [10, 11])
          assert.isUndefined(journal.failure())
        }))
    }))

  it.live("are one for all that is appended in a turn, and one for what is appended while it is written", () =>
    Effect.gen(function*() {
      const file = yield* newFile
      yield* withJournal(file, (journal) =>
        Effect.gen(function*() {
          const told: Array<number> = []
          journal.observe({
            refused: () => {},
            committed(position) {
              told.push(position)
              if (told.length === 1) { for (let i = 0; i < 500; i++) journal.append(entryAt(3_001 + i)) }
            }
          })

          for (let i = 1; i <= 3_000; i++) journal.append(entryAt(i))
          yield* until("both commits", () => journal.committed() === 3_500)

          assert.deepStrictEqual(told, [3_000, 3_500])
        }))
    }))

  it.live("do not let the log grow without end", () =>
    Effect.gen(function*() {
      const file = yield* newFile
      yield* withJournal(file, (journal) =>
        Effect.gen(function*() {
          let largest = 0
          for (let round = 0; round < 120; round++) {
            for (let i = 0; i < 8; i++) journal.append(accepted(`t${round} ${i}`, new Uint8Array(64 * 1024)))
            for (let i = 0; i < 8; i++) journal.append(finished(`t${round - 1} ${i}`))
            yield* journal.flush
            largest = Math.max(largest, statSync(`${file}-wal`).size)
          }

          assert.isBelow(largest, 20 * 1024 * 1024, "of 60 MiB that were written")
          assert.isBelow(statSync(file).size, 4 * 1024 * 1024)
        }))
      assert.throws(() => statSync(`${file}-wal`), /ENOENT/u)
    }))

  it.live("are made before a process ends that forgot to close the journal", () =>
    Effect.gen(function*() {
      const file = yield* newFile
      const program = yield* start(process.execPath, [fixture("careless.ts"), file])

      yield* until("the end of the process", () => program.ended() !== undefined, 20_000)

      assert.deepStrictEqual([program.ended(), program.output()], [0, ""])
      assert.deepStrictEqual(ids((yield* contentsOf(file)).tasks), ["a"])
    }))
})

describe("a thread that ends", () => {
  it.live("is said to everybody who wants something stored from then on", () =>
    Effect.gen(function*() {
      const file = yield* newFile
      const threads: Array<Worker> = []
      const onWorker = (thread: Worker) => void threads.push(thread)
      process.on("worker", onWorker)
      yield* withJournal(file, (journal) =>
        Effect.gen(function*() {
          process.off("worker", onWorker)
          const refused: Array<string> = []
          journal.observe({ committed: () => {}, refused: (ids) => void refused.push(...ids) })
          journal.append(accepted("before"))
          yield* journal.flush

          yield* Effect.promise(() => (threads[0] as Worker).terminate())
          journal.append(accepted("after"))
          const error = yield* Effect.flip(journal.flush)

          assert.match(error.message, /its thread ended; the control plane must be started again/u)
          assert.deepStrictEqual(journal.failure(), error)
          assert.deepStrictEqual(refused, ["after"])
          assert.strictEqual(journal.committed(), 1)
        }))

      assert.deepStrictEqual(ids((yield* contentsOf(file)).tasks), ["before"])
    }))
})

describe("bounds", () => {
  const fill = (count: number, isDead: boolean) =>
    Array.from(
      { length: count },
      (_, i) => [accepted(`t${i}`), finished(`t${i}`, { isDead, body: new Uint8Array(83) })]
    )
      .flat()

  it.live("keep the newest outcomes, by count and by bytes", () =>
    Effect.gen(function*() {
      const [one, two, three] = [yield* newFile, yield* newFile, yield* newFile]

      // A record of 17 characters (18 from t10 on) and a body of 83 bytes.
      yield* store(one, fill(20, false), { ...bounds, maxOutcomes: 3 })
      yield* store(two, fill(20, false), { ...bounds, maxOutcomeBytes: 250 })
      yield* store(three, fill(20, false))

      assert.deepStrictEqual(ids((yield* contentsOf(one)).outcomes), ["t19", "t18", "t17"])
      assert.deepStrictEqual(ids((yield* contentsOf(two)).outcomes), ["t19", "t18"])
      const lower = { ...bounds, maxOutcomes: 2 }
      assert.deepStrictEqual(ids((yield* contentsOf(three, lower)).outcomes), ["t19", "t18"])
    }))

  it.live("keep those that died last, by count and by bytes", () =>
    Effect.gen(function*() {
      const [one, two] = [yield* newFile, yield* newFile]

      yield* store(one, fill(9, true), { ...bounds, maxDead: 3 })
      yield* store(two, fill(9, true), { ...bounds, maxDeadBytes: 300 })

      assert.deepStrictEqual(ids((yield* contentsOf(one)).dead), ["t6", "t7", "t8"])
      assert.deepStrictEqual(ids((yield* contentsOf(two)).dead), ["t7", "t8"])
      assert.deepStrictEqual(ids((yield* contentsOf(one, { ...bounds, maxDead: 1 })).dead), ["t8"])
    }))

  it.effect("leave out outcomes that are past their time, and delete them slice by slice", () =>
    Effect.gen(function*() {
      const file = yield* newFile
      const short = Array.from(
        { length: 2_500 },
        (_, i) => [accepted(`s${i}`), finished(`s${i}`, { keepUntil: 1_000 })]
      )
      const counts: Array<number> = []

      yield* store(file, [accepted("long"), finished("long", { keepUntil: 5_000 }), ...short.flat()])
      yield* TestClock.adjust(2_000)
      const first = yield* contentsOf(file)
      for (let commit = 0; commit < 4; commit++) {
        yield* store(file, [accepted(`later${commit}`)])
        // As of a time at which nothing was past its time yet, all rows that are still there are seen.
        yield* TestClock.setTime(0)
        counts.push((yield* contentsOf(file)).outcomes.length)
        yield* TestClock.setTime(2_000)
      }

      assert.deepStrictEqual(ids(first.outcomes), ["long"])
      assert.deepStrictEqual(counts, [1_502, 503, 1, 1])
    }))
})

describe("kill -9", () => {
  it.live("loses nothing that was told to be committed, whenever it comes", () =>
    Effect.gen(function*() {
      const random = makeRandom(1)
      for (let round = 0; round < 20; round++) {
        yield* Effect.scoped(Effect.gen(function*() {
          const file = yield* newFile
          const appender = yield* startAppender(file, 20_000)
          const commits = 1 + Math.floor(random() ** 2 * 30)
          yield* until(`${commits} commits`, () => appender.commits() >= commits, 20_000)
          yield* appender.kill

          const stored = storedUpTo(yield* contentsOf(file))

          assert.isAtLeast(stored, appender.committed())
        }))
      }
    }), 3 * slowMillis)

  it.live("loses nothing after an entry that changes nothing", () =>
    Effect.gen(function*() {
      const file = yield* newFile
      const appender = yield* startAppender(file, 14)
      yield* until("the commits", () => appender.committed() === 14, 20_000)
      yield* appender.kill

      assert.strictEqual(storedUpTo(yield* contentsOf(file)), 14)
    }))

  it.live("gives the file free, which is this process's alone until then", () =>
    Effect.gen(function*() {
      const file = yield* newFile
      const appender = yield* startAppender(file, 70)
      yield* until("the commits", () => appender.committed() === 70, 20_000)

      const whileUsed = yield* Effect.flip(contentsOf(file))
      yield* appender.kill
      const again = yield* withJournal(file, (_, contents) =>
        Effect.gen(function*() {
          const fromSameProcess = yield* Effect.flip(contentsOf(file))
          assert.strictEqual(fromSameProcess._tag, "JournalLocked")
          return contents
        }))

      assert.strictEqual(
        whileUsed.message,
        `Another control plane uses the journal ${file}: stop it, or give this one a file of its own`
      )
      assert.strictEqual(storedUpTo(again), 70)
    }))

  for (
    const [what, damage, keepsAll] of [
      ["cut", (wal: string, size: number) => truncateSync(wal, size), false],
      ["cut in the middle of a page", (wal: string, size: number) => truncateSync(wal, size + 1_500), false],
      ["overwritten", (wal: string, size: number) => {
        const bytes = readFileSync(wal)
        for (let i = size + 30; i < bytes.length; i += 97) bytes[i] = (bytes[i] as number) ^ 0xff
        writeFileSync(wal, bytes)
      }, false],
      ["followed by what is none of it", (wal: string) => {
        writeFileSync(wal, Buffer.concat([readFileSync(wal), Buffer.alloc(10_000, 0xa5)]))
      }, true]
    ] as const
  ) {
    it.live(`leaves a log that can be read when its end is ${what}`, () =>
      Effect.gen(function*() {
        const file = yield* newFile
        const first = yield* startAppender(file, 700)
        yield* until("the first commits", () => first.committed() === 700, 20_000)
        const size = statSync(`${file}-wal`).size
        yield* first.kill
        // The next process goes on where the log ends.
        const before = readFileSync(`${file}-wal`)
        const second = yield* startAppender(file, 1_400, 700)
        yield* until("the other commits", () => second.committed() === 1_400, 20_000)
        yield* second.kill
        assert.strictEqual(readFileSync(`${file}-wal`).compare(before, 0, size, 0, size), 0)
        assert.isAbove(statSync(`${file}-wal`).size, size)

        damage(`${file}-wal`, size)
        const stored = storedUpTo(yield* contentsOf(file))

        assert.strictEqual(stored, keepsAll ? 1_400 : 700)
      }))
  }
})

describe.skipIf(smallDiskMissing !== undefined)(
  `a full disk${smallDiskMissing === undefined ? "" : ` (${smallDiskMissing})`}`,
  () => {
    it.live("refuses what can't be stored, keeps everything else, and goes on by itself when there is space", () =>
      Effect.gen(function*() {
        const disk = yield* smallDisk
        const file = join(disk, "journal")
        const ballast = join(disk, "ballast")
        const refused: Array<string> = []
        const appended: Array<string> = []
        yield* withJournal(file, (journal) =>
          Effect.gen(function*() {
            journal.append(accepted("first"))
            journal.append(accepted("second"))
            yield* journal.flush
            writeFileSync(ballast, new Uint8Array(400 * 1024))
            const errors: Array<unknown> = []
            journal.observe({
              committed: () => {},
              refused(ids, error) {
                refused.push(...ids)
                errors.push(error)
              }
            })

            while (refused.length === 0 && appended.length < 200) {
              const id = `t${appended.length}`
              appended.push(id)
              journal.append(accepted(id, new Uint8Array(10_000)))
              yield* Effect.ignore(journal.flush)
            }
            const failure = journal.failure()
            const committedWhenFull = journal.committed()
            // Of a task that was refused, and of tasks that were not.
            journal.append(changed(refused[0] as string, 1))
            journal.append(finished(refused[0] as string))
            journal.append({ type: "checkpoint", id: "second", body: new Uint8Array(60_000) })
            for (let i = 0; i < 50; i++) journal.append(changed("second", i))
            journal.append(finished("first", { body: new Uint8Array(50_000) }))
            const flushed = yield* Effect.flip(journal.flush)
            const committedWhileFull = journal.committed()
            rmSync(ballast)
            yield* until("the journal recovers", () => journal.failure() === undefined, 20_000)
            yield* until("everything is stored", () => journal.committed() === journal.position(), 20_000)
            journal.append(accepted("after"))
            yield* journal.flush

            assert.strictEqual(failure?.message, flushed.message)
            assert.strictEqual(
              flushed.message,
              "The journal can't be written: the disk is full. No task is accepted until it can: submit again later"
            )
            assert.deepStrictEqual(errors[0], failure)
            assert.strictEqual(committedWhileFull, committedWhenFull)
          }))

        const { outcomes, tasks } = yield* contentsOf(file)

        assert.isAbove(appended.length, 5)
        assert.deepStrictEqual(refused, [appended.at(-1)])
        assert.deepStrictEqual(ids(tasks), ["second", ...appended.slice(0, -1), "after"])
        assert.strictEqual(tasks[0]?.state, "{\"attempt\":49}")
        assert.strictEqual(tasks[0]?.checkpoint?.length, 60_000)
        assert.deepStrictEqual(outcomes.map(({ body, id }) => [id, body.length]), [["first", 50_000]])
      }))

    it.live("is not what the log makes of a disk on which its contents have room", () =>
      Effect.gen(function*() {
        const file = join(yield* smallDisk, "journal")
        // The file has its size already: what is copied into it from the log takes no more.
        yield* store(file, [accepted("large", new Uint8Array(200_000))])
        yield* store(file, [finished("large")])
        yield* withJournal(file, (journal) =>
          Effect.gen(function*() {
            for (let i = 0; i < 150; i++) {
              journal.append(accepted(`t${i}`, new Uint8Array(20_000)))
              journal.append(finished(`t${i - 1}`))
              yield* journal.flush
            }
          }))

        assert.deepStrictEqual(ids((yield* contentsOf(file)).tasks), ["t149"])
      }))

    it.live("does not keep a journal from being read", () =>
      Effect.gen(function*() {
        const disk = yield* smallDisk
        const file = join(disk, "journal")
        const appender = yield* startAppender(file, 70)
        yield* until("the commits", () => appender.committed() === 70, 20_000)
        yield* appender.kill
        assert.throws(() => writeFileSync(join(disk, "ballast"), new Uint8Array(2 * 1024 * 1024)), /ENOSPC/u)

        const stored = storedUpTo(yield* contentsOf(file))

        assert.strictEqual(stored, 70)
      }))

    it.live("is said when there is no room for a new journal", () =>
      Effect.gen(function*() {
        const disk = yield* smallDisk
        assert.throws(() => writeFileSync(join(disk, "ballast"), new Uint8Array(2 * 1024 * 1024)), /ENOSPC/u)

        const error = yield* Effect.flip(contentsOf(join(disk, "journal")))

        assert.match(error.message, /the disk is full/u)
      }))
  }
)
