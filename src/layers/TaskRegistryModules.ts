/**
 * The handlers of this process, from layers or from files of tasks. Files are TypeScript or JavaScript modules, imported
 * as they are; every exported layer and every value of `Task.define` counts, default or named.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { existsSync } from "node:fs"
import { relative, resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { TaskFileError } from "../domain/Errors.ts"
import type { RegisteredHandler, TaskHandler } from "../domain/TaskDefinition.ts"
import { handlerKeyPrefix, isDefinedTask, isTaskDefinition } from "../domain/TaskDefinition.ts"
import { TaskRegistry } from "../services/TaskRegistry.ts"

/** Any layer that gives handlers and whatever else. */
// A layer is contravariant in what it gives: only `any` accepts them all, and what is taken from it is checked by key.
// oxlint-disable-next-line typescript/no-explicit-any
type HandlerLayer = Layer.Layer<any, unknown>

const handlersOf = (context: Context.Context<never>): ReadonlyArray<RegisteredHandler> =>
  [...context.mapUnsafe].flatMap(([key, value]) => key.startsWith(handlerKeyPrefix) ? [value as RegisteredHandler] : [])

const fromHandlers = (handlers: ReadonlyArray<RegisteredHandler>): TaskRegistry["Service"] => {
  const byName = new Map(handlers.map((handler) => [handler.definition.name, handler]))
  return TaskRegistry.of({
    get: (name) => byName.get(name),
    handlers: [...byName.values()].sort((a, b) => a.definition.name < b.definition.name ? -1 : 1)
  })
}

/**
 * Layer that collects the handlers of layers, as `toLayer` makes them.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <Handlers extends TaskHandler<string>, E, R>(
  handlers: Layer.Layer<Handlers, E, R>
): Layer.Layer<TaskRegistry, E, R> =>
  Layer.effect(TaskRegistry, Effect.map(Effect.context<Handlers>(), (context) => fromHandlers(handlersOf(context))))
    .pipe(
      Layer.provide(handlers)
    )

/** Says in one sentence why a module could not be imported, for the mistakes that are made most. */
const importProblem = (cause: unknown): string => {
  const message = cause instanceof Error ? cause.message : String(cause)
  const code = (cause as { readonly code?: unknown } | null)?.code
  if (code === "ERR_MODULE_NOT_FOUND") {
    const missing = /Cannot find (package|module) '([^']+)'/u.exec(message)
    if (missing?.[1] === "package") return `it imports the package "${missing[2]}", which is not installed there`
    if (missing !== null) {
      return `it imports "${missing[2]}", which does not exist (write relative imports with their extension, ./x.ts)`
    }
  }
  if (code === "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX") {
    return `it uses TypeScript that is not only types (an enum, a namespace, a parameter property), ` +
      `which Node does not run: ${message}`
  }
  if (code === "ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING") {
    return "it lies under node_modules, where Node does not run TypeScript: compile it to JavaScript"
  }
  if (code === "ERR_UNKNOWN_FILE_EXTENSION") return "its extension is not one of .ts, .mts, .js, .mjs"
  if (cause instanceof SyntaxError) return `it does not parse: ${message}`
  return `it throws when it is loaded: ${cause instanceof Error ? cause.name : typeof cause}: ${message}`
}

const buildProblem = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  const message = error instanceof Error ? error.message : String(error)
  const missing = /^Service not found: (\S+)/u.exec(message)
  return missing === null
    ? `one of its layers fails: ${error instanceof Error ? error.name : typeof error}: ${message}`
    : `one of its layers needs the service "${missing[1]}", which nothing provides: add it with Layer.provide`
}

/** Imports one file and builds the layers that it exports. */
const load = Effect.fnUntraced(function*(path: string, memo: Layer.MemoMap, scope: Scope.Scope) {
  const absolute = resolve(path)
  const file = relative("", absolute)
  const fail = (reason: string) => Effect.fail(new TaskFileError({ file, reason }))
  if (!existsSync(absolute)) return yield* fail("it does not exist")
  const exported = yield* Effect.tryPromise({
    try: () => import(pathToFileURL(absolute).href) as Promise<Readonly<Record<string, unknown>>>,
    catch: (cause) => new TaskFileError({ file, reason: importProblem(cause) })
  })
  // The same value may be exported twice, by name and as default: it counts once.
  const layers = new Set<HandlerLayer>()
  const contracts: Array<string> = []
  for (const value of Object.values(exported)) {
    if (Layer.isLayer(value)) layers.add(value as HandlerLayer)
    else if (isDefinedTask(value)) layers.add(value.layer)
    else if (isTaskDefinition(value)) contracts.push(String(value.name))
  }
  const handlers: Array<RegisteredHandler> = []
  const seen = new Map<string, RegisteredHandler>()
  for (const layer of layers) {
    const built = yield* Effect.exit(Layer.buildWithMemoMap(layer, memo, scope))
    if (Exit.isFailure(built)) return yield* fail(buildProblem(built.cause))
    for (const handler of handlersOf(built.value)) {
      const known = seen.get(handler.definition.name)
      if (known === handler) continue
      if (known !== undefined) return yield* fail(`it defines the task "${handler.definition.name}" twice`)
      seen.set(handler.definition.name, handler)
      handlers.push(handler)
    }
  }
  if (handlers.length > 0) return handlers
  return yield* fail(
    contracts.length > 0
      ? `it exports definitions without handlers (${contracts.join(", ")}): export what .toLayer(handler) returns, ` +
        `or use Task.define`
      : "it exports no tasks: export what Task.define or .toLayer(handler) returns"
  )
})

/**
 * Loads files of tasks. A file that can't be used, or a name that two files define, is a `TaskFileError`. The services
 * that the files' layers build live as long as the scope.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeFromFiles = Effect.fnUntraced(function*(paths: ReadonlyArray<string>) {
  const memo = yield* Layer.makeMemoMap
  const scope = yield* Effect.scope
  const all: Array<RegisteredHandler> = []
  const fileOf = new Map<string, string>()
  for (const path of new Set(paths)) {
    for (const handler of yield* load(path, memo, scope)) {
      const { name } = handler.definition
      const other = fileOf.get(name)
      if (other !== undefined) {
        return yield* new TaskFileError({
          file: relative("", resolve(path)),
          reason: `it defines the task "${name}", which ${relative("", resolve(other))} defines too`
        })
      }
      fileOf.set(name, path)
      all.push(handler)
    }
  }
  return { registry: fromHandlers(all), fileOf }
})

/**
 * Layer that loads the handlers of files.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerFiles = (paths: ReadonlyArray<string>): Layer.Layer<TaskRegistry, TaskFileError> =>
  Layer.effect(TaskRegistry, Effect.map(makeFromFiles(paths), ({ registry }) => registry))
