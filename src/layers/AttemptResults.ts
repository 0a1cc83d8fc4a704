/**
 * How an attempt ended, as its worker reports it: from the exit of a handler, or from its absence. Owns the bodies of
 * results and who is asked for a retry.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { Buffer } from "node:buffer"
import * as JsonCodec from "../domain/JsonCodec.ts"
import type { RegisteredHandler } from "../domain/TaskDefinition.ts"
import type { Attempt, AttemptResult } from "../services/Executor.ts"
import { Settings } from "../services/Settings.ts"
import { isBodyDeeper, tooDeep } from "./Depth.ts"
import * as Retry from "./Retry.ts"

/**
 * Returns the result of an attempt that failed in a way that its definition does not declare.
 *
 * @category constructors
 * @since 0.1.0
 */
export const defect = (
  name: string,
  message: string,
  stack?: string
): Extract<AttemptResult, { readonly state: "failed" }> => ({
  state: "failed",
  reason: "defect",
  body: JSON.stringify({ name, message, ...(stack === undefined ? {} : { stack }) })
})

/**
 * Returns the result of an attempt whose value or error is nested too deep.
 *
 * @category constructors
 * @since 0.1.0
 */
export const deepResult = (maxDepth: number): AttemptResult & { readonly body: string } =>
  defect("InvalidResult", `the handler's value is ${tooDeep(maxDepth)}`)

const fromCause = (cause: unknown): AttemptResult =>
  cause instanceof Error ? defect(cause.name, cause.message, cause.stack) : defect(typeof cause, String(cause))

/**
 * Creates what makes results, with the limits of the settings.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.gen(function*() {
  const { maxPayloadBytes, maxPayloadDepth } = yield* Settings
  const services = yield* Effect.context()

  const bounded = (result: AttemptResult & { readonly body: string }): AttemptResult => {
    const size = Buffer.byteLength(result.body)
    if (isBodyDeeper(result.body, maxPayloadDepth)) return deepResult(maxPayloadDepth)
    return size <= maxPayloadBytes
      ? result
      : { state: "failed", reason: "size", body: JSON.stringify({ size, limit: maxPayloadBytes }) }
  }

  /** Adds to a failure when it is tried again. Only a definition that says `retry` pays for it. */
  const retried = (
    handler: RegisteredHandler,
    attempt: Attempt,
    result: AttemptResult,
    failure: Parameters<typeof Retry.delay>[2]
  ): AttemptResult => {
    if (handler.definition.policy.retry === undefined || result.state !== "failed") return result
    const exit = Effect.runSyncExitWith(services)(Retry.delay(handler, attempt, failure))
    if (Exit.isSuccess(exit)) return exit.value === undefined ? result : { ...result, retryInMillis: exit.value }
    const { id, name } = attempt
    Effect.runForkWith(services)(
      Effect.logWarning(
        "The retry policy of a task threw: its failure is final",
        { id, task: name },
        // It was given the error, and may say what was in it.
        ...(handler.definition.policy.sensitive === undefined ? [exit.cause] : [])
      )
    )
    return result
  }

  const timedOut = (handler: RegisteredHandler, attempt: Attempt): AttemptResult => {
    const body = JSON.stringify({ timeout: handler.definition.policy.timeoutMillis })
    return retried(handler, attempt, { state: "failed", reason: "timeout", body }, "timeout")
  }

  const fromExit = (
    handler: RegisteredHandler,
    attempt: Attempt,
    exit: Exit.Exit<unknown, unknown>,
    stop: "interrupt" | "timeout" | undefined
  ): AttemptResult => {
    const { definition } = handler
    if (Exit.isSuccess(exit)) {
      const encoded = definition.success.encode(exit.value)
      return Result.isSuccess(encoded)
        ? bounded({ state: "succeeded", body: encoded.success })
        : defect("InvalidResult", `the handler's value does not fit its schema: ${JsonCodec.format(encoded.failure)}`)
    }
    // Whatever an interrupted handler fails with, it is because it was interrupted.
    if (stop === "timeout") return timedOut(handler, attempt)
    const error = Cause.findErrorOption(exit.cause)
    if (Option.isSome(error)) {
      const encoded = definition.isError(error.value) ? definition.error.encode(error.value) : undefined
      if (encoded === undefined || Result.isFailure(encoded)) return fromCause(error.value)
      const result = bounded({ state: "failed", reason: "error", body: encoded.success })
      const isFinal = stop !== undefined || result.state !== "failed" || result.reason !== "error"
      return isFinal ? result : retried(handler, attempt, result, { error: error.value })
    }
    if (Cause.hasDies(exit.cause)) return fromCause(Cause.squash(exit.cause))
    return stop === "interrupt" ? { state: "stopped" } : defect("Interrupted", "the handler interrupted itself")
  }

  return { fromExit, timedOut }
})
