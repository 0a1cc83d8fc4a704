/**
 * Task definitions: a name, schemas for arguments, success and error, and a policy. A client needs only the definition;
 * `toLayer` gives it a handler in the processes that execute. Owns the encoding of a task's data; knows nothing of queues.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as JsonCodec from "./JsonCodec.ts"
import type { Priority } from "./Priority.ts"
import { TaskName } from "./Task.ts"
import type { TaskContext } from "./TaskContext.ts"

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
 * A task definition: the contract between whoever submits a task and whoever runs it.
 *
 * @category models
 * @since 0.1.0
 */
export interface TaskDefinition<in out Name extends string, in out Args, in out Success, in out Error> {
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
  /**
   * Creates the layer that runs this task in a process that executes. Takes the handler, or an Effect that builds it
   * once per process; what either needs becomes a requirement of the layer.
   */
  toLayer<R = never, BuildError = never, BuildR = never>(
    handler: Handler<Args, Success, Error, R> | Effect.Effect<Handler<Args, Success, Error, R>, BuildError, BuildR>
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
export type Any = TaskDefinition<any, any, any, any>

/**
 * What a definition may say besides its name.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<F extends Fields, S extends JsonCodec.AnyCodec, E extends JsonCodec.AnyCodec> {
  /** Schemas of the arguments by name. Default: none. */
  readonly args?: F
  /** Schema of the value. Default: `Schema.Void`. */
  readonly success?: S
  /** Schema of the error that the caller can handle. Default: `Schema.Never`. */
  readonly error?: E
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
 * Throws when the name is empty, longer than 128 characters or has control characters.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <
  const Name extends string,
  const F extends Fields = {},
  S extends JsonCodec.AnyCodec = Schema.Void,
  E extends JsonCodec.AnyCodec = Schema.Never
>(
  name: Name,
  options: Options<F, S, E> = {}
): TaskDefinition<Name, Schema.Struct.Type<F>, S["Type"], E["Type"]> => {
  type Args = Schema.Struct.Type<F>
  Schema.decodeUnknownSync(TaskName)(name)
  const success: Codec<S["Type"]> = options.success ?? (Schema.Void)
  const error: Codec<E["Type"]> = options.error ?? (Schema.Never)
  const args = Schema.Struct(options.args ?? {}) as unknown as Codec<Args>
  const key = Context.Service<TaskHandler<Name>, RegisteredHandler>(handlerKeyPrefix + name)
  const definition: TaskDefinition<Name, Args, S["Type"], E["Type"]> = {
    "~fastworker/TaskDefinition": true,
    name,
    description: options.description,
    priority: options.priority,
    args: JsonCodec.make(args),
    success: JsonCodec.make(success),
    error: JsonCodec.make(error),
    isError: Schema.is(error),
    toLayer: (handler) => {
      const build = Effect.isEffect(handler) ? handler : Effect.succeed(handler)
      return Layer.effect(
        key,
        Effect.gen(function*() {
          const run = yield* build
          const services = yield* Effect.context()
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
  args: JsonCodec.make(Schema.Unknown)
})

/**
 * A definition that brings its handler.
 *
 * @category models
 * @since 0.1.0
 */
export interface DefinedTask<in out Name extends string, in out Args, in out Success, in out Error>
  extends TaskDefinition<Name, Args, Success, Error>
{
  readonly layer: Layer.Layer<TaskHandler<Name>>
}

/**
 * Creates a definition together with its handler, for tasks that need no services.
 *
 * **Details**
 *
 * `run` returns an Effect or a Promise. A Promise that rejects with a value of the `error` schema fails the task with
 * that error; any other rejection is unexpected ({@link TaskDefect}).
 *
 * @category constructors
 * @since 0.1.0
 */
export const define = <
  const Name extends string,
  const F extends Fields = {},
  S extends JsonCodec.AnyCodec = Schema.Void,
  E extends JsonCodec.AnyCodec = Schema.Never
>(
  name: Name,
  options: Options<F, S, E> & {
    readonly run: (
      args: Schema.Struct.Type<F>
    ) => Effect.Effect<S["Type"], E["Type"], TaskContext> | Promise<S["Type"]>
  }
): DefinedTask<Name, Schema.Struct.Type<F>, S["Type"], E["Type"]> => {
  const definition = make<Name, F, S, E>(name, options)
  const layer = definition.toLayer((args) =>
    Effect.suspend(() => {
      const result = options.run(args)
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
