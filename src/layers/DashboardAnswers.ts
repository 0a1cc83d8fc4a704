/**
 * How the dashboard's server answers: JSON, and refusals as problem details (RFC 9457), those of the API's contract
 * (`domain/Api.ts`) and those before and beside it.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { HttpServerResponse } from "effect/http"
import { Conflict, NotFound, Unavailable, Unprocessable } from "../domain/Api.ts"
import type { ReplyError } from "../domain/Errors.ts"
import type { ControlPlane } from "../services/ControlPlane.ts"
import type { History } from "../services/History.ts"
import type { DashboardLive } from "./DashboardLive.ts"

/**
 * What the handlers are made of.
 *
 * @category models
 * @since 0.1.0
 */
export interface Parts {
  readonly plane: ControlPlane["Service"]
  readonly history: History
  readonly live: DashboardLive
}

/**
 * Returns a refusal. `code` is for programs, `detail` a sentence that says what to do.
 *
 * @category constructors
 * @since 0.1.0
 */
export const problem = (
  status: number,
  code: string,
  detail: string,
  headers: Readonly<Record<string, string>> = {}
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.jsonUnsafe(
    {
      type: `urn:fastworker:problem:${code.replaceAll(/(?<=[a-z])(?=[A-Z])/gu, "-").toLowerCase()}`,
      title: titles.get(status) ?? "Refused",
      status,
      detail,
      code
    },
    { status, contentType: "application/problem+json", headers: { "cache-control": "no-store", ...headers } }
  )

const titles: ReadonlyMap<number, string> = new Map([
  [400, "Not understood"],
  [403, "Not allowed"],
  [404, "Not found"],
  [405, "Not this method"],
  [413, "Too large"],
  [415, "Not this kind of body"],
  [500, "An error of ours"],
  [503, "Not now"]
])

/**
 * Returns a value as JSON.
 *
 * @category constructors
 * @since 0.1.0
 */
export const json = (value: unknown): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.jsonUnsafe(value, { headers: { "cache-control": "no-store" } })

type Problem = NotFound | Conflict | Unprocessable | Unavailable

const missing: ReadonlySet<ReplyError["_tag"]> = new Set([
  "TaskNotFound",
  "WorkerNotFound",
  "ScheduleNotFound",
  "ResultEvicted"
])
const conflicts: ReadonlySet<ReplyError["_tag"]> = new Set([
  "TaskFinished",
  "NotRetryable",
  "IdConflict",
  "UniqueConflict",
  "CountChanged",
  "WorkerIsLocal"
])
const passing: ReadonlySet<ReplyError["_tag"]> = new Set(["QueueFull", "OutboxFull", "ShuttingDown", "JournalFailed"])

/**
 * Returns an error of the control plane as a problem.
 *
 * @category errors
 * @since 0.1.0
 */
export const toProblem = ({ _tag: code, message: detail }: ReplyError): Problem =>
  missing.has(code)
    ? new NotFound({ detail, code })
    : conflicts.has(code)
    ? new Conflict({ detail, code })
    : passing.has(code)
    ? new Unavailable({ detail, code })
    : new Unprocessable({ detail, code })

/** How long a change may take: its journal may be slow, or not there. */
const changeMillis = 10_000

const tooSlow = new Unavailable({
  code: "NoAnswer",
  detail: `The control plane could not say within ${changeMillis / 1_000} s that it is done: look whether it was`
})

/**
 * Makes a change, which answers with a value or a problem within a time.
 *
 * @category combinators
 * @since 0.1.0
 */
export const changing = <A>(change: Effect.Effect<A, ReplyError>): Effect.Effect<A, Problem> =>
  change.pipe(
    Effect.mapError(toProblem),
    Effect.timeoutOrElse({ duration: changeMillis, orElse: () => Effect.fail(tooSlow) })
  )

/**
 * Returns the problem of something that is not known.
 *
 * @category errors
 * @since 0.1.0
 */
export const toNotFound = ({ _tag: code, message: detail }: ReplyError): NotFound => new NotFound({ detail, code })
