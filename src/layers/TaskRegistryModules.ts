/**
 * What this process knows of tasks, from layers or from files. Files are TypeScript or JavaScript modules, imported as
 * they are; every exported layer, every value of `Task.define` and every schedule counts, default, named or in an array.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { existsSync } from "node:fs"
import { relative, resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { TaskFileError } from "../domain/Errors.ts"
import type { TaskSchedule } from "../domain/Schedules.ts"
import { isTaskSchedule } from "../domain/Schedules.ts"
import type { Around, RegisteredHandler, TaskHandler, TaskMiddleware } from "../domain/TaskDefinition.ts"
import { handlerKeyPrefix, isDefinedTask, isTaskDefinition, middlewareKeyPrefix } from "../domain/TaskDefinition.ts"
import { TaskRegistry } from "../services/TaskRegistry.ts"

/** Any layer that gives handlers and whatever else. */
// A layer is contravariant in what it gives: only `any` accepts them all, and what is taken from it is checked by key.
// oxlint-disable-next-line typescript/no-explicit-any
type HandlerLayer = Layer.Layer<any, unknown>

/** What stands in a context under a prefix, by key. */
const entriesOf = (context: Context.Context<never>, prefix: string): ReadonlyArray<readonly [string, unknown]> =>
  [...context.mapUnsafe].filter(([key]) => key.startsWith(prefix))

const handlersOf = (context: Context.Context<never>) =>
  entriesOf(context, handlerKeyPrefix).map(([, handler]) => handler as RegisteredHandler)

const middlewareOf = (context: Context.Context<never>) =>
  entriesOf(context, middlewareKeyPrefix).map(([key, around]) => [key, around as Around] as const)

const fromParts = (
  handlers: ReadonlyArray<RegisteredHandler>,
  rest: Pick<TaskRegistry["Service"], "middleware" | "schedules" | "files">
): TaskRegistry["Service"] => {
  const byName = new Map(handlers.map((handler) => [handler.definition.name, handler]))
  return TaskRegistry.of({
    get: (name) => byName.get(name),
    handlers: [...byName.values()].sort((a, b) => a.definition.name < b.definition.name ? -1 : 1),
    ...rest
  })
}

const sameId = (id: string) => `declares the schedule "${id}", which is declared before: give one of them another id`

/**
 * Layer that collects the handlers of layers, as `toLayer` makes them, what `Task.middleware` adds, and schedules.
 *
 * **Gotchas**
 *
 * Two schedules with the same id are a defect.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <Handlers extends TaskHandler<string> | TaskMiddleware, E, R>(
  handlers: Layer.Layer<Handlers, E, R>,
  { schedules = [] }: { readonly schedules?: ReadonlyArray<TaskSchedule> } = {}
): Layer.Layer<TaskRegistry, E, R> =>
  Layer.effect(
    TaskRegistry,
    Effect.suspend(() => {
      const ids = new Set<string>()
      for (const { id } of schedules) {
        if (ids.has(id)) return Effect.die(new RangeError(`TaskRegistryModules.layer ${sameId(id)}`))
        ids.add(id)
      }
      return Effect.map(Effect.context<Handlers>(), (context) =>
        fromParts(handlersOf(context), {
          middleware: middlewareOf(context).map(([, around]) => around),
          schedules,
          files: []
        }))
    })
  ).pipe(Layer.provide(handlers))

/** How long a file may take to load: a top-level await may never end. */
const loadMillis = 60_000

/** A value that was thrown may throw again when it is looked at. */
const describe = (cause: unknown): string => {
  try {
    if (cause instanceof Error) return `${cause.name}: ${cause.message}`
    // A setting that is missing is an error of Effect's that is no `Error`.
    const { _tag: tag, message } = (cause ?? {}) as { readonly _tag?: unknown; readonly message?: unknown }
    if (typeof tag === "string" && typeof message === "string") return `${tag}: ${message.replaceAll(/\s+/gu, " ")}`
    return typeof cause === "object" && cause !== null
      ? "a value that is no Error"
      : `${typeof cause}: ${String(cause)}`
  } catch {
    return "a value that can't be shown"
  }
}

/** Says in one sentence why a module could not be imported, for the mistakes that are made most. */
const importProblem = (cause: unknown): string => {
  try {
    return knownProblem(cause)
  } catch {
    return `it throws when it is loaded: ${describe(cause)}`
  }
}

const knownProblem = (cause: unknown): string => {
  const message = cause instanceof Error ? cause.message : ""
  const code = (cause as { readonly code?: unknown } | null | undefined)?.code
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
  return `it throws when it is loaded: ${describe(cause)}`
}

const buildProblem = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  const missing = error instanceof Error ? /^Service not found: (\S+)/u.exec(error.message) : null
  return missing === null
    ? `one of its layers fails: ${describe(error)}`
    : `one of its layers needs the service "${missing[1]}", which nothing provides: add it with Layer.provide`
}

/** What a module exports of tasks. The same value may be exported twice, by name and as default: it counts once. */
interface Exported {
  readonly layers: ReadonlySet<HandlerLayer>
  readonly schedules: ReadonlySet<TaskSchedule>
  readonly contracts: ReadonlyArray<string>
}

/** Throws what the getters of the exported values throw. */
const exportedOf = (module: Readonly<Record<string, unknown>>): Exported => {
  const layers = new Set<HandlerLayer>()
  const schedules = new Set<TaskSchedule>()
  const contracts: Array<string> = []
  // In the order of the names, which is the engine's, whatever has loaded the module.
  for (const value of Object.keys(module).sort().flatMap((name) => module[name])) {
    if (Layer.isLayer(value)) layers.add(value as HandlerLayer)
    else if (isDefinedTask(value)) layers.add(value.layer)
    else if (isTaskDefinition(value)) contracts.push(String(value.name))
    else if (isTaskSchedule(value) && typeof value.id === "string") schedules.add(value)
  }
  return { layers, schedules, contracts }
}

/** Imports one file and builds the layers that it exports. */
const load = Effect.fnUntraced(function*(path: string, memo: Layer.MemoMap, scope: Scope.Scope) {
  const absolute = resolve(path)
  const file = relative("", absolute)
  const fail = (reason: string) => Effect.fail(new TaskFileError({ file, reason }))
  if (!existsSync(absolute)) return yield* fail("it does not exist")
  const module = yield* Effect.tryPromise({
    try: () => import(pathToFileURL(absolute).href) as Promise<Readonly<Record<string, unknown>>>,
    catch: (cause) => new TaskFileError({ file, reason: importProblem(cause) })
  }).pipe(Effect.timeoutOrElse({
    duration: loadMillis,
    orElse: () => fail(`it has not loaded within ${loadMillis / 1_000} s: does it await something that never comes?`)
  }))
  const { contracts, layers, schedules } = yield* Effect.try({
    try: () => exportedOf(module),
    catch: (cause) => new TaskFileError({ file, reason: `what it exports can't be read: ${describe(cause)}` })
  })
  const handlers: Array<RegisteredHandler> = []
  const middleware = new Map<string, Around>()
  const seen = new Map<string, RegisteredHandler>()
  for (const layer of layers) {
    // What only looks like a layer or an effect ends the fiber that runs it.
    const building = yield* Effect.forkChild(Effect.suspend(() => Layer.buildWithMemoMap(layer, memo, scope)))
    const built = yield* Fiber.await(building)
    if (Exit.isFailure(built)) return yield* fail(buildProblem(built.cause))
    for (const [key, around] of middlewareOf(built.value)) middleware.set(key, around)
    for (const handler of handlersOf(built.value)) {
      const known = seen.get(handler.definition.name)
      if (known === handler) continue
      if (known !== undefined) return yield* fail(`it defines the task "${handler.definition.name}" twice`)
      seen.set(handler.definition.name, handler)
      handlers.push(handler)
    }
  }
  if (handlers.length + middleware.size + schedules.size > 0) return { handlers, middleware, schedules }
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
 * **Details**
 *
 * What `Task.middleware` adds runs in the order of the files, and within a file of the names of the exports.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeFromFiles = Effect.fnUntraced(function*(paths: ReadonlyArray<string>) {
  const memo = yield* Layer.makeMemoMap
  const scope = yield* Effect.scope
  const all: Array<RegisteredHandler> = []
  const middleware = new Map<string, Around>()
  const schedules = new Map<string, TaskSchedule>()
  const fileOf = new Map<string, string>()
  for (const path of new Set(paths)) {
    const file = relative("", resolve(path))
    const loaded = yield* load(path, memo, scope)
    for (const handler of loaded.handlers) {
      const { name } = handler.definition
      const other = fileOf.get(name)
      if (other !== undefined) {
        const reason = `it defines the task "${name}", which ${relative("", resolve(other))} defines too`
        return yield* new TaskFileError({ file, reason })
      }
      fileOf.set(name, path)
      all.push(handler)
    }
    for (const [key, around] of loaded.middleware) middleware.set(key, around)
    for (const schedule of loaded.schedules) {
      // One that another file imports and exports again is the same value.
      if ((schedules.get(schedule.id) ?? schedule) !== schedule) {
        return yield* new TaskFileError({ file, reason: `it ${sameId(schedule.id)}` })
      }
      schedules.set(schedule.id, schedule)
    }
  }
  const registry = fromParts(all, {
    middleware: [...middleware.values()],
    schedules: [...schedules.values()],
    files: paths
  })
  return { registry, fileOf }
})

/**
 * Layer that loads what files define.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerFiles = (paths: ReadonlyArray<string>): Layer.Layer<TaskRegistry, TaskFileError> =>
  Layer.effect(TaskRegistry, Effect.map(makeFromFiles(paths), ({ registry }) => registry))
