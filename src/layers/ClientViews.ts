/**
 * What a client asks of the history of a control plane: the same that the HTTP API has.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { CountChanged, JournalFailed, TaskNotFound, UnknownTask, WorkerNotFound } from "../domain/Errors.ts"
import * as Message from "../domain/Message.ts"
import * as View from "../domain/View.ts"
import type { Client } from "../services/Client.ts"
import type { Calls } from "./Calls.ts"
import { callError, only } from "./Calls.ts"
import * as Reply from "./Reply.ts"

/** Few clients ask these questions: the decoders are made by those that do. */
const viewDecoder = <S extends Schema.ConstraintDecoder<unknown>>(view: S) => {
  const make = () => Reply.decoder(Schema.Struct({ ...Message.ViewReply.fields, view }))
  let made: ReturnType<typeof make> | undefined
  return () => made ??= make()
}

const Count = Schema.Int
const Page = Schema.Struct({
  asOf: Schema.Finite,
  tasks: Schema.Array(View.TaskRow),
  next: Schema.NullOr(Schema.String)
})
const Counts = Schema.Struct({
  total: Count,
  states: Schema.Struct({
    delayed: Count,
    queued: Count,
    running: Count,
    cancelling: Count,
    retrying: Count,
    succeeded: Count,
    failed: Count,
    cancelled: Count,
    expired: Count
  }),
  newer: Count
})

/**
 * Creates these questions of a client, and the changes of many tasks that go with them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeViews = (
  { ask }: Calls
): Pick<
  Client["Service"],
  "find" | "count" | "describe" | "errors" | "describeWorker" | "describeType" | "system" | "change"
> => {
  const page = viewDecoder(Page)
  const counts = viewDecoder(Counts)
  const task = viewDecoder(View.TaskDetail)
  const errors = viewDecoder(Schema.Struct({ groups: Schema.Array(View.ErrorGroup), total: Count }))
  const worker = viewDecoder(View.WorkerDetail)
  const type = viewDecoder(View.TypeDetail)
  // How many dashboards are open is what their server alone knows.
  const system = viewDecoder(Schema.Struct({ ...View.SystemView.fields, dashboards: Schema.optionalKey(Count) }))
  const changed = Reply.decoder(Message.ChangeReply)

  const view = <A>(of: (typeof Message.ViewOf.Type)["of"], query: object, decoder: () => Reply.Decoder<{ view: A }>) =>
    Effect.suspend(() => ask({ op: "view", of, query }, decoder())).pipe(Effect.map(({ view }) => view))

  return {
    find: (query = {}) => view("tasks", query, page).pipe(Effect.mapError(callError)),
    count: (query = {}) => view("counts", query, counts).pipe(Effect.mapError(callError)),
    describe: (id) => view("task", { id }, task).pipe(Effect.mapError(only(TaskNotFound))),
    errors: (options = {}) => view("errors", options, errors).pipe(Effect.mapError(callError)),
    describeWorker: (id) => view("worker", { id }, worker).pipe(Effect.mapError(only(WorkerNotFound))),
    describeType: (name) => view("type", { name }, type).pipe(Effect.mapError(only(UnknownTask))),
    system: view("system", {}, system).pipe(Effect.mapError(callError)),
    change: (what, selection) =>
      ask(
        {
          op: "change",
          selection,
          ...(typeof what === "string" ? { do: what } : { do: "prioritize", to: what.prioritize })
        },
        changed
      ).pipe(
        Effect.mapError(only(CountChanged, JournalFailed)),
        Effect.map(({ count, skipped }) => ({ count, skipped }))
      )
  }
}
