/**
 * What commands print, and the codes they exit with. Values go to stdout, logs and errors to stderr.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as CliOutput from "effect/cli/CliOutput"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Result from "effect/Result"
import * as JsonLog from "../layers/JsonLog.ts"

/** 0 ok, 1 the task failed or was refused, 2 usage, 3 not reachable or timed out. */
export type ExitCode = 0 | 1 | 2 | 3

/** A command has said what went wrong and exits with this code. */
export class Exited extends Data.TaggedError("Exited")<{ readonly code: ExitCode }> {}

const codes: Readonly<Record<string, ExitCode>> = {
  ShowHelp: 2,
  AddressError: 2,
  TaskFileError: 2,
  JournalLocked: 2,
  JournalTooNew: 2,
  JournalUnusable: 2,
  InvalidArguments: 1,
  SecretError: 2,
  Unauthorized: 3,
  Unreachable: 3,
  ProtocolMismatch: 3,
  NoOutcome: 3,
  Usage: 2
}

/** A command was called wrongly. */
export class Usage extends Data.TaggedError("Usage")<{ readonly message: string }> {}

/** The task has no outcome within the time that the command waits. */
export class NoOutcome extends Data.TaggedError("NoOutcome")<{ readonly message: string }> {}

/** The code for an error of ours. */
export const codeOf = (error: { readonly _tag: string }): ExitCode => codes[error._tag] ?? 1

/** Prints one JSON value on a line of stdout. */
export const json = (value: unknown) => Console.log(JSON.stringify(value))

/** An error for machines: its tag, its message and its fields. */
export const errorToJson = (error: { readonly _tag: string; readonly message: string }) => {
  const { cause: _, ...fields } = error as { readonly cause?: unknown } & typeof error
  return { ...fields, _tag: error._tag, message: error.message }
}

/** Ends a command with an error: one line for people on stderr, one JSON value for machines on stdout. */
export const fail = (
  asJson: boolean,
  error: { readonly _tag: string; readonly message: string },
  extra: object = {}
): Effect.Effect<never, Exited> =>
  Effect.andThen(
    asJson ? json({ ...extra, error: errorToJson(error) }) : Console.error(`fastworker: ${error.message}`),
    Effect.fail(new Exited({ code: codeOf(error) }))
  )

/** Ends a command that was called wrongly. */
export const usage = (asJson: boolean, message: string) => fail(asJson, new Usage({ message }))

/** Text on one line that a terminal shows and does not obey: what tasks say may hold control characters. */
export const plain = (text: string): string => text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ")

/** What a line is painted with: escape sequences of the 16 colours, which every terminal has its own shades of. */
export const styles = { bold: "1", dim: "2", red: "31", green: "32", yellow: "33", cyan: "36" } as const
export type Style = keyof typeof styles

/** Paints where the terminal can show it: never in a file or a pipe, and not with `NO_COLOR`. */
export const painter = Effect.map(
  TerminalCapabilities.TerminalCapabilities,
  ({ canColor }) => (style: Style | undefined, text: string): string =>
    canColor && style !== undefined ? `\u001B[${styles[style]}m${text}\u001B[0m` : text
)

/** Whether there is somebody at a terminal to ask. */
export const canAsk = Effect.map(TerminalCapabilities.TerminalCapabilities, ({ canPrompt }) => canPrompt)

/** JSON that somebody has typed. */
export const parseJson = (text: string) =>
  Result.try({ try: () => JSON.parse(text) as unknown, catch: () => "not JSON" as const })

/** Columns of text, padded; the header in capitals. */
export const table = (header: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const all = [header.map((name) => name.toUpperCase()), ...rows.map((row) => row.map(plain))]
  const widths = header.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)))
  return all.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()).join("\n")
}

/** Milliseconds since 1970 as local time of day. */
export const timeOfDay = (millis: number): string =>
  DateTime.format(DateTime.makeUnsafe(millis), { locale: "en-GB", timeStyle: "medium" })

/** Milliseconds since 1970 as local date and time of day. */
export const dateAndTime = (millis: number): string =>
  DateTime.format(DateTime.makeUnsafe(millis), { locale: "sv-SE", dateStyle: "short", timeStyle: "medium" })

/** A time that has passed, as people say it. */
export const age = (millis: number): string => {
  const seconds = Math.max(0, Math.round(millis / 1000))
  if (seconds < 120) return `${seconds}s`
  const minutes = Math.round(seconds / 60)
  return minutes < 120 ? `${minutes}m` : `${Math.round(minutes / 60)}h`
}

/** Names and values, one a line; those without a value are left out. */
export const fields = (rows: ReadonlyArray<readonly [name: string, value: string | undefined]>): string =>
  rows.flatMap(([name, value]) => value === undefined ? [] : [`${name.padEnd(10)} ${value}`]).join("\n")

/** A number of tasks in words. */
export const tasks = (count: number): string => count === 1 ? "1 task" : `${count} tasks`

/** Logs go to stderr: structured for machines, one short line for people. */
export const layerLogger = (asJson: boolean): Layer.Layer<never> =>
  Logger.layer([
    Logger.withConsoleError(
      asJson ? JsonLog.format : Logger.make(({ date, logLevel, message, cause }) => {
        const parts = (Array.isArray(message) ? message : [message]).map((part) => {
          if (typeof part === "string") return part
          if (part instanceof Error) return part.message
          const fields = Object.entries(part as object).map(([name, value]) =>
            `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`
          )
          return fields.join(" ")
        })
        if (cause.reasons.length > 0) parts.push(Cause.pretty(cause))
        const level = logLevel === "Info" ? "" : `${logLevel.toLowerCase()}: `
        return `${timeOfDay(date.getTime())} ${level}${parts.join(" ")}`
      })
    )
  ])

/** Usage errors are one line each on stderr, not the whole help on stdout. */
export const layerPresenter: Layer.Layer<never> = CliOutput.layerPresenter({
  present: (event) =>
    event._tag === "InvalidInvocation"
      ? Effect.andThen(
        Effect.forEach(event.errors, (error) => Console.error(`fastworker: ${error.message}`), { discard: true }),
        Console.error(`Try: ${event.commandPath.join(" ")} --help`)
      )
      : CliOutput.defaultPresenter.present(event)
})

/** Prints what no command has said: a defect of FastWorker itself. */
export const reportUnexpected = (exit: Exit.Exit<unknown, unknown>): void => {
  if (exit._tag === "Failure" && Cause.hasDies(exit.cause)) console.error(Cause.pretty(exit.cause))
}

/** The process's exit code for how the command ended. An interruption is a stop that was asked for, unless the command said otherwise. */
export const exitCode = (exit: Exit.Exit<unknown, unknown>): number => {
  if (exit._tag === "Success") return 0
  if (Cause.hasInterruptsOnly(exit.cause)) return Number(process.exitCode ?? 0)
  const error = Cause.squash(exit.cause) as {
    readonly _tag?: string
    readonly code?: number
    readonly errors?: unknown
  }
  if (error._tag === "Exited") return error.code ?? 1
  if (error._tag === "ShowHelp") return Array.isArray(error.errors) && error.errors.length === 0 ? 0 : 2
  return 1
}
