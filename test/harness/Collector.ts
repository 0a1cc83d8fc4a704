/** A collector of OpenTelemetry's traces, over HTTP on a port of its own; and a tracer that keeps its spans. */
import * as Effect from "effect/Effect"
import * as Tracer from "effect/Tracer"
import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

export interface CollectedSpan {
  readonly service: string
  readonly name: string
  readonly kind: number
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly status: { readonly code: number }
  readonly attributes: Readonly<Record<string, unknown>>
  readonly links: ReadonlyArray<{ readonly traceId: string; readonly spanId: string }>
}

type Attributes = ReadonlyArray<{ readonly key: string; readonly value: Readonly<Record<string, unknown>> }>

interface Body {
  readonly resourceSpans: ReadonlyArray<{
    readonly resource: { readonly attributes: Attributes }
    readonly scopeSpans: ReadonlyArray<{
      readonly spans: ReadonlyArray<Omit<CollectedSpan, "attributes" | "service"> & { readonly attributes: Attributes }>
    }>
  }>
}

const record = (attributes: Attributes) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))

/** Starts a collector; it ends with the scope. */
export const startCollector = Effect.gen(function*() {
  const spans: Array<CollectedSpan> = []
  const take = ({ resourceSpans }: Body) => {
    for (const { resource, scopeSpans } of resourceSpans) {
      const service = String(record(resource.attributes)["service.name"])
      for (const { attributes, ...span } of scopeSpans.flatMap(({ spans }) => spans)) {
        spans.push({ ...span, service, attributes: record(attributes) })
      }
    }
  }
  const server = yield* Effect.acquireRelease(
    Effect.promise(async () => {
      const server = createServer((request, response) => {
        let text = ""
        request.setEncoding("utf8").on("data", (chunk: string) => text += chunk)
        request.on("end", () => {
          if (request.url === "/v1/traces") take(JSON.parse(text) as Body)
          response.end("{}")
        })
      })
      server.listen(0, "127.0.0.1")
      await once(server, "listening")
      return server
    }),
    (server) =>
      Effect.sync(() => {
        server.close()
        server.closeAllConnections()
      })
  )
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, spans }
})

/** A tracer that keeps the spans it made. */
export const makeTracer = () => {
  const spans: Array<Tracer.NativeSpan> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  return { spans, tracer }
}
