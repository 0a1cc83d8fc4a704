/**
 * Submissions of a client as they cross the wire: the encoded arguments, and what options and definition say of the task.
 * All of it is checked here: what can't be is a failure of its caller alone, and nothing is sent.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaJITCompiler from "effect/schema/SchemaJITCompiler"
import * as Struct from "effect/Struct"
import type { SubmitError } from "../domain/Errors.ts"
import { InvalidArguments, TooLarge } from "../domain/Errors.ts"
import * as JsonCodec from "../domain/JsonCodec.ts"
import type { Piece } from "../domain/LongText.ts"
import { SubmitTask } from "../domain/Message.ts"
import type { Settings as Values } from "../domain/Settings.ts"
import { TaskId } from "../domain/Task.ts"
import type { Any } from "../domain/TaskDefinition.ts"
import type { Policy } from "../domain/TaskPolicy.ts"
import * as TaskPolicy from "../domain/TaskPolicy.ts"
import type { SubmitOptions } from "../services/Client.ts"
import { isBodyDeeper, tooDeep } from "./Depth.ts"
import * as Envelope from "./Envelope.ts"

/**
 * Schema for what a submission says besides name and arguments.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Terms = Schema.Struct(Struct.omit(SubmitTask.fields, ["id", "name", "size", "watch"]))

/**
 * What a submission says besides name and arguments.
 *
 * @category models
 * @since 0.1.0
 */
export type Terms = typeof Terms.Type

/**
 * A submission that is ready to be sent.
 *
 * @category models
 * @since 0.1.0
 */
export class Submission {
  /** Changes to that of another task when the control plane says that it holds the unique key. */
  id: string
  readonly name: string
  readonly terms: Terms
  readonly watch: boolean
  readonly size: number
  readonly body: Envelope.EncodedBody
  readonly done: (failure: SubmitError | undefined, id: string) => void

  // A class for the reason that `ClientResults.ts` gives.
  constructor(
    id: string,
    name: string,
    terms: Terms,
    watch: boolean,
    size: number,
    body: Envelope.EncodedBody,
    done: (failure: SubmitError | undefined, id: string) => void
  ) {
    this.id = id
    this.name = name
    this.terms = terms
    this.watch = watch
    this.size = size
    this.body = body
    this.done = done
  }
}

SchemaJITCompiler.enable(Terms.ast)
const decodeTerms = Schema.decodeUnknownResult(Terms)

/**
 * Returns whether a text can be the id of a task.
 *
 * @category guards
 * @since 0.1.0
 */
export const isTaskId = Schema.is(TaskId)

/**
 * The terms of most submissions.
 *
 * @category constants
 * @since 0.1.0
 */
export const noTerms: Terms = {}

/**
 * Where tasks are submitted.
 *
 * @category models
 * @since 0.1.0
 */
export interface Origin {
  /** The task whose handler submits it. */
  readonly parent: string | undefined
  /** The span that submits it. */
  readonly trace: string | undefined
}

/**
 * Outside of tasks and spans.
 *
 * @category constants
 * @since 0.1.0
 */
export const nowhere: Origin = { parent: undefined, trace: undefined }

/** Whether a definition says nothing of its submissions: most do not, and need not be asked for each. */
const isPlain = (
  { expiresInMillis, fairKey, limitKey, sensitive, tags, unique, version, weight }: Policy<never, never>
) =>
  expiresInMillis === undefined && fairKey === undefined && limitKey === undefined && tags === undefined &&
  unique === undefined && version === 1 && weight === undefined && sensitive === undefined

const plainTerms = ({ priority }: Any): Terms => priority === undefined ? noTerms : { priority }

/** The functions of a definition by the names that its author knows. */
const functionsOf = ({ fairKey, limitKey, tags, unique, weight }: Policy<never, never>) => ({
  "unique.key": unique,
  "limits.key": limitKey,
  "fairness.key": fairKey,
  "fairness.weight": weight,
  tags
})

/** What a policy says of a task, or which of its functions throws. */
const policyTerms = (task: Any, args: unknown): Result.Result<object, ReadonlyArray<JsonCodec.Issue>> =>
  Result.mapError(
    Result.try({ try: () => TaskPolicy.submission(task.policy, args), catch: (cause) => cause }),
    (cause) => {
      const thrower = Object.entries(functionsOf(task.policy)).find(([, run]) =>
        run !== undefined && Result.isFailure(Result.try({ try: () => run(args as never), catch: () => undefined }))
      )
      return [{ field: thrower?.[0] ?? "", message: `this function of the definition threw ${String(cause)}` }]
    }
  )

const addOrigin = (terms: Terms, { parent, trace }: Origin): Terms => ({
  ...terms,
  ...(parent === undefined ? {} : { parent: parent as TaskId }),
  ...(trace === undefined ? {} : { trace })
})

const millisOf = (
  field: "in" | "expiresIn",
  input: Duration.Input,
  minimum: number,
  issues: Array<JsonCodec.Issue>
) => {
  const duration = Duration.fromInput(input)
  const millis = Option.isSome(duration) ? Math.ceil(Duration.toMillis(duration.value)) : NaN
  if (!(millis >= minimum && millis <= TaskPolicy.maxMillis)) {
    issues.push({ field, message: `must last from ${minimum} milliseconds to 10 years, for example "5 minutes"` })
  }
  return millis
}

const timeOf = (at: NonNullable<SubmitOptions["at"]>, issues: Array<JsonCodec.Issue>): number => {
  const millis = DateTime.isDateTime(at) ? DateTime.toEpochMillis(at) : at instanceof Date ? at.getTime() : at
  if (!Number.isFinite(millis)) {
    issues.push({ field: "at", message: "must be a time: a DateTime, a Date or milliseconds since 1970" })
  }
  return millis
}

/** What the options say, in the form of the wire. */
const optionTerms = (
  { at, expiresIn, ignoreResult, in: wait, tenant }: SubmitOptions
): Result.Result<object, ReadonlyArray<JsonCodec.Issue>> => {
  const issues: Array<JsonCodec.Issue> = []
  const terms = {
    ...(wait === undefined ? {} : { in: millisOf("in", wait, 0, issues) }),
    ...(at === undefined ? {} : { at: timeOf(at, issues) }),
    ...(expiresIn === undefined ? {} : { expiresIn: millisOf("expiresIn", expiresIn, 1, issues) }),
    ...(tenant === undefined ? {} : { tenant }),
    ...(ignoreResult === undefined ? {} : { ignoreResult })
  }
  return issues.length === 0 ? Result.succeed(terms) : Result.fail(issues)
}

const termsOf = (
  task: Any,
  args: unknown,
  options: SubmitOptions = {}
): Result.Result<Terms, ReadonlyArray<JsonCodec.Issue>> => {
  const ofPolicy = policyTerms(task, args)
  if (Result.isFailure(ofPolicy)) return Result.fail(ofPolicy.failure)
  const ofOptions = optionTerms(options)
  if (Result.isFailure(ofOptions)) return Result.fail(ofOptions.failure)
  const priority = options.priority ?? task.priority
  const { tags = [] } = ofPolicy.success as Terms
  const allTags = [...new Set([...tags, ...options.tags ?? []])]
  return Result.mapError(
    decodeTerms({
      ...ofPolicy.success,
      ...ofOptions.success,
      ...(priority === undefined ? {} : { priority }),
      ...(allTags.length === 0 ? {} : { tags: allTags })
    }),
    JsonCodec.issues
  )
}

const textOf = (encoded: string | ReadonlyArray<Piece>): string =>
  typeof encoded === "string" ? encoded : encoded.map(({ text }) => text).join("")

/**
 * Creates the submission of a task. `watch`: its outcome is wanted. `done` is called when the control plane has answered.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeSubmission = (
  { maxPayloadBytes: limit, maxPayloadDepth }: Pick<Values, "maxPayloadBytes" | "maxPayloadDepth">,
  { args, done, id, options, origin, task, watch }: {
    readonly task: Any
    readonly args: unknown
    readonly id: string
    readonly options: SubmitOptions | undefined
    readonly origin: Origin
    readonly watch: boolean
    readonly done: Submission["done"]
  }
): Result.Result<Submission, InvalidArguments | TooLarge> => {
  const { name } = task
  const refuse = (issues: ReadonlyArray<JsonCodec.Issue>) => Result.fail(new InvalidArguments({ task: name, issues }))
  if (options?.id !== undefined && !isTaskId(id)) {
    const message = "the id of a task has 1 to 128 printable ASCII characters without spaces"
    return refuse([{ field: "id", message }])
  }
  const given = args ?? {}
  const encoded = task.args.encodePieces(given)
  if (Result.isFailure(encoded)) return refuse(encoded.failure)
  const { body, size } = Envelope.bodyOf(encoded.success)
  if (size > limit) return Result.fail(new TooLarge({ task: name, what: "arguments", size, limit }))
  if (maxPayloadDepth > 0 && isBodyDeeper(textOf(encoded.success), maxPayloadDepth)) {
    return refuse([{ field: "", message: tooDeep(maxPayloadDepth) }])
  }
  const plain = options === undefined && isPlain(task.policy)
  const terms = plain ? Result.succeed(plainTerms(task)) : termsOf(task, given, options)
  if (Result.isFailure(terms)) return refuse(terms.failure)
  const said = origin === nowhere ? terms.success : addOrigin(terms.success, origin)
  return Result.succeed(new Submission(id, name, said, watch, size, body, done))
}
