/**
 * Contract of the task registry: what this process knows of tasks: handlers by name, what runs around them, schedules.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type { ScheduleDeclaration } from "../domain/Schedules.ts"
import type { Around, RegisteredHandler } from "../domain/TaskDefinition.ts"

/**
 * Service that knows the handlers of this process.
 *
 * @category services
 * @since 0.1.0
 */
export class TaskRegistry extends Context.Service<TaskRegistry, {
  readonly get: (name: string) => RegisteredHandler | undefined
  /** All handlers, by name. */
  readonly handlers: ReadonlyArray<RegisteredHandler>
  /** What runs around every handler, outermost first. */
  readonly middleware: ReadonlyArray<Around>
  readonly schedules: ReadonlyArray<ScheduleDeclaration>
  /** The files that all of it was loaded from; none when it was given as layers. */
  readonly files: ReadonlyArray<string>
}>()("fastworker/services/TaskRegistry") {}
