/**
 * `/api/session` over HTTP: who am I, sign in, sign out; and the refusal of whoever is not known. What opens it and for
 * how long is `DashboardLogin.ts`.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { HttpIncomingMessage, type HttpServerRequest, HttpServerResponse } from "effect/http"
import { json, problem } from "./DashboardAnswers.ts"
import type { Login, Visitor } from "./DashboardLogin.ts"

/** Bytes of a request to sign in. */
const maxLoginBytes = 4_096

/**
 * Returns the refusal of a method.
 *
 * @category answers
 * @since 0.1.0
 */
export const refuseMethod = (method: string, allowed: string) =>
  problem(405, "MethodNotAllowed", `${method} is not allowed here: use ${allowed}`, { allow: allowed })

/**
 * Creates the answers about sessions.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeSessions = (login: Login) => {
  const unknown = ({ reason }: { readonly reason: "none" | "wrong" | "often" }) =>
    reason === "often"
      ? problem(429, "TooManyGuesses", "Too many wrong keys: try again later", {
        "retry-after": `${login.retryAfter()}`
      })
      : problem(
        401,
        "Unauthenticated",
        reason === "wrong"
          ? "This is neither the secret of the control plane nor the key of a role"
          : "Sign in with the secret of the control plane or the key of a role (`fastworker secret --role observer`)",
        { "www-authenticate": "Bearer" }
      )

  const signIn = (request: HttpServerRequest.HttpServerRequest, address: string, isSecure: boolean) =>
    request.json.pipe(
      Effect.provideService(HttpIncomingMessage.MaxBodySize, BigInt(maxLoginBytes)),
      Effect.map((body) => {
        const key = typeof body === "object" && body !== null && "key" in body ? body.key : undefined
        if (typeof key !== "string") {
          return problem(400, "BadRequest", "Say the key: {\"key\": \"…\"}, with content-type application/json")
        }
        const opened = login.open(key, address, isSecure)
        if (opened.role === undefined) return unknown(opened)
        return json({ role: opened.role }).pipe(HttpServerResponse.setHeader("set-cookie", opened.cookie ?? ""))
      }),
      Effect.orElseSucceed(() => problem(400, "BadRequest", "The body is not JSON, or too long"))
    )

  /** Who am I, sign in, sign out: the only paths of the API that need no session. */
  const session = (
    request: HttpServerRequest.HttpServerRequest,
    visitor: Visitor,
    address: string
  ): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
    const isSecure = request.headers["x-forwarded-proto"] === "https"
    switch (request.method) {
      case "GET":
      case "HEAD":
        return Effect.succeed(
          visitor.role === undefined ? unknown(visitor) : json({ role: visitor.role, isNeeded: login.isNeeded })
        )
      case "POST":
        return login.isNeeded ? signIn(request, address, isSecure) : Effect.succeed(json({ role: "operator" }))
      case "DELETE":
        return Effect.sync(() =>
          HttpServerResponse.empty().pipe(
            HttpServerResponse.setHeader("set-cookie", login.close(request.headers, isSecure))
          )
        )
      default:
        return Effect.succeed(refuseMethod(request.method, "GET, HEAD, POST, DELETE"))
    }
  }

  return { session, unknown }
}
