/**
 * The history of a control plane put together: what is remembered, and what is shown of it and of the core. Implements
 * `services/History.ts`; the server tells it what happens and when time has passed.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { toBytes } from "../domain/Body.ts"
import type { BadRequest } from "../domain/Errors.ts"
import { ResultEvicted, TaskNotFound, UnknownTask, WorkerNotFound } from "../domain/Errors.ts"
import type { Event } from "../domain/Event.ts"
import type { Settings as Values } from "../domain/Settings.ts"
import type { Snapshot, SystemView, TaskTuple } from "../domain/View.ts"
import type { WorkerRecord } from "../domain/WorkerInfo.ts"
import type { History, TaskQuery } from "../services/History.ts"
import type { JournalStore } from "../services/Journal.ts"
import type { ResultCache } from "../services/ResultCache.ts"
import type { Core } from "./ControlPlaneCore.ts"
import type { Operations } from "./ControlPlaneOperations.ts"
import type { Views } from "./ControlPlaneViews.ts"
import { makeHistoryLists } from "./HistoryLists.ts"
import type { HistoryMemory } from "./HistoryMemory.ts"
import { makeHistoryNumbers } from "./HistoryNumbers.ts"
import { makeHistoryTasks } from "./HistoryTasks.ts"
import { makeHistoryViews } from "./HistoryViews.ts"
import { makeManyTasks } from "./ManyTasks.ts"
import { makeMetrics } from "./Metrics.ts"
import { makeSensitiveOf } from "./Redaction.ts"
import { makeSlices } from "./Slices.ts"
import { makeSystemView } from "./SystemView.ts"
import type { Context, Wanted } from "./TaskQueries.ts"
import { makeWanted } from "./TaskQueries.ts"
import { makeWorkerTracks } from "./WorkerTrack.ts"

/** Tasks that changed last, in a snapshot. */
const maxLatest = 30

/** Seconds that a stream is told of at once. */
const maxSeconds = 60

/** Characters of the epoch in a cursor. */
const markLength = 8

/**
 * What the history of a control plane is made of.
 *
 * @category models
 * @since 0.1.0
 */
export interface Parts {
  readonly core: Core
  readonly memory: HistoryMemory
  readonly results: ResultCache["Service"]
  readonly views: Views
  readonly operations: Operations
  readonly journal: JournalStore
  readonly settings: Values
  readonly epoch: string
  readonly startedAt: number
  readonly now: () => number
  readonly wallNow: () => number
  /** Makes milliseconds since 1970 of monotonic ones, and the other way round. */
  readonly wall: (millis: number) => number
  readonly fromWall: (wall: number) => number
  readonly addresses: () => SystemView["addresses"]
  /** Asks for a dispatch at the end of this turn. */
  readonly schedule: () => void
}

const workerEvents: Readonly<Record<string, string>> = {
  "worker.joined": "joined",
  "worker.left": "left",
  "worker.lost": "is lost: what it ran is queued again",
  "worker.unresponsive": "does not respond: a task blocks its event loop",
  "worker.responsive": "responds again"
}

/**
 * Creates the history of a control plane.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeControlPlaneHistory = (parts: Parts) => {
  const { core, epoch, fromWall, journal, memory, now, operations, schedule, views, wall, wallNow } = parts
  const slices = makeSlices(now)
  const tracks = makeWorkerTracks()
  const tasks = makeHistoryTasks({ ...parts, sensitiveOf: makeSensitiveOf(core.registry.type) })
  const journalFailure = () => journal.failure()?.reason
  const numbers = makeHistoryNumbers({ core, memory, now, tracks, wall, journalFailure })
  const shown = makeHistoryViews({ core, memory, now, tasks, tracks, views, wall })
  const lists = makeHistoryLists({ core, memory, mark: epoch.slice(0, markLength), rowOf: tasks.rowOf, wallNow })
  const context: Context = {
    memory,
    fromWall,
    isDead: (id) => core.dead.get(id) !== undefined,
    errorOf: (task) => tasks.errorOf(task)
  }
  const many = makeManyTasks({ context, core, lists, memory, now, operations, schedule, slices })
  let lag = 0
  let tickedAt = now()
  let sampledAt = -1
  let failedBefore: string | undefined
  const system = makeSystemView({ ...parts, lag: () => Math.round(lag) })
  const metrics = makeMetrics({ ...parts, lanes: numbers.lanes, system, lag: () => lag })

  const withQuery = <A>(
    query: TaskQuery,
    use: (wanted: Wanted) => Effect.Effect<A, BadRequest>
  ): Effect.Effect<A, BadRequest> =>
    Effect.suspend(() => {
      const wanted = makeWanted(query, context)
      return Result.isSuccess(wanted) ? use(wanted.success) : Effect.fail(wanted.failure)
    })

  const tuples = (ids: ReadonlyArray<string>): ReadonlyArray<TaskTuple> =>
    ids.flatMap((id) => {
      const tuple = tasks.tupleOf(id)
      return tuple === undefined ? [] : [tuple]
    })

  const paused = (): ReadonlyArray<string> => {
    const targets = [...core.pauses.targets()]
    for (const { declaration, paused } of core.schedules.records()) {
      if (paused) targets.push(`schedule:${declaration.id}`)
    }
    return targets
  }

  const snapshot = (): Omit<Snapshot, "seq"> => ({
    at: Math.round(wallNow()),
    stats: views.stats(),
    headline: numbers.headline(),
    lanes: numbers.lanes(),
    flow: numbers.flow(),
    workers: shown.workers(),
    upNext: shown.upNext(),
    errors: memory.groups.recent(now()),
    paused: paused(),
    latest: tuples(memory.changedSince(0, maxLatest).ids)
  })

  const note = (type: string, text: string, target?: string) =>
    memory.note({ at: Math.round(wallNow()), type, text, ...(target === undefined ? {} : { target }) })

  const history: History = {
    ...many,
    list: (query, page = {}) =>
      withQuery(query, (wanted) => {
        const steps = lists.page(wanted, page)
        return Result.isSuccess(steps) ? slices(steps.success) : Effect.fail(steps.failure)
      }),
    counts: (query, after) =>
      withQuery(
        query,
        (wanted) => slices(() => lists.counts(wanted, after === undefined ? Infinity : fromWall(after + 1)))
      ),
    lookup: (ids) => Effect.sync(() => ids.flatMap((id) => tasks.rowOf(id) ?? [])),
    task: (id) =>
      Effect.filterOrFail(
        slices(() => tasks.detail(id)),
        (detail) => detail !== undefined,
        () => new TaskNotFound({ id })
      ),
    payload: (id, part) =>
      Effect.suspend(() => {
        const body = tasks.payload(id, part)
        if (body !== undefined) return Effect.succeed(toBytes(body))
        const known = parts.results.recall(id)
        return Effect.fail(
          core.task(id) === undefined && known !== undefined
            ? new ResultEvicted({ id, state: known.state })
            : new TaskNotFound({ id })
        )
      }),
    snapshot: Effect.sync(snapshot),
    series: (range, type) => Effect.sync(() => numbers.series(range, type)),
    errors: (range, type) => slices(() => shown.errors(range, type)),
    workers: Effect.sync(shown.workers),
    worker: (id) =>
      Effect.suspend(() => {
        const detail = shown.workerDetail(id)
        return detail === undefined ? Effect.fail(new WorkerNotFound({ worker: id })) : Effect.succeed(detail)
      }),
    schedules: Effect.sync(shown.schedules),
    types: slices(shown.types),
    type: (name) =>
      Effect.filterOrFail(
        slices(() => shown.typeDetail(name)),
        (detail) => detail !== undefined,
        () => new UnknownTask({ task: name, known: [] })
      ),
    system: Effect.sync(system),
    metrics: Effect.sync(metrics),
    feed: {
      snapshot,
      position: memory.changed,
      changes(since) {
        const next = memory.changed()
        const { ids, over } = memory.changedSince(since)
        return { tasks: tuples(ids), over, next }
      },
      seconds: (after) => numbers.seconds(after, maxSeconds)
    }
  }

  return {
    history,

    /** Notes what people want to know of later. */
    note,
    noteEvent(event: Event) {
      if (event.type === "paused" || event.type === "resumed") {
        return note(event.type, `${event.target} was ${event.type}`, event.target)
      }
      if ("worker" in event && !("id" in event)) {
        note(event.type, `${event.worker} ${workerEvents[event.type] ?? event.type}`, `worker:${event.worker}`)
      }
    },

    /** A worker was given up. */
    lost: (worker: WorkerRecord) => tracks.lost(worker, now() + memory.offset),

    /** Time has passed: to be called some times a second. `every` is how often that should be. */
    tick(time: number, every: number) {
      lag = Math.max(0, time - tickedAt - every)
      tickedAt = time
      memory.roll(time)
      const second = Math.floor((time + memory.offset) / 1_000)
      if (second === sampledAt) return
      sampledAt = second
      numbers.sample()
      tracks.sample(core.registry.workers(), time + memory.offset)
      const failure = journalFailure()
      if (failure === failedBefore) return
      failedBefore = failure
      note(
        failure === undefined ? "journal.well" : "journal.failed",
        failure === undefined ? "The journal can be written again" : `The journal can't be written: ${failure}`
      )
    }
  }
}
