/**
 * The client for programs that do not use Effect: the same calls as promises. A promise rejects with the same error
 * instances that the Effect would fail with, so `error._tag` and `instanceof` tell them apart.
 *
 * Also the way to run tasks in such a program: {@link serveWorker}.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Stream from "effect/Stream"
import type { Priority } from "./domain/Priority.ts"
import type { TaskSchedule } from "./domain/Schedules.ts"
import type { Settings } from "./domain/Settings.ts"
import type { TaskStatus } from "./domain/Status.ts"
import type { TaskId } from "./domain/Task.ts"
import type { TaskDefinition } from "./domain/TaskDefinition.ts"
import type { ConnectedClient, Target } from "./layers/NodeClient.ts"
import { connect, layerSettings } from "./layers/NodeClient.ts"
import * as TaskRegistryModules from "./layers/TaskRegistryModules.ts"
import type {
  Client,
  EventFilter,
  ManyOptions,
  PauseTarget,
  SubmitOptions,
  TaskFilter,
  TaskHandle
} from "./services/Client.ts"
import type * as Contract from "./services/Client.ts"
import { Worker } from "./services/Worker.ts"

/**
 * What every call takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface CallOptions {
  /** Ends the waiting, not the task: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/**
 * A submitted task.
 *
 * @category models
 * @since 0.1.0
 */
export interface Handle<out Success, out Progress = unknown> {
  /** The id of the task that was there already when it holds the unique key and the definition wants it so. */
  readonly id: TaskId
  /** Waits for the outcome, for as long as the control plane answers: pass `AbortSignal.timeout(ms)` for a deadline. */
  readonly result: (options?: CallOptions) => Promise<Success>
  readonly status: (options?: CallOptions) => Promise<TaskStatus>
  /**
   * Cancels the task. Resolves when it does not run any more; rejects with `TaskStopping` when it still does at the
   * deadline of the client, and with `TaskFinished` when it had another outcome before.
   */
  readonly cancel: (options?: CallOptions) => Promise<void>
  /**
   * What the handler reports, from the newest that there is on; values that come faster than they are taken are left
   * out. Ends with the outcome, whatever it is.
   */
  readonly progress: (options?: CallOptions) => AsyncIterable<Progress>
}

type Submission<Args> = Contract.Submission<Args, SubmitOptions & CallOptions>
type ListOptions = NonNullable<Parameters<Client["Service"]["list"]>[0]>

const toPromise = async <A, E>(effect: Effect.Effect<A, E>, { signal }: CallOptions = {}): Promise<A> => {
  signal?.throwIfAborted()
  const exit = await Effect.runPromiseExit(effect, signal === undefined ? {} : { signal })
  if (Exit.isSuccess(exit)) return exit.value
  throw signal?.aborted === true && Cause.hasInterruptsOnly(exit.cause) ? signal.reason : Cause.squash(exit.cause)
}

/** Fails with the reason of the signal when it is aborted. */
const aborted = (signal: AbortSignal) =>
  Effect.callback<never, unknown>((resume) => {
    const abort = () => resume(Effect.fail(signal.reason))
    if (signal.aborted) return abort()
    signal.addEventListener("abort", abort)
    return Effect.sync(() => signal.removeEventListener("abort", abort))
  })

const toIterable = <A, E>(stream: Stream.Stream<A, E>, { signal }: CallOptions = {}): AsyncIterable<A> =>
  Stream.toAsyncIterable(signal === undefined ? stream : Stream.interruptWhen(stream, aborted(signal)))

const toHandle = <Success, Error, Progress>(
  handle: TaskHandle<Success, Error, Progress>
): Handle<Success, Progress> => ({
  id: handle.id,
  result: (options) => toPromise(handle.result, options),
  status: (options) => toPromise(handle.status, options),
  cancel: (options) => toPromise(handle.cancel, options),
  progress: (options) => toIterable(handle.progress, options)
})

const callOptions = (signal: AbortSignal | undefined): CallOptions => signal === undefined ? {} : { signal }

/**
 * Makes promises of a client.
 *
 * @category constructors
 * @since 0.1.0
 */
export const clientOf = (client: ConnectedClient) => {
  const close = () => toPromise(client.close)
  return {
    /** Submits a task. Resolves when the control plane has accepted it; nothing is sent when the arguments are invalid. */
    delay: <Name extends string, Args, Success, Error, Progress>(
      task: TaskDefinition<Name, Args, Success, Error, Progress>,
      ...submission: Submission<NoInfer<Args>>
    ): Promise<Handle<Success, Progress>> => toPromise(client.delay(task, ...submission), submission[1]).then(toHandle),
    /** Submits a task and waits for its value, in one message. */
    run: <Name extends string, Args, Success, Error>(
      task: TaskDefinition<Name, Args, Success, Error>,
      ...submission: Submission<NoInfer<Args>>
    ): Promise<Success> => toPromise(client.run(task, ...submission), submission[1]),
    /** Submits many tasks in as few messages as possible; handles come in the order of the arguments. */
    delayAll: <Name extends string, Args, Success, Error, Progress>(
      task: TaskDefinition<Name, Args, Success, Error, Progress>,
      args: ReadonlyArray<NoInfer<Args>>,
      options?: Omit<SubmitOptions, "id"> & CallOptions
    ): Promise<ReadonlyArray<Handle<Success, Progress>>> =>
      toPromise(client.delayAll(task, args, options), options).then((handles) => handles.map(toHandle)),
    /**
     * Submits many tasks and waits for their values, in as few messages as possible; values come in the order of the
     * arguments. Rejects as soon as one of them is refused or fails; the others run on.
     */
    runAll: <Name extends string, Args, Success, Error>(
      task: TaskDefinition<Name, Args, Success, Error>,
      args: ReadonlyArray<NoInfer<Args>>,
      options?: Omit<SubmitOptions, "id"> & CallOptions
    ): Promise<ReadonlyArray<Success>> => toPromise(client.runAll(task, args, options), options),
    /** Waits for the outcome of a task that was submitted by anyone. */
    result: <Name extends string, Args, Success, Error>(
      task: TaskDefinition<Name, Args, Success, Error>,
      id: string,
      options?: CallOptions
    ): Promise<Success> => toPromise(client.result(task, id), options),
    /** Follows the progress of a task that was submitted by anyone; see {@link Handle}. */
    progress: <Name extends string, Args, Success, Error, Progress>(
      task: TaskDefinition<Name, Args, Success, Error, Progress>,
      id: string,
      options?: CallOptions
    ): AsyncIterable<Progress> => toIterable(client.progress(task, id), options),
    status: (id: string, options?: CallOptions) => toPromise(client.status(id), options),
    /** Cancels a task; see {@link Handle}. */
    cancel: (id: string, options?: CallOptions) => toPromise(client.cancel(id), options),
    /** Cancels the tasks that wait or run. Resolves with their number, when those that run were told to stop. */
    cancelAll: (filter: TaskFilter, { signal, ...options }: ManyOptions & CallOptions = {}) =>
      toPromise(client.cancelAll(filter, options), callOptions(signal)),
    /**
     * Gives a task another priority: one that waits stands last in it, one that runs has it when it waits again. A task
     * that has it already stays where it is.
     */
    prioritize: (id: string, to: Priority, options?: CallOptions) => toPromise(client.prioritize(id, to), options),
    /** Gives the tasks that wait or run, and have another one, this priority. Resolves with their number. */
    prioritizeAll: (filter: TaskFilter, to: Priority, { signal, ...options }: ManyOptions & CallOptions = {}) =>
      toPromise(client.prioritizeAll(filter, to, options), callOptions(signal)),
    /** Runs a task that failed or expired again, as a new task. Resolves with the id of the new one. */
    retry: (id: string, options?: CallOptions) => toPromise(client.retry(id), options),
    /** Runs tasks that failed or expired again. Resolves with their number; what is refused stays as it is. */
    retryAll: (filter: TaskFilter, { signal, ...options }: ManyOptions & CallOptions = {}) =>
      toPromise(client.retryAll(filter, options), callOptions(signal)),
    /** Forgets tasks that failed or expired: they can't be retried any more. Resolves with their number. */
    purge: (filter: TaskFilter, { signal, ...options }: ManyOptions & CallOptions = {}) =>
      toPromise(client.purge(filter, options), callOptions(signal)),
    /** From now on nothing of the target is started; what runs goes on. Default: everything. */
    pause: (target?: PauseTarget, options?: CallOptions) => toPromise(client.pause(target), options),
    resume: (target?: PauseTarget, options?: CallOptions) => toPromise(client.resume(target), options),
    /** Adds a schedule (`Task.every`, `Task.cron`), or replaces the one with the same id. */
    schedule: (schedule: TaskSchedule, options?: CallOptions) => toPromise(client.schedule(schedule), options),
    /** Removes a schedule. One that a worker declares comes back when that worker registers again. */
    unschedule: (id: string, options?: CallOptions) => toPromise(client.unschedule(id), options),
    /** Submits the task of a schedule now, whenever it is due. Resolves with the id of the task. */
    trigger: (id: string, options?: CallOptions) => toPromise(client.trigger(id), options),
    schedules: (options?: CallOptions) => toPromise(client.schedules, options),
    /**
     * Follows what happens in the control plane from now on. Throws when it can't be reached at first; later it goes on
     * as soon as there is a control plane again, without what happened meanwhile.
     */
    events: ({ signal, ...filter }: EventFilter & CallOptions = {}) =>
      toIterable(client.events(filter), callOptions(signal)),
    /**
     * Tasks that wait or run, oldest first, then the outcomes that are kept; with `dead` those that can be retried.
     * `limit` at most 10,000, default 100.
     */
    list: ({ signal, ...options }: ListOptions & CallOptions = {}) =>
      toPromise(client.list(options), callOptions(signal)),
    workers: (options?: CallOptions) => toPromise(client.workers, options),
    tasks: (options?: CallOptions) => toPromise(client.tasks, options),
    stats: (options?: CallOptions) => toPromise(client.stats, options),
    /** Disconnects. Whoever still waits is rejected; tasks that were accepted run. */
    close,
    [Symbol.asyncDispose]: close
  }
}

/**
 * A connected client.
 *
 * @category models
 * @since 0.1.0
 */
export interface FastWorker extends ReturnType<typeof clientOf> {}

/**
 * Connects clients. A client connects in the background: calls wait for the control plane until their deadline. An open
 * client keeps the process alive until it is closed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const FastWorker = {
  connect: (options: Target & Partial<Settings> = {}): Promise<FastWorker> => toPromise(connect(options)).then(clientOf)
}

/**
 * Runs tasks in this process until it is closed; resolves when the control plane knows the worker, and waits for ever
 * while there is none. `close` lets the running tasks finish, up to the drain timeout.
 *
 * @category constructors
 * @since 0.1.0
 */
export const serveWorker = async (
  /** Values of `Task.define`. */
  tasks: ReadonlyArray<{ readonly layer: Layer.Layer<never> }>,
  { controlPlane, id, ...settings }: Target & Partial<Settings> & { readonly id?: string } = {}
): Promise<{ readonly id: string; readonly close: () => Promise<void> }> => {
  const options = { ...(controlPlane === undefined ? {} : { controlPlane }), ...(id === undefined ? {} : { id }) }
  // Most who import this only submit.
  const { layerWorker } = await import("./layers/Node.ts")
  const handlers = TaskRegistryModules.layer(Layer.mergeAll(Layer.empty, ...tasks.map(({ layer }) => layer)))
  const runtime = ManagedRuntime.make(
    layerWorker(options).pipe(Layer.provide([handlers, layerSettings(settings)]))
  )
  const started = Worker.pipe(Effect.tap(({ ready }) => ready), Effect.onError(() => runtime.disposeEffect))
  const worker = await runtime.runPromise(started)
  return { id: worker.id, close: () => toPromise(worker.drain).then(() => runtime.dispose()) }
}
