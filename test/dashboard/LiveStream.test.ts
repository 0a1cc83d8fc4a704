/** The live stream: what it says, how it goes on after a gap, and what it costs. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Task from "../../src/domain/TaskDefinition.ts"
import type { Frame, Snapshot, TaskTuple } from "../../src/domain/View.ts"
import { makeLive, maxStreams } from "../../src/layers/DashboardLive.ts"
import { changesBetween, mergeFrames, partsOf } from "../../src/layers/LiveFrames.ts"
import type { Feed } from "../../src/services/History.ts"
import { listen, startDashboard, type StreamEvent } from "../harness/Dashboard.ts"
import { makeRandom } from "../harness/random.ts"
import { startClient, startWorker } from "../harness/Roles.ts"
import { until } from "../harness/Until.ts"
import { startPlane } from "./Plane.ts"

type State = Omit<Snapshot, "seq" | "latest">

/** The state after a frame, as whoever listens keeps it. */
const apply = (
  state: State,
  { at, gone = [], over: _over, seconds: _seconds, seq: _seq, tasks: _tasks, workers = [], ...parts }: Frame
): State => {
  const byKey = new Map(state.workers.map((worker) => [worker.key, worker]))
  for (const worker of workers) byKey.set(worker.key, worker)
  for (const key of gone) byKey.delete(key)
  return { ...state, ...parts, at, workers: [...byKey.values()] }
}

/** What does not change by itself. */
const comparable = ({ at: _at, stats: { upMillis: _up, ...stats }, workers, ...state }: State) => ({
  ...state,
  stats,
  workers: workers.toSorted((a, b) => a.key < b.key ? -1 : 1)
})

const work = Task.define("work", { run: () => Effect.sleep(3) })

const snapshots = (events: ReadonlyArray<StreamEvent>) =>
  events.filter(({ event }) => event === "snapshot").map(({ data }) => JSON.parse(data) as Snapshot)
const frames = (events: ReadonlyArray<StreamEvent>) =>
  events.filter(({ event }) => event === "frame").map(({ data }) => JSON.parse(data) as Frame)

/** The states that a stream told, by their numbers. */
const statesOf = (events: ReadonlyArray<StreamEvent>): ReadonlyMap<number, State> => {
  const states = new Map<number, State>()
  let state: State | undefined
  for (const { data, event } of events) {
    if (event === "snapshot") {
      const { latest: _, seq, ...begun } = JSON.parse(data) as Snapshot
      state = begun
      states.set(seq, state)
    } else if (event === "frame" && state !== undefined) {
      const frame = JSON.parse(data) as Frame
      state = apply(state, frame)
      states.set(frame.seq, state)
    }
  }
  return states
}

const startWorking = Effect.fnUntraced(function*() {
  const dashboard = yield* startDashboard()
  yield* startWorker(dashboard.plane, work.layer, { id: "one", concurrency: 4 })
  return { ...dashboard, client: yield* startClient(dashboard.plane) }
})

describe("GET /api/live", () => {
  it.live(
    "begins with a snapshot at once, and then tells what changes: always what the API says of that moment",
    () =>
      Effect.gen(function*() {
        const { api, client, origin } = yield* startWorking()
        const stream = yield* listen(origin)
        assert.strictEqual(stream.response.headers.get("content-type"), "text/event-stream; charset=utf-8")
        assert.include(stream.response.headers.get("cache-control"), "no-store")
        assert.strictEqual(stream.response.headers.get("x-accel-buffering"), "no")
        yield* until("the snapshot", () => snapshots(stream.events).length === 1)

        const asked: Array<Snapshot> = []
        for (let round = 0; round < 12; round++) {
          yield* client.delayAll(work, Array.from({ length: 40 }, () => ({})))
          asked.push(yield* api.overview.snapshot())
          yield* Effect.sleep(40)
        }
        yield* until("the end of all", Effect.map(api.overview.stats(), ({ succeeded }) => succeeded === 480))
        const told = Effect.sync(() => statesOf(stream.events))
        // Of frames that come at once only the last may be told: they are asked for until one of them is.
        yield* until(
          "the last frame",
          Effect.gen(function*() {
            const { latest: _, seq, ...state } = yield* api.overview.snapshot()
            yield* Effect.sleep(20)
            const last = (yield* told).get(seq)
            if (last !== undefined) assert.deepStrictEqual(comparable(last), comparable(state))
            return last !== undefined
          })
        )

        const states = yield* told
        const compared = asked.filter(({ seq }) => states.has(seq))
        assert.isAbove(new Set(compared.map(({ seq }) => seq)).size, 3)
        for (const { latest: _, seq, ...state } of compared) {
          assert.deepStrictEqual(comparable(states.get(seq) ?? view), comparable(state), `number ${seq}`)
        }
        const sent = frames(stream.events)
        assert.deepStrictEqual(
          sent.map(({ seq }) => String(seq)),
          stream.events.filter(({ event }) => event === "frame").map(({ id }) => id)
        )
        const last = new Map(sent.flatMap(({ tasks = [] }) => tasks).map((tuple) => [tuple[0], tuple[2]]))
        assert.deepStrictEqual([...new Set(last.values())], ["succeeded"])
        // All that was accepted is in a second that was told, or in the one that goes on.
        yield* until("the last second", () =>
          frames(stream.events).flatMap(({ seconds = [] }) =>
            seconds
          ).reduce((sum, { succeeded }) => sum + succeeded, 0) === 480)
        assert.strictEqual(
          yield* Effect.map(api.overview.system(), ({ dashboards }) =>
            dashboards),
          1
        )
      }),
    30_000
  )

  it.live("goes on after a gap with what was missed, and with a snapshot when it can't", () =>
    Effect.gen(function*() {
      const { api, client, origin } = yield* startWorking()
      const first = yield* listen(origin)
      yield* until("the snapshot", () => snapshots(first.events).length === 1)
      yield* first.close
      const state = statesOf(first.events)
      const [seq] = [...state.keys()].slice(-1)
      yield* Effect.forEach(yield* client.delayAll(work, [{}, {}, {}]), ({ result }) => result)

      const second = yield* listen(origin, String(seq))
      const unknown = yield* listen(origin, "1")
      const nonsense = yield* listen(origin, "<b>")
      const ahead = yield* listen(origin, String((seq ?? 0) + 1_000_000))
      yield* until("what was missed", () => frames(second.events).length > 0)
      for (const { events } of [unknown, nonsense, ahead]) {
        yield* until("a snapshot", () => snapshots(events).length === 1)
      }

      assert.lengthOf(snapshots(second.events), 0)
      const [frame] = frames(second.events)
      assert.deepStrictEqual(frame?.tasks?.map(([, , state]) => state), ["succeeded", "succeeded", "succeeded"])
      assert.strictEqual(frame?.stats?.succeeded, 3)
      assert.strictEqual((yield* api.overview.snapshot()).stats.succeeded, 3)
    }))

  it("ends at the end of the control plane, which does not wait for it", async () => {
    await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
      const { plane, url } = yield* startPlane()
      const streams = yield* Effect.forEach([1, 2, 3, 4], () => listen(url), { concurrency: 4 })
      for (const { events } of streams) yield* until("a snapshot", () => snapshots(events).length === 1)

      const before = performance.now()
      plane.signal("SIGTERM")
      const code = yield* Effect.promise(plane.exit)

      assert.strictEqual(code, 0)
      assert.isBelow(performance.now() - before, 3_000)
      for (const { ended } of streams) yield* until("its end", () => ended() === "ended")
    })))
  })
})

const view: Omit<Snapshot, "seq"> = {
  at: 0,
  stats: {
    version: "",
    namespace: "",
    epoch: "0".repeat(32),
    upMillis: 0,
    draining: false,
    submitted: 0,
    waiting: 0,
    waitingByPriority: { critical: 0, high: 0, normal: 0, low: 0 },
    delayed: 0,
    waitingBytes: 0,
    running: 0,
    cancelling: 0,
    succeeded: 0,
    failed: 0,
    cancelled: 0,
    expired: 0,
    retries: 0,
    crashes: 0,
    lateReports: 0,
    workers: 0,
    sessions: 0,
    results: 0,
    resultBytes: 0,
    dead: 0,
    schedules: 0,
    paused: []
  },
  headline: { tone: "idle", kind: "idle", title: "", cause: [] },
  lanes: [],
  flow: { arriving: 0, starting: 0, finishing: 0, perMinute: 0, failing: 0 },
  workers: [],
  upNext: [],
  errors: 0,
  paused: [],
  latest: []
}

const tuple = (id: string, attempt: number): TaskTuple => [id, "t", "queued", 2, attempt, 0, 0, 0, "", ""]

/** A feed whose state is what the test says, and a clock that stands still until it is set. */
const makeHand = () => {
  let state = view
  let time = 1_000
  let asked = 0
  const changed: Array<TaskTuple> = []
  const feed: Feed = {
    snapshot: () => {
      asked++
      return { ...state, at: time }
    },
    position: () => changed.length,
    changes: (since) => ({ tasks: changed.slice(since).toReversed(), over: false, next: changed.length }),
    seconds: () => []
  }
  const live = makeLive({ feed, now: () => time, wallNow: () => 1_800_000_000_000 + time })
  return {
    live,
    asked: () => asked,
    /** Changes the state; the stream is told with its next frame. */
    set: (parts: Partial<Omit<Snapshot, "seq">>, ...tasks: ReadonlyArray<TaskTuple>) => {
      state = { ...state, ...parts }
      changed.push(...tasks)
    },
    pass: (millis: number) => {
      time += millis
    }
  }
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const dataOf = (bytes: Uint8Array | undefined) =>
  JSON.parse(/^data: (.*)$/mu.exec(text(bytes ?? new Uint8Array()))?.[1] ?? "{}") as Frame & Snapshot

/** Reads a stream piece by piece, only when it is asked for one: a client as slow as can be. */
const openSlowly = (live: ReturnType<typeof makeLive>, last?: string) =>
  Effect.gen(function*() {
    const stream = live.open(last)
    if (stream === undefined) return yield* Effect.die("no stream")
    const pull = yield* Stream.toPull(stream)
    const next = Effect.map(Effect.orDie(pull as Effect.Effect<ReadonlyArray<Uint8Array>, unknown>), ([bytes]) => bytes)
    assert.strictEqual(text((yield* next) ?? new Uint8Array()), "retry: 1000\n\n")
    return next
  })

describe("makeLive", () => {
  it.live("sends who is slow all that it missed as one frame, and queues nothing", () =>
    Effect.gen(function*() {
      const { live, pass, set } = makeHand()
      yield* Effect.addFinalizer(() => Effect.sync(live.close))
      const slow = yield* openSlowly(live)
      const begun = dataOf(yield* slow)
      for (let round = 1; round <= 20; round++) {
        set({ errors: round, paused: round === 7 ? ["all"] : [] }, tuple("a", round), tuple(`only-${round}`, 1))
        pass(200)
        assert.strictEqual(live.snapshot().errors, round)
      }

      const bytes = yield* slow
      const frame = dataOf(bytes)

      assert.match(text(bytes ?? new Uint8Array()), /^event: frame\nid: \d+\ndata: /u)
      assert.strictEqual(frame.seq, begun.seq + 20)
      assert.deepInclude(frame, { errors: 20, paused: [] })
      const tasks = frame.tasks ?? []
      assert.lengthOf(tasks, 21)
      assert.deepStrictEqual(tasks.find(([id]) => id === "a")?.[4], 20)
      assert.deepStrictEqual(tasks.at(-1)?.[0], "only-20")
    }).pipe(Effect.scoped))

  it.live("sends a snapshot to who missed more than it keeps", () =>
    Effect.gen(function*() {
      const { live, pass, set } = makeHand()
      yield* Effect.addFinalizer(() => Effect.sync(live.close))
      const slow = yield* openSlowly(live)
      yield* slow
      for (let round = 1; round <= 40; round++) {
        set({ errors: round })
        pass(1_000)
        live.snapshot()
      }

      const bytes = yield* slow

      assert.match(text(bytes ?? new Uint8Array()), /^event: snapshot\n/u)
      assert.strictEqual(dataOf(bytes).errors, 40)
    }).pipe(Effect.scoped))

  it.live("says that it is there when nothing has changed for 5 s", () =>
    Effect.gen(function*() {
      const { live, pass } = makeHand()
      yield* Effect.addFinalizer(() => Effect.sync(live.close))
      const next = yield* openSlowly(live)
      yield* next
      const waiting = yield* Effect.forkChild(next)
      pass(4_999)
      yield* Effect.sleep(450)
      assert.isUndefined(waiting.pollUnsafe())

      pass(1)
      const bytes = yield* Fiber.join(waiting)

      assert.strictEqual(text(bytes ?? new Uint8Array()), ": still here\n\n")
    }).pipe(Effect.scoped))

  it.live("asks for nothing while nobody listens, and goes on where who comes back was", () =>
    Effect.gen(function*() {
      const { asked, live, pass, set } = makeHand()
      yield* Effect.addFinalizer(() => Effect.sync(live.close))
      const scope = yield* Scope.make()
      const next = yield* openSlowly(live).pipe(Scope.provide(scope))
      const { seq } = dataOf(yield* next)
      assert.strictEqual(live.count(), 1)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(live.count(), 0)
      const before = asked()
      set({ errors: 5 })
      yield* Effect.sleep(500)
      assert.strictEqual(asked(), before)
      pass(500)

      const again = yield* openSlowly(live, String(seq))

      assert.deepInclude(dataOf(yield* again), { seq: seq + 1, errors: 5 })
    }).pipe(Effect.scoped))

  it.live(`serves ${maxStreams} streams at a time, and ends them all`, () =>
    Effect.gen(function*() {
      const { live } = makeHand()
      const pulls = yield* Effect.forEach(Array.from({ length: maxStreams }), () => openSlowly(live))
      assert.isUndefined(live.open(undefined))
      for (const pull of pulls) yield* pull
      const ends = yield* Effect.forEach(pulls, (pull) => Effect.forkChild(Effect.exit(pull)))

      live.close()

      for (const end of ends) assert.isTrue(Exit.isFailure(yield* Fiber.join(end)))
      assert.isUndefined(live.open(undefined))
    }).pipe(Effect.scoped))
})

describe("mergeFrames", () => {
  it("says what the frames say one after the other", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = makeRandom(seed)
      const draw = (limit: number) => Math.floor(random() * limit)
      const drawState = (): Omit<Snapshot, "seq"> => ({
        ...view,
        errors: draw(3),
        paused: draw(2) === 0 ? [] : ["all"],
        workers: ["a", "b", "c"].filter(() => draw(2) === 0).map((key) =>
          ({ key, id: key, running: draw(2) }) as unknown as Snapshot["workers"][number]
        )
      })
      const begun = drawState()
      let before = partsOf(begun)
      const all: Array<Frame> = []
      for (let round = 1; round <= 8; round++) {
        const after = partsOf(drawState())
        const tasks = [...new Set([draw(4), draw(4)])].map((number) => tuple(`t${number}`, round))
        const changed = changesBetween(before, after, { tasks, over: false, seconds: [] })
        all.push({ seq: round, at: round, ...changed })
        before = after
      }

      const merged = mergeFrames(all)

      const { latest: _, ...state } = begun
      const oneByOne = all.reduce<State>(apply, state)
      assert.deepStrictEqual(comparable(apply(state, merged)), comparable(oneByOne), `seed ${seed}`)
      const last = new Map(all.flatMap(({ tasks = [] }) => tasks).map((tuple) => [tuple[0], tuple]))
      assert.deepStrictEqual(new Map(merged.tasks?.map((tuple) => [tuple[0], tuple])), last, `seed ${seed}`)
    }
  })
})
