/** The demo, run as a newcomer runs it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { existsSync, readdirSync } from "node:fs"
import { rm } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import sharp from "sharp"
import type { Stats } from "../src/domain/Status.ts"
import { family, isRunning } from "./harness/Family.ts"
import { start } from "./harness/Processes.ts"
import type { Program } from "./harness/Processes.ts"
import { until } from "./harness/Until.ts"

const root = fileURLToPath(new URL("..", import.meta.url))
const main = join(root, "examples/demo/main.ts")
const files = join(root, "examples")
const fileCount = readdirSync(files, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length

const startDemo = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) =>
  start(process.execPath, [main, ...args], { env })

const end = (program: Program) =>
  until("the end of the demo", () => program.ended() !== undefined, 25_000).pipe(
    Effect.map(() => program.ended())
  )

/** Starts the demo and waits until it serves. */
const serve = Effect.fnUntraced(function*(args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) {
  const program = yield* startDemo(args, env)
  yield* until(
    "the table and the dashboard's URL",
    () => /in another terminal/u.test(program.output()) || program.ended() !== undefined,
    25_000
  )
  const output = program.output()
  assert.isUndefined(program.ended(), output)
  const found = (pattern: RegExp) => pattern.exec(output)?.[1] ?? assert.fail(`${pattern} is not in: ${output}`)
  const pids = [...output.matchAll(/ process (\d+)/gu)].map(([, pid]) => Number(pid))
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => pids.filter(isRunning).forEach((pid) => process.kill(pid, "SIGKILL")))
  )
  return {
    program,
    output,
    url: found(/^Serving the dashboard on (\S+) until Ctrl-C$/mu),
    folder: found(/^ {2}thumbnails are in (\S+)$/mu),
    pids
  }
})

const rows = (output: string) =>
  [...output.matchAll(/^ {2}(\w+) +(\w+)((?: +\d+){5})$/gmu)].map(([, task, priority, numbers = ""]) => {
    const [count = 0, ok = 0, failed = 0, p50 = 0, p99 = 0] = numbers.trim().split(/ +/u).map(Number)
    return { task, priority, count, ok, failed, p50, p99 }
  })

const counts = ({ count, failed, ok, priority, task }: ReturnType<typeof rows>[number]) => ({
  task,
  priority,
  count,
  ok,
  failed
})

const expectedRows = (digests: number) => [
  { task: "sendEmail", priority: "critical", count: 20, ok: 20, failed: 0 },
  { task: "sendEmail", priority: "high", count: 180, ok: 150, failed: 30 },
  { task: "makeThumbnail", priority: "normal", count: 24, ok: 24, failed: 0 },
  { task: "digestFile", priority: "low", count: digests, ok: digests, failed: 0 }
]

const stats = (url: string) =>
  Effect.promise(async () => await (await fetch(`${url}/api/stats`)).json() as typeof Stats.Type)

describe("the demo", () => {
  it.live(
    "with --once prints a table of what happened, exits with 0 and leaves nothing running",
    () =>
      Effect.gen(function*() {
        const { env, members } = family("once")

        const program = yield* startDemo(["--once", "--files", files], env)
        assert.strictEqual(yield* end(program), 0, program.output())

        const output = program.output()
        const measured = rows(output)
        assert.deepStrictEqual(measured.map(counts), expectedRows(fileCount))
        for (const { p50, p99 } of measured) assert.isTrue(0 < p50 && p50 <= p99, output)
        assert.include(output, "sendEmail: MailRejected, 30 times")
        assert.include(output, "the mail server got 170 mails")
        assert.deepStrictEqual(members(), [])
      }),
    60_000
  )

  it.live(
    "serves the dashboard with the numbers of the table until Ctrl-C, then stops all its processes",
    () =>
      Effect.gen(function*() {
        const { env, members } = family("serving")
        const { folder, output, pids, program, url } = yield* serve(["--files", files], env)
        const serving = members()
        const page = yield* Effect.promise(async () => await (await fetch(url)).text())
        const { cancelled, crashes, failed, running, submitted, succeeded, waiting, workers } = yield* stats(url)
        const thumbnails = yield* Effect.promise(() =>
          Promise.all(readdirSync(folder).map(async (name) => (await sharp(join(folder, name)).metadata()).width))
        )
        const wereRunning = pids.map(isRunning)

        program.child.kill("SIGINT")
        const ended = yield* end(program)

        assert.include(page, "<title>FastWorker</title>")
        const sum = (of: "count" | "ok" | "failed") => rows(output).reduce((total, row) => total + row[of], 0)
        assert.deepStrictEqual(
          { submitted, succeeded, failed, cancelled, crashes, running, waiting, workers },
          {
            submitted: sum("count"),
            succeeded: sum("ok"),
            failed: sum("failed"),
            cancelled: 0,
            crashes: 0,
            running: 0,
            waiting: 0,
            workers: 2
          }
        )
        assert.strictEqual(submitted, 224 + fileCount)
        assert.deepStrictEqual(
          thumbnails.sort((a = 0, b = 0) => a - b),
          // The cat's photo is 451 pixels wide, and thumbnails do not grow.
          [...Array(6).fill(64), ...Array(6).fill(128), ...Array(6).fill(256), 451, ...Array(5).fill(512)] as Array<
            number
          >
        )
        assert.deepStrictEqual(wereRunning, [true, true, true])
        if (existsSync("/proc")) assert.strictEqual(serving.length, 1 + pids.length, serving.join("\n"))
        assert.strictEqual(ended, 0)
        assert.deepStrictEqual(members(), [])
        assert.deepStrictEqual(pids.map(isRunning), [false, false, false])
        assert.throws(() => readdirSync(folder), "ENOENT")
      }),
    60_000
  )

  it.live(
    "killed beside another one takes its processes along, and does not disturb the other",
    () =>
      Effect.gen(function*() {
        const [killed, other] = yield* Effect.all([serve(["--files", files]), serve(["--files", files])], {
          concurrency: 2
        })

        killed.program.child.kill("SIGKILL")
        yield* until("the end of what the killed one had started", () => !killed.pids.some(isRunning))

        yield* Effect.promise(() => rm(killed.folder, { recursive: true }))
        assert.notStrictEqual(other.url, killed.url)
        const { submitted, workers } = yield* stats(other.url)
        assert.deepStrictEqual({ submitted, workers }, { submitted: 224 + fileCount, workers: 2 })
        other.program.child.kill("SIGTERM")
        assert.strictEqual(yield* end(other.program), 0)
        assert.isFalse(other.pids.some(isRunning))
      }),
    60_000
  )

  it.live("says in one line what is wrong with its arguments", () =>
    Effect.gen(function*() {
      for (
        const [args, message] of [
          [["--twice"], "Unknown option '--twice'\n"],
          [["--photos", "/no/such/folder"], "/no/such/folder is not a folder\n"],
          [["--photos", join(root, "test/harness")], /^\S+ has no pictures \(.*\)\n$/u]
        ] as const
      ) {
        const program = yield* startDemo(args)
        assert.strictEqual(yield* end(program), 2)
        if (typeof message === "string") assert.strictEqual(program.output(), message)
        else assert.match(program.output(), message)
      }
    }))
})
