/**
 * The exporter of traces that the command's processes have, by OpenTelemetry's environment variables. Programs provide their
 * own. Nothing of it is loaded unless it is switched on.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { packageVersion } from "./ControlPlaneViews.ts"
import * as Sampler from "./Sampler.ts"

const text = (name: string) => Config.String(name).pipe(Config.withDefault(""))

const config = Config.all({
  endpoint: text("OTEL_EXPORTER_OTLP_ENDPOINT"),
  tracesEndpoint: text("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
  name: text("OTEL_SERVICE_NAME")
})

/**
 * Layer that exports traces when `OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` says where to, and
 * `OTEL_TRACES_EXPORTER` is not `none`.
 * `OTEL_SERVICE_NAME` takes precedence over the name, `OTEL_TRACES_SAMPLER` says which traces.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (serviceName: string): Layer.Layer<never> =>
  Layer.unwrap(Effect.gen(function*() {
    const { endpoint, name, tracesEndpoint } = yield* config
    if (endpoint === "" && tracesEndpoint === "") return Layer.empty
    const [FetchHttpClient, OtlpSerialization, OtlpTracer] = yield* Effect.promise(() =>
      Promise.all([
        import("effect/http/FetchHttpClient"),
        import("effect/observability/OtlpSerialization"),
        import("effect/observability/OtlpTracer")
      ])
    )
    const traces = OtlpTracer.layerFromConfig({
      resource: { serviceName: name === "" ? serviceName : name, serviceVersion: packageVersion }
    })
    return Sampler.layer(traces).pipe(Layer.provide([
      FetchHttpClient.layer,
      OtlpSerialization.layerJson,
      // Whoever says where to wants it: Effect would have them say with what, too.
      ConfigProvider.layerAdd(ConfigProvider.fromUnknown({ OTEL_TRACES_EXPORTER: "otlp" }))
    ]))
  })).pipe(Layer.orDie)
