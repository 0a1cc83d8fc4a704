/** A core with its history, on virtual time, and random lives of tasks in it. */
import * as Result from "effect/Result"
import type { Outcome } from "../../src/domain/Outcome.ts"
import type { Settings } from "../../src/domain/Settings.ts"
import { defaults } from "../../src/domain/Settings.ts"
import type { TaskRecord } from "../../src/domain/Task.ts"
import type { WorkerRecord } from "../../src/domain/WorkerInfo.ts"
import type { Core } from "../../src/layers/ControlPlaneCore.ts"
import { makeCore } from "../../src/layers/ControlPlaneCore.ts"
import { makeControlPlaneHistory } from "../../src/layers/ControlPlaneHistory.ts"
import { makeOperations } from "../../src/layers/ControlPlaneOperations.ts"
import { makeViews } from "../../src/layers/ControlPlaneViews.ts"
import * as DispatcherLeastLoaded from "../../src/layers/DispatcherLeastLoaded.ts"
import { makeHistoryMemory } from "../../src/layers/HistoryMemory.ts"
import * as ResultCacheLru from "../../src/layers/ResultCacheLru.ts"
import * as TaskQueuePriority from "../../src/layers/TaskQueuePriority.ts"
import { makeWallTimes } from "../../src/layers/WallTimes.ts"
import * as WorkerRegistryMemory from "../../src/layers/WorkerRegistryMemory.ts"
import { Journal } from "../../src/services/Journal.ts"

const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))

export type Plane = ReturnType<typeof makePlane>

/** Milliseconds since 1970 at 0 of the virtual clock. */
export const epochMillis = 1_800_000_000_000

export const typeNames = ["mail.send", "mail.digest", "web.hook", "report"] as const

export const makePlane = (changes: Partial<Settings> = {}) => {
  const settings = { ...defaults, ...changes }
  let time = 1_000
  let ids = 0
  const now = () => time
  const wallNow = () => epochMillis + time
  const registry = WorkerRegistryMemory.makeUnsafe(settings)
  const results = ResultCacheLru.makeUnsafe(settings)
  /** What finished, by id: the last time. */
  const outcomes = new Map<string, Outcome>()
  const times = makeWallTimes(now, wallNow)
  const memory = makeHistoryMemory({
    settings,
    now,
    offset: times.offset(),
    levels: () => ({ waiting: core.waiting(), running: core.counts.running })
  })
  const { observer } = memory
  const core: Core = makeCore({
    queue: TaskQueuePriority.makeUnsafe({ ...settings, maxPassed: 64 }),
    registry,
    dispatcher: DispatcherLeastLoaded.makeUnsafe({ registry, local: "never" }),
    results,
    settings,
    startedAt: time,
    randomId: () => (++ids).toString(16).padStart(32, "0"),
    wall: wallNow,
    observer: {
      ...observer,
      finished(outcome, task) {
        outcomes.set(outcome.id, outcome)
        observer.finished(outcome, task)
      },
      told: () => {},
      unresponsive: () => {},
      responsive: () => {},
      progress: () => {},
      uniqueExpired: () => {},
      forgotten: () => {},
      paused: () => {},
      skipped: () => {},
      stood: () => {}
    }
  })
  const views = makeViews({
    core,
    results,
    journaling: undefined,
    namespace: "test",
    epoch: "e".repeat(32),
    startedAt: time,
    now,
    wall: times.wall
  })
  const shown = makeControlPlaneHistory({
    core,
    memory,
    results,
    views,
    operations: makeOperations({ core, journaling: undefined, wallNow }),
    journal: Journal.defaultValue(),
    settings,
    epoch: "e".repeat(32),
    startedAt: time,
    now,
    wallNow,
    wall: times.wall,
    fromWall: times.fromWall,
    addresses: () => ({ clients: "c", workers: "w", discovery: "d" }),
    schedule: () => {}
  })
  const workers = new Map<string, { readonly worker: WorkerRecord; seq: number }>()

  const plane = {
    core,
    history: shown.history,
    memory,
    outcomes,
    registry,
    wall: times.wall,
    now,
    tick: () => shown.tick(time, 100),
    pass(millis: number) {
      time += millis
      core.tick(time)
    },

    hire(id: string, slots = 4, names: ReadonlyArray<string> = typeNames) {
      const { worker } = core.register(
        {
          session: id.padStart(32, "0"),
          worker: id,
          slots,
          tasks: names.map((name) => ({ name })),
          held: [],
          about: {},
          local: false
        },
        time
      )
      workers.set(id, { worker, seq: 0 })
      return worker
    },

    submit(
      name: string,
      { args = {}, id, level, ...more }: Partial<Omit<Parameters<Core["submit"]>[0], "args">> & {
        readonly args?: unknown
      } = {}
    ): string {
      const made = core.submit(
        { id, name, level, watcher: undefined, ...more, args: text(args) },
        time
      )
      return Result.getOrThrow(made)
    },

    /** Gives tasks to the workers that have free slots. */
    dispatch(): ReadonlyArray<TaskRecord> {
      for (const of of workers.values()) {
        const { worker } = of
        of.seq++
        core.news(
          worker,
          {
            seq: of.seq,
            settled: of.seq - 1,
            abandoned: [],
            free: worker.slots - worker.leases.size,
            waiting: 0,
            draining: false,
            held: undefined
          },
          time
        )
        core.setOpen(worker, true)
      }
      return [...core.dispatch(time).values()].flat()
    },

    report(
      task: TaskRecord,
      state: "succeeded" | "failed" | "crashed" | "returned" | "stopped",
      { body = {}, retryIn }: { readonly body?: unknown; readonly retryIn?: number } = {}
    ) {
      if (task.worker === undefined) return
      core.report(
        task.worker,
        {
          id: task.id as never,
          attempt: task.attempt,
          state,
          ...(state === "failed" ? { reason: "error" as const } : {}),
          ...(retryIn === undefined ? {} : { retryIn })
        },
        text(body),
        time
      )
    },

    lose(id: string) {
      const found = workers.get(id)
      if (found === undefined) return
      workers.delete(id)
      core.disconnected(found.worker, time)
      time += settings.reconnectGraceMillis + 1
      for (const worker of core.expire(time)) shown.lost(worker)
    }
  }
  return plane
}

const errors = ["connect failed", "took 4711 ms", "no user \"ann\"", "declined"] as const

/** So many random things that happen to tasks. */
export const live = (plane: Plane, random: () => number, steps: number) => {
  const pick = <A>(items: ReadonlyArray<A>): A => items[Math.floor(random() * items.length)] as A
  const running = () =>
    [...plane.core.tasks()].filter(({ state, worker }) => worker !== undefined && state !== "delayed")
  if (plane.registry.size() === 0) { for (const id of ["w1", "w2", "w3"]) plane.hire(id) }
  for (let i = 0; i < steps; i++) {
    const what = random()
    if (what < 0.3) {
      plane.submit(pick(typeNames), {
        level: pick([0, 1, 2, 3] as const),
        ...(random() < 0.3 ? { dueAt: plane.now() + random() * 3_000 } : {}),
        ...(random() < 0.1 ? { expiresAt: plane.now() + random() * 2_000 } : {}),
        ...(random() < 0.4
          ? { options: { tags: [pick(["a", "b"])], tenant: pick(["x", "y"]), schedule: pick(["s1", "s2"]) } }
          : {}),
        args: { i }
      })
    } else if (what < 0.5) plane.dispatch()
    else if (what < 0.85) {
      const tasks = running()
      if (tasks.length === 0) continue
      const task = pick(tasks)
      const error = { _tag: pick(["Down", "Declined"]), message: pick(errors) }
      if (task.state === "cancelling" && random() < 0.7) plane.report(task, "stopped")
      else if (random() < 0.6) plane.report(task, "succeeded", { body: { ok: true } })
      else if (random() < 0.5) plane.report(task, "failed", { body: error, retryIn: random() * 2_000 })
      else if (random() < 0.7) plane.report(task, "failed", { body: error })
      else plane.report(task, pick(["crashed", "returned"]))
    } else if (what < 0.9) {
      const tasks = [...plane.core.tasks()]
      if (tasks.length > 0) plane.core.cancel(pick(tasks).id, plane.now())
    } else if (what < 0.905) {
      plane.lose("w2")
      plane.hire("w2")
    } else plane.pass(random() * 200)
    plane.tick()
  }
}
