/**
 * What a handler can learn about the task that it runs, and say about it.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { WouldDeadlock } from "./Errors.ts"

/**
 * Service that tells a handler which task it runs. Provided to every handler by the executor.
 *
 * **Details**
 *
 * A task may run more than once (its worker can be lost after the work was done, a failure can be retried):
 * `idempotencyKey` is the same for every attempt, pass it on to systems that accept one.
 *
 * @category services
 * @since 0.1.0
 */
export class TaskContext extends Context.Service<TaskContext, {
  readonly id: string
  readonly name: string
  /** 1 for the first attempt. */
  readonly attempt: number
  /** Id of the worker that runs this attempt. */
  readonly worker: string
  readonly idempotencyKey: string
  /**
   * When this attempt is stopped, by its timeout or because the task expires: milliseconds since 1970 by this machine's
   * clock; `undefined` is never.
   */
  readonly deadline: number | undefined
  /**
   * Tells whoever watches how far the work is; the last value is what the next attempt finds as its `checkpoint`. Prefer
   * `progress` of the definition, which knows the type.
   */
  readonly progress: (value: unknown) => Effect.Effect<void>
  /** What an earlier attempt reported last. */
  readonly checkpoint: Effect.Effect<Option.Option<unknown>>
  /**
   * Gives the slot of this attempt to other tasks while `wait` runs. The client does so whenever a handler waits for a
   * task. Fails with `WouldDeadlock` when the worker can't free another slot.
   */
  readonly yieldSlot: <A, E, R>(wait: Effect.Effect<A, E, R>) => Effect.Effect<A, E | WouldDeadlock, R>
}>()("fastworker/domain/TaskContext") {}
