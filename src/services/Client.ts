/**
 * Contract of the client: submit tasks, get their results, ask about them. Engines behind it may differ; definitions and
 * errors stay the same.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { CallError, ResultError, SubmitError, TaskFinished, TaskNotFound, TaskStopping } from "../domain/Errors.ts"
import type { Stats, TaskStatus, TaskType, WorkerStatus } from "../domain/Message.ts"
import type { Priority } from "../domain/Priority.ts"
import type { TaskId } from "../domain/Task.ts"
import type { TaskDefinition } from "../domain/TaskDefinition.ts"
import type { TaskState } from "../domain/TaskState.ts"

/**
 * What a submission may say besides the arguments.
 *
 * @category models
 * @since 0.1.0
 */
export interface SubmitOptions {
  /** Default: the definition's. */
  readonly priority?: Priority
  /** The caller's own id: submitting it again has the effect of once. Default: 128 random bits. */
  readonly id?: string
}

/**
 * A submitted task.
 *
 * @category models
 * @since 0.1.0
 */
export interface TaskHandle<out Success, out Error> {
  readonly id: TaskId
  /** Waits for the outcome, for as long as the control plane answers: use `Effect.timeout` for a deadline of your own. */
  readonly result: Effect.Effect<Success, Error | ResultError>
  readonly status: Effect.Effect<TaskStatus, TaskNotFound | CallError>
  /** Cancels the task if it has not started. */
  readonly cancel: Effect.Effect<void, CancelError>
}

/**
 * Why a task could not be cancelled.
 *
 * @category models
 * @since 0.1.0
 */
export type CancelError = TaskNotFound | TaskStopping | TaskFinished | CallError

/**
 * Arguments and options of a call: the arguments may be left out when the definition requires none.
 *
 * @category models
 * @since 0.1.0
 */
export type Submission<Args> = {} extends Args ? readonly [args?: Args, options?: SubmitOptions]
  : readonly [args: Args, options?: SubmitOptions]

/**
 * Service that submits tasks to a control plane.
 *
 * @category services
 * @since 0.1.0
 */
export class Client extends Context.Service<Client, {
  /** Submits a task. Succeeds when the control plane has accepted it; nothing is sent when the arguments are invalid. */
  readonly delay: <Name extends string, Args, Success, Error>(
    task: TaskDefinition<Name, Args, Success, Error>,
    ...submission: Submission<NoInfer<Args>>
  ) => Effect.Effect<TaskHandle<Success, Error>, SubmitError>
  /** Submits a task and waits for its value, in one message. */
  readonly run: <Name extends string, Args, Success, Error>(
    task: TaskDefinition<Name, Args, Success, Error>,
    ...submission: Submission<NoInfer<Args>>
  ) => Effect.Effect<Success, Error | SubmitError | ResultError>
  /**
   * Submits many tasks in as few messages as possible; handles come in the order of the arguments. When one is refused
   * it fails with that refusal, and those that were accepted still run.
   */
  readonly delayAll: <Name extends string, Args, Success, Error>(
    task: TaskDefinition<Name, Args, Success, Error>,
    args: ReadonlyArray<NoInfer<Args>>,
    options?: Omit<SubmitOptions, "id">
  ) => Effect.Effect<ReadonlyArray<TaskHandle<Success, Error>>, SubmitError>
  /** Waits for the outcome of a task that was submitted by anyone. */
  readonly result: <Name extends string, Args, Success, Error>(
    task: TaskDefinition<Name, Args, Success, Error>,
    id: string
  ) => Effect.Effect<Success, Error | ResultError>
  readonly status: (id: string) => Effect.Effect<TaskStatus, TaskNotFound | CallError>
  readonly cancel: (id: string) => Effect.Effect<void, CancelError>
  /** Tasks that wait or run, oldest first, then the outcomes that are kept. `limit` at most 10,000, default 100. */
  readonly list: (options?: {
    readonly state?: TaskState
    readonly limit?: number
  }) => Effect.Effect<{ readonly tasks: ReadonlyArray<TaskStatus>; readonly total: number }, CallError>
  readonly workers: Effect.Effect<ReadonlyArray<WorkerStatus>, CallError>
  readonly tasks: Effect.Effect<ReadonlyArray<TaskType & { readonly workers: ReadonlyArray<string> }>, CallError>
  readonly stats: Effect.Effect<Stats, CallError>
}>()("fastworker/services/Client") {}
