/**
 * `fastworker top`: how a control plane is doing, drawn anew each second; where there is no terminal, once.
 *
 * @since 0.1.0
 */
import { Command } from "effect/cli"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Ref from "effect/Ref"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Terminal from "effect/Terminal"
import { Client } from "../services/Client.ts"
import { endsWhenStopped, withClient } from "./Asking.ts"
import * as Flags from "./Flags.ts"
import * as Output from "./Output.ts"
import type { Sample } from "./TopScreen.ts"
import { lines, ratesOf } from "./TopScreen.ts"

const intervalMillis = 1_000

/** Tasks that are asked for: as many as a tall screen shows. */
const maxTasks = 100

/** Asks for everything that is shown, all at once. */
const sample = Effect.fnUntraced(function*(client: Client["Service"], before: Sample | undefined) {
  const { errors, page, stats, workers } = yield* Effect.all({
    stats: client.stats,
    workers: client.workers,
    page: client.find({ sort: "changed", limit: maxTasks }),
    errors: client.errors({ range: "5m" })
  }, { concurrency: "unbounded" })
  const at = yield* Clock.currentTimeMillis
  const taken: Sample = {
    at,
    rates: ratesOf(before, at, stats),
    stats,
    workers,
    latest: page.tasks,
    errors: errors.groups
  }
  return taken
})

// The alternate screen, without a cursor and without wrapping: a line that is too long must not move the others.
const enter = "\u001B[?1049h\u001B[?25l\u001B[?7l"
const leave = "\u001B[?7h\u001B[?25h\u001B[?1049l"
const home = "\u001B[H"
const clearLine = "\u001B[K"
const clearBelow = "\u001B[J"

/** Draws until somebody presses q or Ctrl-C. A control plane that does not answer is said, and asked again. */
const live = Effect.fnUntraced(function*(client: Client["Service"]) {
  const terminal = yield* Terminal.Terminal
  const paint = yield* Output.painter
  const last = yield* Ref.make<Sample | undefined>(undefined)
  const show = (text: string) => Effect.ignore(terminal.display(text))

  const draw = Effect.gen(function*() {
    const before = yield* Ref.get(last)
    const taken = yield* Effect.result(sample(client, before))
    if (Result.isSuccess(taken)) yield* Ref.set(last, taken.success)
    const shown = Result.isSuccess(taken) ? taken.success : before
    const columns = yield* terminal.columns
    const rows = yield* terminal.rows
    const body = shown === undefined ? [] : lines(shown, { columns, rows: Math.max(1, rows - 1) })
    const foot = Result.isSuccess(taken)
      ? { text: "q ends", style: "dim" } as const
      : { text: Output.plain(taken.failure.message).slice(0, columns), style: "red" } as const
    const text = [...body, foot].map(({ style, text }) => `${paint(style, text)}${clearLine}`).join("\r\n")
    yield* show(`${home}${text}${clearBelow}`)
  })

  yield* Effect.acquireRelease(show(enter), () => show(leave))
  const input = yield* terminal.readInput
  // Ctrl-C ends the input.
  const quit = Queue.take(input).pipe(
    Effect.repeat({ until: ({ key }) => key.name === "q" }),
    Effect.ignore
  )
  yield* Effect.raceFirst(Effect.repeat(draw, Schedule.fixed(intervalMillis)), quit)
}, Effect.scoped)

/** What a page of text shows, where nobody says how large it is. */
const page = { columns: 160, rows: 60 }

export const top = Command.make(
  "top",
  { target: Flags.target },
  Effect.fnUntraced(function*({ target }) {
    const { json } = yield* Flags.root
    const paint = yield* Output.painter
    const { canPrompt } = yield* TerminalCapabilities.TerminalCapabilities
    yield* withClient(
      target,
      Effect.gen(function*() {
        const client = yield* Client
        if (canPrompt && !json) return yield* live(client)
        // Rates are of a time that has passed.
        const next = (before: Sample) => Effect.delay(sample(client, before), intervalMillis)
        let taken = yield* sample(client, undefined)
        if (!json) {
          taken = yield* next(taken)
          return yield* Console.log(lines(taken, page).map(({ style, text }) => paint(style, text)).join("\n"))
        }
        while (true) {
          yield* Output.json(taken)
          taken = yield* next(taken)
        }
      }).pipe(Effect.catch((error) => Output.fail(json, error)))
    ).pipe(endsWhenStopped)
  })
).pipe(Command.withDescription("Show how it goes, anew each second: queue, rates, workers, tasks, errors; q ends"))
