/**
 * The commands that change tasks and what becomes of them: `cancel`, `prioritize`, `retry`, `purge`, `pause`, `resume`,
 * `drain`, `schedule`.
 *
 * @since 0.1.0
 */
import { Argument, Command, Flag, Prompt } from "effect/cli"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { priorities } from "../domain/Priority.ts"
import * as Task from "../domain/TaskDefinition.ts"
import type { ManyOptions, PauseTarget, TaskFilter } from "../services/Client.ts"
import { Client } from "../services/Client.ts"
import type { Failure } from "./Asking.ts"
import { asking, withClient } from "./Asking.ts"
import * as Flags from "./Flags.ts"
import * as Output from "./Output.ts"

type Service = Client["Service"]

/** Tasks that are changed at once when their ids are given. */
const concurrency = 16

const which = {
  all: Flag.Boolean("all").pipe(Flag.withDefault(false), Flag.withDescription("All tasks that it can be done to")),
  yes: Flag.Boolean("yes").pipe(
    Flag.withDefault(false),
    Flag.withDescription("Do not ask; needed where there is no terminal to ask on")
  ),
  filter: Flags.filter,
  target: Flags.target
}

type Filter = Command.Command.Config.InferValue<typeof Flags.filter>

/** Whether the flags say which tasks are meant, in one way. */
const isClear = (all: boolean, flags: Filter) =>
  all !== Object.values(flags).some((value: Option.Option<unknown>) => Option.isSome(value))

/** Changes tasks by what the control plane has of them, or by what only its history can tell. */
const changeMeant = (
  client: Service,
  what: Parameters<Service["change"]>[0],
  flags: Filter
) => {
  const filter = Flags.toFilter(flags)
  const simple = typeof what === "string"
    ? { cancel: client.cancelAll, retry: client.retryAll, purge: client.purge }[what]
    : (filter: TaskFilter, options: ManyOptions) => client.prioritizeAll(filter, what.prioritize, options)
  return (options: ManyOptions): Effect.Effect<number, Failure> =>
    filter !== undefined
      ? simple(filter, options)
      : Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Effect.map(client.change(what, { ...Flags.toQuery(flags, now), ...options }), ({ count }) => count))
}

const isTerminal = () => process.stdin.isTTY && process.stdout.isTTY

/** How a change is said, around the tasks that it means: "Cancel", "Cancelled"; "Prioritize", "Prioritized" and " as high". */
interface Said {
  readonly verb: string
  readonly done: string
  readonly as?: string
}

/** Changes the tasks that a filter means; without `yes` exactly as many as somebody has agreed to. */
const changeMany = Effect.fnUntraced(function*(
  { as = "", done, verb, yes }: Said & { readonly yes: boolean },
  change: (options: ManyOptions) => Effect.Effect<number, Failure>
) {
  const { json } = yield* Flags.root
  const ask = (options: ManyOptions) => Effect.catch(change(options), (error) => Output.fail(json, error))
  let options: ManyOptions = {}
  if (!yes) {
    const expect = yield* ask({ dryRun: true })
    if (json || !isTerminal()) {
      return yield* Output.usage(
        json,
        `${Output.tasks(expect)} would be ${done.toLowerCase()}${as}: say --yes to do so`
      )
    }
    if (expect === 0) return yield* Console.log("There are no such tasks")
    const isAgreed = yield* Prompt.run(Prompt.Confirm({ message: `${verb} ${Output.tasks(expect)}${as}?` })).pipe(
      Effect.orElseSucceed(() => false)
    )
    if (!isAgreed) return yield* Console.log("Nothing was changed")
    options = { expect }
  }
  const count = yield* ask(options)
  yield* json ? Output.json({ count }) : Console.log(`${done} ${Output.tasks(count)}${as}`)
})

/** Changes tasks one by one, and says of each what became of it. */
const changeEach = Effect.fnUntraced(function*(
  ids: ReadonlyArray<string>,
  change: (id: string) => Effect.Effect<{ readonly json: object; readonly text: string }, Failure>
) {
  const { json } = yield* Flags.root
  const codes = yield* Effect.forEach(ids, (id) =>
    change(id).pipe(
      Effect.flatMap((done) => json ? Output.json(done.json) : Console.log(done.text)),
      Effect.as(0 as Output.ExitCode),
      Effect.catchIf(
        (error) => Output.codeOf(error) === 1,
        (error) => Output.fail(json, error, { id }).pipe(Effect.catchTag("Exited", ({ code }) => Effect.succeed(code)))
      ),
      // Nobody is there: the next would wait in vain too.
      Effect.catch((error) => Output.fail(json, error, { id }))
    ), { concurrency })
  return codes.includes(1) ? yield* new Output.Exited({ code: 1 }) : undefined
})

const idsOrFilter = {
  ids: Argument.String("id").pipe(Argument.withDescription("Ids of tasks"), Argument.variadic({ min: 0 })),
  ...which
}

/** A change of tasks, of many or of one. */
interface Change extends Said {
  readonly what: Parameters<Service["change"]>[0]
  readonly one: (
    client: Service,
    id: string
  ) => Effect.Effect<{ readonly json: object; readonly text: string }, Failure>
}

/** Changes tasks by their ids or by a filter. */
const changeWhich = Effect.fnUntraced(function*(
  flags: Command.Command.Config.InferValue<typeof idsOrFilter>,
  { one, what, ...said }: Change
) {
  const { json } = yield* Flags.root
  const { ids, target, yes } = flags
  const isFilter = isClear(flags.all, flags.filter)
  if ((ids.length === 0) !== isFilter) {
    return yield* Output.usage(json, "say which tasks: their ids, a filter such as --name NAME, or --all")
  }
  return yield* withClient(
    target,
    Effect.flatMap(Client, (client) =>
      isFilter
        ? changeMany({ ...said, yes }, changeMeant(client, what, flags.filter))
        : changeEach(ids, (id) => one(client, id)))
  )
})

export const cancel = Command.make("cancel", idsOrFilter, (flags) =>
  changeWhich(flags, {
    what: "cancel",
    verb: "Cancel",
    done: "Cancelled",
    one: ({ cancel }, id) => Effect.as(cancel(id), { json: { id, state: "cancelled" }, text: `Cancelled ${id}` })
  })).pipe(Command.withDescription("Cancel tasks that wait or run, by their ids or by a filter"))

export const prioritize = Command.make("prioritize", {
  to: Flag.Literals("to", priorities).pipe(Flag.withDescription("Their new priority")),
  ...idsOrFilter
}, ({ to, ...flags }) =>
  changeWhich(flags, {
    what: { prioritize: to },
    verb: "Prioritize",
    done: "Prioritized",
    as: ` as ${to}`,
    one: ({ prioritize }, id) =>
      Effect.as(prioritize(id, to), { json: { id, priority: to }, text: `Prioritized ${id} as ${to}` })
  })).pipe(
    Command.withDescription("Give tasks that wait or run another priority, by their ids or by a filter")
  )

export const retry = Command.make("retry", idsOrFilter, (flags) =>
  changeWhich(flags, {
    what: "retry",
    verb: "Retry",
    done: "Retried",
    one: ({ retry }, id) =>
      Effect.map(retry(id), (newId) => ({ json: { id: newId, retryOf: id }, text: `Retried ${id} as ${newId}` }))
  })).pipe(Command.withDescription("Run tasks that failed or expired again, by their ids or by a filter"))

export const purge = Command.make(
  "purge",
  which,
  Effect.fnUntraced(function*({ all, filter, target, yes }) {
    const { json } = yield* Flags.root
    if (!isClear(all, filter)) {
      return yield* Output.usage(json, "say which tasks: a filter such as --older-than 7d, or --all")
    }
    return yield* withClient(
      target,
      Effect.flatMap(
        Client,
        (client) => changeMany({ verb: "Purge", done: "Purged", yes }, changeMeant(client, "purge", filter))
      )
    )
  })
).pipe(Command.withDescription("Forget tasks that failed or expired: they can't be retried any more"))

const targetOf = (
  flags: Command.Command.Config.InferValue<typeof Flags.pauseTarget>
): Effect.Effect<PauseTarget | undefined, Output.Usage> => {
  const named = {
    ...Flags.asProperty("task", flags.task),
    ...Flags.asProperty("worker", flags.worker),
    ...Flags.asProperty("schedule", flags.schedule)
  }
  const count = Object.keys(named).length
  return count > 1
    ? Effect.fail(new Output.Usage({ message: "one of --task, --worker and --schedule at a time" }))
    : Effect.succeed(count === 0 ? undefined : named as PauseTarget)
}

const describeTarget = (target: PauseTarget | undefined) =>
  target === undefined ? "everything" : Object.entries(target).map(([what, name]) => `${what} ${name}`).join(" ")

/** Creates a command that does something to what can be paused, and says what is paused then. */
const pausing = <const Name extends "pause" | "resume">(name: Name, description: string, done: string) =>
  asking(name, description, Flags.pauseTarget, {
    ask: (client, flags) =>
      Effect.gen(function*() {
        const target = yield* targetOf(flags)
        yield* client[name](target)
        const { paused } = yield* client.stats
        return { target, paused }
      }),
    json: ({ paused, target }) => ({ [name]: target ?? "all", paused }),
    text: ({ paused, target }) => {
      const others = name === "resume" && paused.length > 0 ? `; still paused: ${paused.join(" ")}` : ""
      return `${done} ${describeTarget(target)}${others}`
    }
  })

export const pause = pausing("pause", "Start nothing more: of a task, a worker, a schedule, or at all", "Paused")
export const resume = pausing("resume", "Go on with what was paused", "Resumed")

const scheduleId = { id: Argument.String("id").pipe(Argument.withDescription("Id of the schedule")) }

const onSchedule = <const Name extends string>(
  name: Name,
  description: string,
  done: string,
  change: (client: Service, id: string) => Effect.Effect<void, Failure>
) =>
  asking(name, description, scheduleId, {
    ask: (client, { id }) => Effect.as(change(client, id), id),
    json: (id) => ({ schedule: id, done: name }),
    text: (id) => `${done} ${id}`
  })

/** The times that these flags say; a sentence when they can't be. */
const scheduleOf = (
  { args, cron, every, id, priority, task, timeZone }: Command.Command.Config.InferValue<typeof scheduleFlags>
) =>
  Result.try({
    try: () => {
      const definition = Task.untyped(task)
      const options = { id, args: JSON.parse(args) as unknown, ...Flags.asProperty("priority", priority) }
      if (Option.isSome(every)) return Task.every(definition, every.value, options)
      return Task.cron(definition, Option.getOrElse(cron, () => ""), {
        ...options,
        ...Flags.asProperty("timeZone", timeZone)
      })
    },
    catch: (cause) => new Output.Usage({ message: cause instanceof Error ? cause.message : String(cause) })
  })

const scheduleFlags = {
  id: scheduleId.id,
  ...Flags.schedule
}

export const schedule = Command.make("schedule").pipe(
  Command.withDescription("Change a schedule: set, run, pause, resume, remove"),
  Command.withSubcommands([
    asking("set", "Add a schedule, or replace the one with the same id", scheduleFlags, {
      ask: (client, flags) =>
        Option.isSome(flags.every) === Option.isSome(flags.cron)
          ? Effect.fail(new Output.Usage({ message: "say when: --every DURATION or --cron EXPRESSION" }))
          : Effect.flatMap(Effect.fromResult(scheduleOf(flags)), (schedule) =>
            Effect.as(client.schedule(schedule), flags.id)),
      json: (id) => ({ schedule: id, done: "set" }),
      text: (id) => `Set ${id}`
    }),
    asking("run", "Submit the task of a schedule now, whenever it is due", scheduleId, {
      ask: (client, { id }) => client.trigger(id),
      json: (id) => ({ id }),
      text: (id) => id
    }),
    onSchedule(
      "pause",
      "Submit nothing when a schedule is due",
      "Paused",
      (client, id) => client.pause({ schedule: id })
    ),
    onSchedule("resume", "Go on with a schedule", "Resumed", (client, id) => client.resume({ schedule: id })),
    onSchedule("remove", "Remove a schedule", "Removed", (client, id) => client.unschedule(id))
  ])
)

export const drain = asking(
  "drain",
  "Tell a worker to finish what it runs and to leave; its process then ends",
  {
    worker: Argument.String("worker").pipe(
      Argument.withDescription("Id of a worker, of which there may be several, or the key of one (see workers --json)")
    )
  },
  {
    ask: (client, { worker }) => Effect.map(client.drainWorker(worker), (count) => ({ count })),
    text: ({ count }) => `Told ${count === 1 ? "1 worker" : `${count} workers`} to leave`
  }
)
