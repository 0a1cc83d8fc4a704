/** The rules of `docs/protocol.md` that only show when requests are lost, repeated, late or at cross purposes. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { Settings } from "../../src/domain/Settings.ts"
import { layerControlPlane } from "../../src/layers/Node.ts"
import { layerSettings } from "../../src/layers/NodeClient.ts"
import { ControlPlane } from "../../src/services/ControlPlane.ts"
import { EventBus } from "../../src/services/EventBus.ts"
import { Journal } from "../../src/services/Journal.ts"
import { startControlPlane } from "../harness/Roles.ts"
import { talk } from "../harness/Talk.ts"
import { until } from "../harness/Until.ts"
import { makeMemoryJournal } from "../model/MemoryJournal.ts"

const anyPort = "tcp://127.0.0.1:0"
const client = "c".repeat(32)
const worker = "d".repeat(32)

/** A control plane with a registered worker by hand, and a client by hand. */
const setUp = Effect.fnUntraced(function*(settings: Partial<Settings> = {}) {
  const plane = yield* startControlPlane({ startGraceMillis: 0, heartbeatMillis: 20_000, ...settings })
  const caller = yield* talk(plane.address)
  const doer = yield* talk(plane.workerAddress)
  const register = (more: object = {}) =>
    doer.say({ op: "register", session: worker, worker: "w", slots: 4, tasks: [{ name: "t" }], ...more })
  const { header } = yield* register()
  const submit = (...ids: ReadonlyArray<string>) =>
    caller.say({ op: "submit", session: client, tasks: ids.map((id) => ({ id, name: "t", watch: true })) })
  const exchange = (seq: number, more: object = {}, body?: string) =>
    doer.say({ op: "exchange", session: worker, seq, free: 4, ...more }, body)
  const collect = (more: object) => caller.say({ op: "collect", session: client, ack: 0, ...more })
  return { plane, caller, doer, register, submit, exchange, collect, epoch: header.epoch }
})

const lease = (id: string, attempt = 1) => ({ id, attempt, name: "t", size: 0 })
const done = (id: string, attempt = 1) => ({ id, attempt, state: "succeeded" })

describe("groups", () => {
  it.live("stand for lists of items, and are answered to who reads them", () =>
    Effect.gen(function*() {
      const { caller, collect, exchange } = yield* setUp()
      const groups = [
        { name: "t", watch: true, ids: ["a", "b"], sizes: [2, 3] },
        { name: "t", watch: true, ids: ["c"], sizes: [2], expiresIn: 60_000 }
      ]
      yield* caller.say({ op: "submit", session: client, groups }, "{} {} 1")

      const leases = yield* exchange(1, { grouped: true })
      const [plain, timed] = leases.header.groups as ReadonlyArray<Record<string, unknown>>
      assert.isUndefined(leases.header.leases)
      assert.deepStrictEqual(plain, { attempt: 1, name: "t", ids: ["a", "b"], sizes: [2, 3] })
      assert.deepStrictEqual(timed?.["ids"], ["c"])
      assert.strictEqual(leases.body, "{} {} 1")

      const ended = [
        { attempt: 1, state: "succeeded", ids: ["b", "c"], sizes: [1, 2] },
        { attempt: 1, state: "failed", reason: "error", ids: ["a"], sizes: [3] }
      ]
      yield* exchange(2, { grouped: true, free: 0, reports: [done("x")], groups: ended }, "123456")
      const outcomes = yield* collect({ grouped: true, wait: 5_000 })
      assert.isUndefined(outcomes.header.outcomes)
      assert.deepStrictEqual(outcomes.header.groups, [
        { name: "t", state: "succeeded", attempt: 1, ids: ["b", "c"], sizes: [1, 2] },
        { name: "t", state: "failed", attempt: 1, reason: "error", ids: ["a"], sizes: [3] }
      ])
      assert.strictEqual(outcomes.body, "123456")
      const lists = yield* collect({ wait: 5_000 })
      assert.deepStrictEqual(lists.header.outcomes, [
        { id: "b", name: "t", state: "succeeded", attempt: 1, size: 1 },
        { id: "c", name: "t", state: "succeeded", attempt: 1, size: 2 },
        { id: "a", name: "t", state: "failed", attempt: 1, reason: "error", size: 3 }
      ])
    }))

  it.live("that say something wrong are refused, and nothing of them is accepted", () =>
    Effect.gen(function*() {
      const { caller, plane } = yield* setUp()
      const submit = (group: object) => caller.say({ op: "submit", session: client, groups: [{ name: "t", ...group }] })
      const wrong = [
        [{ ids: ["a", "b"], sizes: [0] }, "2 ids and 1 sizes"],
        [{ ids: ["a b"], sizes: [0] }, "ids"],
        [{ ids: ["a"], sizes: [-1] }, "sizes"],
        [{ ids: ["a"] }, "sizes"],
        [{ ids: ["a"], sizes: [5] }, "add up to 5 bytes"]
      ] as const
      for (const [group, reason] of wrong) {
        const { header } = yield* submit(group)
        assert.include(JSON.stringify(header.error), reason)
      }
      assert.strictEqual((yield* plane.stats).submitted, 0)
    }))
})

describe("collect", () => {
  it.live("that waits is answered at once, empty, when another comes", () =>
    Effect.gen(function*() {
      const { collect, caller, epoch, exchange, submit } = yield* setUp()
      yield* caller.say({ op: "watch", session: client, ids: [] })
      const first = yield* caller.begin({ op: "collect", session: client, ack: 0, wait: 60_000 })
      const second = yield* caller.begin({ op: "collect", session: client, ack: 0, wait: 60_000 })

      assert.deepStrictEqual((yield* first).header, { v: 1, epoch, last: 0, outcomes: [] })

      yield* submit("a")
      yield* exchange(1)
      yield* exchange(2, { free: 0, reports: [done("x"), done("a")] })
      const { header } = yield* second
      assert.deepStrictEqual(header.outcomes, [{ id: "a", name: "t", state: "succeeded", attempt: 1, size: 0 }])
      assert.deepStrictEqual((yield* collect({ ack: 1, epoch })).header, { v: 1, epoch, last: 1, outcomes: [] })
    }))

  it.live("of a session that is not known is answered at once", () =>
    Effect.gen(function*() {
      const { collect, epoch } = yield* setUp()
      assert.deepStrictEqual((yield* collect({ wait: 60_000 })).header, { v: 1, epoch, last: 0, outcomes: [] })
    }))

  it.live("with the epoch of another control plane acknowledges nothing and is answered at once", () =>
    Effect.gen(function*() {
      const { caller, collect, epoch, submit } = yield* setUp()
      const empty = yield* collect({ ack: 7, epoch: "e".repeat(32), wait: 60_000 })
      yield* submit("a")
      yield* caller.say({ op: "cancel", id: "a" })
      const sent = yield* collect({ ack: 0 })
      const again = yield* collect({ ack: 1, epoch: "e".repeat(32), wait: 60_000 })

      assert.deepStrictEqual(empty.header, { v: 1, epoch, last: 0, outcomes: [] })
      assert.strictEqual(sent.header.last, 1)
      assert.deepStrictEqual(again, sent)
    }))

  it.live("of a session that was forgotten acknowledges nothing of the new one", () =>
    Effect.gen(function*() {
      const { caller, collect, epoch, plane, submit } = yield* setUp({ sessionTimeoutMillis: 200 })
      yield* submit("a", "b")
      yield* caller.say({ op: "cancel", id: "a" })
      yield* caller.say({ op: "cancel", id: "b" })
      assert.strictEqual((yield* collect({ ack: 0 })).header.last, 2)
      yield* until("the session to be forgotten", Effect.map(plane.stats, ({ sessions }) => sessions === 0))
      yield* submit("c")
      yield* caller.say({ op: "cancel", id: "c" })

      const { header } = yield* collect({ ack: 2, epoch })

      const [outcome] = header.outcomes as ReadonlyArray<{ readonly id: string }>
      assert.deepStrictEqual([header.last, outcome?.id], [3, "c"])
    }))

  it.live("has an outcome again for each time that it was asked for", () =>
    Effect.gen(function*() {
      const { caller, collect, submit } = yield* setUp()
      yield* submit("a")
      yield* caller.say({ op: "cancel", id: "a" })
      yield* submit("a")
      yield* caller.say({ op: "watch", session: client, ids: ["a"] })

      const { header } = yield* collect({})

      const outcomes = header.outcomes as ReadonlyArray<{ readonly id: string }>
      assert.deepStrictEqual(outcomes.map(({ id }) => id), ["a", "a", "a"])
    }))
})

describe("submit", () => {
  it.live("again, with an outcome that is no longer kept, is accepted, but can't be watched", () =>
    Effect.gen(function*() {
      const { caller, epoch, submit } = yield* setUp({ resultCacheSize: 1 })
      yield* submit("a", "b")
      yield* caller.say({ op: "cancel", id: "a" })
      yield* caller.say({ op: "cancel", id: "b" })
      const watched = yield* submit("a")
      const unwatched = yield* caller.say({ op: "submit", tasks: [{ id: "a", name: "t" }] })

      const [refusal] = watched.header.refused as ReadonlyArray<{ readonly error: object }>
      assert.include(refusal?.error, { _tag: "ResultEvicted", id: "a", state: "cancelled" })
      assert.deepStrictEqual(unwatched.header, { v: 1, epoch })
    }))

  const unique = { key: "k", while: "unfinished", onConflict: "reject" }

  it.live("that was refused is refused to its copy too, whatever has changed; the next message is a new question", () =>
    Effect.gen(function*() {
      const { caller, epoch, plane } = yield* setUp()
      const ask = (seq: number, ids: ReadonlyArray<string>) =>
        caller.say({ op: "submit", session: client, seq, tasks: ids.map((id) => ({ id, name: "t", unique })) })
      yield* ask(1, ["holder"])
      const refused = yield* ask(2, ["a"])
      yield* caller.say({ op: "cancel", id: "holder" })

      const copy = yield* ask(2, ["a"])
      const between = yield* plane.stats
      const next = yield* ask(3, ["a"])

      const [refusal] = refused.header.refused as ReadonlyArray<{ readonly error: object }>
      assert.include(refusal?.error, { _tag: "UniqueConflict", id: "holder" })
      assert.deepStrictEqual(copy, refused)
      assert.include(between, { submitted: 1, waiting: 0 })
      assert.deepStrictEqual(next.header, { v: 1, epoch })
    }))

  it.live("that was accepted is accepted to its copy too, when its task has ended and is not kept", () =>
    Effect.gen(function*() {
      const { caller, collect, epoch } = yield* setUp({ resultCacheSize: 0 })
      const tasks = [{ id: "a", name: "t", watch: true }]
      yield* caller.say({ op: "submit", session: client, seq: 1, tasks })
      yield* caller.say({ op: "cancel", id: "a" })

      const copy = yield* caller.say({ op: "submit", session: client, seq: 1, tasks })

      assert.deepStrictEqual(copy.header, { v: 1, epoch })
      assert.lengthOf((yield* collect({})).header.outcomes as ReadonlyArray<object>, 1)
    }))

  it.live("of tasks without ids submits them once, however many copies come", () =>
    Effect.gen(function*() {
      const { caller, plane } = yield* setUp()
      const submit = caller.say({ op: "submit", session: client, seq: 1, tasks: [{ name: "t" }, { name: "t" }] })
      const first = yield* submit
      const copies = [yield* submit, yield* submit]

      assert.lengthOf(first.header.ids as ReadonlyArray<string>, 2)
      assert.deepStrictEqual(copies, [first, first])
      assert.include(yield* plane.stats, { submitted: 2 })
    }))

  it.live("with the number of another message of the session is a bad request", () =>
    Effect.gen(function*() {
      const { caller, plane } = yield* setUp()
      const submit = (id: string) => caller.say({ op: "submit", session: client, seq: 1, tasks: [{ id, name: "t" }] })
      yield* submit("a")
      const { header } = yield* submit("b")

      assert.include(header.error, { _tag: "BadRequest", reason: "seq 1 of this session was another message" })
      assert.include(yield* plane.stats, { submitted: 1 })
    }))

  it.live("again before it is on disk: both are answered the same, when it is", () =>
    Effect.gen(function*() {
      const journal = makeMemoryJournal(Date.now)
      const { caller, epoch, plane } = yield* Effect.provideService(setUp(), Journal, journal.store)
      const submit = (seq: number, ...ids: ReadonlyArray<string>) =>
        caller.begin({ op: "submit", session: client, seq, tasks: ids.map((id) => ({ id, name: "t", unique })) })

      const first = yield* submit(1, "a", "b")
      yield* until("it to be taken", () => journal.pending() > 0)
      const copy = yield* submit(1, "a", "b")
      // It is taken after the copy.
      yield* caller.say({ op: "status", ids: ["a"] })
      journal.commit(Infinity)
      const answer = yield* first

      assert.deepStrictEqual(yield* copy, answer)
      assert.strictEqual(answer.header.epoch, epoch)
      const [refusal] = answer.header.refused as ReadonlyArray<{ readonly index: number; readonly error: object }>
      assert.strictEqual(refusal?.index, 1)
      assert.include(refusal?.error, { _tag: "UniqueConflict", id: "a" })
      assert.include(yield* plane.stats, { submitted: 1 })
    }))

  it.live("that the journal refused is refused to its copy too, when the disk takes tasks again", () =>
    Effect.gen(function*() {
      const journal = makeMemoryJournal(Date.now)
      const { caller, plane } = yield* Effect.provideService(setUp(), Journal, journal.store)
      const message = { op: "submit", session: client, seq: 1, tasks: [{ id: "a", name: "t" }] }
      const first = yield* caller.begin(message)
      yield* until("it to be taken", () => journal.pending() > 0)
      journal.refuse()
      const refused = yield* first
      journal.commit(Infinity)

      const copy = yield* caller.say(message)

      const [refusal] = refused.header.refused as ReadonlyArray<{ readonly error: object }>
      assert.include(refusal?.error, { _tag: "JournalFailed" })
      assert.deepStrictEqual(copy, refused)
      assert.include(yield* plane.stats, { submitted: 0, waiting: 0 })
    }))
})

describe("exchange", () => {
  it.live("that comes again gets the same reply, leases included, until it is settled", () =>
    Effect.gen(function*() {
      const { exchange, submit } = yield* setUp()
      yield* submit("a")
      const first = yield* exchange(1)
      const again = yield* exchange(1)

      assert.deepStrictEqual(first.header.leases, [lease("a")])
      assert.deepStrictEqual(again, first)
    }))

  it.live("that waits is answered at once, empty, when a newer one comes, which gets the leases", () =>
    Effect.gen(function*() {
      const { doer, submit } = yield* setUp()
      const first = yield* doer.begin({ op: "exchange", session: worker, seq: 1, free: 4 })
      const second = yield* doer.begin({ op: "exchange", session: worker, seq: 2, free: 4, settled: 0 })

      assert.deepStrictEqual((yield* first).header, { v: 1, seq: 1, leases: [] })
      yield* submit("a")
      assert.deepStrictEqual((yield* second).header, { v: 1, seq: 2, leases: [lease("a")] })
    }))

  it.live("that waits is answered, empty, when its worker registers again", () =>
    Effect.gen(function*() {
      const { doer, exchange, register, submit } = yield* setUp()
      const waiting = yield* doer.begin({ op: "exchange", session: worker, seq: 1, free: 4 })
      yield* register()
      yield* submit("a")

      assert.deepStrictEqual((yield* waiting).header, { v: 1, seq: 1, leases: [] })
      assert.deepStrictEqual((yield* exchange(2)).header.leases, [lease("a")])
    }))

  it.live("gives up one before: its leases go out again, as if they had not been", () =>
    Effect.gen(function*() {
      const { exchange, submit } = yield* setUp()
      yield* submit("a")
      yield* exchange(1)
      const { header } = yield* exchange(2, { abandoned: [1] })
      assert.deepStrictEqual(header.leases, [lease("a")])
    }))

  it.live("that lists what is held hands back what is missing, and is told what is not its", () =>
    Effect.gen(function*() {
      const { exchange, submit } = yield* setUp()
      yield* submit("a", "b")
      yield* exchange(1)
      const second = yield* exchange(2, { free: 3, held: [{ id: "a", attempt: 1 }, { id: "z", attempt: 1 }] })
      const third = yield* exchange(3, { free: 3 })

      assert.deepStrictEqual(second.header.abandon, ["z"])
      const leases = [second, third].flatMap(({ header }) => header.leases as ReadonlyArray<object>)
      assert.deepStrictEqual(leases, [lease("b")])
    }))

  it.live("that hands a lease back does not use up an attempt", () =>
    Effect.gen(function*() {
      const { exchange, submit } = yield* setUp()
      yield* submit("a")
      yield* exchange(1)
      const { header } = yield* exchange(2, { reports: [{ id: "a", attempt: 1, state: "returned" }] })
      assert.deepStrictEqual(header.leases, [lease("a")])
    }))

  it.live("says which reports came too late, and they change nothing", () =>
    Effect.gen(function*() {
      const { caller, exchange, plane, submit } = yield* setUp()
      yield* submit("a")
      yield* exchange(1)
      const reports = [{ id: "a", attempt: 1, state: "failed", reason: "error", size: 1 }]
      yield* exchange(2, { free: 0, reports: [done("none"), ...reports] }, "1")
      const { header } = yield* exchange(3, { free: 4, reports: [{ ...done("a"), size: 1 }] }, "2")
      const result = yield* caller.say({ op: "result", id: "a" })

      assert.deepStrictEqual(header.late, ["a"])
      assert.deepStrictEqual([result.header.state, result.body], ["failed", "1"])
      assert.include(yield* plane.stats, { failed: 1, succeeded: 0, lateReports: 2 })
    }))

  it.live("turns a result that is too large into a failure, and a failure without a reason into a defect", () =>
    Effect.gen(function*() {
      const { caller, exchange, submit } = yield* setUp({ maxPayloadBytes: 10 })
      yield* submit("a", "b")
      yield* exchange(1)
      const reports = [{ ...done("a"), size: 11 }, { id: "b", attempt: 1, state: "failed" }, done("none")]
      yield* exchange(2, { reports }, "12345678901")
      const large = yield* caller.say({ op: "result", id: "a" })
      const defect = yield* caller.say({ op: "result", id: "b" })

      assert.deepStrictEqual([large.header.outcome, large.body], [
        { id: "a", name: "t", state: "failed", reason: "size", attempt: 1, size: 22 },
        "{\"size\":11,\"limit\":10}"
      ])
      assert.include(defect.header.outcome, { state: "failed", reason: "defect", size: 0 })
    }))

  it.live("is answered after the heartbeat when there is nothing to say", () =>
    Effect.gen(function*() {
      const { exchange } = yield* setUp({ heartbeatMillis: 50 })
      assert.deepStrictEqual((yield* exchange(1)).header, { v: 1, seq: 1, leases: [] })
    }))

  it.live("of a worker that drains brings no leases", () =>
    Effect.gen(function*() {
      const { exchange, submit } = yield* setUp({ heartbeatMillis: 50 })
      yield* submit("a")
      assert.deepStrictEqual((yield* exchange(1, { draining: true })).header.leases, [])
    }))

  it.live("goes on over another connection within the grace", () =>
    Effect.gen(function*() {
      const { doer, plane, submit } = yield* setUp({ reconnectGraceMillis: 10_000 })
      yield* doer.begin({ op: "exchange", session: worker, seq: 1, free: 4 })
      yield* doer.close
      yield* until("the worker to be missed", Effect.map(plane.workers, ([one]) => one?.state === "lost"))
      yield* submit("a")

      const other = yield* talk(plane.workerAddress)
      const { header } = yield* other.say({ op: "exchange", session: worker, seq: 1, free: 4 })

      assert.deepStrictEqual(header.leases, [lease("a")])
    }))

  it.live("of a worker that was lost is refused, and after registering it must stop what it held", () =>
    Effect.gen(function*() {
      const { doer, exchange, plane, submit } = yield* setUp({ reconnectGraceMillis: 50 })
      yield* submit("a")
      yield* exchange(1)
      yield* doer.close
      yield* until("the worker to be lost", Effect.map(plane.workers, (workers) => workers.length === 0))

      const other = yield* talk(plane.workerAddress)
      const refused = yield* other.say({ op: "exchange", session: worker, seq: 2, free: 4 })
      const tasks = [{ name: "t" }]
      const held = [{ id: "a", attempt: 1 }]
      const again = yield* other.say({ op: "register", session: worker, worker: "w", slots: 4, tasks, held })
      const { header } = yield* other.say({ op: "exchange", session: worker, seq: 3, free: 4 })

      assert.include(refused.header.error, { _tag: "UnknownSession" })
      assert.deepStrictEqual(again.header.abandon, ["a"])
      const [second] = header.leases as ReadonlyArray<{ readonly history: ReadonlyArray<{ readonly reason: string }> }>
      assert.deepStrictEqual({ ...second, history: [] }, { ...lease("a", 2), losses: 1, history: [] })
      assert.deepStrictEqual(second?.history.map(({ reason }) => reason), ["lost"])
    }))
})

describe("register", () => {
  it.live("again keeps the leases that are held; the others run as a further attempt", () =>
    Effect.gen(function*() {
      const { exchange, plane, register, submit } = yield* setUp()
      yield* submit("a", "b")
      yield* exchange(1)
      const { header } = yield* register({ held: [{ id: "a", attempt: 1 }, { id: "b", attempt: 2 }] })
      const next = yield* exchange(2, { free: 3 })

      assert.deepStrictEqual(header.abandon, ["b"])
      assert.deepStrictEqual(next.header.leases, [lease("b", 2)])
      assert.include(yield* plane.stats, { running: 2, waiting: 0 })
    }))

  it.live("that comes late, when newer exchanges were taken, has no effect", () =>
    Effect.gen(function*() {
      const { doer, epoch, exchange, plane, register, submit } = yield* setUp()
      yield* submit("a")
      yield* exchange(1)
      const waiting = yield* doer.begin({ op: "exchange", session: worker, seq: 2, free: 3 })
      const copy = yield* talk(plane.workerAddress)
      const late = yield* copy.say({
        op: "register",
        session: worker,
        worker: "w",
        slots: 4,
        tasks: [{ name: "t" }],
        seq: 0
      })
      yield* copy.close
      yield* submit("b")

      assert.deepStrictEqual((yield* waiting).header.leases, [lease("b")])
      assert.include(late.header, { epoch })
      assert.deepStrictEqual(late.header.abandon, [])
      const { header } = yield* register({ held: [{ id: "a", attempt: 1 }, { id: "b", attempt: 1 }], seq: 2 })
      assert.deepStrictEqual(header.abandon, [])
      assert.include(yield* plane.stats, { running: 2, waiting: 0 })
    }))

  it.live("gives the priority of submissions that name none", () =>
    Effect.gen(function*() {
      const { plane, register, submit } = yield* setUp()
      yield* register({ tasks: [{ name: "t", priority: "critical" }] })
      yield* submit("a")
      assert.strictEqual((yield* plane.status("a")).priority, "critical")
    }))
})

describe("beat", () => {
  const beat = (lag: number) => ({ op: "beat", session: worker, lag })
  const shown = (plane: ControlPlane["Service"]) =>
    Effect.map(plane.workers, (workers) => workers.map(({ lag, running, state }) => ({ lag, running, state })))

  it.live("of a blocked worker holds leases back until it says that it runs, or exchanges", () =>
    Effect.gen(function*() {
      const { doer, exchange, plane, submit } = yield* setUp()
      const side = yield* talk(plane.workerAddress)
      const first = yield* doer.begin({ op: "exchange", session: worker, seq: 1, free: 4 })
      const reply = yield* side.say(beat(1_000))
      yield* submit("a")
      const blocked = yield* shown(plane)
      yield* side.say(beat(999))
      const leases = (yield* first).header.leases
      yield* side.say(beat(5_000))
      const again = yield* shown(plane)
      yield* submit("b")
      const next = yield* exchange(2, { free: 3 })

      assert.deepStrictEqual(reply.header, { v: 1 })
      assert.deepStrictEqual(blocked, [{ lag: 1_000, running: 0, state: "unresponsive" }])
      assert.deepStrictEqual(leases, [lease("a")])
      assert.deepStrictEqual(again, [{ lag: 5_000, running: 1, state: "unresponsive" }])
      assert.deepStrictEqual(next.header.leases, [lease("b")])
      assert.deepStrictEqual(yield* shown(plane), [{ lag: 0, running: 2, state: "active" }])
    }))

  it.live("keeps a blocked worker whose connection closed, until that of its beats closes too", () =>
    Effect.gen(function*() {
      const { doer, exchange, plane, submit } = yield* setUp({ reconnectGraceMillis: 1_500 })
      const side = yield* talk(plane.workerAddress)
      yield* submit("a")
      yield* exchange(1)
      yield* side.say(beat(0))
      yield* doer.close
      yield* until("the close to be noticed", Effect.map(shown(plane), ([one]) => one?.state === "lost"))
      yield* side.say(beat(5_000))
      const end = performance.now() + 3_000
      yield* until("twice the grace to pass", () => performance.now() > end)
      const kept = yield* shown(plane)
      yield* side.close
      yield* until("its loss", Effect.map(plane.stats, ({ workers }) => workers === 0), 5_000)

      assert.deepStrictEqual(kept, [{ lag: 5_000, running: 1, state: "unresponsive" }])
      assert.include(yield* plane.stats, { running: 0, waiting: 1 })
    }))

  it.live("of a worker that runs keeps it no longer than its exchanges do", () =>
    Effect.gen(function*() {
      const { plane } = yield* setUp({ heartbeatTimeoutMillis: 500 })
      const side = yield* talk(plane.workerAddress)
      yield* until(
        "its loss",
        Effect.andThen(side.say(beat(999)), (reply) => {
          const { error } = reply.header as { readonly error?: { readonly _tag: string } }
          return Effect.succeed(error?._tag === "UnknownSession")
        }),
        5_000
      )

      assert.include(yield* plane.stats, { workers: 0 })
    }))

  it.live("tells who follows when a worker is blocked, and when it runs again", () =>
    Effect.gen(function*() {
      const settings = { address: anyPort, workerAddress: anyPort, discovery: anyPort }
      const context = yield* Layer.build(layerControlPlane.pipe(Layer.provide(layerSettings(settings))))
      const plane = Context.get(context, ControlPlane)
      const events: Array<string> = []
      yield* Context.get(context, EventBus).events.pipe(
        Stream.runForEach((event) =>
          Effect.sync(() => "worker" in event && events.push(`${event.type} ${event.worker}`))
        ),
        Effect.forkScoped({ startImmediately: true })
      )
      const doer = yield* talk(plane.workerAddress)
      yield* until("somebody to follow", Context.get(context, EventBus).isFollowed)
      yield* doer.say({ op: "register", session: worker, worker: "w", slots: 4, tasks: [{ name: "t" }] })
      for (const lag of [999, 1_000, 2_000, 0]) yield* doer.say(beat(lag))
      yield* doer.say({ op: "leave", session: worker })
      yield* until("the last event", () => events.length >= 4)

      assert.deepStrictEqual(events, [
        "worker.joined w",
        "worker.unresponsive w",
        "worker.responsive w",
        "worker.left w"
      ])
    }))
})

describe("leave", () => {
  it.live("takes the last reports, hands back the rest, and answers what waits", () =>
    Effect.gen(function*() {
      const { doer, exchange, plane, submit } = yield* setUp()
      yield* submit("a", "b")
      yield* exchange(1)
      const waiting = yield* doer.begin({ op: "exchange", session: worker, seq: 2, free: 2 })
      const { header } = yield* doer.say({ op: "leave", session: worker, reports: [done("a")] })
      const again = yield* doer.say({ op: "leave", session: worker })

      assert.deepStrictEqual(header, { v: 1 })
      assert.include((yield* waiting).header.error, { _tag: "UnknownSession" })
      assert.include(again.header.error, { _tag: "UnknownSession" })
      assert.include(yield* plane.stats, { succeeded: 1, waiting: 1, crashes: 0, workers: 0 })
    }))
})

describe("a control plane that stops", () => {
  it.live("takes reports, leases nothing new, and delivers what it cancels", () =>
    Effect.gen(function*() {
      const { collect, exchange, plane, submit } = yield* setUp()
      yield* submit("a", "b")
      yield* exchange(1, { free: 1 })
      const draining = yield* Effect.forkChild(plane.drain)
      yield* until("the drain", Effect.map(plane.stats, (stats) => stats.draining))
      const refused = yield* submit("c")
      yield* exchange(2, { reports: [done("none"), done("a")] })
      yield* until("the end", Effect.map(plane.stats, ({ waiting }) => waiting === 0))
      const { header } = yield* collect({})

      const outcomes = header.outcomes as ReadonlyArray<{ readonly id: string; readonly state: string }>
      assert.deepStrictEqual(outcomes.map(({ id, state }) => [id, state]), [["a", "succeeded"], ["b", "cancelled"]])
      const [refusal] = refused.header.refused as ReadonlyArray<{ readonly error: object }>
      assert.include(refusal?.error, { _tag: "ShuttingDown" })
      assert.deepStrictEqual(yield* Fiber.join(draining), { cancelled: 1, abandoned: 0, kept: 0 })
    }))
})
