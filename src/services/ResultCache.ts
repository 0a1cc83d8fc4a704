/**
 * Contract of the result cache: outcomes for late askers, and what is remembered of tasks after that. Owns the bounds;
 * who waits for an outcome is the control plane's business.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type { Outcome, Tombstone } from "../domain/Outcome.ts"

/**
 * Service that keeps outcomes. Its methods are synchronous: they are called for every task.
 *
 * @category services
 * @since 0.1.0
 */
export class ResultCache extends Context.Service<ResultCache, {
  /**
   * Keeps an outcome for at most so many milliseconds, and the fingerprint of its task. With 0 milliseconds only what
   * {@link Tombstone} says is remembered.
   */
  readonly put: (outcome: Outcome, fingerprint: number, now: number, keepMillis: number) => void
  /** Returns an outcome that is still kept, which makes it the one that was used last. */
  readonly get: (id: string, now: number) => Outcome | undefined
  /** Returns an outcome that is still kept, as if nobody had asked. */
  readonly peek: (id: string, now: number) => Outcome | undefined
  /** How often {@link get} was asked for one that was kept, and for one that was not. */
  readonly asked: () => { readonly hits: number; readonly misses: number }
  /** Returns what is remembered of a task that has an outcome, kept or evicted. */
  readonly recall: (id: string) => Tombstone | undefined
  /** The outcomes that are kept, most recently used first. */
  readonly outcomes: () => Iterable<Outcome>
  /** Drops the outcomes that are past their age; may be called rarely, they are not given out anyway. */
  readonly expire: (now: number) => void
  readonly size: () => number
  /** Bytes that the kept outcomes account for. */
  readonly bytes: () => number
}>()("fastworker/services/ResultCache") {}
