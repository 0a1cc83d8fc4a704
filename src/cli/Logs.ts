/**
 * `fastworker logs`: what happened to tasks and workers as lines to read, and with `--follow` what happens from now on.
 * For machines `events` has the same as the protocol has it.
 *
 * @since 0.1.0
 */
import { Command, Flag } from "effect/cli"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { CallError, TaskNotFound } from "../domain/Errors.ts"
import type { Event } from "../domain/Event.ts"
import type { TaskDetail, TaskRow } from "../domain/View.ts"
import { Client } from "../services/Client.ts"
import type { EventFilter, EventsDropped } from "../services/Client.ts"
import { endsWhenStopped, withClient } from "./Asking.ts"
import { eventFlags, toEventFilter } from "./Events.ts"
import * as Flags from "./Flags.ts"
import * as Output from "./Output.ts"

interface Line {
  readonly at?: number
  readonly type: string
  readonly id?: string
  readonly name?: string
  readonly text: string
}

const styleOf = ({ text, type }: Line): Output.Style | undefined => {
  if (type === "worker.lost" || text.startsWith("failed") || text.startsWith("lost")) return "red"
  if (text.startsWith("succeeded")) return "green"
  return type === "task.retrying" || type === "dropped" || type.startsWith("paused") ? "yellow" : undefined
}

const lineText = ({ at, id, name, text }: Line): string =>
  Output.plain([at === undefined ? "        " : Output.timeOfDay(at), name, id, text].filter(Boolean).join(" "))

const firstLine = (text: string) => text.split("\n", 1)[0] ?? ""

const because = (text: string | undefined) => text === undefined || text === "" ? "" : `: ${firstLine(text)}`

/** What an event says in words; of one that tells of a failure, `why` is the failure's message. */
const fromEvent = (event: Event | EventsDropped, why?: string): Line => {
  if (event.type === "dropped") return { type: "dropped", text: `${event.count} lines left out: they came too fast` }
  const text = ((): string => {
    switch (event.type) {
      case "task.delayed":
        return `waits until ${Output.dateAndTime(event.dueAt)}`
      case "task.queued":
        return "queued"
      case "task.started":
        return `started on ${event.worker}, attempt ${event.attempt}`
      case "task.retrying":
        return `attempt ${event.attempt} failed (${event.reason}), again at ${Output.timeOfDay(event.dueAt)}`
      case "task.requeued":
        return `queued again: ${event.cause}`
      case "task.prioritized":
        return `priority ${event.priority} instead of ${event.from}`
      case "task.cancelling":
        return `told to stop: ${event.stop}`
      case "task.finished":
        return `${event.state}${event.reason === undefined ? "" : ` (${event.reason})`} in attempt ${event.attempt}`
      case "paused":
      case "resumed":
        return `${event.type}: ${event.target}`
      default:
        return `worker ${event.worker} ${event.type.slice("worker.".length)}`
    }
  })()
  const task = "id" in event ? { id: event.id, name: event.name } : {}
  return { at: event.at, type: event.type, ...task, text: `${text}${because(why)}` }
}

/** The newest that is known of a task in a list. */
const fromRow = ({ attempt, error, finishedAt, id, name, startedAt, state, submittedAt, worker }: TaskRow): Line => {
  if (finishedAt !== undefined) {
    const text = `${state} in attempt ${attempt}${because(error)}`
    return { at: finishedAt, type: "task.finished", id, name, text }
  }
  return startedAt === undefined
    ? { at: submittedAt, type: "task.queued", id, name, text: state }
    : { at: startedAt, type: "task.started", id, name, text: `${state} on ${worker ?? "?"}, attempt ${attempt}` }
}

/** Everything that one task went through. */
const fromDetail = ({ attempts, id, name, path }: TaskDetail): ReadonlyArray<Line> => [
  ...path.map(({ at, note, state }): Line => ({
    at,
    type: `task.${state}`,
    id,
    name,
    text: `${state}${note === undefined ? "" : ` (${note})`}`
  })),
  ...attempts.flatMap(({ attempt, endedAt, failure, worker = "?" }): ReadonlyArray<Line> =>
    endedAt === undefined || failure === undefined ? [] : [{
      at: endedAt,
      type: "task.failure",
      id,
      name,
      text: `failed in attempt ${attempt} on ${worker}${because(`${failure.type}: ${failure.message}`)}`
    }]
  )
]

/** What is known of the past, oldest first. */
const past = (
  client: Client["Service"],
  { id, name, types }: EventFilter,
  limit: number
): Effect.Effect<ReadonlyArray<Line>, CallError | TaskNotFound> =>
  Effect.gen(function*() {
    if (id !== undefined) return fromDetail(yield* client.describe(id))
    const query = { ...(name === undefined ? {} : { type: name }), sort: "changed" as const, limit }
    const { tasks } = yield* client.find(query)
    const { events } = name === undefined ? yield* client.system : { events: [] }
    return [...tasks.map(fromRow), ...events.map(({ at, text, type }): Line => ({ at, type, text }))]
      .filter(({ type }) => types === undefined || types.some((wanted) => wanted === type))
  }).pipe(
    Effect.map((lines) => lines.toSorted((one, other) => (one.at ?? 0) - (other.at ?? 0)).slice(-limit))
  )

/** Why an event's task failed, which the event does not say; one question at a time, so it can't pile up. */
const whyOf = (client: Client["Service"], event: Event | EventsDropped) =>
  event.type === "task.retrying" || (event.type === "task.finished" && event.state === "failed")
    ? client.describe(event.id).pipe(
      Effect.map(({ attempts, failure }) =>
        failure?.message ?? attempts.findLast(({ failure }) => failure)?.failure?.message
      ),
      // It may be forgotten by now: the line goes without.
      Effect.orElseSucceed(() => undefined)
    )
    : Effect.undefined

export const logs = Command.make(
  "logs",
  {
    filter: eventFlags,
    follow: Flag.Boolean("follow").pipe(
      Flag.withAlias("f"),
      Flag.withDefault(false),
      Flag.withDescription("Go on with what happens, until Ctrl-C")
    ),
    limit: Flag.Int("limit").pipe(
      Flag.filter((limit) => limit >= 0 && limit <= 1_000, () => "a number from 0 to 1000"),
      Flag.withDefault(20),
      Flag.withDescription("Lines of the past, at most (default: 20)")
    ),
    target: Flags.target
  },
  Effect.fnUntraced(function*({ filter: flags, follow, limit, target }) {
    const { json } = yield* Flags.root
    const paint = yield* Output.painter
    const print = (line: Line) => json ? Output.json(line) : Console.log(paint(styleOf(line), lineText(line)))
    const filter = toEventFilter(flags)
    yield* withClient(
      target,
      Effect.gen(function*() {
        const client = yield* Client
        const known = limit === 0 ? Effect.succeed([]) : past(client, filter, limit)
        // Who follows a task may do so before it is submitted.
        const lines = yield* follow ? Effect.catchTag(known, "TaskNotFound", () => Effect.succeed([])) : known
        yield* Effect.forEach(lines, print, { discard: true })
        if (!follow) return
        yield* Stream.runForEach(
          client.events(filter),
          (event) => Effect.flatMap(whyOf(client, event), (why) => print(fromEvent(event, why)))
        )
      }).pipe(Effect.catch((error) => Output.fail(json, error)))
    ).pipe(endsWhenStopped)
  })
).pipe(Command.withDescription("Print what happened as lines to read; with --follow what happens, until Ctrl-C"))
