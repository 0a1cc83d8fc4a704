/**
 * Tasks that run again and again: values that task files export and programs declare. Owns their form, what they may say
 * and when they are due; who submits the tasks is the control plane's business.
 *
 * @since 0.1.0
 */
import * as Cron from "effect/Cron"
import type * as Duration from "effect/Duration"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as JsonCodec from "./JsonCodec.ts"
import { Priority } from "./Priority.ts"
import { Sensitive } from "./Sensitive.ts"
import { formatDuration } from "./Settings.ts"
import { TaskKey, TaskName, Unique } from "./Task.ts"
import type { TaskDefinition } from "./TaskDefinition.ts"
import * as TaskPolicy from "./TaskPolicy.ts"

/**
 * Most bytes of the encoded arguments of a schedule: the control plane keeps them for as long as it is declared.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxScheduleArgs = 64 * 1024

/**
 * Shortest interval of a schedule, in milliseconds.
 *
 * @category constants
 * @since 0.1.0
 */
export const minIntervalMillis = 10

const cronOf = (expression: string, timeZone = "UTC") => Cron.parse(expression, timeZone)

/** Says why a cron expression can't be used; `undefined` when it can. */
const cronProblem = (expression: string, timeZone: string | undefined): string | undefined => {
  const cron = cronOf(expression, timeZone)
  if (Result.isFailure(cron)) {
    return cron.failure.message.includes("time zone")
      ? `"${timeZone}" is not a time zone: write for example "Europe/Berlin" or "UTC"`
      : `"${expression}" is not a cron expression: ${cron.failure.message}; write for example "30 9 * * 1-5" ` +
        `(minute, hour, day, month, weekday; seconds may stand in front)`
  }
  return Number.isFinite(nextOfCron(cron.success, 0)) ? undefined : `"${expression}" is never due`
}

/** A day that no month has is searched for in vain, and that throws. */
const nextOfCron = (cron: Cron.Cron, wallMillis: number): number => {
  try {
    return Cron.next(cron, wallMillis).getTime()
  } catch {
    return Infinity
  }
}

const Every = Schema.Struct({
  every: Schema.Int.check(Schema.isBetween({ minimum: minIntervalMillis, maximum: TaskPolicy.maxMillis }))
})

const CronKind = Schema.Struct({
  cron: Schema.String.check(Schema.isMaxLength(256)),
  timeZone: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(64)))
}).check(Schema.makeFilter(({ cron, timeZone }) => cronProblem(cron, timeZone)))

/**
 * Schema for a schedule as it crosses the wire.
 *
 * **Details**
 *
 * `catchUp` says what happens to times that passed while there was no control plane: `skip` none of them runs, `once`
 * the last of them, `all` each. `overlap` says what happens when the task of the time before is not finished: `skip` the
 * new one, `allow` both, `replace` cancels the old one. The rest is what each task is submitted with.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ScheduleDeclaration = Schema.Struct({
  id: TaskKey,
  name: TaskName,
  /** Encoded. */
  args: Schema.String.check(Schema.isMaxLength(maxScheduleArgs)),
  kind: Schema.Union([Every, CronKind]),
  catchUp: Schema.Literals(["skip", "once", "all"]),
  overlap: Schema.Literals(["skip", "allow", "replace"]),
  priority: Schema.optionalKey(Priority),
  expiresIn: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: TaskPolicy.maxMillis }))),
  unique: Schema.optionalKey(Unique),
  limitKey: Schema.optionalKey(TaskKey),
  fairKey: Schema.optionalKey(TaskKey),
  weight: Schema.optionalKey(Schema.Finite.check(Schema.isBetween({ minimum: 0.001, maximum: 1_000 }))),
  tags: Schema.optionalKey(Schema.Array(TaskKey).check(Schema.isMaxLength(16))),
  tenant: Schema.optionalKey(TaskKey),
  version: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))),
  /** What of it and of its tasks is not shown. */
  sensitive: Schema.optionalKey(Sensitive)
})

/**
 * A schedule as it crosses the wire.
 *
 * @category models
 * @since 0.1.0
 */
export type ScheduleDeclaration = typeof ScheduleDeclaration.Type

/**
 * A schedule as task files export it.
 *
 * @category models
 * @since 0.1.0
 */
export interface TaskSchedule extends ScheduleDeclaration {
  readonly "~fastworker/Schedule": true
}

/**
 * What a schedule may say besides task and times.
 *
 * @category models
 * @since 0.1.0
 */
export interface ScheduleOptions {
  /**
   * Declaring another schedule with the same id replaces the first. Default: made of task and times, such as
   * `report:cron:0 9 * * * Europe/Berlin`; give one to run a task at the same times with other arguments.
   */
  readonly id?: string
  /** Default: the definition's. */
  readonly priority?: Priority
  /** Times that passed while there was no control plane: run `all`, the last `once`, or none (`skip`). Default: `once`. */
  readonly catchUp?: ScheduleDeclaration["catchUp"]
  /** When the task of the time before is not finished: `skip` the new one, `allow` both, `replace` the old one. Default: `skip`. */
  readonly overlap?: ScheduleDeclaration["overlap"]
  /** Added to those of the definition. */
  readonly tags?: ReadonlyArray<string>
  readonly tenant?: string
}

/** Options of a schedule with the arguments of its task, which may be left out when the definition requires none. */
type Options<Args, Extra = unknown> = {} extends Args ?
  readonly [options?: ScheduleOptions & { readonly args?: Args } & Extra]
  : readonly [options: ScheduleOptions & { readonly args: Args } & Extra]

const decodeDeclaration = Schema.decodeUnknownResult(ScheduleDeclaration)

const make = <Name extends string, Args, Success, Error>(
  task: TaskDefinition<Name, Args, Success, Error>,
  kind: ScheduleDeclaration["kind"],
  defaultId: string,
  options: ScheduleOptions & { readonly args?: Args } = {}
): TaskSchedule => {
  const { catchUp = "once", id = `${task.name}:${defaultId}`, overlap = "skip", tags = [], tenant } = options
  const refuse = (reason: string): never => {
    throw new RangeError(`Schedule "${id}": ${reason}`)
  }
  // Left out only where the definition has no required ones.
  const args = options.args ?? {} as Args
  const encoded = task.args.encode(args)
  if (Result.isFailure(encoded)) return refuse(`its arguments do not fit: ${JsonCodec.format(encoded.failure)}`)
  const priority = options.priority ?? task.priority
  const policy = TaskPolicy.submission(task.policy, args)
  const allTags = [...policy.tags ?? [], ...tags]
  const declaration = decodeDeclaration({
    id,
    name: task.name,
    args: encoded.success,
    kind,
    catchUp,
    overlap,
    ...(priority === undefined ? {} : { priority }),
    ...policy,
    ...(allTags.length === 0 ? {} : { tags: allTags }),
    ...(tenant === undefined ? {} : { tenant })
  })
  return Result.isSuccess(declaration)
    ? Object.freeze({ "~fastworker/Schedule": true, ...declaration.success })
    : refuse(JsonCodec.format(JsonCodec.issues(declaration.failure)))
}

/**
 * Creates a schedule that runs a task at a fixed interval: at the multiples of it since 1970, so that it does not depend
 * on when a process started.
 *
 * **Gotchas**
 *
 * Throws a sentence when the interval is shorter than 10 milliseconds or the arguments do not fit the definition.
 *
 * @category constructors
 * @since 0.1.0
 */
export const every = <Name extends string, Args, Success, Error>(
  task: TaskDefinition<Name, Args, Success, Error>,
  interval: Duration.Input,
  ...[options]: Options<NoInfer<Args>>
): TaskSchedule => {
  const millis = TaskPolicy.millisOf(task.name, "the interval of its schedule", interval)
  return make(task, { every: millis }, `every:${formatDuration(millis)}`, options)
}

/**
 * Creates a schedule that runs a task at the times of a cron expression: minute, hour, day of the month, month, weekday;
 * seconds may stand in front. `timeZone` is a name such as `Europe/Berlin`, by default UTC.
 *
 * **Details**
 *
 * A time that the clocks skip in spring is due right after the gap, one that they repeat in autumn the first time.
 *
 * **Gotchas**
 *
 * Throws a sentence when the expression or the zone can't be read, when it is never due, or when the arguments do not fit
 * the definition.
 *
 * @category constructors
 * @since 0.1.0
 */
export const cron = <Name extends string, Args, Success, Error>(
  task: TaskDefinition<Name, Args, Success, Error>,
  expression: string,
  ...[options]: Options<NoInfer<Args>, { readonly timeZone?: string }>
): TaskSchedule => {
  const timeZone = options?.timeZone
  const zone = timeZone === undefined ? {} : { timeZone }
  return make(
    task,
    { cron: expression, ...zone },
    `cron:${expression}${timeZone === undefined ? "" : ` ${timeZone}`}`,
    options
  )
}

/**
 * Returns whether a value is a schedule.
 *
 * @category guards
 * @since 0.1.0
 */
export const isTaskSchedule = (value: unknown): value is TaskSchedule =>
  typeof value === "object" && value !== null && "~fastworker/Schedule" in value

/**
 * Returns the first time after `wallMillis` at which a schedule is due, both in milliseconds since 1970; `Infinity` when
 * there is none.
 *
 * @category rules
 * @since 0.1.0
 */
export const nextAfter = ({ kind }: Pick<ScheduleDeclaration, "kind">, wallMillis: number): number => {
  if ("every" in kind) return (Math.floor(wallMillis / kind.every) + 1) * kind.every
  const cron = cronOf(kind.cron, kind.timeZone)
  return Result.isSuccess(cron) ? nextOfCron(cron.success, wallMillis) : Infinity
}
