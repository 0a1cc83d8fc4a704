/**
 * Every command against a real control plane, for people and with `--json`: what it prints, and how it exits.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Cluster, eventually, fixture, type Output } from "../harness/Cluster.ts"

let cluster: Cluster

beforeAll(async () => {
  cluster = await Cluster.make()
  await cluster.controlPlane(["--tasks", fixture("basic.ts"), "--concurrency", "2", "--max-waiting", "3"])
})

afterAll(() => cluster[Symbol.asyncDispose]())

const fastworker = (...args: ReadonlyArray<string>) => cluster.run(args)

// The caller says what it expects to find, and checks it.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
const json = <A = Record<string, unknown>>({ stdout }: Output): A => {
  assert.strictEqual(stdout.split("\n").length, 2, `one line of JSON: ${stdout}`)
  return JSON.parse(stdout) as A
}

/** Fills the two slots of the control plane, runs the body, and lets the slots free again. */
const whileBusy = async (body: () => Promise<void>) => {
  const folder = mkdtempSync(join(tmpdir(), "fastworker-"))
  const until = join(folder, "release")
  const args = JSON.stringify({ until })
  const ids = await Promise.all(
    [1, 2].map(async () => (await fastworker("submit", "hold", args, "--no-wait")).stdout.trim())
  )
  try {
    await eventually(
      "both run",
      async () => json<{ running: number }>(await fastworker("stats", "--json")).running === 2
    )
    await body()
  } finally {
    writeFileSync(until, "")
    for (const id of ids) assert.strictEqual((await fastworker("result", id)).code, 0)
    rmSync(folder, { recursive: true })
  }
}

describe("submit", () => {
  it("prints the value", async () => {
    const { code, stderr, stdout } = await fastworker("submit", "add", "{\"x\":1,\"y\":2}")

    assert.deepStrictEqual({ code, stderr, stdout }, { code: 0, stderr: "", stdout: "3\n" })
  })

  it("prints one JSON value for machines", async () => {
    const output = await fastworker("submit", "add", "{\"x\":1,\"y\":2}", "--id", "sum", "--json")

    assert.strictEqual(output.code, 0)
    assert.deepStrictEqual(json(output), { id: "sum", state: "succeeded", result: 3 })
  })

  it("exits with 1 and shows the typed error when the task fails", async () => {
    const text = await fastworker("submit", "add", "{\"x\":-7,\"y\":2}")
    const machine = await fastworker("submit", "add", "{\"x\":-7,\"y\":2}", "--json")

    assert.strictEqual(text.code, 1)
    assert.strictEqual(text.stdout, "")
    assert.match(text.stderr, /^fastworker: task \S+ failed: \{"_tag":"Rejected","code":-7\}\n$/u)
    assert.strictEqual(machine.code, 1)
    assert.deepInclude(json<object>(machine), { state: "failed", error: { _tag: "Rejected", code: -7 } })
  })

  it("shows values as they are, falsy ones too", async () => {
    for (const value of ["0", "false", "\"\"", "null", "{\"a\":[1]}", "\"ü\""]) {
      const output = await fastworker("submit", "echo", `{"value":${value}}`, "--json")

      assert.strictEqual(JSON.stringify(json<{ result: unknown }>(output).result), value)
    }
  })

  it("makes an unexpected failure readable", async () => {
    const text = await fastworker("submit", "explode")
    const machine = await fastworker("submit", "explode", "--json")

    assert.strictEqual(text.code, 1)
    assert.match(text.stderr, /explode.*TypeError: kaboom/u)
    assert.notMatch(text.stderr, /\n {4}at /u)
    const { error } = json<{ error: Record<string, unknown> }>(machine)
    assert.deepInclude(error, { _tag: "TaskDefect", defect: "TypeError", reason: "kaboom" })
  })

  it("makes arguments that the worker refuses readable, field by field", async () => {
    const { code, stderr } = await fastworker("submit", "add", "{\"x\":\"one\"}")

    assert.strictEqual(code, 1)
    assert.match(stderr, /Invalid arguments for task "add": x: .+; y: Missing key/u)
  })

  it("refuses an unknown task, and says which are known", async () => {
    // Within its first seconds a control plane takes unknown names too, and fails them when nobody announced them.
    const { code, stderr } = await fastworker("submit", "nope")

    assert.strictEqual(code, 1)
    assert.match(stderr, /No process has a handler for task "nope"; known tasks: .*add.*/u)
  })

  it("exits with 2 for arguments that are not JSON, a bad priority, a bad duration, a bad id", async () => {
    for (
      const args of [
        ["submit", "add", "{x:1}"],
        ["submit", "add", "{}", "--priority", "urgent"],
        ["submit", "add", "{}", "--timeout", "soon"],
        ["submit"]
      ]
    ) {
      const { code, stderr, stdout } = await fastworker(...args)

      assert.deepStrictEqual([code, stdout], [2, ""], args.join(" "))
      assert.match(stderr, /^fastworker: .+\n(Try: fastworker submit --help\n)?$/u)
    }
    assert.strictEqual((await fastworker("submit", "add", "{}", "--id", "a b")).code, 1)
  })

  it("exits with 3 when the time is up; the task goes on", async () => {
    const output = await fastworker(
      "submit",
      "slow",
      "{\"millis\":1500}",
      "--id",
      "patience",
      "--timeout",
      "100ms",
      "--json"
    )

    assert.strictEqual(output.code, 3)
    assert.deepInclude(json<{ error: object }>(output).error, { _tag: "NoOutcome" })
    assert.strictEqual((await fastworker("result", "patience")).code, 0)
  })

  it("prints the id at once with --no-wait", async () => {
    const text = await fastworker("submit", "add", "{\"x\":1,\"y\":2}", "--no-wait")
    const machine = await fastworker("submit", "add", "{\"x\":1,\"y\":2}", "--no-wait", "--json")

    assert.match(text.stdout, /^[0-9a-f]{32}\n$/u)
    assert.match(json<{ id: string }>(machine).id, /^[0-9a-f]{32}$/u)
  })
})

describe("status, cancel, list and a full queue", () => {
  it("tells what waits and why, cancels it, and refuses what is too much", () =>
    whileBusy(async () => {
      for (const id of ["w1", "w2", "w3"]) {
        const { code } = await fastworker(
          "submit",
          "add",
          "{\"x\":1,\"y\":1}",
          "--no-wait",
          "--id",
          id,
          "--priority",
          id === "w2" ? "critical" : "low"
        )
        assert.strictEqual(code, 0)
      }

      const full = await fastworker("submit", "add", "{\"x\":1,\"y\":1}", "--json")
      const status = await fastworker("status", "w1")
      const waiting = json<{ tasks: Array<{ id: string }>; total: number }>(
        await fastworker("list", "--state", "queued", "--json")
      )
      const stats = json<{ waiting: number; waitingByPriority: object }>(await fastworker("stats", "--json"))
      const cancelled = await fastworker("cancel", "w1")
      const after = await fastworker("result", "w1")
      const again = await fastworker("cancel", "w1", "--json")

      assert.strictEqual(full.code, 1)
      assert.deepInclude(json<{ error: object }>(full).error, { _tag: "QueueFull", waiting: 3, maxWaiting: 3 })
      assert.match(
        status.stdout,
        /^id +w1\ntask +add\nstate +queued\nwaiting +all slots of the 1 worker .+ busy\npriority +low/u
      )
      assert.deepStrictEqual([waiting.total, waiting.tasks.map(({ id }) => id).sort()], [3, ["w1", "w2", "w3"]])
      assert.deepInclude(stats, { waiting: 3, waitingByPriority: { critical: 1, high: 0, normal: 0, low: 2 } })
      assert.deepStrictEqual([cancelled.code, cancelled.stdout], [0, "Cancelled w1\n"])
      assert.strictEqual(after.code, 1)
      assert.match(after.stderr, /"w1" was cancelled/u)
      assert.strictEqual(again.code, 0)
      assert.deepInclude(json<object>(again), { id: "w1", state: "cancelled" })
    }))

  it("exits with 1 for an id that nobody knows, in each command that takes one", async () => {
    for (const command of ["status", "result", "cancel", "retry"]) {
      const text = await fastworker(command, "no-such-id")
      const machine = await fastworker(command, "no-such-id", "--json")

      assert.deepStrictEqual([text.code, machine.code], [1, 1])
      assert.strictEqual(text.stderr, "fastworker: No task with the id \"no-such-id\" is known\n")
      assert.deepInclude(json<{ error: object }>(machine).error, { _tag: "TaskNotFound", id: "no-such-id" })
    }
  })

  it("lists tasks in a table, and limits it", async () => {
    const text = await fastworker("list", "--limit", "2")
    const machine = json<{ tasks: Array<object>; total: number }>(await fastworker("list", "--limit", "1", "--json"))

    assert.match(
      text.stdout,
      /^ID +TASK +STATE +PRIORITY +SUBMITTED +TOOK +WORKER\n.+\n.+\n2 of \d+: more with --limit\n$/u
    )
    assert.strictEqual(machine.tasks.length, 1)
    assert.isAbove(machine.total, 1)
    assert.strictEqual((await fastworker("list", "--limit", "0")).code, 2)
    assert.strictEqual((await fastworker("list", "--state", "odd")).code, 2)
  })
})

describe("workers, stats and tasks", () => {
  it("lists the workers", async () => {
    const text = await fastworker("workers")
    const machine = json<{ workers: Array<object> }>(await fastworker("workers", "--json"))

    assert.match(text.stdout, /^WORKER +STATE +BUSY .+\ncontrol-plane +active \(local\) +\d\/2 /u)
    assert.deepInclude(machine.workers[0], {
      id: "control-plane",
      local: true,
      slots: 2,
      tasks: ["add", "die", "echo", "explode", "hold", "slow"]
    })
  })

  it("prints counts that add up", async () => {
    const text = await fastworker("stats")
    const counts = json<Record<string, number>>(await fastworker("stats", "--json"))

    assert.match(text.stdout, /^up .+\nsubmitted +\d+\nwaiting +0 \(critical 0, high 0, normal 0, low 0\)\n/u)
    const { cancelled = 0, expired = 0, failed = 0, running = 0, submitted = 0, succeeded = 0, waiting = 0 } = counts
    assert.isAbove(submitted, 0)
    assert.strictEqual(submitted, waiting + running + succeeded + failed + cancelled + expired)
  })

  it("lists the task names of the control plane", async () => {
    const text = await fastworker("tasks")
    const tree = await fastworker("tasks", "--tree")
    const machine = json<{ tasks: Array<object> }>(await fastworker("tasks", "--json"))

    assert.match(text.stdout, /^TASK +PRIORITY +WORKERS +DESCRIPTION\nadd +normal +control-plane +Adds two numbers\n/u)
    assert.match(tree.stdout, /^control-plane\n├─ add \(normal\): Adds two numbers\n[^]*└─ slow \(high\)\n$/u)
    assert.deepInclude(machine.tasks[0], { name: "add", from: ["control-plane"] })
  })

  it("lists the task names of files, each under its own", async () => {
    const text = await cluster.run(["tasks", "--tasks", fixture("basic.ts"), fixture("second.ts"), "--tree"])

    assert.strictEqual(text.code, 0)
    assert.match(
      text.stdout,
      /^test\/fixtures\/tasks\/basic\.ts\n├─ add [^]*\n└─ slow \(high\)\ntest\/fixtures\/tasks\/second\.ts\n└─ ping \(normal\)\n$/u
    )
  })
})
