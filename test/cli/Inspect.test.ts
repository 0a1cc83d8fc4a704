/** The commands that look closer, and filters that only the history can answer, against a real control plane. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Cluster, fixture, type Output } from "../harness/Cluster.ts"

let cluster: Cluster

beforeAll(async () => {
  cluster = await Cluster.make()
  await cluster.controlPlane(["--tasks", fixture("basic.ts"), "--concurrency", "4"])
  const submissions = [
    ["add", "{\"x\":1,\"y\":2}", "--id", "fine-1", "--priority", "high"],
    ["add", "{\"x\":3,\"y\":4}", "--id", "fine-2", "--tag", "blue"],
    ["add", "{\"x\":-7,\"y\":2}", "--id", "bad-1"],
    ["explode", "--id", "bad-2"]
  ]
  for (const args of submissions) await fastworker("submit", ...args)
}, 120_000)

afterAll(() => cluster[Symbol.asyncDispose]())

const fastworker = (...args: ReadonlyArray<string>) => cluster.run(args)
const json = ({ stdout }: Output): unknown => JSON.parse(stdout)

const idsOf = async (...args: ReadonlyArray<string>) => {
  const { tasks, total } = json(
    await fastworker("list", "--json", ...args)
  ) as { tasks: Array<{ id: string }>; total: number }
  assert.isAtLeast(total, tasks.length)
  return tasks.map(({ id }) => id)
}

describe("list", () => {
  it("finds tasks by what only the history can tell, newest first", async () => {
    assert.deepStrictEqual(await idsOf("--state", "succeeded,failed", "--type", "a*"), ["bad-1", "fine-2", "fine-1"])
    assert.deepStrictEqual(await idsOf("--worker", "control-plane", "--priority", "high"), ["fine-1"])
    assert.deepStrictEqual(await idsOf("--id-prefix", "fine-", "--limit", "1"), ["fine-2"])
    assert.deepStrictEqual(await idsOf("--match", "KABOOM"), ["bad-2"])
    assert.deepStrictEqual(await idsOf("--since", "1h", "--tag", "blue"), ["fine-2"])
    assert.deepStrictEqual(await idsOf("--until", "1h"), [])
    assert.deepStrictEqual(await idsOf("--dead", "--type", "exp*"), ["bad-2"])
  }, 120_000)
})

describe("show", () => {
  it("prints everything that is known of a task", async () => {
    const fine = await fastworker("show", "fine-1")
    const bad = await fastworker("show", "bad-2")
    const machine = json(
      await fastworker("show", "bad-1", "--json")
    ) as { attempts: Array<object>; args: { text: string } }
    const none = await fastworker("show", "none")

    assert.match(fine.stdout, /^args +\{"x":1,"y":2\}$/mu)
    assert.match(fine.stdout, /^result +3$/mu)
    assert.match(fine.stdout, /^attempt 1 .* succeeded \d+ms on control-plane$/mu)
    assert.match(bad.stdout, /^error +defect TypeError: kaboom$/mu)
    assert.match(bad.stdout, /^TypeError: kaboom\n {4}at /mu)
    assert.lengthOf(machine.attempts, 1)
    assert.strictEqual(machine.args.text, "{\"x\":-7,\"y\":2}")
    assert.strictEqual(none.code, 1)
  }, 120_000)
})

describe("errors", () => {
  it("lists failures by what they have in common; their key finds the tasks", async () => {
    const { groups } = json(
      await fastworker("errors", "--json")
    ) as { groups: Array<{ key: string; name: string; sample: string }> }
    const text = await fastworker("errors", "--range", "1h", "--name", "explode")

    assert.sameMembers(groups.map(({ name }) => name), ["add", "explode"])
    const { key = "" } = groups.find(({ name }) => name === "explode") ?? {}
    assert.match(text.stdout, new RegExp(`^${key} +explode +TypeError +1 +1 .* kaboom$`, "mu"))
    assert.deepStrictEqual(await idsOf("--error", key), ["bad-2"])
  }, 120_000)
})

describe("worker-info, task-info, system", () => {
  it("print what is known, and say what is not", async () => {
    const worker = await fastworker("worker-info", "control-plane")
    const task = await fastworker("task-info", "add")
    const system = await fastworker("system")

    assert.match(worker.stdout, /^state +active \(local\)\nbusy +0\/4$/mu)
    assert.match(worker.stdout, /^version +\d+\.\d+\.\d+$/mu)
    assert.match(task.stdout, /^finished +3, 1 failed/mu)
    assert.match(task.stdout, /^args +\{"type":"object"/mu)
    assert.match(system.stdout, /^history +4 of 100000, /mu)
    assert.match(system.stdout, /^setting +\S+/mu)
    for (const command of ["worker-info", "task-info"]) {
      assert.strictEqual((await fastworker(command, "nobody")).code, 1, command)
    }
  }, 120_000)
})

describe("schedule set", () => {
  it("adds a schedule, and says what a schedule needs", async () => {
    const set = await fastworker(
      "schedule",
      "set",
      "nightly",
      "--task",
      "add",
      "--cron",
      "0 2 * * *",
      "--args",
      "{\"x\":1,\"y\":1}"
    )
    const ran = await fastworker("schedule", "run", "nightly")
    const cases: ReadonlyArray<readonly [ReadonlyArray<string>, RegExp]> = [
      [["schedule", "set", "x", "--task", "add"], /--every .* or --cron/u],
      [["schedule", "set", "x", "--task", "add", "--every", "1h", "--cron", "* * * * *"], /--every .* or --cron/u],
      [["schedule", "set", "x", "--task", "add", "--cron", "soon"], /cron/u],
      [["schedule", "set", "x", "--task", "add", "--every", "1h", "--args", "{x"], /JSON/u]
    ]
    for (const [args, expected] of cases) {
      const { code, stderr } = await fastworker(...args)
      assert.strictEqual(code, 2, args.join(" "))
      assert.match(stderr, expected)
    }

    assert.deepStrictEqual([set.code, set.stdout], [0, "Set nightly\n"])
    const { schedules } = json(
      await fastworker("schedules", "--json")
    ) as { schedules: Array<{ id: string; lastTask: string }> }
    assert.deepStrictEqual(schedules.map(({ id, lastTask }) => [id, lastTask]), [["nightly", ran.stdout.trim()]])
  }, 120_000)
})

describe("retry", () => {
  it("runs the tasks again that only the history can find", async () => {
    const refused = await fastworker("retry", "--match", "kaboom")
    const retried = await fastworker("retry", "--match", "kaboom", "--yes", "--json")

    assert.strictEqual(refused.code, 2)
    assert.match(refused.stderr, /1 task would be retried/u)
    assert.deepStrictEqual(json(retried), { count: 1 })
  }, 120_000)
})
