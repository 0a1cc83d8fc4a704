import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import type { Report } from "../../src/domain/Message.ts"
import type { Settings } from "../../src/domain/Settings.ts"
import { defaults } from "../../src/domain/Settings.ts"
import type { WorkerRecord } from "../../src/domain/WorkerInfo.ts"
import { makeAwaitedNames } from "../../src/layers/AwaitedNames.ts"
import { makeCore } from "../../src/layers/ControlPlaneCore.ts"
import type { WorkerNews } from "../../src/layers/CoreWorkers.ts"
import * as DispatcherLeastLoaded from "../../src/layers/DispatcherLeastLoaded.ts"
import * as ResultCacheLru from "../../src/layers/ResultCacheLru.ts"
import * as TaskQueuePriority from "../../src/layers/TaskQueuePriority.ts"
import * as WorkerRegistryMemory from "../../src/layers/WorkerRegistryMemory.ts"
import { simulate } from "./Simulation.ts"

/** A failing seed is printed with its error: `SIM_SEED=7 npx vitest run test/model` runs that one alone. */
const only = process.env["SIM_SEED"]
const steps = Number(process.env["SIM_STEPS"] ?? 5_000)
const seeds = only === undefined ? Array.from({ length: 60 }, (_, i) => i + 1) : [Number(only)]

describe("simulation", () => {
  it(`keeps its promises over ${seeds.length} random schedules`, { timeout: 300_000 }, () => {
    let total = 0
    const answers = new Set<string>()
    for (const seed of seeds) {
      const outcome = simulate(seed, steps)
      total += outcome.steps
      for (const answer of Object.keys(outcome.answers)) answers.add(answer)
    }

    assert.isAtLeast(total, seeds.length * steps)
    // What never happened was never checked.
    if (only !== undefined) return
    for (const answer of ["ok", "IdConflict", "QueueFull", "OutboxFull", "TooLarge", "UnknownTask", "ResultEvicted"]) {
      assert.include([...answers], answer)
    }
  })

  it("gives the same run for the same seed", () => {
    assert.deepStrictEqual(simulate(3, 1_000), simulate(3, 1_000))
  })
})

const make = (changes: Partial<Settings> = {}) => {
  const stood: Array<number> = []
  const responses: Array<string> = []
  const settings = { ...defaults, startGraceMillis: 0, ...changes }
  const registry = WorkerRegistryMemory.makeUnsafe(settings)
  let ids = 0
  const core = makeCore({
    queue: TaskQueuePriority.makeUnsafe({ ...settings, maxPassed: 64 }),
    registry,
    dispatcher: DispatcherLeastLoaded.makeUnsafe({ registry, local: settings.local }),
    results: ResultCacheLru.makeUnsafe(settings),
    settings,
    randomId: () => `made-${++ids}`,
    startedAt: 0,
    wall: () => 0,
    observer: {
      accepted: () => {},
      delayed: () => {},
      retrying: () => {},
      prioritized: () => {},
      cancelling: () => {},
      progress: () => {},
      uniqueExpired: () => {},
      forgotten: () => {},
      retracted: () => {},
      schedule: () => {},
      paused: () => {},
      skipped: () => {},
      queued: () => {},
      started: () => {},
      finished: () => {},
      told: () => {},
      requeued: () => {},
      unresponsive: ({ id, lag }) => responses.push(`${id} is ${lag} behind`),
      responsive: ({ id }) => responses.push(`${id} responds`),
      stood: (millis) => stood.push(millis)
    }
  })
  const register = (session: string, held: ReadonlyArray<{ readonly id: string; readonly attempt: number }> = []) =>
    core.register(
      { session, worker: session, slots: 2, tasks: [{ name: "t" }], held, about: {}, local: false },
      0
    )
  const news = (worker: WorkerRecord, seq: number, changes: Partial<WorkerNews> = {}, now = 0) => {
    const abandon = core.news(
      worker,
      { seq, settled: seq - 1, abandoned: [], free: 2, waiting: 0, draining: false, held: undefined, ...changes },
      now
    )
    core.setOpen(worker, true)
    return abandon
  }
  const submit = (id: string, now = 0, args = "") => {
    const result = core.submit(
      { id, name: "t", level: undefined, args: Buffer.from(args), watcher: core.sessions.open("client", now) },
      now
    )
    return Result.isSuccess(result) ? "ok" : result.failure._tag
  }
  /** The leases of one dispatch as `worker: id/attempt`. */
  const dispatch = (now = 0) =>
    [...core.dispatch(now)].flatMap(([worker, tasks]) => {
      core.setOpen(worker, false)
      return tasks.map(({ attempt, id }) => `${worker.session}: ${id}/${attempt}`)
    })
  const report = (worker: WorkerRecord, id: string, attempt: number, state: Report["state"] = "succeeded", now = 0) =>
    core.report(worker, { id: id as Report["id"], attempt, state }, Buffer.from("{}"), now)
  return { core, register, news, submit, dispatch, report, stood, responses }
}

describe("makeCore", () => {
  it("gives a task that kills its workers up after as many crashes as the setting says", () => {
    const { core, dispatch, news, register, submit } = make({ maxCrashes: 3 })
    register("first")
    submit("killer")

    for (let crash = 1; crash <= 3; crash++) {
      const { worker } = register(`w${crash}`)
      news(worker, 1)
      assert.deepStrictEqual(dispatch(), [`w${crash}: killer/${crash}`])
      news(worker, 2)
      core.disconnected(worker, 0)
      core.expire(defaults.reconnectGraceMillis)
    }

    assert.deepStrictEqual(core.counts, {
      submitted: 1,
      running: 0,
      cancelling: 0,
      succeeded: 0,
      failed: 1,
      cancelled: 0,
      expired: 0,
      retries: 0,
      crashes: 3,
      lateReports: 0
    })
    assert.deepStrictEqual(
      core.sessions.open("client", 0)?.outbox.map(({ attempt, reason, state }) => ({ attempt, reason, state })),
      [{ attempt: 3, reason: "crash", state: "failed" }]
    )
  })

  it("counts a loss before the reply was settled apart, with three times the bound", () => {
    const { core, dispatch, news, register, submit } = make({ maxCrashes: 2 })
    register("first")
    submit("unlucky")

    for (let loss = 1; loss <= 6; loss++) {
      assert.strictEqual(core.task("unlucky")?.losses, loss - 1)
      const { worker } = register(`w${loss}`)
      news(worker, 1)
      dispatch()
      core.disconnected(worker, 0)
      core.expire(defaults.reconnectGraceMillis)
    }

    assert.strictEqual(core.counts.crashes, 0)
    assert.strictEqual(core.counts.failed, 1)
  })

  it("refuses the report of a worker that was declared lost, and takes that of the one that has the task now", () => {
    const { core, dispatch, news, register, report, submit } = make()
    const { worker: lost } = register("lost")
    submit("a")
    news(lost, 1)
    dispatch()
    core.disconnected(lost, 0)
    core.expire(defaults.reconnectGraceMillis)
    const { worker: heir } = register("heir")
    news(heir, 1)
    assert.deepStrictEqual(dispatch(), ["heir: a/2"])

    const late = report(lost, "a", 1)
    const wrongAttempt = report(heir, "a", 1)
    const counted = report(heir, "a", 2)
    const again = report(heir, "a", 2)

    assert.deepStrictEqual([late, wrongAttempt, counted, again], [false, false, true, false])
    assert.strictEqual(core.counts.lateReports, 3)
    assert.strictEqual(core.counts.succeeded, 1)
  })

  it("keeps what a worker that registers again holds, also when it gives up the exchange before", () => {
    const { core, dispatch, news, register, submit } = make()
    const { worker } = register("w")
    submit("a")
    news(worker, 1)
    assert.deepStrictEqual(dispatch(), ["w: a/1"])
    news(worker, 2)

    const again = register("w", [{ id: "a", attempt: 1 }, { id: "gone", attempt: 1 }])
    news(again.worker, 3, { abandoned: [1, 2] })

    assert.deepStrictEqual(again.abandon, ["gone"])
    assert.strictEqual(core.task("a")?.worker, again.worker)
    assert.deepStrictEqual(dispatch(), [])
  })

  it("does not give the number of an attempt away that a worker may be running", () => {
    const { dispatch, news, register, report, submit } = make()
    const { worker } = register("w")
    submit("a")
    news(worker, 1)
    assert.deepStrictEqual(dispatch(), ["w: a/1"])

    // A copy of its first registration that took a long way.
    const { worker: renewed } = register("w")
    const { worker: other } = register("other")
    news(other, 1)

    assert.deepStrictEqual(dispatch(), ["other: a/2"])
    assert.isFalse(report(renewed, "a", 1))
    assert.isTrue(report(other, "a", 2))
  })

  it("knows a copy of a registration that its worker's exchanges have overtaken", () => {
    const { core, news, register } = make()
    const { worker } = register("w")
    news(worker, 1)
    news(worker, 2)
    news(register("w").worker, 3)

    assert.deepStrictEqual([0, 1, 2, 3, 4].map((seq) => core.isOvertaken("w", seq)), [true, true, true, false, false])
    assert.isFalse(core.isOvertaken("somebody else", 0))
  })

  it("leases no more than a worker has slots, whatever it says is free", () => {
    const { core, dispatch, news, register, submit } = make()
    const { worker } = register("liar")
    for (let i = 0; i < 9; i++) submit(`t${i}`)

    for (let seq = 1; seq <= 3; seq++) {
      news(worker, seq, { free: 1_000 })
      dispatch()
    }

    assert.strictEqual(worker.leases.size, 2)
    assert.strictEqual(core.queue.size(), 7)
  })

  it("says that the result is gone when a finished task is submitted again to be told it", () => {
    const { core, dispatch, news, register, report, submit } = make({ resultCacheTtlMillis: 1_000 })
    const { worker } = register("w")
    submit("a")
    news(worker, 1)
    dispatch()
    report(worker, "a", 1)

    const early = submit("a", 500)
    const late = submit("a", 1_500)
    const other = submit("a", 1_500, "other arguments")

    assert.deepStrictEqual([early, late, other], ["ok", "ResultEvicted", "IdConflict"])
    assert.deepStrictEqual(core.sessions.open("client", 0)?.outbox.map(({ id }) => id), ["a", "a"])
  })

  it("refuses to fill an outbox past its bound, by new tasks, finished ones and watches", () => {
    const { core, dispatch, news, register, report, submit } = make({ maxOutbox: 2 })
    const { worker } = register("w")
    submit("a")
    submit("b")
    news(worker, 1)
    dispatch()
    report(worker, "a", 1)
    report(worker, "b", 1)
    const session = core.sessions.open("client", 0)
    assert.isDefined(session)

    const answers = [submit("c"), submit("a"), core.watch(session, "a", 0)?._tag]

    assert.deepStrictEqual(answers, ["OutboxFull", "OutboxFull", "OutboxFull"])
    assert.strictEqual(core.sessions.pending(session), 2)
    core.sessions.acknowledge(session, session.acked + 1)
    assert.strictEqual(submit("c"), "ok")
  })

  it("fails the tasks of names that nobody announced when the start grace ends, and refuses them from then on", () => {
    const { core, submit } = make({ startGraceMillis: 1_000 })
    submit("early")

    core.expire(999)
    const before = core.counts.failed
    core.expire(1_000)

    assert.strictEqual(before, 0)
    assert.strictEqual(core.counts.failed, 1)
    assert.strictEqual(submit("late", 1_000), "UnknownTask")
  })

  it("keeps the leases of a worker whose event loop is blocked, for as long as it says so, and gives it no more", () => {
    const { core, dispatch, news, register, responses, submit } = make()
    const { worker } = register("w")
    submit("a")
    news(worker, 1)
    assert.deepStrictEqual(dispatch(), ["w: a/1"])
    news(worker, 2, { free: 1 })

    for (let time = 1_000; time <= 60_000; time += 1_000) {
      core.beat(worker, time, time)
      assert.deepStrictEqual(core.expire(time), [])
    }
    submit("b")
    const blocked = dispatch()
    core.beat(worker, 0, 60_100)
    const afterwards = dispatch()

    assert.deepStrictEqual([blocked, afterwards], [[], ["w: b/1"]])
    assert.deepStrictEqual(responses, ["w is 1000 behind", "w responds"])
  })

  it("knows from an exchange and from a registration that a worker's event loop runs again", () => {
    const { core, news, register, responses } = make()
    const { worker } = register("w")
    core.beat(worker, 5_000, 0)
    news(worker, 1)
    const lag = worker.lag
    core.beat(worker, 1_000, 0)
    const again = register("w").worker

    assert.deepStrictEqual([lag, again.lag], [0, 0])
    assert.deepStrictEqual(responses, ["w is 5000 behind", "w responds", "w is 1000 behind", "w responds"])
  })

  it("loses a worker whose event loop runs, and does not exchange", () => {
    const { core, register } = make()
    const { worker } = register("w")

    let lost: ReadonlyArray<WorkerRecord> = []
    let time = 0
    while (lost.length === 0 && time < 60_000) {
      core.beat(worker, 999, time)
      lost = core.expire(time += 1_000)
    }

    assert.deepStrictEqual([lost, time], [[worker], defaults.heartbeatTimeoutMillis])
  })

  it("holds no silence against anybody that was its own", () => {
    const { core, dispatch, news, register, stood, submit } = make({
      startGraceMillis: 5_000,
      sessionTimeoutMillis: 5_000,
      reconnectGraceMillis: 900
    })
    const { worker } = register("w")
    const { worker: away } = register("away")
    submit("a")
    news(worker, 1)
    assert.deepStrictEqual(dispatch(), ["w: a/1"])
    core.expire(100)
    core.disconnected(away, 100)

    const lost = core.expire(100 + 60_000)
    const afterwards = core.submit(
      { id: "b", name: "new", level: 2, args: new Uint8Array(), watcher: undefined },
      60_100
    )

    assert.deepStrictEqual([lost, stood, core.sessions.size()], [[], [59_900], 1])
    assert.isTrue(Result.isSuccess(afterwards))
    assert.deepStrictEqual(core.expire(60_899), [])
    assert.deepStrictEqual(core.expire(60_900), [away])
  })

  it("does lose a worker while it runs itself, if not always on time", () => {
    const { core, register, stood } = make()
    const { worker } = register("w")

    let lost: ReadonlyArray<WorkerRecord> = []
    let time = 0
    while (lost.length === 0 && time < 60_000) lost = core.expire(time += 1_000)

    assert.deepStrictEqual([lost, time, stood], [[worker], defaults.heartbeatTimeoutMillis, []])
  })

  it("accepts and starts nothing while it drains, and takes reports", () => {
    const { core, dispatch, news, register, report, submit } = make()
    const { worker } = register("w")
    submit("running")
    news(worker, 1)
    dispatch()
    submit("waiting")

    core.drain()
    news(worker, 2, { free: 1 })

    assert.deepStrictEqual(dispatch(), [])
    assert.strictEqual(submit("new"), "ShuttingDown")
    assert.strictEqual(submit("waiting"), "ok")
    assert.isTrue(report(worker, "running", 1))
    assert.strictEqual(core.cancelWaiting(0), 1)
    assert.strictEqual(core.counts.cancelled, 1)
  })

  it("keeps a worker on probation for what it runs, not for what has ended", () => {
    const { dispatch, news, register, report, submit } = make({ maxCrashes: 2 })
    const { worker } = register("w")
    submit("a")
    submit("b")
    news(worker, 1)
    assert.deepStrictEqual(dispatch(), ["w: a/1", "w: b/1"])
    // Another crash would be the last of each: they run one after the other, or 5 s apart.
    for (const id of ["a", "b"]) report(worker, id, 1, "crashed")
    news(worker, 2)
    assert.deepStrictEqual(dispatch(), ["w: a/2"])
    news(worker, 3, {}, 5_000)
    assert.deepStrictEqual(dispatch(5_000), ["w: b/2"])
    report(worker, "b", 2, "succeeded", 5_100)
    submit("c", 5_100)
    news(worker, 4, {}, 5_100)
    assert.deepStrictEqual(dispatch(5_100), ["w: c/1"])
    report(worker, "c", 1, "crashed", 5_200)
    news(worker, 5, {}, 5_200)

    assert.deepStrictEqual(dispatch(5_200), ["w: c/2"])
  })

  it("gives a task that waits the last place of its new priority, and one that runs its new priority later", () => {
    const { core, dispatch, news, register, report, submit } = make()
    const { worker } = register("w")
    for (const id of ["a", "b", "c", "d"]) submit(id)
    news(worker, 1)
    assert.deepStrictEqual(dispatch(), ["w: a/1", "w: b/1"])

    const answers = [["d", 0], ["c", 0], ["d", 0], ["a", 1], ["nobody", 0]] as const
    const said = answers.map(([id, level]) => {
      const state = core.prioritize(id, level)
      return Result.isSuccess(state) ? state.success : state.failure._tag
    })
    report(worker, "b", 1)
    report(worker, "a", 1, "returned")
    news(worker, 2)

    assert.deepStrictEqual(said, ["queued", "queued", "queued", "running", "TaskNotFound"])
    assert.deepStrictEqual(dispatch(), ["w: d/1", "w: c/1"])
    assert.deepStrictEqual(core.waitingByPriority(), { critical: 0, high: 1, normal: 0, low: 0 })
    assert.strictEqual(Result.isFailure(core.prioritize("b", 0)) && core.prioritize("b", 0)._tag, "Failure")
  })

  it("keeps a reply with large arguments below the frame limit", () => {
    const { core, news, register } = make()
    const { worker } = register("w")
    for (const id of ["a", "b", "c"]) {
      const args = new Uint8Array(defaults.maxPayloadBytes)
      core.submit({ id, name: "t", level: undefined, args, watcher: undefined }, 0)
    }
    const { worker: wide } = core.register(
      { session: "wide", worker: "wide", slots: 9, tasks: [{ name: "t" }], held: [], about: {}, local: false },
      0
    )
    for (let i = 0; i < 9; i++) {
      const args = new Uint8Array(defaults.maxPayloadBytes)
      core.submit({ id: `${i}`, name: "t", level: undefined, args, watcher: undefined }, 0)
    }

    news(wide, 1, { free: 9 })
    const leases = core.dispatch(0)

    assert.isUndefined(leases.get(worker))
    assert.strictEqual(leases.get(wide)?.length, 4)
  })

  it("is quiet while nothing is under way and nothing due soon", () => {
    const { core, dispatch, news, register, report, submit } = make()
    const { worker } = register("w")
    const isQuiet = [core.isQuiet(0, 500)]
    core.submit({ id: "later", name: "t", level: undefined, args: "", watcher: undefined, dueAt: 10_000 }, 0)
    isQuiet.push(core.isQuiet(9_000, 500), core.isQuiet(9_600, 500))
    submit("now")
    isQuiet.push(core.isQuiet(0, 500))
    news(worker, 1)
    dispatch()
    isQuiet.push(core.isQuiet(0, 500))
    report(worker, "now", 1)
    isQuiet.push(core.isQuiet(0, 500))
    core.tick(10_000)
    isQuiet.push(core.isQuiet(10_000, 500))

    assert.deepStrictEqual(isQuiet, [true, true, false, false, false, true, false])
  })

  it("says why a task waits", () => {
    const { core, news, register, submit } = make()
    const { worker } = register("w")
    submit("a")
    const task = core.task("a")
    assert.isDefined(task)
    const busy = core.whyWaiting(task, 0).text
    core.beat(worker, 1_000, 0)
    const blocked = core.whyWaiting(task, 0).text
    core.leave(worker, 0)
    const alone = core.whyWaiting(task, 0).text
    core.drain()

    assert.strictEqual(busy, "all slots of the 1 worker that can run it are busy")
    assert.strictEqual(blocked, "no worker that can run it responds: tasks block their event loops")
    assert.strictEqual(alone, "no connected worker has a handler for \"t\"")
    assert.strictEqual(core.whyWaiting(task, 0).text, "the control plane is shutting down")
    assert.deepStrictEqual(news(register("x").worker, 1), [])
  })
})

describe("tasks of a name that no worker has announced", () => {
  const states = ({ core }: ReturnType<typeof make>, ...ids: ReadonlyArray<string>) =>
    ids.map((id) => core.task(id)?.state ?? "gone")

  it("are refused after the start, unless they are waited for", () => {
    assert.strictEqual(make().submit("a", 10), "UnknownTask")
    assert.strictEqual(make({ unknownWaitMillis: 5_000 }).submit("a", 10), "ok")
  })

  it("wait so long from the first of them, with that as the reason, and then fail together; the next waits anew", () => {
    const plane = make({ unknownWaitMillis: 5_000 })
    const { core, submit } = plane
    submit("a", 0)
    submit("b", 4_000)
    core.expire(4_900)
    const [waits] = [...core.tasks()]

    assert.deepStrictEqual(waits === undefined ? undefined : core.whyWaiting(waits, 4_900), {
      cause: "no-worker",
      text: `no connected worker has a handler for "t"`,
      until: 5_000
    })
    assert.deepStrictEqual(states(plane, "a", "b"), ["queued", "queued"])
    for (let now = 5_000; now <= 6_000; now += 100) core.expire(now)
    assert.deepStrictEqual(states(plane, "a", "b"), ["gone", "gone"])
    assert.strictEqual(core.counts.failed, 2)
    assert.strictEqual(submit("c", 6_000), "ok")
    for (let now = 6_100; now < 10_900; now += 100) core.expire(now)
    assert.deepStrictEqual(states(plane, "c"), ["queued"])
  })

  it("run when their worker comes, and are not given up afterwards", () => {
    const plane = make({ unknownWaitMillis: 5_000 })
    const { core, dispatch, news, register, submit } = plane
    submit("a", 0)
    const { worker } = register("w")
    news(worker, 1, { free: 0 })
    for (let now = 0; now <= 12_000; now += 100) core.expire(now)
    assert.deepStrictEqual(states(plane, "a"), ["queued"])
    news(worker, 2, {}, 12_000)
    assert.deepStrictEqual(dispatch(12_000), ["w: a/1"])
  })

  it("were accepted in the first seconds: they are waited for from the start of the control plane", () => {
    const plane = make({ startGraceMillis: 1_000, unknownWaitMillis: 5_000 })
    plane.submit("a", 500)
    for (let now = 0; now <= 4_900; now += 100) plane.core.expire(now)
    assert.deepStrictEqual(states(plane, "a"), ["queued"])
    for (let now = 5_000; now <= 6_000; now += 100) plane.core.expire(now)
    assert.deepStrictEqual(states(plane, "a"), ["gone"])
  })

  it("are of so many names at most, and a time in which the control plane stood still does not count", () => {
    const names = makeAwaitedNames(1_000)
    for (let i = 0; i < 1_000; i++) assert.isTrue(names.admit(`name${i}`, 0))
    assert.isFalse(names.admit("one more", 0))
    assert.isTrue(names.admit("name5", 0))
    names.forgive(500)
    assert.strictEqual(names.overdue(1_499, () => false).size, 0)
    assert.strictEqual(names.overdue(2_499, (name) => name === "name7").size, 999)
    assert.isTrue(names.admit("one more", 2_499))
  })
})
