/** Programs as peers: each ends by its own pid with the scope that it was started in. */
import * as Effect from "effect/Effect"
import type { ChildProcess } from "node:child_process"
import { spawn } from "node:child_process"
import { until } from "./Until.ts"

export interface Program {
  readonly child: ChildProcess
  /** What it printed so far. */
  readonly output: () => string
  /** How it ended: its exit code, or the name of the signal. `undefined` while it runs. */
  readonly ended: () => number | string | undefined
}

export interface ProgramOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  /** Its input stays open for more. Default: `false`. */
  readonly isInteractive?: boolean
}

/** Starts a program, killed with the scope. */
export const start = (
  command: string,
  args: ReadonlyArray<string>,
  { env = {}, input, isInteractive = false }: ProgramOptions = {}
) =>
  Effect.acquireRelease(
    Effect.sync((): Program => {
      const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "pipe"] })
      let output = ""
      let ended: number | string | undefined
      for (const stream of [child.stdout, child.stderr]) {
        stream.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")))
      }
      child.on("error", ({ message }) => (ended = message))
      child.on("close", (code, signal) => (ended ??= code ?? signal ?? "ended"))
      child.stdin.on("error", () => {})
      if (!isInteractive) child.stdin.end(input)
      return { child, output: () => output, ended: () => ended }
    }),
    (program) =>
      Effect.suspend(() => {
        program.child.kill("SIGKILL")
        return Effect.orDie(until("the end of a program", () => program.ended() !== undefined))
      })
  )

/** Runs a program to its end and succeeds with what it printed; fails when it does not end well within the time. */
export const run = (command: string, args: ReadonlyArray<string>, options: ProgramOptions = {}) =>
  Effect.scoped(Effect.gen(function*() {
    const program = yield* start(command, args, options)
    yield* until(`the end of ${command} ${args.join(" ")}`, () => program.ended() !== undefined, 20_000)
    return program.ended() === 0
      ? program.output()
      : yield* Effect.fail(new Error(`${command} ended with ${program.ended()}: ${program.output()}`))
  }))
