/**
 * Speaks HTTP with the control plane. Owns addresses relative to the page's `<base>`, the form of answers and problems,
 * and asking again when a read failed on the way. What the endpoints are is `Endpoints.ts`.
 */

/** Why a request came to nothing: the problem details of the server, or what happened on the way. */
export interface Problem {
  readonly status: number
  readonly title: string
  readonly detail: string
  /** The `_tag` of the server's error, `Unreachable` when there was no answer, `Aborted` when nobody wants it any more. */
  readonly code: string
}

export type Result<A> =
  | { readonly ok: true; readonly value: A }
  | { readonly ok: false; readonly problem: Problem }

export type Query = Readonly<Record<string, string | number | boolean | undefined>>

export interface Request {
  readonly query?: Query
  readonly body?: unknown
  readonly signal?: AbortSignal | undefined
  /** How the answer is read. Default: as JSON. */
  readonly as?: "json" | "text"
}

/** Milliseconds that an answer may take, and that are waited before a read is tried again. */
const patienceMillis = 15_000
const retryMillis = [250, 1_000]
const passing = new Set([502, 503, 504])

/** `/types/email.send` for names with `/`, `.` and `:` in them. */
export const path = (parts: TemplateStringsArray, ...names: ReadonlyArray<string>): string =>
  String.raw({ raw: parts }, ...names.map(encodeURIComponent))

export const queryString = (query: Query = {}): string => {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") search.set(name, String(value))
  }
  const text = search.toString()
  return text === "" ? "" : `?${text}`
}

const failed = (status: number, code: string, title: string, detail: string) =>
  ({ ok: false, problem: { status, code, title, detail } }) as const

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null

/** Reads problem details; a proxy in between may have answered with something else. */
export const problemOf = (status: number, text: string): Problem => {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    body = undefined
  }
  const word = (name: string, otherwise: string) =>
    isRecord(body) && typeof body[name] === "string" && body[name] !== "" ? body[name] : otherwise
  return {
    status,
    title: word("title", "The request failed"),
    detail: word("detail", `The server answered with status ${status}.`),
    code: word("code", `Status${status}`)
  }
}

const wait = (millis: number, signal: AbortSignal | undefined) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, millis)
    signal?.addEventListener("abort", () => {
      clearTimeout(timer)
      resolve()
    }, { once: true })
  })

/** `onStranger` is called when the server says that it does not know who asks. */
export const makeClient = (base: string, onStranger: () => void = () => {}) => {
  const once = async <A>(method: string, address: string, request: Request): Promise<Result<A>> => {
    const { as = "json", body, signal } = request
    const patience = AbortSignal.timeout(patienceMillis)
    try {
      const response = await fetch(new URL(`api${address}${queryString(request.query)}`, base), {
        method,
        signal: signal === undefined ? patience : AbortSignal.any([signal, patience]),
        ...body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }
      })
      const text = await response.text()
      if (response.status === 401) onStranger()
      if (!response.ok) return { ok: false, problem: problemOf(response.status, text) }
      return { ok: true, value: (as === "text" ? text : text === "" ? undefined : JSON.parse(text)) as A }
    } catch (error) {
      if (signal?.aborted === true) return failed(0, "Aborted", "Given up", "Nobody waits for the answer any more.")
      if (error instanceof SyntaxError) {
        return failed(0, "Malformed", "The answer can't be read", "Something other than the control plane answered.")
      }
      return patience.aborted
        ? failed(0, "Unreachable", "No answer", `The control plane did not answer within ${patienceMillis / 1_000} s.`)
        : failed(0, "Unreachable", "No connection", "The control plane can't be reached.")
    }
  }

  /** Reads; tries again when the request was lost on the way. */
  const get = async <A>(address: string, request: Omit<Request, "body"> = {}): Promise<Result<A>> => {
    let result = await once<A>("GET", address, request)
    for (const millis of retryMillis) {
      const isPassing = !result.ok && (result.problem.code === "Unreachable" || passing.has(result.problem.status))
      if (!isPassing) break
      await wait(millis, request.signal)
      result = await once<A>("GET", address, request)
    }
    return result
  }

  return {
    get,
    /** Changes something: never tried again, nobody knows whether it was done. */
    post: <A = void>(address: string, body: unknown = {}, signal?: AbortSignal) =>
      once<A>("POST", address, { body, signal }),
    remove: (address: string) => once<void>("DELETE", address, {}),
    /** Absolute address, for links to downloads. */
    url: (address: string, query?: Query) => new URL(`api${address}${queryString(query)}`, base).href
  }
}

export type Client = ReturnType<typeof makeClient>
