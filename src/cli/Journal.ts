/**
 * `fastworker journal check` and `fastworker journal compact`: the care of a journal's file, while no control plane uses
 * it.
 *
 * @since 0.1.0
 */
import { Argument, Command } from "effect/cli"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { JournalUnusable } from "../domain/Errors.ts"
import { formatSize } from "../domain/Settings.ts"
import * as JournalFile from "../layers/JournalFile.ts"
import { toError } from "../layers/JournalSqlite.ts"
import * as Flags from "./Flags.ts"
import * as Output from "./Output.ts"

const file = Argument.String("file").pipe(Argument.withDescription("The journal's file"))

/** Works on the file; what makes that impossible ends the command. */
const withFile = <A>(json: boolean, file: string, body: () => A) =>
  Effect.try({ try: body, catch: (error) => toError(file, JournalFile.toFault(error)) }).pipe(
    // The error's own sentence is about submissions, which nobody makes here.
    Effect.catchTag("JournalFailed", ({ reason }) => Effect.fail(new JournalUnusable({ file, reason }))),
    Effect.catch((error) => Output.fail(json, error))
  )

const count = (number: number, one: string, many: string) => `${number} ${number === 1 ? one : many}`

const describe = (file: string, { bytes, counts, problems, version }: JournalFile.CheckReport) =>
  [
    `${file}: format ${version}, ${formatSize(bytes)}`,
    [
      count(counts.tasks, "task without an outcome", "tasks without an outcome"),
      count(counts.outcomes, "outcome", "outcomes"),
      `${counts.dead} dead`,
      count(counts.schedules, "schedule", "schedules"),
      count(counts.pauses, "pause", "pauses"),
      count(counts.unique, "unique key", "unique keys")
    ].join(", "),
    problems.length === 0 ? "No problems" : count(problems.length, "problem:", "problems:"),
    ...problems.map((problem) => `  ${problem}`)
  ].join("\n")

const check = Command.make(
  "check",
  { file },
  Effect.fnUntraced(function*({ file }) {
    const { json } = yield* Flags.root
    const report = yield* withFile(json, file, () => JournalFile.check(file))
    const ok = report.problems.length === 0
    yield* json ? Output.json({ file, ok, ...report }) : Console.log(describe(file, report))
    if (!ok) return yield* new Output.Exited({ code: 1 })
  })
).pipe(Command.withDescription("Read all of a journal, without changing it, and print what is in it and what is wrong"))

const compact = Command.make(
  "compact",
  { file },
  Effect.fnUntraced(function*({ file }) {
    const { json } = yield* Flags.root
    const now = yield* Clock.currentTimeMillis
    const { after, before, expired } = yield* withFile(json, file, () => JournalFile.compact(file, now))
    yield* json
      ? Output.json({ file, before, after, expired })
      : Console.log(
        `${file}: ${formatSize(before)} before, ${formatSize(after)} now; ` +
          `${count(expired, "expired outcome", "expired outcomes")} dropped`
      )
  })
).pipe(Command.withDescription("Drop expired outcomes and give unused space back"))

export const journal = Command.make("journal").pipe(
  Command.withDescription("Check or compact a journal, while no control plane uses it"),
  Command.withSubcommands([check, compact])
)
