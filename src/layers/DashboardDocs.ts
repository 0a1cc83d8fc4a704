/**
 * The documents of the HTTP API: the OpenAPI document, and a page made of it for people. The page is plain HTML, so that it
 * needs no script, nothing from elsewhere and no exception in the policy of the dashboard.
 *
 * @since 0.1.0
 */
import { HttpServerResponse } from "effect/http"
import { OpenApi } from "effect/http-api"
import { Api } from "../domain/Api.ts"
import { packageVersion } from "./ControlPlaneViews.ts"

/** A part of a JSON Schema, as far as it is shown. */
interface Shape {
  readonly $ref?: string
  readonly type?: string
  readonly enum?: ReadonlyArray<unknown>
  readonly properties?: Readonly<Record<string, Shape>>
  readonly required?: ReadonlyArray<string>
  readonly items?: Shape | false
  readonly prefixItems?: ReadonlyArray<Shape>
  readonly anyOf?: ReadonlyArray<Shape>
}

type Content = Readonly<Record<string, { readonly schema?: Shape }>>

interface Operation {
  readonly summary?: string
  readonly tags?: ReadonlyArray<string>
  readonly parameters?: ReadonlyArray<{
    readonly name: string
    readonly in: string
    readonly required?: boolean
    readonly schema: Shape
  }>
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>
}

type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>

/** What the server serves besides the API's endpoints. */
const others: Paths = {
  "/api/live": {
    get: {
      tags: ["live"],
      summary:
        "The live stream: server-sent events, first \"snapshot\", then \"frame\" with what changed; ids can be resumed",
      responses: { 200: { description: "Success", content: { "text/event-stream": {} } } }
    }
  },
  "/metrics": {
    get: {
      tags: ["metrics"],
      summary: "The numbers of now and since the start, in the text format of Prometheus",
      responses: { 200: { description: "Success", content: { "text/plain": {} } } }
    }
  },
  "/healthz": {
    get: {
      tags: ["health"],
      summary: "Whether the process answers",
      responses: { 200: { description: "Success", content: { "application/json": {} } } }
    }
  },
  "/readyz": {
    get: {
      tags: ["health"],
      summary: "Whether it accepts tasks: 503 while it shuts down or can't write its journal",
      responses: {
        200: { description: "Success", content: { "application/json": {} } },
        503: { description: "Not now", content: { "application/problem+json": {} } }
      }
    }
  }
}

/**
 * Returns the OpenAPI document of everything that is served under a prefix.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeOpenApi = (prefix: string) => {
  const { info, paths, ...document } = OpenApi.fromApi(Api)
  return {
    ...document,
    info: { ...info, version: packageVersion },
    servers: [{ url: prefix === "" ? "/" : prefix }],
    paths: { ...(paths as unknown as Paths), ...others }
  }
}

const escape = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("\"", "&quot;")

/** A shape as TypeScript would say it. */
const describe = (shape: Shape | undefined, indent = ""): string => {
  if (shape === undefined) return "any"
  if (shape.$ref !== undefined) return (shape.$ref.split("/").at(-1) ?? "").replace(/Encoded$/u, "")
  if (shape.enum !== undefined) return shape.enum.map((value) => JSON.stringify(value)).join(" | ")
  if (shape.anyOf !== undefined) return shape.anyOf.map((part) => describe(part, indent)).join(" | ")
  if (shape.prefixItems !== undefined) return `[${shape.prefixItems.map((part) => describe(part, indent)).join(", ")}]`
  if (shape.type === "array") return `Array<${describe(shape.items === false ? undefined : shape.items, indent)}>`
  if (shape.properties === undefined) return shape.type ?? "any"
  const inner = `${indent}  `
  const lines = Object.entries(shape.properties).map(([name, part]) =>
    `${inner}${name}${shape.required?.includes(name) === true ? "" : "?"}: ${describe(part, inner)}`
  )
  return lines.length === 0 ? "{}" : `{\n${lines.join("\n")}\n${indent}}`
}

const details = (summary: string, text: string) =>
  `<details><summary>${escape(summary)}</summary><pre>${escape(text)}</pre></details>`

const renderOperation = (method: string, path: string, operation: Operation): string => {
  const { parameters = [], requestBody, responses, summary = "" } = operation
  const query = parameters.filter((parameter) => parameter.in === "query").map(({ name, required, schema }) =>
    `${name}${required === true ? "" : "?"}: ${describe(schema)}`
  )
  const bodies = Object.values(requestBody?.content ?? {}).map(({ schema }) => details("Body", describe(schema)))
  const answers = Object.entries(responses).flatMap(([status, { content = {}, description }]) => {
    const [type, body] = Object.entries(content)[0] ?? []
    const title = `${status} ${description}${type === undefined ? "" : `, ${type}`}`
    return body?.schema === undefined ? [`<p>${escape(title)}</p>`] : [details(title, describe(body.schema))]
  })
  return `<section><h3><code><b>${method.toUpperCase()}</b> ${escape(path)}</code></h3><p>${escape(summary)}</p>` +
    (query.length === 0 ? "" : details("Query", query.join("\n"))) + bodies.join("") + answers.join("") + "</section>"
}

const style = `:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;
padding:0 1rem}section{border-top:1px solid color-mix(in srgb,currentColor 20%,transparent);padding:.25rem 0}
h3{font-size:1rem;margin:.75rem 0 0;overflow-wrap:anywhere}p{margin:.25rem 0}pre{overflow:auto;font-size:13px;margin:.25rem 0 .5rem 1rem}
summary{cursor:pointer}summary:focus-visible{outline:2px solid #7143d4}`

const render = (document: ReturnType<typeof makeOpenApi>): string => {
  const groups = new Map<string, Array<string>>()
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const tag = operation.tags?.[0] ?? ""
      groups.set(tag, [...(groups.get(tag) ?? []), renderOperation(method, path, operation)])
    }
  }
  const body = [...groups].map(([tag, sections]) => `<h2 id="${escape(tag)}">${escape(tag)}</h2>${sections.join("")}`)
    .join("")
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>FastWorker HTTP API</title>` +
    `<meta name="viewport" content="width=device-width, initial-scale=1"><style>${style}</style></head><body><main>` +
    `<h1>FastWorker HTTP API</h1><p>${
      escape(document.info.description ?? "")
    }. Times are milliseconds since 1970. Errors ` +
    `are problem details (RFC 9457) with a sentence in <code>detail</code> and the name of the error in <code>code</code>. ` +
    `For tools: <a href="../openapi.json">openapi.json</a>.</p>${body}</main></body></html>`
}

/**
 * Creates the documents; they are made when they are first asked for. `methodsOf` tells which methods a path has.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeDocs = (prefix: string) => {
  let made: ReturnType<typeof makeOpenApi> | undefined
  let html: string | undefined
  const document = () => made ??= makeOpenApi(prefix)
  const headers = { "cache-control": "no-cache" }

  return {
    document: () => HttpServerResponse.jsonUnsafe(document(), { headers }),
    page: () =>
      HttpServerResponse.text(html ??= render(document()), { contentType: "text/html; charset=utf-8", headers }),

    methodsOf(path: string): string | undefined {
      for (const [template, operations] of Object.entries(document().paths)) {
        const pattern = new RegExp(`^${template.replaceAll(".", "\\.").replaceAll(/\{\w+\}/gu, "[^/]+")}/?$`, "u")
        if (!pattern.test(path)) continue
        const methods = Object.keys(operations).map((method) => method.toUpperCase())
        return (methods.includes("GET") ? ["HEAD", ...methods] : methods).sort().join(", ")
      }
      return undefined
    }
  }
}
