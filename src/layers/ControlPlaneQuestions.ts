/**
 * What clients ask of the history of a control plane over the wire: the questions of the HTTP API under the same names, so
 * that the command line can do what the dashboard can.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Struct from "effect/Struct"
import type { ReplyError } from "../domain/Errors.ts"
import { BadRequest } from "../domain/Errors.ts"
import * as JsonCodec from "../domain/JsonCodec.ts"
import type { Change, ViewOf } from "../domain/Message.ts"
import { TaskId, TaskName } from "../domain/Task.ts"
import { TaskSelection } from "../domain/TaskQuery.ts"
import { Range } from "../domain/View.ts"
import type { Changed, History } from "../services/History.ts"

const tasks = Struct.omit(TaskSelection.fields, ["ids", "asOf", "dryRun", "expect"])
const page = {
  cursor: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(256))),
  limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000 }))),
  sort: Schema.optionalKey(Schema.Literals(["newest", "oldest", "changed"]))
}
const inRange = { range: Schema.optionalKey(Range), type: Schema.optionalKey(TaskName) }

const decoder = <S extends Schema.ConstraintDecoder<unknown>>(schema: S) => {
  const decode = Schema.decodeUnknownEffect(schema)
  return (value: unknown): Effect.Effect<S["Type"], BadRequest> =>
    Effect.mapError(decode(value), (error) => new BadRequest({ reason: JsonCodec.format(JsonCodec.issues(error)) }))
}

const decodePage = decoder(Schema.Struct({ ...tasks, ...page }))
const decodeCounts = decoder(Schema.Struct({ ...tasks, after: Schema.optionalKey(Schema.Finite) }))
const decodeInRange = decoder(Schema.Struct(inRange))
const decodeTask = decoder(Schema.Struct({ id: TaskId }))
const decodeWorker = decoder(Schema.Struct({ id: Schema.String }))
const decodeType = decoder(Schema.Struct({ name: TaskName }))
const decodeSelection = decoder(TaskSelection)

const view = (
  history: History,
  { of, query = {} }: typeof ViewOf.Type
): Effect.Effect<unknown, ReplyError> => {
  switch (of) {
    case "snapshot":
      return history.snapshot
    case "system":
      return history.system
    case "series":
      return Effect.flatMap(decodeInRange(query), ({ range = "15m", type }) => history.series(range, type))
    case "errors":
      return Effect.flatMap(decodeInRange(query), ({ range = "15m", type }) => history.errors(range, type))
    case "tasks":
      return Effect.flatMap(
        decodePage(query),
        ({ cursor, limit, sort, ...which }) => history.list(which, { cursor, limit, sort })
      )
    case "counts":
      return Effect.flatMap(decodeCounts(query), ({ after, ...which }) => history.counts(which, after))
    case "task":
      return Effect.flatMap(decodeTask(query), ({ id }) => history.task(id))
    case "worker":
      return Effect.flatMap(decodeWorker(query), ({ id }) => history.worker(id))
    case "type":
      return Effect.flatMap(decodeType(query), ({ name }) => history.type(name))
  }
}

/**
 * Answers a question about the history, or changes the tasks that a selection means. Succeeds with the fields of the reply.
 *
 * @category rules
 * @since 0.1.0
 */
export const answerQuestion = (
  history: History,
  message: typeof ViewOf.Type | typeof Change.Type
): Effect.Effect<object, ReplyError> => {
  if (message.op === "view") return Effect.map(view(history, message), (view) => ({ view }))
  return Effect.flatMap(decodeSelection(message.selection), (selection): Effect.Effect<Changed, ReplyError> => {
    switch (message.do) {
      case "cancel":
        return history.cancelMany(selection)
      case "retry":
        return history.retryMany(selection)
      case "purge":
        return history.purgeMany(selection)
      case "prioritize":
        return message.to === undefined
          ? Effect.fail(new BadRequest({ reason: "to: is missing" }))
          : history.prioritizeMany(selection, message.to)
    }
  })
}
