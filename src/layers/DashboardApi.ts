/**
 * The handlers of the HTTP API. Reads are answered from the history of the control plane, as they are: its shapes are their
 * own JSON, so nothing is encoded twice. Changes go the way that those of clients go. Tasks are `DashboardApiTasks.ts`.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { HttpApiBuilder, HttpApiMiddleware } from "effect/http-api"
import * as Layer from "effect/Layer"
import * as SchemaIssue from "effect/SchemaIssue"
import { Api, Invalid, Problems } from "../domain/Api.ts"
import type { Parts } from "./DashboardAnswers.ts"
import { changing, json, toNotFound } from "./DashboardAnswers.ts"
import * as DashboardApiTasks from "./DashboardApiTasks.ts"

const overview = ({ history, live, plane }: Parts) =>
  HttpApiBuilder.group(Api, "overview", (handlers) =>
    handlers.handleAll({
      snapshot: () => Effect.sync(() => json(live.snapshot())),
      stats: () => Effect.map(plane.stats, json),
      series: ({ query: { range = "15m", type } }) => Effect.map(history.series(range, type), json),
      errors: ({ query: { range = "15m", type } }) => Effect.map(history.errors(range, type), json),
      system: () => Effect.map(history.system, (system) => json({ ...system, dashboards: live.count() })),
      pause: ({ payload }) => changing(plane.pause(payload)),
      resume: ({ payload }) => changing(plane.resume(payload))
    }))

const workers = ({ history, plane }: Parts) =>
  HttpApiBuilder.group(Api, "workers", (handlers) =>
    handlers.handleAll({
      list: () => Effect.map(history.workers, (workers) => json({ workers })),
      detail: ({ params: { id } }) =>
        history.worker(id).pipe(Effect.mapBoth({ onSuccess: json, onFailure: toNotFound })),
      drain: ({ params: { id } }) => Effect.asVoid(changing(plane.drainWorker(id)))
    }))

const schedules = ({ history, plane }: Parts) =>
  HttpApiBuilder.group(Api, "schedules", (handlers) =>
    handlers.handleAll({
      list: () => Effect.map(history.schedules, (schedules) => json({ schedules })),
      set: ({ payload }) =>
        Effect.andThen(
          DashboardApiTasks.noPlaceholder(history, payload.name, payload.args),
          changing(plane.setSchedule(payload))
        ),
      run: ({ params }) => Effect.map(changing(plane.trigger(params.id)), (id) => json({ id })),
      remove: ({ params: { id } }) => changing(plane.unschedule(id))
    }))

const types = ({ history }: Parts) =>
  HttpApiBuilder.group(Api, "types", (handlers) =>
    handlers.handleAll({
      list: () => Effect.map(history.types, (types) => json({ types })),
      detail: ({ params: { name } }) =>
        history.type(name).pipe(Effect.mapBoth({ onSuccess: json, onFailure: toNotFound }))
    }))

const formatIssues = SchemaIssue.makeFormatterStandardSchemaV1()

/** What does not fit is named place by place: `query.limit`, `payload.args`. */
const layerProblems = HttpApiMiddleware.layerSchemaErrorTransform(Problems, (error) => {
  if (error.kind === "Body" || error.kind === "ResponseHeaders") return Effect.die(error)
  const errors = formatIssues(error.cause.issue).issues.map(({ message, path = [] }) => ({
    path: [
      error.kind.toLowerCase(),
      ...path.map((key) => typeof key === "object" ? String(key.key) : typeof key === "number" ? key : String(key))
    ],
    message
  }))
  const detail = errors.map(({ message, path }) => `${path.join(".")}: ${message}`).join("; ")
  return Effect.fail(new Invalid({ detail, code: "Invalid", errors }))
})

/**
 * Layer that adds the API to a router.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (parts: Parts) =>
  HttpApiBuilder.layer(Api).pipe(
    Layer.provide(
      Layer.mergeAll(overview(parts), DashboardApiTasks.layer(parts), workers(parts), schedules(parts), types(parts))
    ),
    Layer.provide(layerProblems)
  )
