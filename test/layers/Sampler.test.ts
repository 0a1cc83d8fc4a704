import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import * as Sampler from "../../src/layers/Sampler.ts"
import { makeTracer } from "../harness/Collector.ts"

const spanOf = (tracer: Tracer.Tracer, parent: Tracer.AnySpan | undefined, sampled: boolean) =>
  tracer.span({
    name: "a",
    parent: Option.fromUndefinedOr(parent),
    annotations: Context.empty(),
    links: [],
    startTime: 0n,
    kind: "internal",
    root: parent === undefined,
    sampled
  })

const external = (sampled: boolean, traceId = "0af7651916cd43dd8448eb211c80319c") =>
  Tracer.externalSpan({ traceId, spanId: "b7ad6b7169203331", sampled })

describe("a sampler", () => {
  it("is read as OpenTelemetry writes it", () => {
    assert.deepStrictEqual(Sampler.parse("always_off", ""), { isParentBased: false, ratio: 0 })
    assert.deepStrictEqual(Sampler.parse("parentbased_always_on", "0.5"), { isParentBased: true, ratio: 1 })
    assert.deepStrictEqual(Sampler.parse("parentbased_traceidratio", "0.25"), { isParentBased: true, ratio: 0.25 })
    assert.deepStrictEqual(Sampler.parse("traceidratio", ""), { isParentBased: false, ratio: 1 })
    for (
      const [name, argument] of [["jaeger_remote", ""], ["traceidratio", "2"], ["traceidratio", "x"], ["toString", ""]]
    ) {
      assert.isUndefined(Sampler.parse(name ?? "", argument ?? ""))
    }
  })

  it("takes a share of the traces that begin here, by their ids", () => {
    const tracer = Sampler.sampled(makeTracer().tracer, { isParentBased: true, ratio: 0.25 })
    const spans = Array.from({ length: 4_000 }, () => spanOf(tracer, undefined, true))

    const chosen = spans.filter(({ sampled }) => sampled)
    // Nine standard deviations.
    assert.isAtMost(Math.abs(chosen.length - 1_000), 250)
    for (const { sampled, traceId } of spans) {
      assert.strictEqual(sampled, Number.parseInt(traceId.slice(-14), 16) / 2 ** 56 < 0.25)
    }
    assert.isFalse(spanOf(tracer, undefined, false).sampled)
  })

  it("follows the span above when it is based on that, and the trace's id when it is not", () => {
    const low = "0af7651916cd43dd8400000000000001"
    const high = "0af7651916cd43dd84ffffffffffffff"
    const based = Sampler.sampled(makeTracer().tracer, { isParentBased: true, ratio: 0 })
    const own = Sampler.sampled(makeTracer().tracer, { isParentBased: false, ratio: 0.5 })

    assert.isTrue(spanOf(based, external(true, high), true).sampled)
    assert.isFalse(spanOf(based, external(false, low), false).sampled)
    assert.deepStrictEqual(
      [external(true, high), external(false, low)].map((parent) => spanOf(own, parent, parent.sampled).sampled),
      [false, true]
    )
    // Of its level.
    assert.isFalse(spanOf(own, external(true, low), false).sampled)
  })

  const tracerOf = (env: Record<string, string>) => {
    const { tracer } = makeTracer()
    return Layer.build(Sampler.layer(Layer.succeed(Tracer.Tracer, tracer))).pipe(
      Effect.map((context) => Context.get(context, Tracer.Tracer)),
      Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown(env)),
      Effect.map((given) => ({ given, tracer }))
    )
  }

  it.effect("is what the environment says, or none", () =>
    Effect.gen(function*() {
      const none = yield* tracerOf({})
      const odd = yield* tracerOf({ OTEL_TRACES_SAMPLER: "sometimes" })
      const off = yield* tracerOf({ OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "0" })

      assert.strictEqual(none.given, none.tracer)
      assert.strictEqual(odd.given, odd.tracer)
      assert.isFalse(spanOf(off.given, undefined, true).sampled)
    }))
})
