/**
 * Contract of the journal: what a control plane needs back after it was restarted. It stores and returns; what a task,
 * a schedule or an outcome means, and what is stored when, is the control plane's business. Times are milliseconds since
 * 1970, for they outlive the process.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { Body } from "../domain/Body.ts"
import type { JournalError, JournalFailed } from "../domain/Errors.ts"

/**
 * Values that are kept by key, besides tasks.
 *
 * @category models
 * @since 0.1.0
 */
export type JournalKind = "schedule" | "pause" | "unique"

/**
 * One change. `record`, `state` and `value` are JSON texts that the journal does not look into. An entry for a task that
 * the journal does not have changes nothing.
 *
 * @category models
 * @since 0.1.0
 */
export type JournalEntry =
  /** A task, from now on. One with the same id is replaced. */
  | {
    readonly type: "accepted"
    readonly id: string
    readonly args: Body
    /** What never changes of the task. */
    readonly record: string
    /** What changes while it is alive. */
    readonly state: string
  }
  | { readonly type: "changed"; readonly id: string; readonly state: string }
  /** Replaces the task's checkpoint. */
  | { readonly type: "checkpoint"; readonly id: string; readonly body: Body }
  /** The task becomes an outcome. One that is dead also keeps its arguments and record, until it is forgotten. */
  | {
    readonly type: "finished"
    readonly id: string
    /** Of the outcome. */
    readonly record: string
    readonly body: Body
    readonly keepUntil: number
    readonly isDead: boolean
  }
  /** A dead task is dropped. */
  | { readonly type: "forgotten"; readonly id: string }
  /** Sets a value, or deletes it (`undefined`). Keys are well-formed Unicode. */
  | {
    readonly type: "put"
    readonly kind: JournalKind
    readonly key: string
    readonly value: string | undefined
  }

/**
 * A task without an outcome.
 *
 * @category models
 * @since 0.1.0
 */
export interface JournalTask {
  readonly id: string
  readonly args: Body
  readonly record: string
  readonly state: string
  readonly checkpoint: Body | undefined
}

/**
 * An outcome that is still kept.
 *
 * @category models
 * @since 0.1.0
 */
export interface JournalOutcome {
  readonly id: string
  readonly record: string
  readonly body: Body
  readonly keepUntil: number
}

/**
 * A task that ended dead, with all that a later retry needs.
 *
 * @category models
 * @since 0.1.0
 */
export interface JournalDead {
  readonly id: string
  readonly args: Body
  /** Of the task. */
  readonly record: string
  /** Record of the outcome. */
  readonly outcome: string
  readonly body: Body
}

/**
 * What a journal holds.
 *
 * @category models
 * @since 0.1.0
 */
export interface JournalContents {
  /** In order of acceptance. */
  readonly tasks: ReadonlyArray<JournalTask>
  /** Newest first, one for each id; those past their time are left out. */
  readonly outcomes: ReadonlyArray<JournalOutcome>
  /** In the order in which they died. */
  readonly dead: ReadonlyArray<JournalDead>
  readonly values: Readonly<Record<JournalKind, ReadonlyMap<string, string>>>
}

/**
 * What is kept at most of that which has no natural end; the oldest is dropped first.
 *
 * @category models
 * @since 0.1.0
 */
export interface JournalBounds {
  readonly maxOutcomes: number
  /** Bytes of bodies and records. */
  readonly maxOutcomeBytes: number
  readonly maxDead: number
  /** Bytes of arguments, bodies and records. */
  readonly maxDeadBytes: number
}

/**
 * Is told how entries fare. Called from the event loop, never from within {@link JournalStore.append}.
 *
 * @category models
 * @since 0.1.0
 */
export interface JournalObserver {
  /** Everything up to this position is on disk, but what was refused before. */
  readonly committed: (position: number) => void
  /**
   * These acceptances could not be stored and were dropped: the tasks must not be taken as accepted. All other entries
   * are kept and tried again.
   */
  readonly refused: (ids: ReadonlyArray<string>, error: JournalFailed) => void
}

/**
 * Stores entries. Appending is synchronous: it is done for every task.
 *
 * @category models
 * @since 0.1.0
 */
export interface JournalStore {
  /** Whether anything survives this process. */
  readonly isDurable: boolean
  /** The file that it is in. */
  readonly file?: string
  /** Reads everything. Once, before the first entry; the bounds hold from then on. */
  readonly load: (bounds: JournalBounds) => Effect.Effect<JournalContents, JournalError>
  /** Takes an entry into the next commit. Entries are stored in the order in which they are appended. */
  readonly append: (entry: JournalEntry) => void
  /** Number of the last entry that was appended. */
  readonly position: () => number
  /** Everything up to this number is on disk. */
  readonly committed: () => number
  /** Why the last attempt to commit failed; `undefined` while all is well. */
  readonly failure: () => JournalFailed | undefined
  readonly observe: (observer: JournalObserver) => void
  /** Waits until everything appended so far is on disk; fails when the next attempt to store it does. */
  readonly flush: Effect.Effect<void, JournalFailed>
}

/** What the control plane holds ends with its process. */
const none: JournalStore = {
  isDurable: false,
  load: () =>
    Effect.succeed({
      tasks: [],
      outcomes: [],
      dead: [],
      values: { schedule: new Map(), pause: new Map(), unique: new Map() }
    }),
  append: () => {},
  position: () => 0,
  committed: () => 0,
  failure: () => undefined,
  observe: () => {},
  flush: Effect.void
}

/**
 * Service that stores what a control plane needs back; nothing is stored when none is provided.
 *
 * @category services
 * @since 0.1.0
 */
export class Journal extends Context.Reference<JournalStore>("fastworker/services/Journal", {
  defaultValue: () => none
}) {}
