/**
 * A journal in memory that keeps the contract of the real one, and that can be told when to store, to refuse new tasks
 * (its disk is full) and to crash: what was not stored is gone then.
 */
import * as Effect from "effect/Effect"
import { JournalFailed } from "../../src/domain/Errors.ts"
import type {
  JournalContents,
  JournalDead,
  JournalEntry,
  JournalKind,
  JournalObserver,
  JournalOutcome,
  JournalStore,
  JournalTask
} from "../../src/services/Journal.ts"

export type MemoryJournal = ReturnType<typeof makeMemoryJournal>

/** `wall`: milliseconds since 1970. */
export const makeMemoryJournal = (wall: () => number) => {
  const tasks = new Map<string, JournalTask>()
  /** Last in, newest. */
  const outcomes = new Map<string, JournalOutcome>()
  const dead = new Map<string, JournalDead>()
  const values: Record<JournalKind, Map<string, string>> = { schedule: new Map(), pause: new Map(), unique: new Map() }
  let pending: Array<JournalEntry> = []
  let position = 0
  let committed = 0
  let failure: JournalFailed | undefined
  let observer: JournalObserver | undefined
  /** Numbers of the entries that are pending; refused ones leave holes. */
  let numbers: Array<number> = []

  const apply = (entry: JournalEntry) => {
    switch (entry.type) {
      case "accepted": {
        const { args, id, record, state } = entry
        tasks.delete(id)
        tasks.set(id, { id, args, record, state, checkpoint: undefined })
        return
      }
      case "changed":
      case "checkpoint": {
        const task = tasks.get(entry.id)
        if (task === undefined) return
        tasks.set(entry.id, {
          ...task,
          ...(entry.type === "changed" ? { state: entry.state } : { checkpoint: entry.body })
        })
        return
      }
      case "finished": {
        const { body, id, isDead, keepUntil, record } = entry
        const task = tasks.get(id)
        if (task === undefined) return
        tasks.delete(id)
        outcomes.delete(id)
        outcomes.set(id, { id, record, body, keepUntil })
        if (!isDead) return
        dead.delete(id)
        dead.set(id, { id, args: task.args, record: task.record, outcome: record, body })
        return
      }
      case "forgotten":
        return void dead.delete(entry.id)
      case "put":
        if (entry.value === undefined) values[entry.kind].delete(entry.key)
        else values[entry.kind].set(entry.key, entry.value)
    }
  }

  const contents = (): JournalContents => ({
    tasks: [...tasks.values()],
    outcomes: [...outcomes.values()].filter(({ keepUntil }) => keepUntil > wall()).toReversed(),
    dead: [...dead.values()],
    values
  })

  const store: JournalStore = {
    isDurable: true,
    load: () => Effect.sync(contents),
    append(entry) {
      pending.push(entry)
      numbers.push(++position)
    },
    position: () => position,
    committed: () => committed,
    failure: () => failure,
    observe: (told) => void (observer = told),
    flush: Effect.void
  }

  return {
    store,
    contents,
    pending: () => pending.length,
    isFailing: () => failure !== undefined,

    /** The ids of the new tasks that are pending. */
    pendingTasks: () => pending.flatMap((entry) => entry.type === "accepted" ? [entry.id] : []),

    /** What will be committed when so many entries are stored. */
    positionAfter: (entries: number): number => (numbers[Math.min(entries, pending.length)] ?? position + 1) - 1,

    /** Stores the next entries, so many at most. */
    commit(entries: number) {
      if (committed === position) return
      const count = Math.min(entries, pending.length)
      for (let i = 0; i < count; i++) apply(pending[i] as JournalEntry)
      pending = pending.slice(count)
      numbers = numbers.slice(count)
      committed = (numbers[0] ?? position + 1) - 1
      failure = undefined
      observer?.committed(committed)
    },

    /** The disk is full: new tasks among the entries are dropped, the others wait for another attempt. */
    refuse() {
      if (pending.length === 0) return
      failure = new JournalFailed({ reason: "the disk is full" })
      const refused: Array<string> = []
      const isKept = pending.map((entry) => {
        if (entry.type !== "accepted") return true
        refused.push(entry.id)
        return false
      })
      pending = pending.filter((_, at) => isKept[at])
      numbers = numbers.filter((_, at) => isKept[at])
      if (refused.length > 0) observer?.refused(refused, failure)
    },

    /** The process is gone, and with it what was not stored. */
    crash() {
      pending = []
      numbers = []
      committed = position
      failure = undefined
      observer = undefined
    }
  }
}
