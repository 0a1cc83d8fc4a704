/**
 * What a client can change in a control plane, besides to submit: cancel, prioritize, retry, forget, pause, schedule.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import {
  CountChanged,
  IdConflict,
  JournalFailed,
  NotRetryable,
  OutboxFull,
  QueueFull,
  ResultEvicted,
  ScheduleNotFound,
  ShuttingDown,
  TaskFinished,
  TaskNotFound,
  TaskStopping,
  TooLarge,
  UniqueConflict,
  UnknownTask,
  WorkerIsLocal,
  WorkerNotFound
} from "../domain/Errors.ts"
import * as Message from "../domain/Message.ts"
import type { Priority } from "../domain/Priority.ts"
import type { Settings as Values } from "../domain/Settings.ts"
import { isFinal } from "../domain/TaskState.ts"
import type { CancelError, Client, ManyOptions, TaskFilter } from "../services/Client.ts"
import type { Calls } from "./Calls.ts"
import { only } from "./Calls.ts"
import { filterToWire } from "./ClientQueries.ts"
import { isTaskId } from "./ClientSubmissions.ts"
import * as Reply from "./Reply.ts"

const decodeStateReply = Reply.decoder(Message.StateReply)
const decodeCountReply = Reply.decoder(Message.CountReply)
const decodeRetryReply = Reply.decoder(Message.RetryReply)
const decodeDoneReply = Reply.decoder(Message.DoneReply)

const refusals = [
  UnknownTask,
  QueueFull,
  OutboxFull,
  IdConflict,
  UniqueConflict,
  ResultEvicted,
  TooLarge,
  ShuttingDown,
  JournalFailed
] as const

/**
 * Returns why a submission was refused.
 *
 * @category errors
 * @since 0.1.0
 */
export const submitError = only(...refusals)

/**
 * Creates the changes that a client can make.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeChanges = (
  { ask }: Calls,
  { deadlineMillis }: Pick<Values, "deadlineMillis">,
  randomId: () => string
): Pick<
  Client["Service"],
  | "cancel"
  | "cancelAll"
  | "prioritize"
  | "prioritizeAll"
  | "retry"
  | "retryAll"
  | "purge"
  | "pause"
  | "resume"
  | "drainWorker"
  | "schedule"
  | "unschedule"
  | "trigger"
> => {
  const changeMany = (change: {
    readonly op: "cancelAll" | "prioritizeAll" | "retryAll" | "purge"
    readonly to?: Priority
  }) =>
  (filter: TaskFilter, options: ManyOptions = {}) =>
    filterToWire(filter).pipe(
      Effect.flatMap((filter) => ask({ ...change, filter, ...options }, decodeCountReply)),
      Effect.mapError(only(CountChanged)),
      Effect.map(({ count }) => count)
    )

  /** Asks until the task has stopped, or the time is up. */
  const cancelWithin = (id: string, millis: number): Effect.Effect<void, CancelError> => {
    const wait = Math.min(Math.ceil(millis), Message.maxWaitMillis)
    return ask({ op: "cancel", id, wait }, decodeStateReply, wait).pipe(
      Effect.mapError(only(TaskNotFound, TaskFinished)),
      Effect.flatMap(({ state }) =>
        state === "cancelled"
          ? Effect.void
          : isFinal(state)
          ? Effect.fail(new TaskFinished({ id, state }))
          : millis > wait
          ? cancelWithin(id, millis - wait)
          : Effect.fail(new TaskStopping({ id, afterMillis: deadlineMillis }))
      )
    )
  }

  const tell = (header: object) =>
    ask(header, decodeDoneReply).pipe(Effect.mapError(only(ScheduleNotFound)), Effect.asVoid)

  return {
    cancel: (id) =>
      isTaskId(id)
        ? cancelWithin(id, deadlineMillis).pipe(
          // It was cancelled before, maybe by us, and the answer was lost.
          Effect.catchTag(
            "TaskFinished",
            (error) => error.state === "cancelled" ? Effect.void : Effect.fail(error)
          )
        )
        : Effect.fail(new TaskNotFound({ id })),
    cancelAll: changeMany({ op: "cancelAll" }),
    prioritize: (id, to) =>
      isTaskId(id)
        ? ask({ op: "prioritize", id, to }, decodeStateReply).pipe(
          Effect.mapError(only(TaskNotFound, TaskFinished)),
          Effect.asVoid
        )
        : Effect.fail(new TaskNotFound({ id })),
    prioritizeAll: (filter, to, options) => changeMany({ op: "prioritizeAll", to })(filter, options),
    retry: (id) =>
      isTaskId(id)
        ? ask({ op: "retry", id, as: randomId() }, decodeRetryReply).pipe(
          Effect.mapError(only(TaskNotFound, NotRetryable, ...refusals)),
          Effect.map((reply) => reply.id)
        )
        : Effect.fail(new TaskNotFound({ id })),
    retryAll: changeMany({ op: "retryAll" }),
    purge: changeMany({ op: "purge" }),
    pause: (target) => tell({ op: "pause", target: target ?? {} }),
    resume: (target) => tell({ op: "resume", target: target ?? {} }),
    // Its mark goes along: fields that are not known are ignored.
    schedule: (schedule) =>
      ask({ op: "schedule", schedule }, decodeDoneReply).pipe(Effect.mapError(submitError), Effect.asVoid),
    drainWorker: (worker) =>
      ask({ op: "drainWorker", worker }, decodeCountReply).pipe(
        Effect.mapError(only(WorkerNotFound, WorkerIsLocal)),
        Effect.map(({ count }) => count)
      ),
    unschedule: (id) => tell({ op: "unschedule", id }),
    trigger: (id) =>
      ask({ op: "trigger", id, as: randomId() }, decodeRetryReply).pipe(
        Effect.mapError(only(ScheduleNotFound, ...refusals)),
        Effect.map((reply) => reply.id)
      )
  }
}
