/** A control plane with a dashboard in this process, asked over HTTP. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"
import { HttpApiClient } from "effect/http-api"
import * as Layer from "effect/Layer"
import { request } from "node:http"
import { Api } from "../../src/domain/Api.ts"
import type { Settings } from "../../src/domain/Settings.ts"
import { DashboardServer, layer } from "../../src/layers/DashboardServer.ts"
import { layerControlPlane } from "../../src/layers/Node.ts"
import { layerSettings } from "../../src/layers/NodeClient.ts"
import { ControlPlane } from "../../src/services/ControlPlane.ts"

const anyPort = "tcp://127.0.0.1:0"

export interface Answer {
  readonly status: number
  readonly headers: NodeJS.Dict<string | Array<string>>
  readonly bytes: Buffer
  readonly text: string
  /** Of a problem. */
  readonly code: unknown
}

export interface AskOptions {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** An answer to exactly this request target and headers, which `fetch` would tidy up. */
export const ask = (url: string, path: string, { body, headers = {}, method = "GET" }: AskOptions = {}) =>
  Effect.promise(() =>
    new Promise<Answer>((resolve, reject) => {
      const { hostname: host, port } = new URL(url)
      const asked = request({ host, port, path, method, headers, agent: false }, (response) => {
        const chunks: Array<Buffer> = []
        response.on("data", (chunk: Buffer) => chunks.push(chunk))
        response.on("end", () => {
          const bytes = Buffer.concat(chunks)
          const text = bytes.toString()
          const isProblem = response.headers["content-type"] === "application/problem+json"
          const { code } = (isProblem ? JSON.parse(text === "" ? "{}" : text) : {}) as { readonly code?: unknown }
          resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes, text, code })
        })
      })
      asked.on("error", reject)
      asked.end(body)
    })
  )

/** Posts JSON. */
export const post = (url: string, path: string, body: unknown) =>
  ask(url, path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) })

/** Starts a control plane without a worker of its own, with its dashboard. */
export const startDashboard = Effect.fnUntraced(function*(settings: Partial<Settings> = {}) {
  const context = yield* Layer.build(
    layer.pipe(
      Layer.provideMerge(layerControlPlane),
      Layer.provide(layerSettings({
        address: anyPort,
        workerAddress: anyPort,
        discovery: anyPort,
        dashboard: "127.0.0.1:0",
        startGraceMillis: 0,
        ...settings
      }))
    )
  )
  const { url = "" } = Context.get(context, DashboardServer)
  const plane = Context.get(context, ControlPlane)
  const { origin } = new URL(url)
  const api = yield* HttpApiClient.make(Api, {
    transformClient: HttpClient.mapRequest(HttpClientRequest.prependUrl(origin))
  }).pipe(Effect.provide(FetchHttpClient.layer))
  return { api, plane, url, origin }
})

export interface StreamEvent {
  /** `comment` for what is no event. */
  readonly event: string
  readonly id: string
  readonly data: string
}

/** A live stream, read as fast as it comes, closed with the scope. */
export const listen = (origin: string, lastEventId?: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const abort = new AbortController()
      const response = await fetch(`${origin}/api/live`, {
        signal: abort.signal,
        headers: lastEventId === undefined ? {} : { "last-event-id": lastEventId }
      })
      const events: Array<StreamEvent> = []
      let ended: "ended" | "cut" | undefined
      const read = async () => {
        let rest = ""
        for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
          const blocks = (rest + chunk).split("\n\n")
          rest = blocks.pop() ?? ""
          for (const block of blocks) {
            const field = (name: string) => new RegExp(`^${name}: (.*)$`, "mu").exec(block)?.[1]
            events.push({
              event: field("event") ?? (block.startsWith(":") ? "comment" : "retry"),
              id: field("id") ?? "",
              data: field("data") ?? ""
            })
          }
        }
      }
      void read().then(() => ended = "ended", () => ended = "cut")
      return { response, events, ended: () => ended, close: Effect.sync(() => abort.abort()) }
    }),
    ({ close }) => close
  )
