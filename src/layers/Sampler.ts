/**
 * Which traces are exported, by OpenTelemetry's environment variables: `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`,
 * which Effect's exporter does not know. Whoever begins a trace decides; the decision travels with the task, so that all
 * processes agree.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"

/**
 * How spans are chosen: a share of the traces, from 0 to 1; and whether the span above decides where there is one.
 *
 * @category models
 * @since 0.1.0
 */
export interface Sampler {
  readonly ratio: number
  readonly isParentBased: boolean
}

const names: Readonly<Record<string, { readonly isParentBased: boolean; readonly ratio: number | undefined }>> = {
  always_on: { isParentBased: false, ratio: 1 },
  always_off: { isParentBased: false, ratio: 0 },
  traceidratio: { isParentBased: false, ratio: undefined },
  parentbased_always_on: { isParentBased: true, ratio: 1 },
  parentbased_always_off: { isParentBased: true, ratio: 0 },
  parentbased_traceidratio: { isParentBased: true, ratio: undefined }
}

/**
 * Reads a sampler as the variables say it; `undefined` when it is none that is known.
 *
 * @category parsing
 * @since 0.1.0
 */
export const parse = (name: string, argument: string): Sampler | undefined => {
  const known = Object.hasOwn(names, name) ? names[name] : undefined
  if (known === undefined) return undefined
  const ratio = known.ratio ?? (argument.trim() === "" ? 1 : Number(argument))
  return ratio >= 0 && ratio <= 1 ? { isParentBased: known.isParentBased, ratio } : undefined
}

/** Half of the id as OpenTelemetry's samplers take it, so that others come to the same. */
const isChosen = (traceId: string, ratio: number): boolean => Number.parseInt(traceId.slice(-14), 16) < ratio * 2 ** 56

/**
 * Returns a tracer whose spans are exported as the sampler says.
 *
 * @category combinators
 * @since 0.1.0
 */
export const sampled = (tracer: Tracer.Tracer, { isParentBased, ratio }: Sampler): Tracer.Tracer =>
  Tracer.make({
    ...(tracer.context === undefined ? {} : { context: tracer.context }),
    span(options) {
      const parent = Option.getOrUndefined(options.parent)
      // Effect has asked the parent, and the level of the span.
      if (parent !== undefined && (isParentBased || !(options.sampled || !parent.sampled))) return tracer.span(options)
      if (parent === undefined && !options.sampled) return tracer.span(options)
      if (parent !== undefined) return tracer.span({ ...options, sampled: isChosen(parent.traceId, ratio) })
      // The id is made with the span, and nothing is done with a span before its end.
      const span = tracer.span(options)
      return isChosen(span.traceId, ratio) ? span : Object.assign(span, { sampled: false })
    }
  })

const variable = (name: string) => Config.String(name).pipe(Config.withDefault(""))

/**
 * Adds the sampler of the environment to a layer with a tracer. Without `OTEL_TRACES_SAMPLER` it is that layer.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <A, E, R>(traces: Layer.Layer<A, E, R>): Layer.Layer<A, E, R> =>
  Layer.unwrap(Effect.gen(function*() {
    const name = yield* Effect.orDie(variable("OTEL_TRACES_SAMPLER"))
    if (name === "") return traces
    const argument = yield* Effect.orDie(variable("OTEL_TRACES_SAMPLER_ARG"))
    const sampler = parse(name, argument)
    if (sampler === undefined) {
      yield* Effect.logWarning(
        `OTEL_TRACES_SAMPLER=${name} with OTEL_TRACES_SAMPLER_ARG=${argument} is not understood, all traces are exported: ` +
          `write one of ${Object.keys(names).join(", ")}, and a share from 0 to 1`
      )
      return traces
    }
    const replaced = Layer.effectContext(Effect.map(
      Effect.context(),
      (services): Context.Context<never> =>
        // Where nothing is exported there is nothing to choose.
        services.mapUnsafe.has(Tracer.Tracer.key)
          ? Context.make(Tracer.Tracer, sampled(Context.get(services, Tracer.Tracer), sampler))
          : Context.empty()
    ))
    return Layer.provideMerge(replaced, traces)
  }))
