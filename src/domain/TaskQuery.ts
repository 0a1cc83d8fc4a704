/**
 * Which tasks are meant, in a list or for a change of many. Owns the schemas; what matches is the history's business.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { TaskId, TaskKey } from "./Task.ts"

const text = (max: number) => Schema.String.check(Schema.isMaxLength(max))

/**
 * Which tasks are meant, as it stands in a query; all that is said must hold. Lists are separated by commas, `*` in a
 * type stands for anything.
 *
 * @category schemas
 * @since 0.1.0
 */
export const TaskQuery = {
  /** States, and `retrying` (delayed after a failure), `waiting` (delayed or queued), `dead` (can be retried). */
  state: Schema.optionalKey(text(256)),
  type: Schema.optionalKey(text(512)),
  priority: Schema.optionalKey(text(64)),
  worker: Schema.optionalKey(text(128)),
  tag: Schema.optionalKey(TaskKey),
  tenant: Schema.optionalKey(TaskKey),
  schedule: Schema.optionalKey(TaskKey),
  /** Key of an error group. */
  error: Schema.optionalKey(text(64)),
  /** Prefix of the id. */
  id: Schema.optionalKey(text(128)),
  /** Words that stand in the id, type or error, without regard to case. */
  q: Schema.optionalKey(text(256)),
  /** Submitted at or after, before: milliseconds since 1970. */
  since: Schema.optionalKey(Schema.FiniteFromString),
  until: Schema.optionalKey(Schema.FiniteFromString)
}

/** The same in a body. @category schemas @since 0.1.0 */
export const TaskSelection = Schema.Struct({
  ...TaskQuery,
  since: Schema.optionalKey(Schema.Finite),
  until: Schema.optionalKey(Schema.Finite),
  /** These tasks, at most 10,000. */
  ids: Schema.optionalKey(Schema.Array(TaskId).check(Schema.isMaxLength(10_000))),
  /** Only tasks that stood in a list made then: nobody changes what nobody saw. */
  asOf: Schema.optionalKey(Schema.Finite),
  /** Counts, changes nothing. */
  dryRun: Schema.optionalKey(Schema.Boolean),
  /** Changes exactly so many, or none. */
  expect: Schema.optionalKey(Schema.Int)
})
/** @category models @since 0.1.0 */
export type TaskSelection = typeof TaskSelection.Type
