/**
 * The records of a control plane's journal: their shape as text, and the check that what stands there has it. Times are
 * milliseconds since 1970. What the records mean is told by `ControlPlaneJournal.ts`.
 *
 * A journal may be older than this program: what was not always there is optional. What stands in a file may be anything.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as SchemaJITCompiler from "effect/schema/SchemaJITCompiler"
import { Count } from "../domain/MessageFields.ts"
import { FailureReason } from "../domain/Outcome.ts"
import { ScheduleDeclaration } from "../domain/Schedules.ts"
import { Sensitive } from "../domain/Sensitive.ts"
import { Unique } from "../domain/Task.ts"
import { FinalState } from "../domain/TaskState.ts"

const Level = Schema.Literals([0, 1, 2, 3])

const Options = Schema.Struct({
  unique: Schema.optionalKey(Unique),
  limitKey: Schema.optionalKey(Schema.String),
  fairKey: Schema.optionalKey(Schema.String),
  weight: Schema.optionalKey(Schema.Finite),
  tags: Schema.optionalKey(Schema.Array(Schema.String)),
  tenant: Schema.optionalKey(Schema.String),
  ignoreResult: Schema.optionalKey(Schema.Boolean),
  version: Schema.optionalKey(Schema.Finite),
  retryOf: Schema.optionalKey(Schema.String),
  schedule: Schema.optionalKey(Schema.String),
  parent: Schema.optionalKey(Schema.String),
  trace: Schema.optionalKey(Schema.String),
  sensitive: Schema.optionalKey(Sensitive)
})

/** A task as it was accepted. */
const TaskPart = Schema.Struct({
  name: Schema.String,
  level: Level,
  options: Schema.optional(Options),
  submittedAt: Schema.Finite
})

const AttemptPart = Schema.Struct({
  attempt: Count,
  worker: Schema.String,
  startedAt: Schema.Finite,
  endedAt: Schema.Finite,
  reason: Schema.Literals([...FailureReason.literals, "lost"]),
  error: Schema.String,
  span: Schema.optionalKey(Schema.String)
})

const DetailPart = Schema.Struct({
  dueAt: Schema.Finite,
  expiresAt: Schema.NullOr(Schema.Finite),
  failures: Count,
  firstStartedAt: Schema.optionalKey(Schema.NullOr(Schema.Finite)),
  stop: Schema.optionalKey(Schema.NullOr(Schema.Literals(["cancelled", "expired"]))),
  history: Schema.Array(AttemptPart)
})

/** What changes of a task while it is alive. */
const StatePart = Schema.Struct({
  attempt: Count,
  crashes: Count,
  losses: Count,
  level: Schema.optionalKey(Level),
  leased: Schema.Boolean,
  detail: Schema.optionalKey(DetailPart)
})

const OutcomePart = Schema.Struct({
  name: Schema.String,
  level: Level,
  state: FinalState,
  reason: Schema.optional(FailureReason),
  attempt: Count,
  options: Schema.optional(Options),
  history: Schema.Array(AttemptPart),
  worker: Schema.optional(Schema.String),
  submittedAt: Schema.Finite,
  startedAt: Schema.optional(Schema.Finite),
  finishedAt: Schema.Finite,
  fingerprint: Schema.Finite
})

/** A unique key that is held for a period. */
const UniquePart = Schema.Struct({
  name: Schema.String,
  key: Schema.String,
  id: Schema.String,
  until: Schema.Finite
})

const SchedulePart = Schema.Struct({
  declaration: ScheduleDeclaration,
  nextAt: Schema.optionalKey(Schema.Finite),
  paused: Schema.Boolean,
  lastTask: Schema.optionalKey(Schema.String),
  lastAt: Schema.optionalKey(Schema.Finite),
  skipped: Count
})

/**
 * The types of the records.
 *
 * @category models
 * @since 0.1.0
 */
export type TaskPart = typeof TaskPart.Encoded
export type AttemptPart = typeof AttemptPart.Encoded
export type StatePart = typeof StatePart.Encoded
export type OutcomePart = typeof OutcomePart.Encoded
export type UniquePart = typeof UniquePart.Encoded

/** Throws when the text is no JSON, or of something else. What it has is given as it stands there. */
const reader = <E>(schema: Schema.ConstraintCodec<unknown, E>): (text: string) => E => {
  SchemaJITCompiler.enable(schema.ast)
  const check = Schema.decodeUnknownSync(schema)
  return (text) => {
    const record: unknown = JSON.parse(text)
    check(record)
    return record as E
  }
}

/**
 * Return what a record says. They throw when it is not a record of its kind.
 *
 * @category decoding
 * @since 0.1.0
 */
export const readTask = reader(TaskPart)
export const readState = reader(StatePart)
export const readOutcome = reader(OutcomePart)
export const readUnique = reader(UniquePart)
export const readSchedule = reader(SchedulePart)
