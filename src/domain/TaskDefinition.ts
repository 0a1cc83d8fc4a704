/**
 * Task definitions: a name, schemas for arguments, success and error, and a policy. A client needs only the definition;
 * `toLayer` gives it a handler in the processes that execute. Owns the encoding of a task's data; knows nothing of queues.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as JsonCodec from "./JsonCodec.ts"
import type { Priority } from "./Priority.ts"
import * as Sensitive from "./Sensitive.ts"
import { TaskName } from "./Task.ts"
import { TaskContext } from "./TaskContext.ts"
import type { Policy, PolicyOptions } from "./TaskPolicy.ts"
import * as TaskPolicy from "./TaskPolicy.ts"

/** Run tasks again and again. */
export { cron, every } from "./Schedules.ts"
/** Mark what is not to be seen. */
export { sensitive } from "./Sensitive.ts"

/**
 * Schemas of a task's arguments, by name.
 *
 * @category models
 * @since 0.1.0
 */
export type Fields = Readonly<Record<string, JsonCodec.AnyCodec>>

/**
 * The Effect that runs one task.
 *
 * @category models
 * @since 0.1.0
 */
export type Handler<Args, Success, Error, R> = (args: Args) => Effect.Effect<Success, Error, R>

/**
 * What runs around an attempt: gets the handler's Effect and returns the Effect to run in its place.
 *
 * @category models
 * @since 0.1.0
 */
export type Around = <A, E>(
  run: Effect.Effect<A, E, TaskContext>,
  task: TaskContext["Service"]
) => Effect.Effect<A, E, TaskContext>

/**
 * Marks the layer that provides what runs around the attempts of all tasks.
 *
 * @category models
 * @since 0.1.0
 */
export interface TaskMiddleware {
  readonly _: unique symbol
}

/**
 * Marks the layer that provides the handler of the task with this name.
 *
 * @category models
 * @since 0.1.0
 */
export interface TaskHandler<out Name extends string> {
  readonly _: unique symbol
  readonly name: Name
}

/**
 * A definition, its handler and the services that the handler was built with: what a process that executes keeps.
 *
 * @category models
 * @since 0.1.0
 */
export interface RegisteredHandler {
  readonly definition: TaskDefinition<string, unknown, unknown, unknown>
  readonly run: (args: unknown) => Effect.Effect<unknown, unknown, TaskContext>
  readonly services: Context.Context<never>
}

/**
 * Prefix of the keys under which handlers stand in a context.
 *
 * @category constants
 * @since 0.1.0
 */
export const handlerKeyPrefix = "fastworker/handler/"

/**
 * Prefix of the keys under which middleware stands in a context.
 *
 * @category constants
 * @since 0.1.0
 */
export const middlewareKeyPrefix = "fastworker/middleware/"

/**
 * The codec of what a handler reports while it runs.
 *
 * @category models
 * @since 0.1.0
 */
export interface ProgressCodec<out Progress> {
  encode(value: Progress): ReturnType<JsonCodec.JsonCodec<Progress>["encode"]>
  decode(text: string): ReturnType<JsonCodec.JsonCodec<Progress>["decode"]>
}

/**
 * A task definition: the contract between whoever submits a task and whoever runs it.
 *
 * **Details**
 *
 * A definition without `progress` has the type `never` for it. The parameter is covariant, so that `TaskDefinition<Name,
 * Args, Success, Error>` stands for definitions with any.
 *
 * @category models
 * @since 0.1.0
 */
export interface TaskDefinition<
  in out Name extends string,
  in out Args,
  in out Success,
  in out Error,
  out Progress = unknown
> {
  readonly "~fastworker/TaskDefinition": true
  readonly name: Name
  readonly description: string | undefined
  /** Used when a submission does not name one; `undefined` is `normal`. */
  readonly priority: Priority | undefined
  readonly args: JsonCodec.JsonCodec<Args>
  readonly success: JsonCodec.JsonCodec<Success>
  readonly error: JsonCodec.JsonCodec<Error>
  /** Tells a failure that the definition declares from any other. */
  readonly isError: (value: unknown) => value is Error
  readonly policy: Policy<Args, Error>
  /** `undefined` when the definition has no `progress`. */
  readonly progressCodec: ProgressCodec<Progress> | undefined
  /**
   * Tells whoever watches the task how far it is. For its handler. A value that does not fit the schema, or is too large,
   * is a mistake of the handler: the task fails unexpectedly.
   */
  progress(value: Progress): Effect.Effect<void, never, TaskContext>
  /** What an earlier attempt of the task reported last. For its handler. */
  readonly checkpoint: Effect.Effect<Option.Option<Progress>, never, TaskContext>
  /**
   * Creates the layer that runs this task in a process that executes. Takes the handler, or an Effect that builds it
   * once per process; what either needs becomes a requirement of the layer. `around` runs around each attempt, inside of
   * what {@link middleware} adds.
   */
  toLayer<R = never, BuildError = never, BuildR = never>(
    handler: Handler<Args, Success, Error, R> | Effect.Effect<Handler<Args, Success, Error, R>, BuildError, BuildR>,
    options?: { readonly around?: Around }
  ): Layer.Layer<TaskHandler<Name>, BuildError, Exclude<R, TaskContext> | BuildR>
}

/**
 * Any definition.
 *
 * @category models
 * @since 0.1.0
 */
// The codecs use their type in both directions, so no single instantiation accepts every definition.
// oxlint-disable-next-line typescript/no-explicit-any
export type Any = TaskDefinition<any, any, any, any, any>

/**
 * What a definition may say besides its name.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<
  F extends Fields,
  S extends JsonCodec.AnyCodec,
  E extends JsonCodec.AnyCodec,
  P extends JsonCodec.AnyCodec
> extends PolicyOptions<Schema.Struct.Type<F>, E["Type"]> {
  /** Schemas of the arguments by name. Default: none. */
  readonly args?: F
  /** Schema of the value. Default: `Schema.Void`. */
  readonly success?: S
  /** Schema of the error that the caller can handle. Default: `Schema.Never`. */
  readonly error?: E
  /** Schema of what the handler reports while it runs. Default: it reports nothing. */
  readonly progress?: P
  /** Default: `normal`. */
  readonly priority?: Priority
  /** One line for people: shown by `fastworker tasks` and the dashboard. */
  readonly description?: string
}

type Codec<T> = Schema.ConstraintCodec<T, unknown>

/**
 * Creates a definition without a handler: all that a client imports.
 *
 * **Gotchas**
 *
 * Throws when the name is empty, longer than 128 characters or has control characters, and when an option can't be.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <
  const Name extends string,
  const F extends Fields = {},
  S extends JsonCodec.AnyCodec = Schema.Void,
  E extends JsonCodec.AnyCodec = Schema.Never,
  P extends JsonCodec.AnyCodec = Schema.Never
>(
  name: Name,
  options: Options<F, S, E, P> = {}
): TaskDefinition<Name, Schema.Struct.Type<F>, S["Type"], E["Type"], P["Type"]> => {
  type Args = Schema.Struct.Type<F>
  Schema.decodeUnknownSync(TaskName)(name)
  const success: Codec<S["Type"]> = options.success ?? (Schema.Void)
  const error: Codec<E["Type"]> = options.error ?? (Schema.Never)
  const args = Schema.Struct(options.args ?? {}) as unknown as Codec<Args>
  const key = Context.Service<TaskHandler<Name>, RegisteredHandler>(handlerKeyPrefix + name)
  const definition: TaskDefinition<Name, Args, S["Type"], E["Type"], P["Type"]> = {
    "~fastworker/TaskDefinition": true,
    name,
    description: options.description,
    priority: options.priority,
    args: JsonCodec.make(args),
    success: JsonCodec.make(success),
    error: JsonCodec.make(error),
    isError: Schema.is(error),
    policy: TaskPolicy.make<Args, E["Type"]>(
      name,
      options,
      Sensitive.make({ args, result: success, error, progress: options.progress })
    ),
    progressCodec: options.progress === undefined ? undefined : JsonCodec.make(options.progress),
    progress: (value) => TaskContext.use((task) => task.progress(value)),
    // The executor decodes it with this definition.
    checkpoint: TaskContext.use((task) => task.checkpoint) as Effect.Effect<
      Option.Option<P["Type"]>,
      never,
      TaskContext
    >,
    toLayer: (handler, { around } = {}) => {
      const build = Effect.isEffect(handler) ? handler : Effect.succeed(handler)
      return Layer.effect(
        key,
        Effect.gen(function*() {
          const built = yield* build
          const services = yield* Effect.context()
          // What the handler needs is provided by the executor, to it and to what runs around it.
          const handle = built as Handler<Args, S["Type"], E["Type"], TaskContext>
          const run = around === undefined
            ? handle
            : (args: Args) => TaskContext.use((task) => around(Effect.suspend(() => handle(args)), task))
          // The registry holds handlers of all types: their arguments were decoded by the same definition.
          return { definition, run, services } as unknown as RegisteredHandler
        })
      ) as Layer.Layer<TaskHandler<Name>>
    }
  }
  return definition
}

/**
 * Creates a definition for a task of which only the name is known: arguments, value and error are any JSON value. For
 * tools; programs share definitions instead.
 *
 * @category constructors
 * @since 0.1.0
 */
export const untyped = <const Name extends string>(name: Name): TaskDefinition<Name, unknown, unknown, unknown> => ({
  ...make<Name, {}, Schema.Unknown, Schema.Unknown>(name, { success: Schema.Unknown, error: Schema.Unknown }),
  args: JsonCodec.make(Schema.Unknown),
  policy: TaskPolicy.make<unknown, unknown>(name, {})
})

/**
 * A definition that brings its handler.
 *
 * @category models
 * @since 0.1.0
 */
export interface DefinedTask<
  in out Name extends string,
  in out Args,
  in out Success,
  in out Error,
  out Progress = unknown
> extends TaskDefinition<Name, Args, Success, Error, Progress> {
  readonly layer: Layer.Layer<TaskHandler<Name>>
}

/**
 * What `run` of {@link define} is given besides the arguments: which task it runs, in plain values for Effects and
 * Promises alike.
 *
 * @category models
 * @since 0.1.0
 */
export interface Run<Progress>
  extends Pick<TaskContext["Service"], "id" | "name" | "attempt" | "worker" | "idempotencyKey" | "deadline">
{
  /** Aborted when the attempt is told to stop. */
  readonly signal: AbortSignal
  /** Tells whoever watches how far the work is. Throws when the value does not fit the schema, or is too large. */
  readonly progress: (value: Progress) => void
  /** What an earlier attempt reported last. */
  readonly checkpoint: Progress | undefined
}

// A class because every attempt makes one: the accessors of an object literal alone cost more than the rest of it.
class RunOf<Progress> implements Run<Progress> {
  readonly id: string
  readonly name: string
  readonly attempt: number
  readonly worker: string
  readonly idempotencyKey: string
  readonly deadline: number | undefined
  readonly progress: (value: Progress) => void
  readonly #task: TaskContext["Service"]
  readonly #fiber: Fiber.Fiber<unknown, unknown>
  #controller: AbortController | undefined

  constructor(task: TaskContext["Service"], fiber: Fiber.Fiber<unknown, unknown>) {
    this.id = task.id
    this.name = task.name
    this.attempt = task.attempt
    this.worker = task.worker
    this.idempotencyKey = task.idempotencyKey
    this.deadline = task.deadline
    // Not assigned at once: a function that is goes to the old generation, and all of its task survives with it.
    const progress = (value: Progress) => Effect.runSync(task.progress(value))
    this.progress = progress
    this.#task = task
    this.#fiber = fiber
  }

  get signal() {
    if (this.#controller === undefined) {
      const controller = this.#controller = new AbortController()
      this.#fiber.addObserver((exit) => {
        if (Exit.hasInterrupts(exit)) controller.abort()
      })
    }
    return this.#controller.signal
  }

  get checkpoint() {
    // The executor decodes it with the definition of this task.
    return Option.getOrUndefined(Effect.runSync(this.#task.checkpoint)) as Progress | undefined
  }
}

/**
 * Creates a definition together with its handler, for tasks that need no services.
 *
 * **Details**
 *
 * `run` returns an Effect or a Promise. A Promise that rejects with a value of the `error` schema fails the task with
 * that error; any other rejection is unexpected ({@link TaskDefect}). A Promise can't be interrupted: when its attempt
 * is stopped it is told so by the `signal`, and what it does then is not waited for.
 *
 * @category constructors
 * @since 0.1.0
 */
export const define = <
  const Name extends string,
  const F extends Fields = {},
  S extends JsonCodec.AnyCodec = Schema.Void,
  E extends JsonCodec.AnyCodec = Schema.Never,
  P extends JsonCodec.AnyCodec = Schema.Never
>(
  name: Name,
  options: Options<F, S, E, P> & {
    readonly run: (
      args: Schema.Struct.Type<F>,
      task: Run<P["Type"]>
    ) => Effect.Effect<S["Type"], E["Type"], TaskContext> | Promise<S["Type"]>
  }
): DefinedTask<Name, Schema.Struct.Type<F>, S["Type"], E["Type"], P["Type"]> => {
  const definition = make<Name, F, S, E, P>(name, options)
  const layer = definition.toLayer((args) =>
    Effect.withFiber((fiber) => {
      const result = options.run(args, new RunOf(Context.getUnsafe(fiber.context, TaskContext), fiber))
      if (Effect.isEffect(result)) return result
      return Effect.callback<S["Type"], E["Type"]>((resume) => {
        result.then(
          (value) => resume(Effect.succeed(value)),
          (cause: unknown) => resume(definition.isError(cause) ? Effect.fail(cause) : Effect.die(cause))
        )
      })
    })
  )
  return { ...definition, layer }
}

/**
 * Creates a layer that runs something around every attempt of every task of the process: to measure, to log, to provide
 * what handlers ask of their surroundings. Takes a function, or an Effect that builds it once per process.
 *
 * **Details**
 *
 * Export the layer from a file of tasks, or compose it beside the handlers. Several run in the order of the files and
 * layers, the first outermost. The declared error of a task passes through; what the middleware adds can't fail.
 *
 * @category constructors
 * @since 0.1.0
 */
export const middleware = <BuildError = never, BuildR = never>(
  around: Around | Effect.Effect<Around, BuildError, BuildR>
): Layer.Layer<TaskMiddleware, BuildError, BuildR> => {
  // Each has a key of its own, so that none takes the place of another when layers are merged.
  const key = Context.Service<TaskMiddleware, Around>(middlewareKeyPrefix + crypto.randomUUID())
  return Layer.effect(key, Effect.isEffect(around) ? around : Effect.succeed(around)) as Layer.Layer<
    TaskMiddleware,
    BuildError,
    BuildR
  >
}

/**
 * Returns whether a value is a definition.
 *
 * @category guards
 * @since 0.1.0
 */
export const isTaskDefinition = (value: unknown): value is Any =>
  typeof value === "object" && value !== null && "~fastworker/TaskDefinition" in value

/**
 * Returns whether a value is a definition that brings its handler.
 *
 * @category guards
 * @since 0.1.0
 */
export const isDefinedTask = (value: unknown): value is DefinedTask<string, unknown, unknown, unknown> =>
  isTaskDefinition(value) && "layer" in value && Layer.isLayer(value.layer)
