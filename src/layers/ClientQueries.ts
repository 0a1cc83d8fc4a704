/**
 * What a client can ask of a control plane, besides results: states, lists and counts.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { BadRequest, TaskNotFound, UnknownTask } from "../domain/Errors.ts"
import * as Message from "../domain/Message.ts"
import type { Client, TaskFilter } from "../services/Client.ts"
import type { Calls } from "./Calls.ts"
import { callError } from "./Calls.ts"
import { isTaskId } from "./ClientSubmissions.ts"
import * as Reply from "./Reply.ts"

const decodeStatusReply = Reply.decoder(Message.StatusReply)
const decodeListReply = Reply.decoder(Message.ListReply)
const decodeWorkersReply = Reply.decoder(Message.WorkersReply)
const decodeTasksReply = Reply.decoder(Message.TasksReply)
const decodeSchedulesReply = Reply.decoder(Message.SchedulesReply)
const decodeStatsReply = Reply.decoder(Message.StatsReply)

/**
 * Returns a filter in the form of the wire.
 *
 * @category encoding
 * @since 0.1.0
 */
export const filterToWire = (
  { olderThan, ...filter }: TaskFilter
): Effect.Effect<Omit<Message.TaskFilter, "olderThan">, BadRequest> => {
  if (olderThan === undefined) return Effect.succeed(filter)
  const duration = Duration.fromInput(olderThan)
  return Option.isSome(duration)
    ? Effect.succeed({ ...filter, olderThan: Math.ceil(Duration.toMillis(duration.value)) })
    : Effect.fail(new BadRequest({ reason: "olderThan must be a duration, for example \"5 minutes\"" }))
}

/**
 * Creates the questions of a client.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeQueries = (
  { ask }: Calls
): Pick<Client["Service"], "status" | "list" | "workers" | "tasks" | "taskType" | "schedules" | "stats"> => ({
  status: (id) =>
    isTaskId(id)
      ? ask({ op: "status", ids: [id] }, decodeStatusReply).pipe(
        Effect.mapError(callError),
        Effect.flatMap(({ tasks: [task] }) =>
          task === undefined || task === null ? Effect.fail(new TaskNotFound({ id })) : Effect.succeed(task)
        )
      )
      : Effect.fail(new TaskNotFound({ id })),
  list: ({ dead, limit, ...filter } = {}) =>
    filterToWire(filter).pipe(
      Effect.flatMap((filter) =>
        ask(
          {
            op: "list",
            ...filter,
            ...(dead === undefined ? {} : { dead }),
            ...(limit === undefined ? {} : { limit })
          },
          decodeListReply
        )
      ),
      Effect.mapError(callError),
      Effect.map(({ tasks, total }) => ({ tasks, total }))
    ),
  workers: ask({ op: "workers" }, decodeWorkersReply).pipe(
    Effect.mapError(callError),
    Effect.map(({ workers }) => workers)
  ),
  tasks: ask({ op: "tasks" }, decodeTasksReply).pipe(Effect.mapError(callError), Effect.map(({ tasks }) => tasks)),
  taskType: (name) =>
    ask({ op: "tasks", name }, decodeTasksReply).pipe(
      Effect.mapError(callError),
      Effect.flatMap(({ tasks: [type] }) =>
        type === undefined ? Effect.fail(new UnknownTask({ task: name, known: [] })) : Effect.succeed(type)
      )
    ),
  schedules: ask({ op: "schedules" }, decodeSchedulesReply).pipe(
    Effect.mapError(callError),
    Effect.map(({ schedules }) => schedules)
  ),
  stats: ask({ op: "stats" }, decodeStatsReply).pipe(Effect.mapError(callError), Effect.map(({ stats }) => stats))
})
