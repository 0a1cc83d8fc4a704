/** What tests of the journal share: folders and small disks of their own, entries, and a model of what is stored. */
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { check } from "../../src/layers/JournalFile.ts"
import type { JournalBounds, JournalContents, JournalEntry } from "../../src/services/Journal.ts"

export const bounds: JournalBounds = {
  maxOutcomes: 100_000,
  maxOutcomeBytes: 1024 ** 3,
  maxDead: 100_000,
  maxDeadBytes: 1024 ** 3
}

/** A folder, removed with the scope. */
export const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "fastworker-journal-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** The path of a journal that does not exist yet. */
export const newFile = Effect.map(folder, (path) => join(path, "journal"))

/** A disk of 1 MiB, gone with the scope. */
export const smallDisk = Effect.gen(function*() {
  const path = yield* folder
  yield* Effect.acquireRelease(
    Effect.sync(() => execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", path])),
    () => Effect.sync(() => execFileSync("umount", [path]))
  )
  return path
})

/** Why there can't be small disks here; `undefined` when there can. */
export const smallDiskMissing = ((): string | undefined => {
  const path = mkdtempSync(join(tmpdir(), "fastworker-journal-"))
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", path], { stdio: "ignore" })
    execFileSync("umount", [path])
    return undefined
  } catch {
    return "mounting a tmpfs is not permitted"
  } finally {
    rmSync(path, { recursive: true })
  }
})()

export const accepted = (id: string, args: Uint8Array = Uint8Array.of(1, 2, 3)): JournalEntry => ({
  type: "accepted",
  id,
  args,
  record: `{"id":"${id}","name":"größe ✓"}`,
  state: "{\"state\":\"queued\"}"
})

export const changed = (id: string, attempt: number): JournalEntry => ({
  type: "changed",
  id,
  state: `{"attempt":${attempt}}`
})

export const finished = (
  id: string,
  { body = Uint8Array.of(9), isDead = false, keepUntil = 8e15 }: {
    readonly body?: Uint8Array
    readonly isDead?: boolean
    readonly keepUntil?: number
  } = {}
): JournalEntry => ({ type: "finished", id, record: `{"outcome":"${id}"}`, body, keepUntil, isDead })

/** What a journal has of some tasks, and whether it is sound: says why, when one was lost. Nobody has it open. */
export const trace = (file: string, ids: ReadonlyArray<string>): string => {
  const database = new DatabaseSync(file, { readOnly: true })
  const find = database.prepare(
    `SELECT 'task' AS kind, seq, state AS record FROM task WHERE id = ?1
     UNION ALL SELECT 'outcome', seq, record FROM outcome WHERE id = ?1
     UNION ALL SELECT 'dead', seq, outcome FROM dead WHERE id = ?1`
  )
  const rows = ids.flatMap((id) => {
    const found = find.all(id).map(({ kind, record, seq }) => `${id}: ${kind} ${seq} ${record}`)
    return found.length === 0 ? [`${id}: nothing`] : found
  })
  database.close()
  return [JSON.stringify(check(file)), ...rows].join("\n")
}

/** What a journal holds after entries, said as plainly as possible. */
export const makeModel = (limits: JournalBounds = bounds) => {
  type Of<K extends "tasks" | "outcomes" | "dead"> = JournalContents[K][number]
  let tasks: Array<Of<"tasks">> = []
  let outcomes: Array<Of<"outcomes">> = []
  let dead: Array<Of<"dead">> = []
  const values = { schedule: new Map<string, string>(), pause: new Map(), unique: new Map() }
  const replace = (id: string, changes: Partial<Of<"tasks">>) => {
    tasks = tasks.map((task) => task.id === id ? { ...task, ...changes } : task)
  }
  const within = <A>(rows: Array<A>, count: number, bytes: number, sizeOf: (row: A) => number) => {
    while (rows.length > count || rows.reduce((sum, row) => sum + sizeOf(row), 0) > bytes) rows.shift()
  }
  return {
    apply(entry: JournalEntry) {
      switch (entry.type) {
        case "accepted": {
          const { args, id, record, state } = entry
          tasks = tasks.filter((task) => task.id !== id)
          tasks.push({ id, args, record, state, checkpoint: undefined })
          break
        }
        case "changed":
          replace(entry.id, { state: entry.state })
          break
        case "checkpoint":
          replace(entry.id, { checkpoint: entry.body })
          break
        case "finished": {
          const { body, id, keepUntil, record } = entry
          const task = tasks.find((task) => task.id === id)
          if (task === undefined) break
          tasks = tasks.filter((other) => other !== task)
          outcomes.push({ id, record, body, keepUntil })
          if (entry.isDead) {
            dead = dead.filter((other) => other.id !== id)
            dead.push({ id, args: task.args, record: task.record, outcome: record, body })
          }
          within(outcomes, limits.maxOutcomes, limits.maxOutcomeBytes, (row) => row.record.length + row.body.length)
          within(
            dead,
            limits.maxDead,
            limits.maxDeadBytes,
            (row) => row.record.length + row.body.length + row.args.length + row.outcome.length
          )
          break
        }
        case "forgotten":
          dead = dead.filter(({ id }) => id !== entry.id)
          break
        case "put":
          if (entry.value === undefined) values[entry.kind].delete(entry.key)
          else values[entry.kind].set(entry.key, entry.value)
      }
    },
    contents(): JournalContents {
      const seen = new Set<string>()
      const newest = outcomes.toReversed().filter(({ id }) => !seen.has(id) && seen.add(id))
      return { tasks, outcomes: newest, dead, values }
    }
  }
}

/** The entry with this number of an endless history, in which half of the tasks stay alive. */
export const entryAt = (position: number): JournalEntry => {
  const number = Math.floor(position / 4)
  switch (position % 4) {
    case 0:
      return accepted(`t${number}`)
    case 1:
      return changed(`t${number - 1}`, position)
    case 2:
      return number % 2 === 0
        ? finished(`t${number - 4}`, { isDead: number % 3 === 0 })
        : { type: "checkpoint", id: `t${number - 4}`, body: Uint8Array.of(number) }
    default:
      return { type: "put", kind: "schedule", key: "position", value: String(position) }
  }
}
