/** The commands of every day against a real control plane: `explain`, `logs`, `top` and `bench`. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { bin, Cluster, eventually, fixture, type Output } from "../harness/Cluster.ts"

let cluster: Cluster
let address = ""

beforeAll(async () => {
  cluster = await Cluster.make()
  const { ready } = await cluster.controlPlane(["--tasks", fixture("basic.ts"), "--concurrency", "2"])
  address = ready.address
  const commands = [
    ["submit", "add", "{\"x\":1,\"y\":2}", "--id", "fine"],
    ["submit", "explode", "--id", "bad"],
    ["pause", "--task", "echo"],
    ["submit", "echo", "{\"value\":1}", "--id", "held", "--no-wait"],
    ["submit", "echo", "{\"value\":2}", "--id", "behind", "--no-wait"],
    ["submit", "add", "{\"x\":1,\"y\":2}", "--id", "later", "--in", "1h", "--no-wait"]
  ]
  for (const args of commands) await fastworker(...args)
}, 240_000)

afterAll(() => cluster[Symbol.asyncDispose]())

const fastworker = (...args: ReadonlyArray<string>) => cluster.run(args)
const values = ({ stdout }: Output): ReadonlyArray<unknown> =>
  stdout.trimEnd().split("\n").map((line) => JSON.parse(line) as unknown)

describe("explain", () => {
  it("says why a task waits, what is ahead of it, until when, and what can be done", async () => {
    const held = await fastworker("explain", "behind")
    const later = await fastworker("explain", "later")
    const [machine] = values(await fastworker("explain", "held", "--json"))

    assert.match(
      held.stdout,
      /^echo behind: It waits because tasks of "echo" are paused; 1 task ahead of it\nTo do: .*resume\n$/u
    )
    assert.match(
      later.stdout,
      /^add later: It waits because its time has not come; until \d{4}-\S+ \S+, in (59|60)m\n$/u
    )
    assert.deepInclude(machine, {
      id: "held",
      name: "echo",
      state: "queued",
      waiting: { cause: "paused", text: "tasks of \"echo\" are paused", ahead: 0 }
    })
  }, 120_000)

  it("says how a task ended that does not wait, and how to run it again; and that it knows no such task", async () => {
    const fine = await fastworker("explain", "fine")
    const bad = await fastworker("explain", "bad")
    const none = await fastworker("explain", "none")

    assert.match(fine.stdout, /^add fine: It is not running any more: it has succeeded \d+[smh] ago\n$/u)
    assert.match(bad.stdout, /it has failed .*\(TypeError: kaboom\); run it again: fastworker retry bad\n$/u)
    assert.deepStrictEqual([none.code, none.stderr], [1, "fastworker: No task with the id \"none\" is known\n"])
  }, 120_000)
})

describe("logs", () => {
  it("prints what happened, oldest first: of all, of a name, of a type, of one task", async () => {
    const all = await fastworker("logs")
    const named = values(await fastworker("logs", "--name", "explode", "--json"))
    const typed = values(await fastworker("logs", "--type", "task.finished", "--json"))
    const one = await fastworker("logs", "--id", "bad")

    assert.match(
      all.stdout,
      /^\S+ add fine succeeded in attempt 1\n\S+ explode bad failed in attempt 1: TypeError: kaboom$/mu
    )
    assert.lengthOf(named, 1)
    assert.deepInclude(named[0], { type: "task.finished", id: "bad", name: "explode" })
    assert.deepStrictEqual(typed.map((line) => (line as { id: string }).id), ["fine", "bad"])
    assert.match(
      one.stdout,
      /^\S+ explode bad queued\n[^]*\n\S+ explode bad failed in attempt 1 on control-plane: .*kaboom\n$/u
    )
    assert.strictEqual((await fastworker("logs", "--id", "none")).code, 1)
  }, 120_000)

  it("goes on with --follow until it is stopped, and says why a task failed", async () => {
    const follower = cluster.start(["logs", "--follow", "--limit", "0", "--name", "explode"])
    await eventually("a line of a task that was submitted meanwhile", async () => {
      await fastworker("submit", "explode")
      return follower.stdout().includes("failed (defect) in attempt 1: kaboom")
    }, 60_000)

    follower.signal("SIGINT")

    assert.strictEqual(await follower.exit(), 0)
    assert.notInclude(follower.stdout(), " add ")
  }, 120_000)
})

describe("top", () => {
  it("prints one picture where there is no terminal: queue, workers, tasks, errors, without colours", async () => {
    const { code, stderr, stdout } = await cluster.run(["top"], { NO_COLOR: "" })

    assert.deepStrictEqual([code, stderr], [0, ""])
    assert.match(stdout, /^FastWorker \S+ {2}default {2}up \d+[smh] {2}1 worker {2}/u)
    assert.match(stdout, /^Paused: task:echo$/mu)
    assert.match(stdout, /^a second: submitted \d/mu)
    assert.match(stdout, /^waiting 3 {2}delayed 1 {2}running 0\/2 {2}dead \d+$/mu)
    assert.match(stdout, /^normal +2 █+$/mu)
    assert.match(stdout, /^control-plane +active \(local\) +0\/2 /mu)
    assert.match(stdout, /^\S+ +explode +bad +failed .*kaboom$/mu)
    assert.notInclude(stdout, "\u001B")
  }, 120_000)

  it("prints a line a second for machines, with rates from the second on", async () => {
    const running = cluster.start(["top", "--json"])
    await eventually("two lines", () => running.stdout().split("\n").length > 2, 60_000)

    running.signal("SIGINT")
    const code = await running.exit()

    const [first, second] = values({ code, stdout: running.stdout(), stderr: "" }) as Array<
      { rates: unknown; at: number }
    >
    assert.strictEqual(code, 0)
    assert.isNull(first?.rates)
    assert.containsAllKeys(second?.rates, ["submitted", "succeeded", "failed", "retries"])
    assert.isAtLeast((second?.at ?? 0) - (first?.at ?? 0), 990)
  }, 120_000)

  it.skipIf(spawnSync("script", ["--version"]).status !== 0)(
    "draws on a terminal until q or Ctrl-C, leaves it as it was, and has no colours with NO_COLOR",
    async () => {
      const draw = async (key: string, color: string) => {
        const command = `stty rows 24 cols 90; ${process.execPath} ${bin} top; echo ended with $?`
        // The key is pressed when the first picture stands there.
        const typed = `while ! grep -q 'q ends' "$0"; do sleep 0.1; done; printf '${key}'; cat`
        const running = cluster.program("bash", [
          "-c",
          `out=$(mktemp); (bash -c "$1" "$out" < /dev/null) | script -qfec "$2" "$out"; rm "$out"`,
          "bash",
          typed,
          command
        ], { NO_COLOR: color, TERM: "xterm" })
        assert.strictEqual(await running.exit(), 0)
        return running.stdout()
      }

      const colored = await draw("q", "")
      const plain = await draw("\\003", "1")

      for (const text of [colored, plain]) {
        assert.include(text, "\u001B[?1049h")
        assert.match(text, /FastWorker \S+ {2}default/u)
        assert.include(text, "\u001B[?1049lended with 0")
      }
      assert.include(colored, "\u001B[31m")
      assert.notInclude(plain, "\u001B[31m")
      assert.notInclude(plain, "\u001B[1m")
    },
    120_000
  )
})

describe("bench", () => {
  it("submits nothing unasked", async () => {
    const before = values(await fastworker("stats", "--json"))[0] as { submitted: number }
    const text = await fastworker("bench")
    const machine = await fastworker("bench", "--task", "add", "--count", "5", "--json")
    const after = values(await fastworker("stats", "--json"))[0] as { submitted: number }

    assert.deepStrictEqual([text.code, machine.code, text.stdout], [2, 2, ""])
    assert.match(text.stderr, /1000 tasks "fastworker\.bench" would be submitted .*: say --yes/u)
    assert.match(machine.stdout, /5 tasks \\"add\\" would be submitted/u)
    assert.strictEqual(after.submitted, before.submitted)
  }, 120_000)

  it(
    "runs tasks of its own beside those of the application, by discovery and by address, and leaves no worker",
    async () => {
      const text = await fastworker("bench", "--yes", "--count", "50")
      const [machine] = values(
        await cluster.run(["bench", "--yes", "--count", "50", "--json", "--control-plane", address], {
          FASTWORKER_DISCOVERY: "tcp://127.0.0.1:1"
        })
      )
      const { workers } = values(await fastworker("workers", "--json"))[0] as { workers: Array<{ id: string }> }

      assert.strictEqual(text.code, 0)
      assert.match(
        text.stdout,
        /^task +fastworker\.bench\ntasks +50 in \d+ms, 64 at once\nrate +\d+ a second\nlatency +50 % /u
      )
      assert.deepInclude(machine, { count: 50, succeeded: 50, failed: 0, errors: {} })
      assert.deepStrictEqual(workers.map(({ id }) => id), ["control-plane"])
    },
    120_000
  )

  it("loads a task of the application when told to, and counts its failures", async () => {
    const { code, stdout } = await fastworker("bench", "--yes", "--task", "explode", "--count", "3", "--json")

    assert.strictEqual(code, 1)
    assert.deepInclude(JSON.parse(stdout), { succeeded: 0, failed: 3, latency: null, errors: { TaskDefect: 3 } })
    assert.strictEqual((await fastworker("bench", "--yes", "--args", "{x")).code, 2)
    assert.strictEqual((await fastworker("bench", "--yes", "--count", "0")).code, 2)
  }, 120_000)
})
