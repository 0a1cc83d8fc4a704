/**
 * Runs each attempt in a fiber of this process. A handler that blocks the event loop blocks the worker.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { Buffer } from "node:buffer"
import * as JsonCodec from "../domain/JsonCodec.ts"
import { TaskContext } from "../domain/TaskContext.ts"
import type { RegisteredHandler } from "../domain/TaskDefinition.ts"
import type { AttemptResult } from "../services/Executor.ts"
import { Executor } from "../services/Executor.ts"
import { Settings } from "../services/Settings.ts"
import { TaskRegistry } from "../services/TaskRegistry.ts"

const defect = (name: string, message: string, stack?: string): AttemptResult => ({
  state: "failed",
  reason: "defect",
  body: JSON.stringify({ name, message, ...(stack === undefined ? {} : { stack }) })
})

const fromCause = (cause: unknown): AttemptResult =>
  cause instanceof Error ? defect(cause.name, cause.message, cause.stack) : defect(typeof cause, String(cause))

/** Says how an attempt ended, from the exit of its fiber. */
const fromExit = (
  { definition }: RegisteredHandler,
  exit: Exit.Exit<unknown, unknown>,
  isInterrupted: boolean
): AttemptResult => {
  if (Exit.isSuccess(exit)) {
    const encoded = definition.success.encode(exit.value)
    return Result.isSuccess(encoded)
      ? { state: "succeeded", body: encoded.success }
      : defect("InvalidResult", `the handler's value does not fit its schema: ${JsonCodec.format(encoded.failure)}`)
  }
  const error = Cause.findErrorOption(exit.cause)
  if (Option.isSome(error)) {
    const encoded = definition.isError(error.value) ? definition.error.encode(error.value) : undefined
    return encoded !== undefined && Result.isSuccess(encoded)
      ? { state: "failed", reason: "error", body: encoded.success }
      : fromCause(error.value)
  }
  if (Cause.hasDies(exit.cause)) return fromCause(Cause.squash(exit.cause))
  return isInterrupted ? { state: "interrupted" } : defect("Interrupted", "the handler interrupted itself")
}

/**
 * Creates the executor.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.gen(function*() {
  const registry = yield* TaskRegistry
  const { maxPayloadBytes } = yield* Settings

  const bounded = (result: AttemptResult): AttemptResult => {
    if (result.state === "interrupted") return result
    const size = Buffer.byteLength(result.body)
    return size <= maxPayloadBytes
      ? result
      : { state: "failed", reason: "size", body: JSON.stringify({ size, limit: maxPayloadBytes }) }
  }

  return Executor.of({
    start(attempt, done) {
      const handler = registry.get(attempt.name)
      if (handler === undefined) {
        done({ state: "failed", reason: "unknown", body: "" })
        return () => {}
      }
      const bytes = Buffer.from(attempt.args.buffer, attempt.args.byteOffset, attempt.args.byteLength)
      const args = handler.definition.args.decode(bytes.length === 0 ? "{}" : bytes.toString())
      if (Result.isFailure(args)) {
        done({ state: "failed", reason: "arguments", body: JSON.stringify({ issues: args.failure }) })
        return () => {}
      }
      const services = Context.add(handler.services, TaskContext, {
        id: attempt.id,
        name: attempt.name,
        attempt: attempt.attempt,
        worker: attempt.worker,
        idempotencyKey: attempt.id
      })
      let isInterrupted = false
      // Suspended: a handler that throws while it makes its Effect is a defect of the task, not of the worker.
      const fiber = Effect.runForkWith(services)(Effect.suspend(() => handler.run(args.success)))
      fiber.addObserver((exit) => done(bounded(fromExit(handler, exit, isInterrupted))))
      return () => {
        isInterrupted = true
        fiber.interruptUnsafe()
      }
    }
  })
})

/**
 * Layer that runs attempts in fibers.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Executor, never, TaskRegistry> = Layer.effect(Executor, make)
