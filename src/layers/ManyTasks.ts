/**
 * Changes of many tasks at once: those that a list would show are cancelled, given another priority, run again or forgotten.
 * They are found and changed in slices, and what has changed meanwhile is left alone. Part of the history of a control
 * plane.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { BadRequest, JournalFailed } from "../domain/Errors.ts"
import { CountChanged } from "../domain/Errors.ts"
import type { Outcome } from "../domain/Outcome.ts"
import { toLevel } from "../domain/Priority.ts"
import type { TaskRecord } from "../domain/Task.ts"
import type { TaskSelection } from "../domain/TaskQuery.ts"
import type { Changed, History } from "../services/History.ts"
import type { Core } from "./ControlPlaneCore.ts"
import type { Operations } from "./ControlPlaneOperations.ts"
import type { HistoryLists } from "./HistoryLists.ts"
import type { HistoryMemory } from "./HistoryMemory.ts"
import type { Slices } from "./Slices.ts"
import { stepsAtOnce } from "./Slices.ts"
import type { Context, Wanted } from "./TaskQueries.ts"
import { makeWanted } from "./TaskQueries.ts"

/** Tasks that are changed without a look at the time: to change one costs more than to look at one. */
const changesAtOnce = 16

/**
 * Creates them. `schedule` asks for a dispatch at the end of this turn.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeManyTasks = ({ context, core, lists, memory, now, operations, schedule, slices }: {
  readonly context: Context
  readonly core: Core
  readonly lists: HistoryLists
  readonly memory: HistoryMemory
  readonly operations: Operations
  readonly slices: Slices
  readonly now: () => number
  readonly schedule: () => void
}): Pick<History, "cancelMany" | "prioritizeMany" | "retryMany" | "purgeMany"> => {
  const committed = Effect.callback<void>((resume) => operations.whenCommitted(() => resume(Effect.void)))

  /** Those that are meant and alive. */
  function* alive(
    wanted: Wanted,
    { asOf, ids }: TaskSelection,
    isMeant: (task: TaskRecord) => boolean = () => true
  ): Generator<void, Array<TaskRecord>> {
    const before = asOf === undefined ? Infinity : context.fromWall(asOf + 1)
    const found: Array<TaskRecord> = []
    const add = (task: TaskRecord) => {
      if (task.state !== "cancelling" && task.submittedAt < before && isMeant(task)) found.push(task)
    }
    if (ids === undefined) yield* lists.alive(wanted, add)
    else {
      for (const id of new Set(ids)) {
        const task = core.task(id)
        if (task !== undefined && wanted.isAlive(task)) add(task)
      }
    }
    return found
  }

  /** Those that are meant and can be run again. */
  function* dead(wanted: Wanted, { asOf, ids }: TaskSelection): Generator<void, Array<Outcome>> {
    const before = asOf === undefined ? Infinity : context.fromWall(asOf + 1)
    const found: Array<Outcome> = []
    let steps = 0
    // Read at once: what is looked at in slices must not change its order meanwhile.
    const outcomes = ids === undefined
      ? [...core.dead.values()].map(({ outcome }) => outcome)
      : [...new Set(ids)].flatMap((id) => core.dead.get(id)?.outcome ?? [])
    for (const outcome of outcomes) {
      // Who failed since was seen as something else.
      if (outcome.finishedAt < before && wanted.isOutcome(outcome)) found.push(outcome)
      if (++steps % stepsAtOnce === 0) yield
    }
    return found
  }

  const changeMany = <A>(
    selection: TaskSelection,
    find: (wanted: Wanted, selection: TaskSelection) => Generator<void, Array<A>>,
    change: (item: A) => boolean
  ): Effect.Effect<Changed, BadRequest | CountChanged> =>
    Effect.suspend((): Effect.Effect<Changed, BadRequest | CountChanged> => {
      const wanted = makeWanted(selection, context)
      if (Result.isFailure(wanted)) return Effect.fail(wanted.failure)
      const { dryRun, expect } = selection
      return Effect.flatMap(slices(() => find(wanted.success, selection)), (found) => {
        const count = found.length
        if (expect !== undefined && expect !== count) return Effect.fail(new CountChanged({ expected: expect, count }))
        if (dryRun === true) return Effect.succeed({ count, skipped: 0 })
        return slices(function*() {
          let changed = 0
          for (let i = 0; i < count; i++) {
            if (change(found[i] as A)) changed++
            if (i % changesAtOnce === changesAtOnce - 1) {
              schedule()
              yield
            }
          }
          schedule()
          return { count: changed, skipped: count - changed }
        })
      })
    })

  return {
    cancelMany: (selection) =>
      Effect.tap(
        changeMany(
          selection,
          alive,
          (task) =>
            core.task(task.id) === task && task.state !== "cancelling" && Result.isSuccess(core.cancel(task.id, now()))
        ),
        committed
      ),

    prioritizeMany(selection, to) {
      const level = toLevel(to)
      return Effect.tap(
        changeMany(
          selection,
          (wanted, selection) => alive(wanted, selection, (task) => task.level !== level),
          (task) =>
            core.task(task.id) === task && task.level !== level && Result.isSuccess(core.prioritize(task.id, level))
        ),
        committed
      )
    },

    purgeMany: (selection) =>
      Effect.tap(
        changeMany(selection, dead, ({ id }) => {
          const wasDead = core.forget(id)
          if (wasDead) memory.log.remove(id)
          return wasDead
        }),
        committed
      ),

    retryMany: (selection) =>
      Effect.suspend((): Effect.Effect<Changed, BadRequest | CountChanged | JournalFailed> => {
        const failure = operations.failure()
        if (failure !== undefined && selection.dryRun !== true) return Effect.fail(failure)
        const made: Array<string> = []
        const changed = changeMany(selection, dead, (outcome) => {
          if (core.dead.get(outcome.id)?.outcome !== outcome) return false
          const again = core.retry(outcome.id, undefined, now())
          if (Result.isSuccess(again)) made.push(again.success)
          return Result.isSuccess(again)
        })
        return Effect.flatMap(changed, ({ count, skipped }) =>
          Effect.callback<Changed, JournalFailed>((resume) =>
            operations.whenStored(made, (failures) => {
              const [first] = failures.values()
              resume(
                first !== undefined && failures.size === count
                  ? Effect.fail(first)
                  : Effect.succeed({ count: count - failures.size, skipped: skipped + failures.size })
              )
            })
          ))
      })
  }
}
