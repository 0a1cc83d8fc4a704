/**
 * The handlers of the HTTP API for tasks: lists, details, payloads, submissions and changes, of one and of many.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import * as Result from "effect/Result"
import { Api, Unprocessable } from "../domain/Api.ts"
import * as Sensitive from "../domain/Sensitive.ts"
import type { Parts } from "./DashboardAnswers.ts"
import { changing, json, toNotFound } from "./DashboardAnswers.ts"

/** Whatever reads the arguments would fail: it is said now, to who can mend it. */
const isJson = (text: string) => Result.isSuccess(Result.try(() => JSON.parse(text) as unknown))

const toUnprocessable = ({ _tag: code, message: detail }: { readonly _tag: string; readonly message: string }) =>
  new Unprocessable({ detail, code })

/**
 * Refuses arguments with the placeholder in a sensitive place: somebody sends what they were shown.
 *
 * @category guards
 * @since 0.1.0
 */
export const noPlaceholder = (
  history: Parts["history"],
  name: string,
  args: string
): Effect.Effect<void, Unprocessable> =>
  args.includes(Sensitive.placeholder)
    ? history.type(name).pipe(
      Effect.orElseSucceed(() => undefined),
      Effect.flatMap((type) => {
        const at = Sensitive.placeholderAt(args, type?.sensitive?.args ?? [])
        return at === undefined ? Effect.void : Effect.fail(
          new Unprocessable({
            detail:
              `payload.args${at}: "${Sensitive.placeholder}" stands for a value that was not shown: give the value`,
            code: "InvalidArguments"
          })
        )
      })
    )
    : Effect.void

/**
 * Layer of the handlers.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = ({ history, plane }: Parts) =>
  HttpApiBuilder.group(Api, "tasks", (handlers) =>
    handlers.handleAll({
      list: ({ query: { cursor, limit, sort, ...query } }) =>
        history.list(query, { cursor, limit, sort }).pipe(
          Effect.mapBoth({ onSuccess: json, onFailure: toUnprocessable })
        ),
      counts: ({ query: { after, ...query } }) =>
        history.counts(query, after).pipe(Effect.mapBoth({ onSuccess: json, onFailure: toUnprocessable })),
      lookup: ({ payload }) => Effect.map(history.lookup(payload.ids), (tasks) => json({ tasks })),
      submit: ({ payload }) =>
        isJson(payload.args)
          ? Effect.andThen(
            noPlaceholder(history, payload.name, payload.args),
            Effect.map(changing(plane.submit(payload)), (id) => json({ id }))
          )
          : Effect.fail(new Unprocessable({ detail: "payload.args: not valid JSON", code: "InvalidArguments" })),
      cancelMany: ({ payload }) => Effect.map(changing(history.cancelMany(payload)), json),
      prioritizeMany: ({ payload: { to, ...selection } }) =>
        Effect.map(changing(history.prioritizeMany(selection, to)), json),
      retryMany: ({ payload }) => Effect.map(changing(history.retryMany(payload)), json),
      purgeMany: ({ payload }) => Effect.map(changing(history.purgeMany(payload)), json),
      detail: ({ params: { id } }) => history.task(id).pipe(Effect.mapBoth({ onSuccess: json, onFailure: toNotFound })),
      // As it is: numbers that JavaScript can't hold stay what they are.
      payload: ({ params: { id, part } }) =>
        history.payload(id, part).pipe(
          Effect.mapBoth({
            onSuccess: (bytes) =>
              HttpServerResponse.uint8Array(bytes, {
                contentType: "application/json",
                headers: { "cache-control": "no-store" }
              }),
            onFailure: toNotFound
          })
        ),
      cancel: ({ params: { id } }) => Effect.map(changing(plane.cancel(id)), (state) => json({ state })),
      prioritize: ({ params: { id }, payload: { to } }) =>
        Effect.map(changing(plane.prioritize(id, to)), (state) => json({ state })),
      retry: ({ params }) => Effect.map(changing(plane.retry(params.id)), (id) => json({ id }))
    }))
