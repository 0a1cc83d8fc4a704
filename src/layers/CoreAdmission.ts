/**
 * Admission in the core of a control plane: who may submit a task, once per id, and once per unique key while that is
 * held. Part of the core: synchronous, with the time as an argument.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Body from "../domain/Body.ts"
import {
  BadRequest,
  IdConflict,
  NotRetryable,
  OutboxFull,
  QueueFull,
  ResultEvicted,
  ShuttingDown,
  TaskNotFound,
  TooLarge,
  UniqueConflict,
  UnknownTask
} from "../domain/Errors.ts"
import type { PriorityLevel } from "../domain/Priority.ts"
import { toLevel } from "../domain/Priority.ts"
import * as Sensitive from "../domain/Sensitive.ts"
import type { Settings as Values } from "../domain/Settings.ts"
import type { TaskOptions, TaskRecord } from "../domain/Task.ts"
import type { ResultCache } from "../services/ResultCache.ts"
import type { WorkerRegistry } from "../services/WorkerRegistry.ts"
import type { AwaitedNames } from "./AwaitedNames.ts"
import type { CoreTasks } from "./CoreTasks.ts"
import type { DeadTasks } from "./DeadTasks.ts"
import { isBodyDeeper, tooDeep } from "./Depth.ts"
import { fingerprint } from "./Fingerprint.ts"
import type { Session, Sessions } from "./Sessions.ts"
import type { UniqueKeys } from "./UniqueKeys.ts"

/**
 * One task as it was submitted. Without an id one is made; without a level the registered default applies. Times are
 * milliseconds of the monotonic clock.
 *
 * @category models
 * @since 0.1.0
 */
export interface Submitted {
  readonly id: string | undefined
  readonly name: string
  readonly level: PriorityLevel | undefined
  readonly args: Body.Body
  /** The session that is to be told the outcome. */
  readonly watcher: Session | undefined
  readonly options?: TaskOptions | undefined
  readonly dueAt?: number | undefined
  readonly expiresAt?: number | undefined
}

/**
 * Returns what a submission or a schedule says besides name, arguments and times; `undefined` when that is nothing.
 *
 * @category constructors
 * @since 0.1.0
 */
export const optionsOf = (said: TaskOptions): TaskOptions | undefined => {
  if (saysNothing(said)) return undefined
  const options: { -readonly [K in keyof TaskOptions]?: unknown } = {}
  for (const name of optionNames) {
    const value = said[name]
    if (value !== undefined) options[name] = value
  }
  return options as TaskOptions
}

/** As most: to ask for one field after the other by their names takes ten times as long. */
const saysNothing = (said: TaskOptions): boolean =>
  said.unique === undefined && said.limitKey === undefined && said.fairKey === undefined && said.weight === undefined &&
  said.tags === undefined && said.tenant === undefined && said.ignoreResult === undefined &&
  said.version === undefined && said.schedule === undefined && said.parent === undefined && said.trace === undefined &&
  said.sensitive === undefined

const optionNames = [
  "unique",
  "limitKey",
  "fairKey",
  "weight",
  "tags",
  "tenant",
  "ignoreResult",
  "version",
  "schedule",
  "parent",
  "trace",
  "sensitive"
] as const satisfies ReadonlyArray<keyof TaskOptions>

/** What the type says is kept with the task: the journal knows no types, and workers may be gone. */
const discreet = (options: TaskOptions | undefined, ofType: Sensitive.Sensitive): TaskOptions => ({
  ...options,
  sensitive: Sensitive.union(ofType, options?.sensitive) ?? ofType
})

/**
 * A task as a journal brings it back. `isLeased`: it ran when the control plane ended, and a worker may still run it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Restored
  extends
    Pick<TaskRecord, "id" | "name" | "level" | "args" | "submittedAt" | "options" | "detail">,
    Pick<TaskRecord, "attempt" | "crashes" | "losses">
{
  readonly isLeased: boolean
}

/**
 * Why the core refuses a submission.
 *
 * @category models
 * @since 0.1.0
 */
export type Refusal =
  | UnknownTask
  | QueueFull
  | OutboxFull
  | IdConflict
  | UniqueConflict
  | TooLarge
  | ShuttingDown
  | ResultEvicted
  | BadRequest

/**
 * What admission is made of.
 *
 * @category models
 * @since 0.1.0
 */
export interface Parts {
  readonly life: CoreTasks
  readonly registry: WorkerRegistry["Service"]
  readonly results: ResultCache["Service"]
  readonly sessions: Sessions
  readonly uniques: UniqueKeys
  readonly dead: DeadTasks
  readonly settings: Values
  /** Makes 128 random bits in 32 hexadecimal digits. */
  readonly randomId: () => string
  /** Whether workers are still finding this control plane: until then any name may be submitted. */
  readonly isStarting: (now: number) => boolean
  /** Names that nobody has announced and that are waited for. */
  readonly awaited: AwaitedNames
  /** Whether an accepted task waits until it is stored. */
  readonly isDurable: boolean
  readonly isDraining: () => boolean
  readonly cancel: (task: TaskRecord, now: number) => void
  /** Is told of a dead task that is not kept any more. */
  readonly forgotten: (id: string) => void
}

/**
 * Admission of tasks.
 *
 * @category models
 * @since 0.1.0
 */
export type CoreAdmission = ReturnType<typeof makeAdmission>

const noWatchers: ReadonlyArray<string> = []

/** Names that may wait for a handler which no worker has announced: they come from outside, and must not pile up. */
const maxExpectedNames = 20_000

/**
 * Creates the admission of tasks.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeAdmission = (parts: Parts) => {
  const { cancel, dead, forgotten, isDraining, isDurable, life, randomId, registry, results, sessions, settings } =
    parts
  const { awaited, isStarting, uniques } = parts
  /** Names of schedules and of tasks that a journal brought back: their workers may be still to come. */
  const expectedNames = new Set<string>()

  /** Dead tasks that are to run again, and the new tasks that are on their way to the disk. */
  const retried = new Map<string, string>()

  const forgetDead = (id: string) => {
    if (dead.remove(id)) forgotten(id)
  }

  const isKnown = (name: string): boolean => registry.type(name) !== undefined || expectedNames.has(name)

  const unknownTask = (name: string) => {
    const known: Array<string> = []
    for (const type of registry.types()) if (known.push(type.name) === 20) break
    return new UnknownTask({ task: name, known })
  }

  const outboxFull = (watcher: Session): OutboxFull | undefined => {
    const outcomes = sessions.pending(watcher)
    return outcomes >= settings.maxOutbox ? new OutboxFull({ outcomes, maxOutcomes: settings.maxOutbox }) : undefined
  }

  const refusal = ({ args, name, watcher }: Submitted, now: number): Refusal | undefined => {
    if (isDraining()) return new ShuttingDown()
    if (args.length > settings.maxPayloadBytes) {
      return new TooLarge({ task: name, what: "arguments", size: args.length, limit: settings.maxPayloadBytes })
    }
    if (isBodyDeeper(args, settings.maxPayloadDepth)) {
      return new BadRequest({ reason: `the arguments of task "${name}" are ${tooDeep(settings.maxPayloadDepth)}` })
    }
    if (!isKnown(name) && !isStarting(now) && !awaited.admit(name, now)) return unknownTask(name)
    const waiting = life.waiting()
    const waitingBytes = life.waitingBytes()
    const { maxWaiting, maxWaitingBytes } = settings
    if (waiting >= maxWaiting || waitingBytes + args.length > maxWaitingBytes) {
      return new QueueFull({ waiting, maxWaiting, waitingBytes, maxWaitingBytes })
    }
    return watcher === undefined ? undefined : outboxFull(watcher)
  }

  const watchRunning = (task: TaskRecord, watcher: Session) => {
    if (task.watchers.length === 0) task.watchers = watcher.watchers
    else if (!task.watchers.includes(watcher.token)) task.watchers = [...task.watchers, watcher.token]
  }

  /** Gives a caller a task that is there already. */
  const join = (id: string, watcher: Session | undefined, now: number): Result.Result<string, Refusal> => {
    const alive = life.tasks.get(id)
    if (watcher !== undefined && alive !== undefined) watchRunning(alive, watcher)
    const refused = watcher === undefined || alive !== undefined ? undefined : admission.watch(watcher, id, now)
    return refused === undefined || refused._tag === "TaskNotFound" ? Result.succeed(id) : Result.fail(refused)
  }

  const admission = {
    /**
     * Accepts a task, once: a second submission with the same id, name and arguments has no effect but that its watcher
     * is told the outcome too; `ResultEvicted` when it is no longer kept. Returns the id, which is that of another task
     * when that holds the unique key and the definition wants it so.
     */
    submit(submitted: Submitted, now: number): Result.Result<string, Refusal> {
      const { args, dueAt = 0, expiresAt = Infinity, name, options, watcher } = submitted
      const id = submitted.id ?? randomId()
      if (submitted.id !== undefined) {
        const known = life.tasks.get(id)
        const recalled = known === undefined ? results.recall(id) : undefined
        const isSame = known === undefined
          // Only now: hashing the arguments of every task would cost more than the rest of its admission.
          ? recalled !== undefined && recalled.fingerprint === fingerprint(name, args)
          : known.name === name && Body.isSame(known.args, args)
        if (isSame) return join(id, watcher, now)
        if (known !== undefined || recalled !== undefined) return Result.fail(new IdConflict({ id }))
      }
      const refused = refusal(submitted, now)
      if (refused !== undefined) return Result.fail(refused)
      const unique = options?.unique
      const holder = unique === undefined ? undefined : uniques.find(name, unique.key, now)
      if (unique !== undefined && holder !== undefined) {
        if (unique.onConflict === "existing") return join(holder, watcher, now)
        if (unique.onConflict === "reject") {
          return Result.fail(new UniqueConflict({ task: name, key: unique.key, id: holder }))
        }
        uniques.free(name, unique.key)
        const replaced = life.tasks.get(holder)
        if (replaced !== undefined) cancel(replaced, now)
      }
      const type = registry.type(name)
      // What is looked at of one among a million stands together: the links of its neighbours are one line of the cache each.
      const task: TaskRecord = {
        id,
        next: undefined,
        previous: undefined,
        state: dueAt > now || isDurable ? "delayed" : "queued",
        level: submitted.level ?? toLevel(type?.priority ?? "normal"),
        name,
        options: type?.sensitive === undefined ? options : discreet(options, type.sensitive),
        detail: undefined,
        worker: undefined,
        args,
        sequence: life.nextSequence(),
        watchers: watcher === undefined ? noWatchers : watcher.watchers,
        submittedAt: now,
        attempt: 0,
        crashes: 0,
        losses: 0,
        leaseExchange: 0,
        leasedAt: 0,
        expectedMillis: 0
      }
      if (dueAt > now || expiresAt !== Infinity) {
        const detail = life.detailOf(task)
        detail.dueAt = dueAt
        detail.expiresAt = expiresAt
      }
      const full = unique === undefined ? undefined : uniques.hold(task, now)
      if (full !== undefined) return Result.fail(full)
      life.admit(task)
      if (!isDurable) life.settle(task, now)
      return Result.succeed(id)
    },

    /** An accepted task is stored: from now on it may run. Does nothing when it has ended meanwhile. */
    stored(task: TaskRecord, now: number) {
      const of = task.options?.retryOf
      if (of !== undefined && retried.delete(of)) forgetDead(of)
      if (life.tasks.get(task.id) === task) life.settle(task, now)
      else life.arrived(task, false)
    },

    /** An accepted task could not be stored: as if it had not been submitted. */
    refused(task: TaskRecord) {
      if (task.options?.retryOf !== undefined) retried.delete(task.options.retryOf)
      if (life.tasks.get(task.id) === task) return life.retract(task)
      life.arrived(task, true)
      // It has ended meanwhile, which is not stored either: who submits it again must not be told that it was accepted.
      if (life.tasks.has(task.id)) return
      results.forget(task.id)
      forgetDead(task.id)
    },

    /**
     * Runs a task that failed or expired again, as a new task with its arguments and options, and with the id `as` if one
     * is given: asked again it has no effect. Returns the new id.
     */
    retry(
      id: string,
      as: string | undefined,
      now: number
    ): Result.Result<string, Refusal | TaskNotFound | NotRetryable> {
      if (
        as !== undefined &&
        (life.tasks.get(as)?.options?.retryOf === id || results.get(as, now)?.options?.retryOf === id)
      ) {
        return Result.succeed(as)
      }
      const again = retried.get(id)
      if (again !== undefined) return Result.succeed(again)
      const buried = dead.get(id)
      if (buried === undefined) {
        const state = life.tasks.get(id)?.state ?? results.recall(id)?.state
        return Result.fail(state === undefined ? new TaskNotFound({ id }) : new NotRetryable({ id, state }))
      }
      const { args, outcome: { level, name, options } } = buried
      const submitted = admission.submit(
        { id: as, name, level, args, watcher: undefined, options: { ...options, retryOf: id } },
        now
      )
      if (Result.isFailure(submitted)) return submitted
      // It stays dead until the new task is stored: until then that may be refused.
      if (isDurable && life.tasks.get(submitted.success)?.options?.retryOf === id) retried.set(id, submitted.success)
      else forgetDead(id)
      return submitted
    },

    /** Brings a task back that was accepted before the control plane was restarted. Returns its record. */
    restore(restored: Restored, now: number): TaskRecord {
      const { isLeased, ...fields } = restored
      const task: TaskRecord = {
        ...fields,
        sequence: life.nextSequence(),
        state: "delayed",
        worker: undefined,
        leaseExchange: 0,
        leasedAt: 0,
        expectedMillis: 0,
        watchers: noWatchers,
        next: undefined,
        previous: undefined
      }
      admission.expect(task.name)
      // Keys that are held for a period are brought back by themselves.
      const held = task.options?.unique?.while
      if (held === "unfinished" || (held === "waiting" && task.attempt === 0)) uniques.hold(task, now)
      // Whoever ran it may still be running it, and is given time to say so.
      if (isLeased) life.await(task)
      if (isLeased) life.detailOf(task).dueAt = now + settings.startGraceMillis
      life.admit(task)
      life.settle(task, now)
      return task
    },

    /** Tells a session the outcome of a task, now or when it is there. Returns why it can't. */
    watch(watcher: Session, id: string, now: number): TaskNotFound | ResultEvicted | OutboxFull | undefined {
      const full = outboxFull(watcher)
      if (full !== undefined) return full
      const task = life.tasks.get(id) ?? life.untold(id)
      if (task !== undefined) {
        watchRunning(task, watcher)
        return undefined
      }
      const outcome = results.get(id, now)
      if (outcome !== undefined) {
        sessions.deliver(watcher.watchers, outcome)
        return undefined
      }
      return admission.whyNoOutcome(id)
    },

    /** Why an id has neither a task nor an outcome that is kept. */
    whyNoOutcome(id: string): TaskNotFound | ResultEvicted {
      const tombstone = results.recall(id)
      return tombstone === undefined ? new TaskNotFound({ id }) : new ResultEvicted({ id, state: tombstone.state })
    },

    /** Whether a task of this name may wait for a handler that is still to come. */
    isKnown,
    /** From now on tasks of this name may wait for a handler. */
    expect(name: string) {
      if (expectedNames.size < maxExpectedNames) expectedNames.add(name)
    },
    unknownTask
  }
  return admission
}
