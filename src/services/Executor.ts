/**
 * Contract of the executor: runs one attempt of one task. Decodes the arguments, runs the handler, encodes what it
 * gives; never fails itself: everything that can go wrong is a result.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type { FailureReason } from "../domain/Outcome.ts"

/**
 * An earlier attempt of the same task. Times in milliseconds; `error` is the encoded error, if there was one.
 *
 * @category models
 * @since 0.1.0
 */
export interface EarlierAttempt {
  readonly attempt: number
  /** Since it ended. */
  readonly ago: number
  readonly took: number
  /** A `FailureReason`, or `lost`. */
  readonly reason: string
  readonly error?: string
  /** Id of its span in the trace of the task. */
  readonly span?: string
}

/**
 * One attempt to run. `args` and `checkpoint` are encoded text.
 *
 * @category models
 * @since 0.1.0
 */
export interface Attempt {
  readonly id: string
  readonly name: string
  readonly attempt: number
  readonly worker: string
  readonly args: string
  /** Version of the definition that the arguments were made with; `undefined` is 1. */
  readonly version: number | undefined
  /** The span that submitted the task, as a `traceparent`. */
  readonly trace: string | undefined
  /** Milliseconds after which the task is not worth running any more. The executor only tells the handler. */
  readonly expiresInMillis: number | undefined
  /** Earlier attempts that failed and were retried. */
  readonly failures: number
  /** Earlier attempts, oldest first; may lack the oldest of many. */
  readonly history: ReadonlyArray<EarlierAttempt>
  /** What an earlier attempt reported last. */
  readonly checkpoint: string | undefined
  /** Called with the encoded value whenever the handler reports progress. */
  readonly onProgress: (body: string) => void
  /**
   * Called with `true` when the handler begins to wait for other tasks: the slot is free until `false`. Returns whether
   * the worker agrees; when it does not, the handler does not wait and there is no call with `false`.
   */
  readonly setWaiting: (isWaiting: boolean) => boolean
}

/**
 * How an attempt ended; `body` is encoded text.
 *
 * **Details**
 *
 * `failed` with `retryInMillis`: to be tried again after that time; without: for good. `stopped`: it was told to, and had
 * no outcome before. `crashed`: its thread died; the body is `{ message }`.
 *
 * @category models
 * @since 0.1.0
 */
export type AttemptResult =
  | { readonly state: "succeeded"; readonly body: string }
  | {
    readonly state: "failed"
    readonly reason: FailureReason
    readonly body: string
    readonly retryInMillis?: number
    /** Id of the attempt's span, when it is in the trace of the task and there is to be another attempt. */
    readonly span?: string
  }
  | { readonly state: "crashed"; readonly body: string }
  | { readonly state: "stopped" }

/**
 * Service that runs attempts.
 *
 * @category services
 * @since 0.1.0
 */
export class Executor extends Context.Service<Executor, {
  /**
   * Starts an attempt. Returns how to interrupt it.
   *
   * **Details**
   *
   * `onResult` is called once, with how the attempt ended; `onEnd` once after it, when nothing of the attempt runs any
   * more and its slot is free. Both come in the same turn, and may come before `start` returns, unless the handler does
   * not stop when it is told to: then the result comes after a grace, and the end when there is one.
   */
  readonly start: (attempt: Attempt, onResult: (result: AttemptResult) => void, onEnd: () => void) => () => void
}>()("fastworker/services/Executor") {}
