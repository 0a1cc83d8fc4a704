/**
 * Many tasks at once: all of them, each as it ends, the first. Works on handles alone, whatever is behind them.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import type { TaskHandle } from "./Client.ts"

/**
 * What these functions need of a handle; every `TaskHandle` has it.
 *
 * @category models
 * @since 0.1.0
 */
export type AnyHandle = Pick<TaskHandle<unknown, unknown>, "id" | "cancel"> & {
  readonly result: Effect.Effect<unknown, unknown>
}

/**
 * What a handle's task gives.
 *
 * @category models
 * @since 0.1.0
 */
export type SuccessOf<Handle extends AnyHandle> = Effect.Success<Handle["result"]>

/**
 * How a handle's task can fail.
 *
 * @category models
 * @since 0.1.0
 */
export type ErrorOf<Handle extends AnyHandle> = Effect.Error<Handle["result"]>

/**
 * A task that has ended, with its place among those that were given.
 *
 * @category models
 * @since 0.1.0
 */
export interface Completed<out Handle extends AnyHandle> {
  readonly index: number
  readonly handle: Handle
  readonly exit: Exit.Exit<SuccessOf<Handle>, ErrorOf<Handle>>
}

/**
 * The task that succeeded first, with its place among those that were given.
 *
 * @category models
 * @since 0.1.0
 */
export interface Winner<out Handle extends AnyHandle> {
  readonly index: number
  readonly handle: Handle
  readonly value: SuccessOf<Handle>
}

// The type of a handle's result is known to its caller; it gets lost among those of the others.
const resultOf = <Handle extends AnyHandle>(handle: Handle) =>
  handle.result as Effect.Effect<SuccessOf<Handle>, ErrorOf<Handle>>

/**
 * Waits for all tasks. Succeeds with their values in the order of the handles, or fails as soon as one of them fails; the
 * others run on.
 *
 * @category combinators
 * @since 0.1.0
 */
export const all = <const Handles extends ReadonlyArray<AnyHandle>>(
  handles: Handles
): Effect.Effect<{ -readonly [I in keyof Handles]: SuccessOf<Handles[I]> }, ErrorOf<Handles[number]>> =>
  Effect.forEach(handles, resultOf<Handles[number]>, { concurrency: "unbounded" }) as Effect.Effect<
    never,
    ErrorOf<Handles[number]>
  >

/**
 * Waits for each task. The stream has them in the order in which they end, however they do, and never fails.
 *
 * @category combinators
 * @since 0.1.0
 */
export const asCompleted = <Handle extends AnyHandle>(
  handles: ReadonlyArray<Handle>
): Stream.Stream<Completed<Handle>> =>
  Stream.fromIterable(handles.entries()).pipe(
    Stream.mapEffect(
      ([index, handle]) => Effect.map(Effect.exit(resultOf(handle)), (exit) => ({ index, handle, exit })),
      { concurrency: "unbounded", unordered: true }
    )
  )

/**
 * Waits for the first task that succeeds. Fails only when all of them have, with the failure of the last.
 *
 * **Details**
 *
 * The other tasks run on. With `cancelOthers` they are cancelled, and it succeeds when they have stopped or their
 * cancellation was given up.
 *
 * **Gotchas**
 *
 * Throws when there are no handles: nothing would ever end.
 *
 * @category combinators
 * @since 0.1.0
 */
export const first = <Handle extends AnyHandle>(
  handles: ReadonlyArray<Handle>,
  { cancelOthers = false }: { readonly cancelOthers?: boolean } = {}
): Effect.Effect<Winner<Handle>, ErrorOf<Handle>> => {
  if (handles.length === 0) throw new RangeError("the first of no tasks never ends: give at least one handle")
  return asCompleted(handles).pipe(
    Stream.takeUntil(({ exit }) => Exit.isSuccess(exit)),
    Stream.runLast,
    Effect.flatMap(Effect.fromOption),
    // There is at least one handle, so there is a last that ended.
    Effect.orDie,
    Effect.flatMap(({ exit, handle, index }) => Effect.map(exit, (value) => ({ index, handle, value }))),
    Effect.tap((winner) =>
      cancelOthers
        ? Effect.forEach(
          handles.filter((_, index) => index !== winner.index),
          ({ cancel }) => Effect.ignore(cancel),
          { concurrency: "unbounded", discard: true }
        )
        : Effect.void
    )
  )
}
