/**
 * Contract of the executor: runs one attempt of one task. Decodes the arguments, runs the handler, encodes what it
 * gives; never fails itself: everything that can go wrong is a result.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type { FailureReason } from "../domain/Outcome.ts"

/**
 * One attempt to run. `args` is encoded.
 *
 * @category models
 * @since 0.1.0
 */
export interface Attempt {
  readonly id: string
  readonly name: string
  readonly attempt: number
  readonly worker: string
  readonly args: Uint8Array
}

/**
 * How an attempt ended; `body` is encoded text. `interrupted` when it was stopped.
 *
 * @category models
 * @since 0.1.0
 */
export type AttemptResult =
  | { readonly state: "succeeded"; readonly body: string }
  | { readonly state: "failed"; readonly reason: FailureReason; readonly body: string }
  | { readonly state: "interrupted" }

/**
 * Service that runs attempts.
 *
 * @category services
 * @since 0.1.0
 */
export class Executor extends Context.Service<Executor, {
  /** Starts an attempt and calls `done` once, when it has ended. Returns how to interrupt it. */
  readonly start: (attempt: Attempt, done: (result: AttemptResult) => void) => () => void
}>()("fastworker/services/Executor") {}
