/**
 * What a client can ask of a control plane, besides results: states, lists and counts.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { TaskFinished, TaskNotFound, TaskStopping } from "../domain/Errors.ts"
import * as Message from "../domain/Message.ts"
import { TaskId } from "../domain/Task.ts"
import type { Client } from "../services/Client.ts"
import type { Calls } from "./Calls.ts"
import { callError } from "./Calls.ts"
import * as Reply from "./Reply.ts"

const decodeStatusReply = Reply.decoder(Message.StatusReply)
const decodeCancelReply = Reply.decoder(Message.CancelReply)
const decodeListReply = Reply.decoder(Message.ListReply)
const decodeWorkersReply = Reply.decoder(Message.WorkersReply)
const decodeTasksReply = Reply.decoder(Message.TasksReply)
const decodeStatsReply = Reply.decoder(Message.StatsReply)

/**
 * Returns whether a text can be the id of a task.
 *
 * @category guards
 * @since 0.1.0
 */
export const isTaskId = Schema.is(TaskId)

/**
 * Creates the questions of a client.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeQueries = (
  { ask }: Calls
): Pick<Client["Service"], "status" | "cancel" | "list" | "workers" | "tasks" | "stats"> => ({
  status: (id) =>
    isTaskId(id)
      ? ask({ op: "status", ids: [id] }, decodeStatusReply).pipe(
        Effect.mapError(callError),
        Effect.flatMap(({ tasks: [task] }) =>
          task === undefined || task === null ? Effect.fail(new TaskNotFound({ id })) : Effect.succeed(task)
        )
      )
      : Effect.fail(new TaskNotFound({ id })),
  cancel: (id) =>
    isTaskId(id)
      ? ask({ op: "cancel", id }, decodeCancelReply).pipe(
        Effect.mapError((error) =>
          error instanceof TaskNotFound || error instanceof TaskStopping || error instanceof TaskFinished
            ? error
            : callError(error)
        ),
        Effect.asVoid
      )
      : Effect.fail(new TaskNotFound({ id })),
  list: (options) =>
    ask({ op: "list", ...options }, decodeListReply).pipe(
      Effect.mapError(callError),
      Effect.map(({ tasks, total }) => ({ tasks, total }))
    ),
  workers: ask({ op: "workers" }, decodeWorkersReply).pipe(
    Effect.mapError(callError),
    Effect.map(({ workers }) => workers)
  ),
  tasks: ask({ op: "tasks" }, decodeTasksReply).pipe(Effect.mapError(callError), Effect.map(({ tasks }) => tasks)),
  stats: ask({ op: "stats" }, decodeStatsReply).pipe(Effect.mapError(callError), Effect.map(({ stats }) => stats))
})
