/**
 * The HTTP API of the control plane: what the dashboard, scripts and other languages ask over HTTP. Owns paths, queries,
 * bodies and errors; the handlers are `layers/DashboardApi.ts`. Everything under `/api`; errors are problem details
 * (RFC 9457).
 *
 * @since 0.1.0
 */
import {
  HttpApi,
  HttpApiEndpoint,
  HttpApiError,
  HttpApiGroup,
  HttpApiMiddleware,
  HttpApiSchema,
  OpenApi
} from "effect/http-api"
import * as Schema from "effect/Schema"
import { PauseTarget, SubmitTask } from "./Message.ts"
import { Priority } from "./Priority.ts"
import { ScheduleDeclaration } from "./Schedules.ts"
import { Stats } from "./Status.ts"
import { TaskId, TaskName } from "./Task.ts"
import { TaskQuery, TaskSelection } from "./TaskQuery.ts"
import { TaskState } from "./TaskState.ts"
import * as View from "./View.ts"

/** Which tasks are meant. */
export { TaskQuery, TaskSelection } from "./TaskQuery.ts"

/** Beside the standard members of a problem: `code` is the `_tag` of the error, `detail` its sentence. */
const fields = { detail: Schema.String, code: Schema.String }

/** The request does not fit the endpoint: `errors` has each place and what is wrong there. @category errors @since 0.1.0 */
export class Invalid extends HttpApiError.Problem<Invalid>()("Invalid", {
  type: "urn:fastworker:problem:invalid",
  status: 400,
  title: "Not understood"
}, { ...fields, errors: Schema.Array(HttpApiError.ProblemIssue) }) {}
/** The thing that was named is not known. @category errors @since 0.1.0 */
export class NotFound extends HttpApiError.Problem<NotFound>()("NotFound", {
  type: "urn:fastworker:problem:not-found",
  status: 404,
  title: "Not found"
}, fields) {}
/** The thing is not in a state that allows it. @category errors @since 0.1.0 */
export class Conflict extends HttpApiError.Problem<Conflict>()("Conflict", {
  type: "urn:fastworker:problem:conflict",
  status: 409,
  title: "Not in this state"
}, fields) {}
/** What was sent is not accepted. @category errors @since 0.1.0 */
export class Unprocessable extends HttpApiError.Problem<Unprocessable>()("Unprocessable", {
  type: "urn:fastworker:problem:unprocessable",
  status: 422,
  title: "Not accepted"
}, fields) {}
/** Not now: full, shutting down, or the journal can't be written. @category errors @since 0.1.0 */
export class Unavailable extends HttpApiError.Problem<Unavailable>()("Unavailable", {
  type: "urn:fastworker:problem:unavailable",
  status: 503,
  title: "Not now"
}, fields) {}

/** Why a change is refused. */
const refusals = [NotFound, Conflict, Unprocessable, Unavailable] as const

/** Makes problems of requests that do not fit. @category middleware @since 0.1.0 */
export class Problems extends HttpApiMiddleware.Service<Problems>()("fastworker/domain/Api/Problems", {
  error: Invalid
}) {}

const text = (max: number) => Schema.String.check(Schema.isMaxLength(max))

/** What came of a change of many: `skipped` had changed meanwhile. @category schemas @since 0.1.0 */
export const Changed = Schema.Struct({ count: Schema.Int, skipped: Schema.Int })

const taskId = { id: TaskId }
const toPriority = { to: Priority }
const name = { id: Schema.String }

class Overview extends HttpApiGroup.make("overview").add(
  HttpApiEndpoint.get("snapshot", "/snapshot", { success: View.Snapshot }).annotate(
    OpenApi.Summary,
    "The whole state, as the live stream begins with it"
  ),
  HttpApiEndpoint.get("stats", "/stats", { success: Stats }).annotate(OpenApi.Summary, "The counts since the start"),
  HttpApiEndpoint.get("series", "/series", {
    query: { range: Schema.optionalKey(View.Range), type: Schema.optionalKey(TaskName) },
    success: View.Series
  }).annotate(OpenApi.Summary, "What happened in a range of time, step by step"),
  HttpApiEndpoint.get("errors", "/errors", {
    query: { range: Schema.optionalKey(View.Range), type: Schema.optionalKey(TaskName) },
    success: Schema.Struct({ groups: Schema.Array(View.ErrorGroup), total: Schema.Int })
  }).annotate(OpenApi.Summary, "Failures that are the same but for their numbers, by range of time"),
  HttpApiEndpoint.get("system", "/system", { success: View.SystemView }).annotate(
    OpenApi.Summary,
    "The control plane itself: settings, and what its parts hold"
  ),
  HttpApiEndpoint.post("pause", "/pause", {
    payload: PauseTarget,
    success: HttpApiSchema.NoContent,
    error: refusals
  }).annotate(
    OpenApi.Summary,
    "Starts nothing more of a task type, a worker or a schedule; of everything when none is named"
  ),
  HttpApiEndpoint.post("resume", "/resume", {
    payload: PauseTarget,
    success: HttpApiSchema.NoContent,
    error: refusals
  }).annotate(OpenApi.Summary, "Goes on with what was paused")
).prefix("/api") {}

class Tasks extends HttpApiGroup.make("tasks").add(
  HttpApiEndpoint.get("list", "/", {
    query: {
      ...TaskQuery,
      /** What `next` of the list before said. */
      cursor: Schema.optionalKey(text(256)),
      limit: Schema.optionalKey(
        Schema.FiniteFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 1, maximum: 1_000 }))
      ),
      /** Default: newest submission first. */
      sort: Schema.optionalKey(Schema.Literals(["newest", "oldest", "changed"]))
    },
    success: Schema.Struct({
      /** When the list was made, for `after` and `asOf`. */
      asOf: Schema.Finite,
      tasks: Schema.Array(View.TaskRow),
      next: Schema.NullOr(Schema.String)
    }),
    error: [Unprocessable]
  }).annotate(OpenApi.Summary, "Tasks, alive and finished, by filter, page by page"),
  HttpApiEndpoint.get("counts", "/counts", {
    query: { ...TaskQuery, after: Schema.optionalKey(Schema.FiniteFromString) },
    success: Schema.Struct({
      total: Schema.Int,
      /** By state, `state` of the query aside. */
      states: Schema.Struct({
        delayed: Schema.Int,
        queued: Schema.Int,
        running: Schema.Int,
        cancelling: Schema.Int,
        retrying: Schema.Int,
        succeeded: Schema.Int,
        failed: Schema.Int,
        cancelled: Schema.Int,
        expired: Schema.Int
      }),
      /** Submitted after `after`. */
      newer: Schema.Int
    }),
    error: [Unprocessable]
  }).annotate(OpenApi.Summary, "How many tasks a filter means, by state"),
  HttpApiEndpoint.post("lookup", "/lookup", {
    payload: Schema.Struct({ ids: Schema.Array(TaskId).check(Schema.isMaxLength(500)) }),
    success: Schema.Struct({ tasks: Schema.Array(View.TaskRow) })
  }).annotate(OpenApi.Summary, "Those of these tasks that are known"),
  HttpApiEndpoint.post("submit", "/", {
    payload: Schema.Struct({
      id: Schema.optionalKey(TaskId),
      name: TaskName,
      /** JSON text, as it is. */
      args: Schema.String,
      priority: Schema.optionalKey(Priority),
      in: SubmitTask.fields.in,
      at: SubmitTask.fields.at,
      expiresIn: SubmitTask.fields.expiresIn,
      unique: SubmitTask.fields.unique,
      limitKey: SubmitTask.fields.limitKey,
      fairKey: SubmitTask.fields.fairKey,
      weight: SubmitTask.fields.weight,
      version: SubmitTask.fields.version,
      tags: SubmitTask.fields.tags,
      tenant: SubmitTask.fields.tenant,
      ignoreResult: SubmitTask.fields.ignoreResult
    }),
    success: Schema.Struct({ id: Schema.String }),
    error: refusals
  }).annotate(OpenApi.Summary, "Submits a task"),
  HttpApiEndpoint.post("cancelMany", "/cancel", {
    payload: TaskSelection,
    success: Changed,
    error: refusals
  }).annotate(OpenApi.Summary, "Cancels the tasks that a selection means"),
  HttpApiEndpoint.post("prioritizeMany", "/prioritize", {
    payload: Schema.Struct({ ...TaskSelection.fields, ...toPriority }),
    success: Changed,
    error: refusals
  }).annotate(OpenApi.Summary, "Gives those without an outcome another priority"),
  HttpApiEndpoint.post("retryMany", "/retry", {
    payload: TaskSelection,
    success: Changed,
    error: refusals
  }).annotate(OpenApi.Summary, "Runs those that failed or expired again"),
  HttpApiEndpoint.post("purgeMany", "/purge", {
    payload: TaskSelection,
    success: Changed,
    error: refusals
  }).annotate(OpenApi.Summary, "Forgets those that failed or expired"),
  HttpApiEndpoint.get("detail", "/:id", { params: taskId, success: View.TaskDetail, error: [NotFound] }).annotate(
    OpenApi.Summary,
    "Everything that is known of a task"
  ),
  /** The whole of a payload, as it is. */
  HttpApiEndpoint.get("payload", "/:id/:part", {
    params: { ...taskId, part: Schema.Literals(["args", "result", "error", "progress"]) },
    success: Schema.Uint8Array.pipe(HttpApiSchema.asUint8Array({ contentType: "application/json" })),
    error: [NotFound]
  }).annotate(OpenApi.Summary, "The whole of its arguments, result, error or progress, as it is"),
  HttpApiEndpoint.post("cancel", "/:id/cancel", {
    params: taskId,
    success: Schema.Struct({ state: TaskState }),
    error: refusals
  }).annotate(OpenApi.Summary, "Cancels a task; one that runs is told to stop"),
  HttpApiEndpoint.post("prioritize", "/:id/prioritize", {
    params: taskId,
    payload: Schema.Struct(toPriority),
    success: Schema.Struct({ state: TaskState }),
    error: refusals
  }).annotate(OpenApi.Summary, "Gives a task another priority; one that waits stands last in it"),
  HttpApiEndpoint.post("retry", "/:id/retry", {
    params: taskId,
    success: Schema.Struct({ id: Schema.String }),
    error: refusals
  }).annotate(OpenApi.Summary, "Runs a task that failed or expired again, as a new one")
).prefix("/api/tasks") {}

class Workers extends HttpApiGroup.make("workers").add(
  HttpApiEndpoint.get("list", "/", { success: Schema.Struct({ workers: Schema.Array(View.WorkerRow) }) }).annotate(
    OpenApi.Summary,
    "The workers"
  ),
  /** By id or key. */
  HttpApiEndpoint.get("detail", "/:id", { params: name, success: View.WorkerDetail, error: [NotFound] }).annotate(
    OpenApi.Summary,
    "Everything that is known of a worker, by id or key"
  ),
  /** It finishes what it runs, then leaves and ends. */
  HttpApiEndpoint.post("drain", "/:id/drain", {
    params: name,
    success: HttpApiSchema.NoContent,
    error: refusals
  }).annotate(OpenApi.Summary, "Tells a worker to finish what it runs, to leave and to end")
).prefix("/api/workers") {}

class Schedules extends HttpApiGroup.make("schedules").add(
  HttpApiEndpoint.get("list", "/", { success: Schema.Struct({ schedules: Schema.Array(View.ScheduleRow) }) }).annotate(
    OpenApi.Summary,
    "The schedules, with their next times and last tasks"
  ),
  HttpApiEndpoint.post("set", "/", {
    payload: ScheduleDeclaration,
    success: HttpApiSchema.NoContent,
    error: refusals
  }).annotate(OpenApi.Summary, "Adds a schedule, or replaces the one with the same id"),
  HttpApiEndpoint.post("run", "/:id/run", {
    params: name,
    success: Schema.Struct({ id: Schema.String }),
    error: refusals
  }).annotate(OpenApi.Summary, "Submits its task now"),
  HttpApiEndpoint.delete("remove", "/:id", { params: name, success: HttpApiSchema.NoContent, error: refusals })
    .annotate(OpenApi.Summary, "Removes a schedule; one that a worker declares comes back with that worker")
).prefix("/api/schedules") {}

class Types extends HttpApiGroup.make("types").add(
  HttpApiEndpoint.get("list", "/", { success: Schema.Struct({ types: Schema.Array(View.TypeRow) }) }).annotate(
    OpenApi.Summary,
    "The task types that workers announced"
  ),
  HttpApiEndpoint.get("detail", "/:name", {
    params: { name: Schema.String },
    success: View.TypeDetail,
    error: [NotFound]
  }).annotate(OpenApi.Summary, "Everything that is known of a task type, with its JSON Schemas")
).prefix("/api/types") {}

/**
 * The API. Beside it stand `GET /api/live`, the stream of frames (server-sent events: first `snapshot` with a
 * {@link View.Snapshot}, then `frame` with a {@link View.Frame}), `/openapi.json`, `/api/docs` and `/healthz`.
 *
 * @category api
 * @since 0.1.0
 */
export class Api extends HttpApi.make("fastworker")
  .add(Overview)
  .add(Tasks)
  .add(Workers)
  .add(Schedules)
  .add(Types)
  .middleware(Problems)
  .annotateMerge(OpenApi.annotations({
    title: "FastWorker",
    description: "The control plane of FastWorker: tasks, workers, schedules and what happened to them"
  }))
{}
