/**
 * The commands that change tasks and follow events, against a real control plane: what they print, and how they exit.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { Cluster, eventually, fixture, type Output } from "../harness/Cluster.ts"
import { start } from "../harness/Processes.ts"
import { until } from "../harness/Until.ts"

let cluster: Cluster

beforeAll(async () => {
  cluster = await Cluster.make()
  await cluster.controlPlane(["--tasks", fixture("basic.ts"), fixture("timed.ts"), "--concurrency", "4"])
})

afterAll(() => cluster[Symbol.asyncDispose]())

const fastworker = (...args: ReadonlyArray<string>) => cluster.run(args)

/** The values of JSON on stdout, one a line. */
const lines = ({ stdout }: Output) =>
  stdout.trimEnd().split("\n").map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)

const submit = async (...args: ReadonlyArray<string>) => {
  const { code, stderr } = await fastworker("submit", "add", "{\"x\":1,\"y\":1}", "--no-wait", ...args)
  assert.strictEqual(code, 0, stderr)
}

/** Submits a task that fails. */
const bury = async (...args: ReadonlyArray<string>) =>
  assert.strictEqual((await fastworker("submit", "add", "{\"x\":-1,\"y\":1}", ...args)).code, 1)

const stateOf = async (id: string) => lines(await fastworker("status", id, "--json"))[0]?.state

describe("submit", () => {
  it("delays a task, tags it, and lets it expire; the status says so", async () => {
    await submit("--id", "terms", "--in", "1h", "--expires-in", "2h", "--tag", "a", "--tag", "b", "--tenant", "acme")
    await submit("--id", "dated", "--at", "2999-12-31T23:59Z")

    const text = await fastworker("status", "terms")
    const [dated] = lines(await fastworker("status", "dated", "--json"))
    const [list] = lines(await fastworker("list", "--state", "delayed", "--tag", "a", "--tenant", "acme", "--json"))

    assert.match(text.stdout, /^state +delayed$/mu)
    assert.match(text.stdout, /^due +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\nexpires +\d{4}-/mu)
    assert.match(text.stdout, /^tags +a b\ntenant +acme$/mu)
    assert.closeTo(Number(dated?.dueAt), Date.parse("2999-12-31T23:59Z"), 10)
    assert.strictEqual(list?.total, 1)
    await fastworker("cancel", "terms", "dated")
  })

  it("shows the attempts of a task that is tried again", async () => {
    await fastworker("submit", "patient", "--no-wait", "--id", "patient")
    await eventually("its first attempt failed", async () => (await stateOf("patient")) === "delayed")

    const { stdout } = await fastworker("status", "patient")

    assert.match(stdout, /^waiting +it waits for its next attempt$/mu)
    assert.match(stdout, /^earlier +attempt 1 on control-plane: error after \d+ms "not yet"$/mu)
    assert.strictEqual((await fastworker("cancel", "patient")).code, 0)
  })
})

describe("cancel", () => {
  it("cancels what its ids say, and tells of each what became of it", async () => {
    await submit("--id", "c1", "--in", "1h")
    await submit("--id", "c2", "--in", "1h")

    const text = await fastworker("cancel", "c1")
    const again = await fastworker("cancel", "c1", "c2", "nobody", "--json")

    assert.deepStrictEqual([text.code, text.stdout], [0, "Cancelled c1\n"])
    assert.strictEqual(again.code, 1)
    const said = lines(again).toSorted((a, b) => String(a.id).localeCompare(String(b.id)))
    assert.deepStrictEqual(
      said.map(({ error, id, state }) => [id, state, (error as { _tag: string } | undefined)?._tag]),
      [
        ["c1", "cancelled", undefined],
        ["c2", "cancelled", undefined],
        ["nobody", undefined, "TaskNotFound"]
      ]
    )
  })

  it("stops a task that runs, and says so when it has stopped", async () => {
    await fastworker("submit", "hold", "{\"until\":\"/nowhere\"}", "--no-wait", "--id", "held")
    await eventually("it runs", async () => (await stateOf("held")) === "running")

    const { code, stdout } = await fastworker("cancel", "held")

    assert.deepStrictEqual([code, stdout], [0, "Cancelled held\n"])
    assert.strictEqual(await stateOf("held"), "cancelled")
  })

  it("cancels by a filter when it is told that nobody needs to be asked, and never more than was meant", async () => {
    for (const id of ["f1", "f2", "f3"]) await submit("--id", id, "--in", "1h", "--tag", id === "f3" ? "other" : "many")

    const unsure = await fastworker("cancel", "--tag", "many")
    const young = await fastworker("cancel", "--tag", "many", "--older-than", "1h", "--yes")
    const sure = await fastworker("cancel", "--tag", "many", "--name", "add", "--state", "delayed", "--yes", "--json")

    assert.deepStrictEqual(
      [unsure.code, unsure.stderr],
      [2, "fastworker: 2 tasks would be cancelled: say --yes to do so\n"]
    )
    assert.deepStrictEqual([young.code, young.stdout], [0, "Cancelled 0 tasks\n"])
    assert.deepStrictEqual(lines(sure), [{ count: 2 }])
    assert.strictEqual(await stateOf("f3"), "delayed")
    await fastworker("cancel", "f3")
  })

  it("exits with 2 when it is not clear which tasks are meant", async () => {
    for (
      const args of [["cancel"], ["cancel", "x", "--all"], ["cancel", "--all", "--tag", "t"], ["retry"], ["purge"], [
        "prioritize",
        "--to",
        "low"
      ]]
    ) {
      const { code, stderr, stdout } = await fastworker(...args)

      assert.deepStrictEqual([code, stdout], [2, ""], args.join(" "))
      assert.match(stderr, /^fastworker: say which tasks: .+--all\n$/u)
    }
  })
})

describe("prioritize", () => {
  it("gives what its ids or a filter say another priority, and what has it is not counted", async () => {
    for (const id of ["u1", "u2", "u3"]) await submit("--id", id, "--in", "1h", "--tag", "urgent")

    const text = await fastworker("prioritize", "u1", "nobody", "--to", "critical")
    const unsure = await fastworker("prioritize", "--tag", "urgent", "--to", "critical")
    const sure = await fastworker("prioritize", "--tag", "urgent", "--to", "critical", "--yes")
    const history = await fastworker("prioritize", "--type", "a*", "--tag", "urgent", "--to", "low", "--yes", "--json")
    const finished = await fastworker("cancel", "--tag", "urgent", "--yes")
    const late = await fastworker("prioritize", "u1", "--to", "high")

    assert.deepStrictEqual([text.code, text.stdout], [1, "Prioritized u1 as critical\n"])
    assert.match(text.stderr, /nobody/u)
    assert.deepStrictEqual(
      [unsure.code, unsure.stderr],
      [2, "fastworker: 2 tasks would be prioritized as critical: say --yes to do so\n"]
    )
    assert.deepStrictEqual([sure.code, sure.stdout], [0, "Prioritized 2 tasks as critical\n"])
    assert.deepStrictEqual(lines(history), [{ count: 3 }])
    assert.strictEqual(finished.stdout, "Cancelled 3 tasks\n")
    assert.deepStrictEqual([late.code, late.stderr], [1, "fastworker: Task \"u1\" was cancelled already\n"])
  })
})

describe("dead, retry and purge", () => {
  it("lists what failed, runs it again and forgets it", async () => {
    assert.match((await fastworker("dead")).stdout, /^No tasks can be retried\n$/u)
    for (const id of ["d1", "d2", "d3"]) await bury("--id", id, "--tag", "dead")

    const dead = await fastworker("dead", "--tag", "dead")
    const listed = await fastworker("list", "--dead", "--json")
    const retried = await fastworker("retry", "d1", "--json")
    const again = await fastworker("retry", "d1")
    const purged = await fastworker("purge", "--tag", "dead", "--older-than", "0s", "--yes")

    assert.match(dead.stdout, /^ID +TASK +STATE .+\n(d\d +add +failed \(error\) .+\n){3}$/u)
    assert.strictEqual(lines(listed)[0]?.total, 3)
    assert.strictEqual(lines(retried)[0]?.retryOf, "d1")
    assert.deepStrictEqual([again.code, again.stdout], [1, ""])
    assert.match(again.stderr, /"d1" is failed: only tasks that failed or expired, and are still kept, can be retried/u)
    assert.match(purged.stdout, /^Purged [23] tasks\n$/u)
  })

  const script = "/usr/bin/script"
  it.skipIf(!existsSync(script))(
    `asks on a terminal, with the number of tasks${existsSync(script) ? "" : " (skipped: there is no script(1))"}`,
    async () => {
      for (const id of ["t1", "t2"]) await bury("--id", id, "--tag", "asked")
      const bin = fileURLToPath(new URL("../../dist/bin.js", import.meta.url))
      const answer = (key: string) =>
        Effect.gen(function*() {
          const command = `'${process.execPath}' '${bin}' purge --tag asked`
          const program = yield* start(script, ["-qefc", command, "/dev/null"], {
            env: { FASTWORKER_DISCOVERY: cluster.discovery },
            isInteractive: true
          })
          yield* until("the question", () => program.output().includes("Purge 2 tasks?"), 20_000)
          program.child.stdin?.write(key)
          yield* until("its end", () => program.ended() !== undefined, 20_000)
          return program.output()
        }).pipe(Effect.scoped, Effect.runPromise)

      assert.include(await answer("n"), "Nothing was changed")
      assert.include(await answer("y"), "Purged 2 tasks")
    }
  )
})

describe("pause and resume", () => {
  it("stops and starts what is named, and says what is still paused", async () => {
    const paused = await fastworker("pause", "--task", "add")
    await submit("--id", "p1")
    const status = await fastworker("status", "p1")
    const all = await fastworker("pause", "--json")
    const stats = await fastworker("stats")
    const resumed = await fastworker("resume")
    const last = await fastworker("resume", "--task", "add")

    assert.deepStrictEqual([paused.code, paused.stdout], [0, "Paused task add\n"])
    assert.match(status.stdout, /^waiting +tasks of "add" are paused$/mu)
    assert.deepStrictEqual(lines(all), [{ pause: "all", paused: ["task:add", "all"] }])
    assert.match(stats.stdout, /^paused +task:add all$/mu)
    assert.strictEqual(resumed.stdout, "Resumed everything; still paused: task:add\n")
    assert.strictEqual(last.stdout, "Resumed task add\n")
    assert.strictEqual((await fastworker("result", "p1")).stdout, "2\n")
    assert.strictEqual((await fastworker("pause", "--task", "a", "--worker", "b")).code, 2)
  })
})

describe("schedules", () => {
  it("lists them with their next times, runs, pauses, resumes and removes them", async () => {
    const table = await fastworker("schedules")
    const run = await fastworker("schedule", "run", "nightly")
    const ran = await fastworker("result", run.stdout.trim())
    const paused = await fastworker("schedule", "pause", "nightly")
    const [list] = lines(await fastworker("schedules", "--json")) as unknown as [{ schedules: Array<object> }]
    const resumed = await fastworker("resume", "--schedule", "nightly")
    const removed = await fastworker("schedule", "remove", "nightly", "--json")
    const unknown = await fastworker("schedule", "run", "nightly")

    assert.match(
      table.stdout,
      /^SCHEDULE +TASK +TIMES +NEXT .+\nnightly +report +0 3 \* \* \* Europe\/Berlin +\d{4}-\d\d-\d\d \d\d:00:00 +0\n$/u
    )
    assert.strictEqual(ran.stdout, "reported\n")
    assert.deepStrictEqual([paused.stdout, resumed.stdout], ["Paused nightly\n", "Resumed schedule nightly\n"])
    assert.deepInclude(list.schedules[0], { id: "nightly", name: "report", paused: true })
    assert.deepStrictEqual(lines(removed), [{ schedule: "nightly", done: "remove" }])
    assert.strictEqual(unknown.code, 1)
    assert.match(unknown.stderr, /No schedule has the id "nightly"/u)
    assert.match((await fastworker("schedules")).stdout, /^No schedules/u)
  })
})

describe("events", () => {
  it("prints a line for each until it is stopped, those that are wanted", async () => {
    const text = cluster.start(["events", "--name", "add"])
    const machine = cluster.start(["events", "--json", "--name", "add", "--type", "task.finished"])
    // Nothing says when they begin to follow; what happens before is not told.
    await eventually("both follow", async () => {
      await submit()
      return text.stdout() !== "" && machine.stdout() !== ""
    })

    await submit("--id", "e1")
    await eventually("both tell its end", () => [text, machine].every(({ stdout }) => /finished.+e1/u.test(stdout())))
    for (const running of [text, machine]) {
      running.signal("SIGINT")
      assert.strictEqual(await running.exit(), 0)
    }

    assert.match(text.stdout(), /^\d\d:\d\d:\d\d task\.queued +e1 add$/mu)
    assert.match(text.stdout(), /^\d\d:\d\d:\d\d task\.finished +e1 add state=succeeded attempt=1$/mu)
    for (const line of machine.stdout().trimEnd().split("\n")) {
      assert.deepInclude(JSON.parse(line), { type: "task.finished", name: "add" })
    }
  })
})
