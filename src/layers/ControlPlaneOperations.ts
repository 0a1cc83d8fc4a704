/**
 * What may be asked of a control plane, by whichever way: over the wire or by HTTP. Whoever asks learns of it when it is
 * stored, so that nobody is told what a crash could take back.
 *
 * Owns the order of asking, storing and telling. What happens to tasks is the core's business, how an answer is written
 * that of who asks.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import type { Body } from "../domain/Body.ts"
import type { JournalFailed } from "../domain/Errors.ts"
import type { SubmitTask } from "../domain/Message.ts"
import { toLevel } from "../domain/Priority.ts"
import type { Core } from "./ControlPlaneCore.ts"
import type { Journaling } from "./ControlPlaneJournal.ts"
import type { Refusal } from "./CoreAdmission.ts"
import { optionsOf } from "./CoreAdmission.ts"
import type { Session } from "./Sessions.ts"

/**
 * What may be asked of a control plane.
 *
 * @category models
 * @since 0.1.0
 */
export type Operations = ReturnType<typeof makeOperations>

/**
 * Creates them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeOperations = ({ core, journaling, wallNow }: {
  readonly core: Core
  /** `undefined`: nothing is stored. */
  readonly journaling: Journaling | undefined
  /** Milliseconds since 1970. */
  readonly wallNow: () => number
}) => {
  /** Runs it when these tasks, where they are new, are stored or refused. */
  const whenStored = (
    ids: ReadonlyArray<string>,
    run: (failures: ReadonlyMap<string, JournalFailed>) => void
  ) => journaling === undefined ? run(new Map()) : journaling.whenStored(ids, run)

  return {
    whenStored,

    /** Runs it when everything that has happened so far is stored. */
    whenCommitted: (run: () => void) => journaling === undefined ? run() : journaling.whenCommitted(run),

    /** Why nothing can be stored now. */
    failure: (): JournalFailed | undefined => journaling?.failure(),

    /** Accepts a task, or says why not. It is accepted for good when it is stored. */
    submit(
      task: Omit<typeof SubmitTask.Type, "size" | "watch">,
      args: Body,
      watcher: Session | undefined,
      time: number
    ): Result.Result<string, Refusal | JournalFailed> {
      const failure = journaling?.failure()
      if (failure !== undefined) return Result.fail(failure)
      return core.submit(
        {
          id: task.id,
          name: task.name,
          level: task.priority === undefined ? undefined : toLevel(task.priority),
          args,
          watcher,
          options: optionsOf(task),
          dueAt: task.in !== undefined
            ? time + task.in
            : task.at !== undefined
            ? time + task.at - wallNow()
            : undefined,
          expiresAt: task.expiresIn === undefined ? undefined : time + task.expiresIn
        },
        time
      )
    },

    /** Tells the id of a new task when that is accepted for good, or why it is not. */
    whenMade<E>(made: Result.Result<string, E>, tell: (made: Result.Result<string, E | JournalFailed>) => void) {
      if (Result.isFailure(made)) return tell(made)
      const id = made.success
      whenStored([id], (failures) => {
        const failure = failures.get(id)
        tell(failure === undefined ? made : Result.fail(failure))
      })
    }
  }
}
