/** The web service: answers at once with the id of a task, and later with its state and result. */
import { Effect, Layer, Schema } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { Client } from "fastworker"
import { countPrimes } from "./definitions.ts"

const json = HttpServerResponse.jsonUnsafe
const failure = (status: number) => (error: { readonly message: string }) =>
  Effect.succeed(json({ error: error.message }, { status }))

const submit = Effect.gen(function*() {
  const client = yield* Client
  const body = yield* HttpServerRequest.schemaBodyJson(Schema.Struct({ below: Schema.Finite }))
  const { id } = yield* client.delay(countPrimes, body)
  return json({ id }, { status: 202, headers: { location: `/tasks/${id}` } })
}).pipe(
  Effect.catchTag(["InvalidArguments", "SchemaError", "HttpServerError"], failure(400)),
  // The queue is full, or the control plane does not answer: the caller may try again.
  Effect.catch(failure(503))
)

const show = Effect.gen(function*() {
  const client = yield* Client
  const { id = "" } = yield* HttpRouter.params
  const { state } = yield* client.status(id)
  return json(state === "succeeded" ? { state, result: yield* client.result(countPrimes, id) } : { state })
}).pipe(
  Effect.catchTag("TaskNotFound", failure(404)),
  Effect.catch(failure(503))
)

export const routes = Layer.merge(
  HttpRouter.add("POST", "/primes", submit),
  HttpRouter.add("GET", "/tasks/:id", show)
)
