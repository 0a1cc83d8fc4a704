/**
 * Contract of the task registry: the handlers of this process, by task name.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type { RegisteredHandler } from "../domain/TaskDefinition.ts"

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
}>()("fastworker/services/TaskRegistry") {}
