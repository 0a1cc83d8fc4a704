/** What holds for every command there is: `--json` prints JSON and nothing else, and no colours go where no terminal is. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Cluster, eventually, fixture } from "../harness/Cluster.ts"

let cluster: Cluster
let folder = ""
let commands: ReadonlyArray<string> = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "fastworker-json-"))
  cluster = await Cluster.make()
  // One that has ended, for the care of its journal.
  const journaled = await cluster.controlPlane(["--journal", join(folder, "journal")])
  journaled.signal("SIGTERM")
  await journaled.exit()
  await cluster.controlPlane(["--tasks", fixture("basic.ts"), "--concurrency", "2"])
  await cluster.run(["submit", "explode", "--id", "bad"])
  const { stdout } = await cluster.run(["--help"])
  commands = [...(stdout.split("SUBCOMMANDS")[1] ?? "").matchAll(/^ {2}([a-z-]+)/gmu)].map(([, name]) => name ?? "")
}, 240_000)

afterAll(async () => {
  await cluster[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

/** Each command, called so that it succeeds against the control plane of this file; in this order. */
const calls = (): ReadonlyArray<ReadonlyArray<string>> => [
  ["submit", "add", "{\"x\":1,\"y\":2}", "--id", "fine"],
  ["submit", "slow", "{\"millis\":600000}", "--id", "slow", "--no-wait"],
  ["status", "fine"],
  ["show", "fine"],
  ["explain", "fine"],
  ["result", "fine"],
  ["prioritize", "slow", "--to", "high"],
  ["cancel", "slow"],
  ["list"],
  ["dead"],
  ["errors"],
  ["logs"],
  ["workers"],
  ["worker-info", "control-plane"],
  ["stats"],
  ["system"],
  ["tasks"],
  ["tasks", "--tasks", fixture("second.ts")],
  ["task-info", "add"],
  ["pause"],
  ["resume"],
  ["schedule", "set", "nightly", "--task", "add", "--every", "1h", "--args", "{\"x\":1,\"y\":2}"],
  ["schedule", "pause", "nightly"],
  ["schedule", "resume", "nightly"],
  ["schedule", "run", "nightly"],
  ["schedules"],
  ["schedule", "remove", "nightly"],
  ["bench", "--yes", "--count", "5"],
  ["retry", "bad"],
  ["purge", "--all", "--yes"],
  ["journal", "check", join(folder, "journal")],
  ["journal", "compact", join(folder, "journal")],
  ["secret"]
]

/** The commands that go on until they are stopped, and the word for what they print first. */
const endless: ReadonlyArray<ReadonlyArray<string>> = [["top"], ["events"], ["logs", "--follow"]]

/** Those that need a process of their own to be seen, which the last test of this file has. */
const processes = ["control-plane", "worker", "drain"]

const parse = (lines: string, what: string): ReadonlyArray<unknown> =>
  lines.trimEnd().split("\n").map((line) => {
    try {
      return JSON.parse(line) as unknown
    } catch {
      return assert.fail(`${what} printed for people: ${line}`)
    }
  })

describe("every command", () => {
  it("is in the tables of this file", () => {
    const known = new Set([...calls(), ...endless].map(([name]) => name).concat(processes))

    assert.sameMembers([...commands], [...known])
  })

  it("prints JSON alone with --json, after its name or before, and nothing on stderr", async () => {
    assert.isTrue(existsSync(join(folder, "journal")))
    for (const [index, args] of calls().entries()) {
      const { code, stderr, stdout } = await cluster.run(index % 2 === 0 ? [...args, "--json"] : ["--json", ...args])

      assert.deepStrictEqual([code, stderr], [0, ""], `${args.join(" ")}: ${stdout}`)
      for (const value of parse(stdout, args.join(" "))) assert.isObject(value, args.join(" "))
    }
  }, 240_000)

  it("that goes on prints a JSON value each line", async () => {
    const running = endless.map((args) => ({ args, process: cluster.start([...args, "--json"]) }))
    await eventually("a line of each", async () => {
      await cluster.run(["submit", "add", "{\"x\":1,\"y\":2}"])
      return running.every(({ process }) => process.stdout().includes("\n"))
    }, 60_000)

    for (const { args, process } of running) {
      process.signal("SIGINT")
      assert.strictEqual(await process.exit(), 0, args.join(" "))
      assert.strictEqual(process.stderr(), "")
      for (const value of parse(process.stdout(), args.join(" "))) assert.isObject(value, args.join(" "))
    }
  }, 120_000)

  it("says as JSON what went wrong", async () => {
    for (
      const args of [
        ...["status", "show", "explain", "result", "cancel", "retry"].map((name) => [name, "none"]),
        ["logs", "--id", "none"],
        ["worker-info", "none"],
        ["task-info", "none"],
        ["drain", "none"],
        ["schedule", "run", "none"],
        ["bench"],
        ["cancel", "--all"],
        ["prioritize", "none", "--to", "low"],
        ["prioritize", "--all", "--to", "low"],
        ["journal", "check", join(folder, "none")],
        ["worker"],
        ["control-plane", "--heartbeat", "1ms"]
      ]
    ) {
      const { code, stdout } = await cluster.run([...args, "--json"])

      assert.include([1, 2], code, args.join(" "))
      const [value] = parse(stdout, args.join(" "))
      assert.hasAllKeys((value as { error: object }).error, {
        ...(value as { error: object }).error,
        _tag: "",
        message: ""
      })
    }
  }, 120_000)

  it("has no colours where there is no terminal, unless it is told to, and NO_COLOR wins", async () => {
    for (const args of [["--help"], ["list"], ["logs"]]) {
      const piped = await cluster.run(args, { NO_COLOR: "" })
      const forced = await cluster.run(args, { NO_COLOR: "", FORCE_COLOR: "1" })
      const both = await cluster.run(args, { FORCE_COLOR: "1" })

      assert.notInclude(piped.stdout, "\u001B", args.join(" "))
      assert.notInclude(both.stdout, "\u001B", args.join(" "))
      if (args[0] !== "list") assert.include(forced.stdout, "\u001B[", args.join(" "))
    }
  }, 120_000)

  it("stands in the completions, which each shell that is here can read", async () => {
    for (const shell of ["bash", "zsh", "fish"]) {
      const { code, stdout } = await cluster.run(["--completions", shell])

      assert.strictEqual(code, 0)
      for (const name of commands) assert.include(stdout, name, shell)
      const { error, status, stderr } = spawnSync(shell, ["-n"], { input: stdout, encoding: "utf8" })
      if (error === undefined) assert.deepStrictEqual([status, stderr], [0, ""], shell)
    }
  }, 120_000)
})

describe("the processes", () => {
  it("tell of their life in lines of JSON; a worker ends when it is drained", async () => {
    const worker = await cluster.worker(["--tasks", fixture("second.ts"), "--id", "leaver"])

    const drained = await cluster.run(["drain", "leaver", "--json"])

    assert.deepStrictEqual(parse(drained.stdout, "drain"), [{ count: 1 }])
    assert.strictEqual(await worker.exit(), 0)
    const events = parse(worker.stdout(), "worker") as Array<{ event: string }>
    assert.deepStrictEqual(events.map(({ event }) => event), ["ready", "stopped"])
    for (const value of worker.stderr() === "" ? [] : parse(worker.stderr(), "worker")) assert.isObject(value)
  }, 120_000)

  it("go on when nobody reads what they print; a command ends without a word", async () => {
    const worker = await cluster.worker(["--tasks", fixture("second.ts"), "--id", "unread"])
    const events = cluster.start(["events", "--json"])
    await eventually("an event", async () => {
      await cluster.run(["submit", "add", "{\"x\":1,\"y\":2}"])
      return events.stdout().includes("\n")
    })

    worker.stopReading()
    events.stopReading()
    await cluster.run(["submit", "add", "{\"x\":1,\"y\":2}"])
    await cluster.run(["drain", "unread"])

    assert.deepStrictEqual([await events.exit(), events.stderr()], [0, ""])
    assert.strictEqual(await worker.exit(), 0)
  }, 60_000)
})
