/**
 * Traces of tasks, across processes: a span where a task is submitted, one for each time that it waited in the queue, and
 * one for each attempt; all in the trace of whoever submitted it. What crosses the wire is the W3C `traceparent` of the
 * first one.
 *
 * Costs nothing without a tracer, which a program provides as it does for the rest of Effect (`Otlp.layer`): no span is
 * made then, and no field sent. The names of spans and attributes follow OpenTelemetry's conventions for messaging.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import { placeholder } from "../domain/Sensitive.ts"
import type { TaskRecord } from "../domain/Task.ts"
import { readyAt } from "../domain/Task.ts"
import type { Attempt } from "../services/Executor.ts"

const attributes = (operation: string, name: string) => ({
  "messaging.system": "fastworker",
  "messaging.operation.type": operation,
  "messaging.destination.name": name
})

const ids = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/u

/** What a span is to those in other processes; `undefined` for one that is not to be told of. */
const traceOf = ({ sampled, spanId, traceId }: Tracer.Span): string | undefined => {
  const trace = `00-${traceId.padStart(32, "0")}-${spanId}-${sampled ? "01" : "00"}`
  return ids.test(trace) ? trace : undefined
}

const spanOf = (trace: string | undefined): Tracer.ExternalSpan | undefined => {
  const [, traceId, spanId] = trace === undefined ? [] : ids.exec(trace) ?? []
  return trace === undefined || traceId === undefined || spanId === undefined
    ? undefined
    : Tracer.externalSpan({ traceId, spanId, sampled: (Number.parseInt(trace.slice(-2), 16) & 1) === 1 })
}

/** The tracer that somebody has provided. */
const tracerOf = (services: Context.Context<never>): Tracer.Tracer | undefined =>
  services.mapUnsafe.has(Tracer.Tracer.key) ? Context.get(services, Tracer.Tracer) : undefined

/**
 * Submits tasks of a name within a span of a fiber, which is the parent of all that becomes of them.
 *
 * @category combinators
 * @since 0.1.0
 */
export const sending = <A, E>(
  { cache }: Fiber.Fiber<unknown, unknown>,
  name: string,
  submit: (trace: string | undefined) => Effect.Effect<A, E>
): Effect.Effect<A, E> =>
  cache.tracer === undefined || !cache.tracerEnabled
    ? submit(undefined)
    : Effect.useSpan(
      `send ${name}`,
      { kind: "producer", attributes: attributes("send", name) },
      (span) => submit(traceOf(span))
    )

/**
 * Creates what notes how long a task waited when an attempt starts; `undefined` without a tracer. `wall` makes milliseconds
 * since 1970 of monotonic ones.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeQueueSpans = (services: Context.Context<never>, wall: (millis: number) => number) => {
  const tracer = tracerOf(services)
  if (tracer === undefined) return undefined
  const nanos = (millis: number) => BigInt(Math.round(wall(millis) * 1e3)) * 1000n

  return (task: TaskRecord) => {
    const parent = spanOf(task.options?.trace)
    if (parent === undefined || !parent.sampled) return
    const span = tracer.span({
      name: `queue ${task.name}`,
      parent: Option.some(parent),
      annotations: Context.empty(),
      links: [],
      startTime: nanos(Math.min(readyAt(task), task.leasedAt)),
      kind: "internal",
      root: false,
      sampled: true
    })
    for (const [name, value] of Object.entries(attributes("queue", task.name))) span.attribute(name, value)
    span.attribute("messaging.message.id", task.id)
    span.attribute("fastworker.attempt", task.attempt)
    span.end(nanos(task.leasedAt), Exit.void)
  }
}

/** What a task with sensitive data failed with may say something of it. */
const endDiscreetly = (span: Tracer.Span, exit: Exit.Exit<unknown, unknown>) =>
  Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)
    ? Effect.void
    : Effect.map(Clock.currentTimeNanos, (now) => span.end(now, Exit.die(withheld())))

const withheld = () => {
  const error = new Error(placeholder)
  // Where it was made says nothing of what failed.
  error.stack = `Error: ${placeholder}`
  return error
}

/**
 * Creates what runs attempts in spans. `services` are those of the process: their tracer counts where a handler has none.
 *
 * **Details**
 *
 * The span is a child of the one that submitted the task, and linked with the earlier attempts; `began` is told its id when
 * a later attempt could be linked with it. A task that came without a trace begins one.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeProcessing = (services: Context.Context<never>) => {
  const ours = tracerOf(services)

  return {
    /** The services of a handler, with a tracer if there is one. */
    services: (of: Context.Context<never>): Context.Context<never> =>
      ours === undefined || tracerOf(of) !== undefined ? of : Context.add(of, Tracer.Tracer, ours),

    /** Whether attempts of a handler with these services can have spans at all. */
    isTraced: (of: Context.Context<never>): boolean => ours !== undefined || tracerOf(of) !== undefined,

    span: <A, E, R>(
      run: Effect.Effect<A, E, R>,
      { attempt, history, id, name, trace, worker }: Attempt,
      began: (span: string) => void,
      isDiscreet: boolean
    ): Effect.Effect<A, E, R> =>
      Effect.withFiber(({ cache }) => {
        if (!cache.tracerEnabled) return run
        const parent = spanOf(trace)
        const links = parent === undefined ? [] : history.flatMap(({ attempt, span }) =>
          span === undefined ? [] : [{
            span: Tracer.externalSpan({ traceId: parent.traceId, spanId: span, sampled: parent.sampled }),
            attributes: { "fastworker.attempt": attempt }
          }]
        )
        return Effect.useSpan(
          `process ${name}`,
          {
            kind: "consumer",
            links,
            ...(parent === undefined ? { root: true } : { parent }),
            attributes: {
              ...attributes("process", name),
              "messaging.message.id": id,
              "fastworker.attempt": attempt,
              "fastworker.worker": worker
            }
          },
          (span) => {
            if (parent !== undefined) began(span.spanId)
            const traced = Effect.withParentSpan(run, span, { captureStackTrace: false })
            return isDiscreet ? Effect.onExit(traced, (exit) => endDiscreetly(span, exit)) : traced
          }
        )
      })
  }
}
