/**
 * Changes that the control plane's own process makes: what clients ask for over the wire, as Effects. Each succeeds when
 * what it did is on disk, if there is a journal.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { ReplyError } from "../domain/Errors.ts"
import { toLevel } from "../domain/Priority.ts"
import type { PlaneChanges } from "../services/ControlPlane.ts"
import type { Core } from "./ControlPlaneCore.ts"
import type { Journaling } from "./ControlPlaneJournal.ts"
import { optionsOf } from "./CoreAdmission.ts"

/**
 * Creates the changes of a control plane.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makePlaneChanges = ({ core, journaling, now, schedule, wallNow }: {
  readonly core: Core
  /** `undefined`: nothing is stored. */
  readonly journaling: Journaling | undefined
  /** Milliseconds of the monotonic clock. */
  readonly now: () => number
  /** Milliseconds since 1970. */
  readonly wallNow: () => number
  /** Asks for a dispatch at the end of this turn. */
  readonly schedule: () => void
}): PlaneChanges => {
  const committed = journaling === undefined
    ? Effect.void
    : Effect.callback<void>((resume) => journaling.whenCommitted(() => resume(Effect.void)))

  const stored = (id: string): Effect.Effect<string, ReplyError> =>
    journaling === undefined
      ? Effect.succeed(id)
      : Effect.callback((resume) =>
        journaling.whenStored([id], (failures) => {
          const failure = failures.get(id)
          resume(failure === undefined ? Effect.succeed(id) : Effect.fail(failure))
        })
      )

  /** While nothing can be stored nothing is changed: who asks would wait for ever. */
  const unlessFailing = <A>(change: () => Effect.Effect<A, ReplyError>): Effect.Effect<A, ReplyError> =>
    Effect.suspend(() => {
      const failure = journaling?.failure()
      if (failure !== undefined) return Effect.fail(failure)
      const changed = change()
      schedule()
      return changed
    })

  /** Makes a task. Succeeds with its id when it is accepted for good. */
  const making = (make: () => Result.Result<string, ReplyError>) =>
    unlessFailing(() => {
      const made = make()
      return Result.isSuccess(made) ? stored(made.success) : Effect.fail(made.failure)
    })

  const changing = (change: () => ReplyError | undefined) =>
    unlessFailing(() => {
      const error = change()
      return error === undefined ? committed : Effect.fail(error)
    })

  return {
    submit: ({ args, at, expiresIn, id, in: wait, name, priority, ...options }) =>
      making(() => {
        const time = now()
        return core.submit(
          {
            id,
            name,
            level: priority === undefined ? undefined : toLevel(priority),
            args,
            watcher: undefined,
            options: optionsOf(options),
            dueAt: wait !== undefined ? time + wait : at !== undefined ? time + at - wallNow() : undefined,
            expiresAt: expiresIn === undefined ? undefined : time + expiresIn
          },
          time
        )
      }),
    retry: (id) => making(() => core.retry(id, undefined, now())),
    trigger: (id) => making(() => core.trigger(id, undefined, now())),
    setPaused: (target, isPaused) => changing(() => core.setPaused(target, isPaused)),
    setSchedule: (declaration) => changing(() => core.setSchedule(declaration, now())),
    unschedule: (id) => changing(() => core.unschedule(id)),
    drainWorker: (worker) =>
      Effect.suspend(() => {
        const count = core.drainWorkers(worker)
        schedule()
        return Effect.fromResult(count)
      })
  }
}
