/**
 * Outcomes as they come over the wire, made into what the caller's Effect ends with.
 *
 * @since 0.1.0
 */
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import {
  InvalidArguments,
  InvalidResult,
  TaskCancelled,
  TaskCrashed,
  TaskDefect,
  TaskExpired,
  TaskTimedOut,
  TooLarge,
  UnknownTask
} from "../domain/Errors.ts"
import * as JsonCodec from "../domain/JsonCodec.ts"
import type { OutcomeHeader } from "../domain/Message.ts"
import type { Any } from "../domain/TaskDefinition.ts"

const decodeDefect = Schema.decodeUnknownResult(Schema.fromJsonString(Schema.Struct({
  name: Schema.String,
  message: Schema.String,
  stack: Schema.optionalKey(Schema.String)
})))
const decodeIssues = Schema.decodeUnknownResult(
  Schema.fromJsonString(Schema.Struct({ issues: InvalidArguments.fields.issues }))
)
const decodeCrash = Schema.decodeUnknownResult(
  Schema.fromJsonString(Schema.Struct({ crashes: Schema.Int, last: Schema.optionalKey(Schema.String) }))
)
const decodeLast = Schema.decodeUnknownResult(Schema.fromJsonString(Schema.Struct({ message: Schema.String })))
const decodeKnown = Schema.decodeUnknownResult(
  Schema.fromJsonString(Schema.Struct({ known: UnknownTask.fields.known }))
)
const decodeSize = Schema.decodeUnknownResult(
  Schema.fromJsonString(Schema.Struct({ size: Schema.Int, limit: Schema.Int }))
)
const decodeTimeout = Schema.decodeUnknownResult(Schema.fromJsonString(Schema.Struct({ timeout: Schema.Int })))

/**
 * Returns what a task's caller gets: the value, the error that the definition declares, or one of ours.
 *
 * @category decoding
 * @since 0.1.0
 */
export const toExit = (definition: Any, outcome: OutcomeHeader, body: string): Exit.Exit<unknown, unknown> => {
  const { attempt, id, name: task, started = attempt > 0, state } = outcome
  if (state === "cancelled") return Exit.fail(new TaskCancelled({ id }))
  if (state === "expired") return Exit.fail(new TaskExpired({ id, task, started }))
  if (state === "failed" && outcome.reason !== "error") return Exit.fail(toError(outcome, body))
  // A worker in another language may report nothing for a value of nothing.
  const text = body === "" ? "null" : body
  const decoded = state === "succeeded" ? definition.success.decode(text) : definition.error.decode(text)
  if (Result.isFailure(decoded)) {
    return Exit.fail(new InvalidResult({ id, task, reason: JsonCodec.format(decoded.failure) }))
  }
  return state === "succeeded" ? Exit.succeed(decoded.success) : Exit.fail(decoded.success)
}

const toError = ({ attempt, id, name: task, reason }: OutcomeHeader, text: string) => {
  switch (reason) {
    case "crash": {
      const crash = decodeCrash(text)
      if (Result.isFailure(crash)) return new TaskCrashed({ id, task, crashes: attempt })
      const { crashes, last } = crash.success
      const said = last === undefined ? undefined : decodeLast(last)
      return new TaskCrashed({
        id,
        task,
        crashes,
        ...(said !== undefined && Result.isSuccess(said) ? { last: said.success.message } : {})
      })
    }
    case "timeout": {
      const timeout = decodeTimeout(text)
      return new TaskTimedOut({ id, task, timeout: Result.isSuccess(timeout) ? timeout.success.timeout : 0 })
    }
    case "unknown": {
      const known = decodeKnown(text)
      return new UnknownTask({ task, known: Result.isSuccess(known) ? known.success.known : [] })
    }
    case "arguments": {
      const issues = decodeIssues(text)
      return new InvalidArguments({ task, issues: Result.isSuccess(issues) ? issues.success.issues : [] })
    }
    case "size": {
      const size = decodeSize(text)
      return new TooLarge({ task, what: "result", ...(Result.isSuccess(size) ? size.success : { size: 0, limit: 0 }) })
    }
    default: {
      const defect = decodeDefect(text)
      return Result.isSuccess(defect)
        ? new TaskDefect({
          id,
          task,
          defect: defect.success.name,
          reason: defect.success.message,
          ...(defect.success.stack === undefined ? {} : { remoteStack: defect.success.stack })
        })
        : new TaskDefect({ id, task, defect: "Unknown", reason: text })
    }
  }
}

/**
 * Returns the value that a handler has reported while it runs; `undefined` when the definition has none.
 *
 * @category decoding
 * @since 0.1.0
 */
export const toProgress = (
  definition: Any,
  id: string,
  body: string
): Result.Result<unknown, InvalidResult> | undefined => {
  const { name: task, progressCodec } = definition
  if (progressCodec === undefined) return undefined
  return Result.mapError(
    progressCodec.decode(body),
    (issues) => new InvalidResult({ id, task, reason: `its progress: ${JsonCodec.format(issues)}` })
  )
}
