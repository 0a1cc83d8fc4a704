/**
 * What a definition says of the life of its tasks: time, retries, uniqueness, limits, fairness, versions. Owns the options
 * as people write them and the one frozen form that everything else reads; applies none of it.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type { TaskTimedOut } from "./Errors.ts"
import type { Sensitive } from "./Sensitive.ts"
import type { Unique } from "./Task.ts"

/**
 * How many tasks may start in a time.
 *
 * @category models
 * @since 0.1.0
 */
export interface Rate {
  readonly limit: number
  readonly per: Duration.Input
}

/**
 * What a definition may say of the life of its tasks; all of it may be left out.
 *
 * **Details**
 *
 * Functions of the arguments run in the client that submits.
 *
 * @category models
 * @since 0.1.0
 */
export interface PolicyOptions<Args, Error> {
  /** How long one attempt may take. Then it is interrupted, and fails or is retried. Default: as long as it likes. */
  readonly timeout?: Duration.Input
  /** How long after its submission a task is worth running: later it is stopped, or not started. Default: for ever. */
  readonly expiresIn?: Duration.Input
  /**
   * Retries attempts that failed with the declared error, or took longer than `timeout`. An unexpected failure, arguments
   * that do not fit and a result that is too large are final: another attempt would end the same. Default: no retries.
   */
  readonly retry?: {
    /**
     * All attempts, the first included; those that were lost with their worker do not count. At most 1,000. Default: 3,
     * or as many as the `schedule` allows when there is one.
     */
    readonly attempts?: number
    /** How long to wait, and when to stop. Default: {@link defaultRetrySchedule}. */
    readonly schedule?: Schedule.Schedule<unknown, Error | TaskTimedOut>
    /** Whether to retry after this error; timeouts are retried without asking. Default: after each. */
    readonly while?: (error: Error) => boolean
  }
  /** One task for a key at a time. Default: tasks know nothing of one another. */
  readonly unique?: {
    readonly key: (args: Args) => string
    /** How long the key is held: until the task first starts, until its outcome, or for a time from its submission. */
    readonly while: "waiting" | "unfinished" | Duration.Input
    /**
     * What a submission gets when the key is held: an error, the task that holds it, or its place (that one is
     * cancelled). Default: `reject`.
     */
    readonly onConflict?: Unique["onConflict"]
  }
  /** How many run at once and start in a time, over all workers: of this definition, and of those with the same key. */
  readonly limits?: {
    readonly concurrency?: number
    readonly rate?: Rate
    readonly key?: (args: Args) => string
    readonly keyConcurrency?: number
    readonly keyRate?: Rate
  }
  /** Tasks of the same priority take turns by key, in proportion to the weights. Default: all of a tenant are one key. */
  readonly fairness?: {
    readonly key: (args: Args) => string
    /** 0.001 to 1,000. Default: 1. */
    readonly weight?: (args: Args) => number
  }
  /** Words to find the task by, at most 16. */
  readonly tags?: (args: Args) => ReadonlyArray<string>
  /** How long the outcome is kept for late askers. Default: the control plane's setting. */
  readonly retention?: Duration.Input
  /** Raise it when the arguments change in a way that old ones do not decode. Default: 1. */
  readonly version?: number
  /**
   * Turns the arguments of an older version, as parsed JSON, into JSON of this one. Runs in the worker. Default: they are
   * decoded as they are.
   */
  readonly upgrade?: (args: unknown, from: number) => unknown
  /**
   * `thread`: attempts run in threads of their own, one at a time in each: they may compute for long, crash or use up
   * their memory without harm to the worker. Default: `fiber`, many at once in the worker's own thread.
   */
  readonly isolation?: Isolation
}

/**
 * Where attempts run.
 *
 * @category models
 * @since 0.1.0
 */
export type Isolation = "fiber" | "thread"

/**
 * Limits as they cross the wire: `per` in milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface Limits {
  readonly concurrency?: number
  readonly rate?: { readonly limit: number; readonly per: number }
  readonly keyConcurrency?: number
  readonly keyRate?: { readonly limit: number; readonly per: number }
}

/**
 * When to try again.
 *
 * @category models
 * @since 0.1.0
 */
export interface RetryPolicy<in Error> {
  /** All attempts, the first included. */
  readonly attempts: number
  readonly schedule: Schedule.Schedule<unknown, Error | TaskTimedOut>
  readonly while: (error: Error) => boolean
}

/**
 * The options in one form: checked, frozen, durations in whole milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface Policy<in Args, in Error> {
  readonly timeoutMillis: number | undefined
  readonly expiresInMillis: number | undefined
  readonly retry: RetryPolicy<Error> | undefined
  readonly unique: ((args: Args) => Unique) | undefined
  readonly limits: Limits | undefined
  readonly limitKey: ((args: Args) => string) | undefined
  readonly fairKey: ((args: Args) => string) | undefined
  readonly weight: ((args: Args) => number) | undefined
  readonly tags: ((args: Args) => ReadonlyArray<string>) | undefined
  readonly retentionMillis: number | undefined
  readonly version: number
  readonly upgrade: ((args: unknown, from: number) => unknown) | undefined
  readonly isolation: Isolation
  /** What its schemas mark as sensitive. */
  readonly sensitive: Sensitive | undefined
}

/**
 * Most attempts that a definition can ask for: each retry steps the schedule through all failures before it.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxAttempts = 1_000

/**
 * Longest duration that a definition can name: ten years, in milliseconds.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxMillis = 315_360_000_000

/**
 * How long retries wait when the definition does not say: 200 ms, doubled each time up to a minute, and up to a fifth more or
 * less, so that tasks that failed together do not come back together.
 *
 * @category constants
 * @since 0.1.0
 */
export const defaultRetrySchedule: Schedule.Schedule<unknown> = Schedule.min([
  Schedule.exponential("200 millis"),
  Schedule.spaced("1 minute")
]).pipe(Schedule.jittered)

const refuse = (name: string, sentence: string): never => {
  throw new RangeError(`Task "${name}": ${sentence}`)
}

/**
 * Returns a duration in whole milliseconds, rounded up. Throws a sentence that names the task and the option when it is
 * not one that lasts from a millisecond to ten years.
 *
 * @category parsing
 * @since 0.1.0
 */
export const millisOf = (name: string, option: string, input: Duration.Input): number => {
  const duration = Duration.fromInput(input)
  const millis = Option.isSome(duration) ? Math.ceil(Duration.toMillis(duration.value)) : NaN
  return millis >= 1 && millis <= maxMillis
    ? millis
    : refuse(
      name,
      `${option} must last from 1 millisecond to 10 years, for example "30 seconds"; got ${JSON.stringify(input)}`
    )
}

const countOf = (name: string, option: string, value: number, maximum = Number.MAX_SAFE_INTEGER): number =>
  Number.isSafeInteger(value) && value >= 1 && value <= maximum
    ? value
    : refuse(
      name,
      `${option} must be a whole number from 1${
        maximum === Number.MAX_SAFE_INTEGER ? "" : ` to ${maximum}`
      }; got ${value}`
    )

const always = () => true

const uniqueOf = <Args, Error>(
  name: string,
  options: NonNullable<PolicyOptions<Args, Error>["unique"]>
): (args: Args) => Unique => {
  const { key, onConflict = "reject", while: held } = options
  if (held === "waiting" || held === "unfinished") return (args) => ({ key: key(args), while: held, onConflict })
  const period = millisOf(name, "unique.while", held)
  return (args) => ({ key: key(args), while: "period", period, onConflict })
}

const limitsOf = <Args, Error>(
  name: string,
  options: NonNullable<PolicyOptions<Args, Error>["limits"]>
): Limits => {
  const { concurrency, key, keyConcurrency, keyRate, rate } = options
  if (key === undefined && (keyConcurrency !== undefined || keyRate !== undefined)) {
    refuse(name, "limits.keyConcurrency and limits.keyRate need limits.key, the function that gives the key of a task")
  }
  const rateOf = (option: string, { limit, per }: Rate) =>
    Object.freeze({
      limit: countOf(name, `${option}.limit`, limit),
      per: millisOf(name, `${option}.per`, per)
    })
  return Object.freeze({
    ...(concurrency === undefined ? {} : { concurrency: countOf(name, "limits.concurrency", concurrency) }),
    ...(rate === undefined ? {} : { rate: rateOf("limits.rate", rate) }),
    ...(keyConcurrency === undefined ? {} : { keyConcurrency: countOf(name, "limits.keyConcurrency", keyConcurrency) }),
    ...(keyRate === undefined ? {} : { keyRate: rateOf("limits.keyRate", keyRate) })
  })
}

const retryOf = <Args, Error>(
  name: string,
  options: NonNullable<PolicyOptions<Args, Error>["retry"]>
): RetryPolicy<Error> => {
  const { attempts = options.schedule === undefined ? 3 : maxAttempts, schedule = defaultRetrySchedule } = options
  return Object.freeze({
    attempts: countOf(name, "retry.attempts", attempts, maxAttempts),
    schedule,
    while: options.while ?? always
  })
}

/**
 * Creates the policy of a definition. Throws a sentence that names the task and the option when one can't be.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <Args, Error>(
  name: string,
  options: PolicyOptions<Args, Error>,
  sensitive?: Sensitive
): Policy<Args, Error> => {
  const { expiresIn, fairness, isolation = "fiber", limits, retention, retry, tags, timeout, unique } = options
  // Options may come from JavaScript: a value that is not one would otherwise be found out by its effects.
  if (!["fiber", "thread"].includes(isolation)) {
    refuse(name, `isolation must be "fiber" or "thread"; got ${JSON.stringify(isolation)}`)
  }
  const onConflict = unique?.onConflict ?? "reject"
  if (!["reject", "existing", "replace"].includes(onConflict)) {
    refuse(name, `unique.onConflict must be "reject", "existing" or "replace"; got ${JSON.stringify(onConflict)}`)
  }
  return Object.freeze({
    timeoutMillis: timeout === undefined ? undefined : millisOf(name, "timeout", timeout),
    expiresInMillis: expiresIn === undefined ? undefined : millisOf(name, "expiresIn", expiresIn),
    retry: retry === undefined ? undefined : retryOf(name, retry),
    unique: unique === undefined ? undefined : uniqueOf(name, unique),
    limits: limits === undefined ? undefined : limitsOf(name, limits),
    limitKey: limits?.key,
    fairKey: fairness?.key,
    weight: fairness?.weight,
    tags,
    retentionMillis: retention === undefined ? undefined : millisOf(name, "retention", retention),
    version: countOf(name, "version", options.version ?? 1),
    upgrade: options.upgrade,
    isolation,
    sensitive
  })
}

/**
 * Returns how a policy retries, in words; `undefined` when it does not.
 *
 * @category formatting
 * @since 0.1.0
 */
export const describeRetry = ({ retry }: Pick<Policy<never, never>, "retry">): string | undefined => {
  if (retry === undefined) return undefined
  const attempts = retry.attempts === maxAttempts ? "As often as its schedule says" : `Up to ${retry.attempts} attempts`
  const wait = retry.schedule === defaultRetrySchedule ? ", 200 ms apart, doubled each time up to a minute" : ""
  const some = retry.while === always ? "" : ", after some errors only"
  return `${attempts}${wait}${some}`
}

/**
 * What a policy says of one submission, as it crosses the wire; what it does not say is left out.
 *
 * @category models
 * @since 0.1.0
 */
export interface SubmissionPolicy {
  readonly expiresIn?: number
  readonly unique?: Unique
  readonly limitKey?: string
  readonly fairKey?: string
  readonly weight?: number
  readonly tags?: ReadonlyArray<string>
  readonly version?: number
  readonly sensitive?: Sensitive
}

/**
 * Returns what a policy says of a task with these arguments. Throws what a function of the definition throws.
 *
 * @category rules
 * @since 0.1.0
 */
export const submission = <Args>(policy: Policy<Args, never>, args: Args): SubmissionPolicy => {
  const { expiresInMillis, fairKey, limitKey, sensitive, tags, unique, version, weight } = policy
  return {
    ...(expiresInMillis === undefined ? {} : { expiresIn: expiresInMillis }),
    ...(unique === undefined ? {} : { unique: unique(args) }),
    ...(limitKey === undefined ? {} : { limitKey: limitKey(args) }),
    ...(fairKey === undefined ? {} : { fairKey: fairKey(args) }),
    ...(weight === undefined ? {} : { weight: weight(args) }),
    ...(tags === undefined ? {} : { tags: tags(args) }),
    ...(version === 1 ? {} : { version }),
    ...(sensitive === undefined ? {} : { sensitive })
  }
}
