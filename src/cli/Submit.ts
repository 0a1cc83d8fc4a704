/**
 * `fastworker submit`: submits a task by name and waits for its outcome.
 *
 * @since 0.1.0
 */
import { Argument, Command, Flag } from "effect/cli"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { TaskName } from "../domain/Task.ts"
import * as Task from "../domain/TaskDefinition.ts"
import { Client } from "../services/Client.ts"
import { withClient } from "./Asking.ts"
import * as Flags from "./Flags.ts"
import * as Output from "./Output.ts"
import { printOutcome } from "./Query.ts"

export const submit = Command.make(
  "submit",
  {
    task: Argument.String("task").pipe(
      Argument.withDescription("Name of the task"),
      Argument.withSchema(TaskName)
    ),
    args: Argument.String("json-args").pipe(
      Argument.withDescription(`Its arguments as JSON, for example '{"to":"ann@example.org"}' (default: {})`),
      Argument.withDefault("{}")
    ),
    ...Flags.submission,
    noWait: Flag.Boolean("no-wait").pipe(
      Flag.withDefault(false),
      Flag.withDescription("Print the id as soon as the task is accepted, do not wait for its outcome")
    ),
    ...Flags.target
  },
  Effect.fnUntraced(function*(flags) {
    const { json } = yield* Flags.root
    const args = Output.parseJson(flags.args)
    if (Result.isFailure(args)) return yield* Output.usage(json, `the arguments are not JSON: ${flags.args}`)
    const task = Task.untyped(flags.task)
    const { noWait, timeout } = flags

    return yield* withClient(
      flags,
      Effect.gen(function*() {
        const client = yield* Client
        const submitted = yield* client.delay(task, args.success, {
          ...Flags.asProperty("priority", flags.priority),
          ...Flags.asProperty("id", flags.id),
          ...Flags.asProperty("in", flags.in),
          ...Flags.asProperty("at", flags.at),
          ...Flags.asProperty("expiresIn", flags.expiresIn),
          ...Flags.asProperty("tenant", flags.tenant),
          tags: flags.tags
        }).pipe(Effect.result)
        if (Result.isFailure(submitted)) return yield* Output.fail(json, submitted.failure)
        const { id, result } = submitted.success
        if (noWait) return yield* (json ? Output.json({ id }) : Console.log(id))
        return yield* printOutcome(json, id, timeout, result)
      })
    )
  })
).pipe(Command.withDescription("Submit a task by name and print its result"))
