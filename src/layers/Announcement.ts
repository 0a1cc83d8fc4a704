/**
 * What a worker announces of its handlers: what the control plane needs for submissions and limits, and what people want
 * to know of a task type. Owns the bounds of an announcement.
 *
 * @since 0.1.0
 */
import type { TaskType } from "../domain/Message.ts"
import { maxSchemaLength } from "../domain/Message.ts"
import type { RegisteredHandler } from "../domain/TaskDefinition.ts"
import { describeRetry } from "../domain/TaskPolicy.ts"

/** Characters of JSON Schemas in one announcement, which is one message: further handlers come without. */
const maxSchemasLength = 4 * 1024 * 1024

/**
 * Returns handlers as they are announced.
 *
 * @category constructors
 * @since 0.1.0
 */
export const describeHandlers = (handlers: ReadonlyArray<RegisteredHandler>): ReadonlyArray<TaskType> => {
  let length = 0
  const schema = (field: "argsSchema" | "resultSchema" | "errorSchema", make: () => string | undefined) => {
    const text = length < maxSchemasLength ? make() : undefined
    if (text === undefined || text.length > maxSchemaLength) return {}
    length += text.length
    return { [field]: text }
  }
  return handlers.map(({ definition }): TaskType => {
    const { args, description, error, name, policy, priority, success } = definition
    const retry = describeRetry(policy)
    return {
      name,
      ...(priority === undefined ? {} : { priority }),
      ...(description === undefined ? {} : { description }),
      ...(policy.limits === undefined ? {} : { limits: policy.limits }),
      ...(policy.retentionMillis === undefined ? {} : { retention: policy.retentionMillis }),
      ...(policy.version === 1 ? {} : { version: policy.version }),
      ...(retry === undefined ? {} : { retry }),
      ...(policy.timeoutMillis === undefined ? {} : { timeout: policy.timeoutMillis }),
      ...(policy.isolation === "fiber" ? {} : { isolation: policy.isolation }),
      ...(policy.sensitive === undefined ? {} : { sensitive: policy.sensitive }),
      ...schema("argsSchema", args.jsonSchema),
      ...schema("resultSchema", success.jsonSchema),
      ...schema("errorSchema", error.jsonSchema)
    }
  })
}
