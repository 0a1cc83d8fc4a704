/**
 * Runs each attempt in a fiber of this process, whatever isolation its definition asks for. A handler that blocks the
 * event loop blocks the worker. Owns timeouts and what happens to handlers that do not stop.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { Buffer } from "node:buffer"
import { WouldDeadlock } from "../domain/Errors.ts"
import * as JsonCodec from "../domain/JsonCodec.ts"
import { TaskContext } from "../domain/TaskContext.ts"
import type { ProgressCodec, RegisteredHandler } from "../domain/TaskDefinition.ts"
import type { Attempt, AttemptResult } from "../services/Executor.ts"
import { Executor } from "../services/Executor.ts"
import { Settings } from "../services/Settings.ts"
import { TaskRegistry } from "../services/TaskRegistry.ts"
import * as Arguments from "./Arguments.ts"
import * as AttemptResults from "./AttemptResults.ts"
import * as Timer from "./Timer.ts"
import { makeProcessing } from "./Traces.ts"

type Service = TaskContext["Service"]

const anyJson = JsonCodec.make(Schema.Unknown)

/** What the contexts of attempts have in common. */
interface Shared {
  readonly maxProgressBytes: number
  readonly now: () => number
}

/**
 * What a handler is told of its attempt. A class because every attempt makes one, and few handlers say something of it:
 * what they would say it with is made when they do.
 */
class AttemptContext implements Service {
  readonly id: string
  readonly name: string
  readonly attempt: number
  readonly worker: string
  readonly idempotencyKey: string
  readonly #shared: Shared
  readonly #handler: RegisteredHandler
  readonly #attempt: Attempt
  readonly #isOver: () => boolean
  readonly deadline: number | undefined
  /** Waits for other tasks: the first gives the slot away, the last takes it back. */
  #waits = 0

  constructor(shared: Shared, handler: RegisteredHandler, attempt: Attempt, isOver: () => boolean) {
    this.id = attempt.id
    this.name = attempt.name
    this.attempt = attempt.attempt
    this.worker = attempt.worker
    this.idempotencyKey = attempt.id
    this.#shared = shared
    this.#handler = handler
    this.#attempt = attempt
    this.#isOver = isOver
    const { definition: { policy: { timeoutMillis } } } = handler
    const { expiresInMillis } = attempt
    this.deadline = timeoutMillis === undefined && expiresInMillis === undefined
      ? undefined
      : shared.now() + Math.min(timeoutMillis ?? Infinity, expiresInMillis ?? Infinity)
  }

  get #codec(): ProgressCodec<unknown> {
    return this.#handler.definition.progressCodec ?? anyJson
  }

  get progress(): Service["progress"] {
    return (value) =>
      Effect.suspend(() => {
        const encoded = this.#codec.encode(value)
        if (Result.isFailure(encoded)) {
          return Effect.die(new TypeError(`The progress does not fit its schema: ${JsonCodec.format(encoded.failure)}`))
        }
        const size = Buffer.byteLength(encoded.success)
        const limit = this.#shared.maxProgressBytes
        if (size > limit) {
          return Effect.die(new RangeError(`The progress has ${size} bytes encoded; the limit is ${limit}`))
        }
        if (!this.#isOver()) this.#attempt.onProgress(encoded.success)
        return Effect.void
      })
  }

  get checkpoint(): Service["checkpoint"] {
    const { checkpoint } = this.#attempt
    return checkpoint === undefined
      ? Effect.succeedNone
      // What another version of the definition reported may not decode: the work starts from its beginning then.
      : Effect.sync(() => Result.getSuccess(this.#codec.decode(checkpoint)))
  }

  get yieldSlot(): Service["yieldSlot"] {
    const { id, name, setWaiting } = this.#attempt
    return (wait) =>
      Effect.acquireUseRelease(
        Effect.suspend(() => {
          if (this.#waits === 0 && !setWaiting(true)) return Effect.fail(new WouldDeadlock({ id, task: name }))
          this.#waits++
          return Effect.void
        }),
        () => wait,
        () =>
          Effect.sync(() => {
            if (--this.#waits === 0) setWaiting(false)
          })
      )
  }
}

/**
 * Creates the executor.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.gen(function*() {
  const registry = yield* TaskRegistry
  const { maxProgressBytes, stopGraceMillis } = yield* Settings
  const clock = yield* Clock.Clock
  const results = yield* AttemptResults.make
  const after = yield* Timer.make
  const services = yield* Effect.context()
  const { middleware } = registry
  const processing = makeProcessing(services)

  const shared: Shared = { maxProgressBytes, now: () => clock.currentTimeMillisUnsafe() }

  return Executor.of({
    start(attempt, onAnyResult, onEnd) {
      let span: string | undefined
      const onResult = (result: AttemptResult) =>
        onAnyResult(
          span !== undefined && result.state === "failed" && result.retryInMillis !== undefined
            ? { ...result, span }
            : result
        )
      const handler = registry.get(attempt.name)
      if (handler === undefined) {
        onResult({ state: "failed", reason: "unknown", body: "" })
        onEnd()
        return () => {}
      }
      const args = Arguments.decode(handler, attempt)
      if (Result.isFailure(args)) {
        onResult({ state: "failed", reason: "arguments", body: JSON.stringify({ issues: args.failure }) })
        onEnd()
        return () => {}
      }

      let stop: "interrupt" | "timeout" | undefined
      let isReported = false
      let isEnded = false
      let cancelTimer: (() => void) | undefined
      const task = new AttemptContext(shared, handler, attempt, () => isReported)
      // Suspended: a handler that throws while it makes its Effect is a defect of the task, not of the worker.
      const run = middleware.reduceRight<Effect.Effect<unknown, unknown, TaskContext>>(
        (run, around) => Effect.suspend(() => around(run, task)),
        Effect.suspend(() => handler.run(args.success))
      )
      const fiber = Effect.runForkWith(Context.add(processing.services(handler.services), TaskContext, task))(
        !processing.isTraced(handler.services) ? run : processing.span(
          run,
          attempt,
          (id) => {
            span = id
          },
          handler.definition.policy.sensitive !== undefined
        )
      )
      fiber.addObserver((exit) => {
        isEnded = true
        cancelTimer?.()
        if (!isReported) {
          isReported = true
          onResult(results.fromExit(handler, attempt, exit, stop))
        }
        onEnd()
      })

      const giveUp = () => {
        isReported = true
        onResult(stop === "timeout" ? results.timedOut(handler, attempt) : { state: "stopped" })
        const { id, name } = attempt
        Effect.runForkWith(services)(
          Effect.logWarning(
            `A handler has not stopped ${stopGraceMillis} ms after it was told to: its slot stays busy until it ends`,
            { id, task: name }
          )
        )
      }
      const halt = (why: "interrupt" | "timeout") => {
        if (isEnded || stop === "interrupt") return
        const isTold = stop !== undefined
        // Stopping for good outweighs a timeout, which could mean another attempt.
        stop = why
        if (isTold) return
        cancelTimer?.()
        cancelTimer = after(stopGraceMillis, giveUp)
        fiber.interruptUnsafe()
      }
      const { timeoutMillis } = handler.definition.policy
      if (timeoutMillis !== undefined && !isEnded) cancelTimer = after(timeoutMillis, () => halt("timeout"))
      return () => halt("interrupt")
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
