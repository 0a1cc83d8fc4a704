/**
 * Logs for machines: each a JSON object on a line of its own, with `time`, `level` and `message`, the fields that were said
 * beside the message, and whose log it is: what a handler logs has its task, what is logged within a span its ids.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import { TaskContext } from "../domain/TaskContext.ts"

const isFields = (part: unknown): part is object =>
  typeof part === "object" && part !== null && !(part instanceof Error) && !Array.isArray(part)

const textOf = (part: unknown): string =>
  typeof part === "string" ? part : part instanceof Error ? part.message : String(part)

/** What JSON has no form for is shown as text, and what refers to itself not at all. */
const toJson = (fields: object): string => {
  const above: Array<unknown> = []
  return JSON.stringify(fields, function(this: unknown, _, value: unknown) {
    if (typeof value === "bigint" || typeof value === "symbol") return String(value)
    if (value instanceof Error) return { name: value.name, message: value.message }
    if (typeof value !== "object" || value === null) return value
    while (above.length > 0 && above.at(-1) !== this) above.pop()
    if (above.includes(value)) return "[circular]"
    above.push(value)
    return value
  })
}

/**
 * Logger that writes such lines.
 *
 * @category loggers
 * @since 0.1.0
 */
export const format = Logger.make<unknown, string>(({ cause, date, fiber, logLevel, message }) => {
  const parts: ReadonlyArray<unknown> = Array.isArray(message) ? message : [message]
  const task = Context.getOrUndefined(fiber.context, TaskContext)
  const { span } = fiber.cache
  return toJson({
    ...Object.assign({}, ...parts.filter(isFields)) as object,
    ...Context.get(fiber.context, References.CurrentLogAnnotations),
    ...(task === undefined
      ? {}
      : { id: task.id, task: task.name, attempt: task.attempt, worker: task.worker }),
    ...(span === undefined ? {} : { traceId: span.traceId, spanId: span.spanId }),
    ...(cause.reasons.length === 0 ? {} : { cause: Cause.pretty(cause) }),
    time: date.toISOString(),
    level: logLevel.toLowerCase(),
    message: parts.filter((part) => !isFields(part)).map(textOf).join(" ")
  })
})
