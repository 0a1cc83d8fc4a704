/**
 * Workers, schedules, task types and groups of errors as they are shown. Part of the history of a control plane; reads the
 * core and what is remembered, changes nothing.
 *
 * @since 0.1.0
 */
import { filled } from "../domain/Filled.ts"
import { nextAfter } from "../domain/Schedules.ts"
import { scheduleWords } from "../domain/ScheduleWords.ts"
import type { ScheduleStatus } from "../domain/Status.ts"
import type { TaskRecord } from "../domain/Task.ts"
import type {
  ErrorGroup,
  EventLine,
  Percentiles,
  Range,
  ScheduleRow,
  Snapshot,
  TaskRow,
  TypeDetail,
  TypeRow,
  WorkerDetail,
  WorkerRow
} from "../domain/View.ts"
import { isUnresponsive, type WorkerRecord } from "../domain/WorkerInfo.ts"
import { kindIndex } from "./Buckets.ts"
import type { Core } from "./ControlPlaneCore.ts"
import type { Views } from "./ControlPlaneViews.ts"
import * as Histograms from "./Histogram.ts"
import type { HistoryMemory } from "./HistoryMemory.ts"
import type { HistoryTasks } from "./HistoryTasks.ts"
import { stepsAtOnce } from "./Slices.ts"
import type { Track, WorkerTracks } from "./WorkerTrack.ts"
import { stepMillis } from "./WorkerTrack.ts"

/** Busy slots and current tasks of a worker that are shown. */
const maxBusy = 64
const maxCurrent = 1_000

/** Values a minute are made of this many. */
const perMinute = 60_000 / stepMillis

const maxUpNext = 10
const maxUpcoming = 5
const minutes = 15

/** How long what was counted of the tasks that are alive holds. */
const tallyMillis = 1_000

interface Tally {
  waiting: number
  delayed: number
  running: number
}

/**
 * What is shown of workers, schedules, types and errors.
 *
 * @category models
 * @since 0.1.0
 */
export type HistoryViews = ReturnType<typeof makeHistoryViews>

const round = (value: number): number => Math.round(value * 1_000) / 1_000

/** The average of each minute; where nothing is known it is 0. */
const byMinute = (values: ReadonlyArray<number | null>): ReadonlyArray<number> =>
  Array.from({ length: minutes }, (_, minute) => {
    const known = values.slice(minute * perMinute, (minute + 1) * perMinute).filter((value) => value !== null)
    return known.length === 0 ? 0 : round(Math.min(1, known.reduce((sum, value) => sum + value, 0) / known.length))
  })

/**
 * Creates them. `wall` makes milliseconds since 1970 of monotonic ones.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeHistoryViews = ({ core, memory, now, tasks, tracks, views, wall }: {
  readonly core: Core
  readonly memory: HistoryMemory
  readonly tasks: HistoryTasks
  readonly tracks: WorkerTracks
  readonly views: Views
  readonly now: () => number
  readonly wall: (millis: number) => number
}) => {
  const { registry } = core
  let tallies = new Map<string, Tally>()
  let talliedAt = -Infinity

  const stateOf = (worker: WorkerRecord, isGone: boolean): WorkerRow["state"] =>
    isGone || worker.state === "lost"
      ? "lost"
      : isUnresponsive(worker)
      ? "unresponsive"
      : worker.state === "draining"
      ? "draining"
      : worker.paused
      ? "paused"
      : worker.state

  const workerRow = (worker: WorkerRecord, track: Track | undefined): WorkerRow => {
    const isGone = track?.lostAt !== undefined
    const { about, id, key, lag, lastSeen, leases, load, local, registeredAt, slots, succeeded, failed } = worker
    const busy: Array<WorkerRow["busy"][number]> = []
    for (const task of leases) {
      if (busy.length >= maxBusy || isGone) break
      busy.push([task.id, task.name, task.level, wall(task.leasedAt)])
    }
    return {
      id,
      key,
      state: stateOf(worker, isGone),
      local,
      slots,
      running: isGone ? 0 : leases.size,
      busy,
      registeredAt: wall(registeredAt),
      lastSeenAt: wall(lastSeen),
      succeeded,
      failed,
      perMinute: track === undefined ? 0 : tracks.finished(track).slice(-perMinute).reduce((sum, n) => sum + n, 0),
      lag: Math.round(Math.max(lag, load?.loopLag ?? 0)),
      ...(load?.heapUsed === undefined ? {} : { heapUsed: load.heapUsed }),
      ...(load?.heapLimit === undefined ? {} : { heapLimit: load.heapLimit }),
      ...(load?.rss === undefined ? {} : { rss: load.rss }),
      ...(load?.cpu === undefined ? {} : { cpu: load.cpu }),
      ...about,
      loads: track === undefined ? filled(minutes, 0) : byMinute(tracks.series(track, "load"))
    }
  }

  const workers = (): ReadonlyArray<WorkerRow> => {
    const rows: Array<WorkerRow> = []
    for (const worker of registry.workers()) rows.push(workerRow(worker, tracks.find(worker.key)))
    const here = new Set(rows.map(({ key }) => key))
    for (const track of tracks.lostOnes()) if (!here.has(track.worker.key)) rows.push(workerRow(track.worker, track))
    return rows
  }

  const findWorker = (
    target: string
  ): { readonly worker: WorkerRecord; readonly track: Track | undefined } | undefined => {
    let byId: WorkerRecord | undefined
    for (const worker of registry.workers()) {
      if (worker.key === target) return { worker, track: tracks.find(worker.key) }
      if (worker.id === target) byId = worker
    }
    if (byId !== undefined) return { worker: byId, track: tracks.find(byId.key) }
    const lost = tracks.lostOnes().find(({ worker: { id, key } }) => key === target || id === target)
    return lost === undefined ? undefined : { worker: lost.worker, track: lost }
  }

  const workerDetail = (target: string): WorkerDetail | undefined => {
    const found = findWorker(target)
    if (found === undefined) return undefined
    const { track, worker } = found
    const empty = filled(minutes * perMinute, null)
    const current: Array<TaskRow> = []
    for (const { id } of worker.leases) {
      const row = current.length < maxCurrent && track?.lostAt === undefined ? tasks.rowOf(id) : undefined
      if (row !== undefined) current.push(row)
    }
    return {
      ...workerRow(worker, track),
      tasks: [...worker.names].sort(),
      current: current.toSorted((a, b) => (a.startedAt ?? 0) - (b.startedAt ?? 0)),
      series: {
        from: track === undefined ? wall(now() - minutes * 60_000) : wall(tracks.from(track) - memory.offset),
        stepMillis,
        load: track === undefined ? empty : tracks.series(track, "load"),
        lag: track === undefined ? empty : tracks.series(track, "lag"),
        heap: track === undefined ? empty : tracks.series(track, "heap"),
        cpu: track === undefined ? empty : tracks.series(track, "cpu"),
        finished: track === undefined ? empty.map(() => 0) : tracks.finished(track)
      },
      events: memory.events().filter((event): event is EventLine => event.target === `worker:${worker.id}`)
    }
  }

  const scheduleRow = (status: ScheduleStatus): ScheduleRow => {
    const upcoming: Array<number> = []
    for (let at = status.nextAt; at !== undefined && Number.isFinite(at) && upcoming.length < maxUpcoming;) {
      upcoming.push(at)
      // From the one before: `nextAt` is a few milliseconds off the round time that the next would be counted from.
      at = "every" in status.kind ? at + status.kind.every : nextAfter(status, at)
    }
    return {
      ...status,
      words: scheduleWords(status),
      upcoming,
      runs: memory.runs(status.id).flatMap((id) => {
        const row = tasks.rowOf(id)
        if (row === undefined) return []
        const { finishedAt, startedAt, state, submittedAt } = row
        return [{
          id,
          state,
          at: submittedAt,
          ...(finishedAt === undefined || startedAt === undefined ? {} : { millis: finishedAt - startedAt })
        }]
      })
    }
  }

  const upNext = (): Snapshot["upNext"] =>
    views.schedules()
      .filter(({ nextAt, paused }) => nextAt !== undefined && !paused)
      .toSorted((a, b) => (a.nextAt ?? 0) - (b.nextAt ?? 0))
      .slice(0, maxUpNext)
      .map((schedule) => ({
        id: schedule.id,
        name: schedule.name,
        nextAt: schedule.nextAt ?? 0,
        words: scheduleWords(schedule)
      }))

  /** Counts the tasks that are alive by their names. What was counted lately is not counted again. */
  function* tally(): Generator<void, ReadonlyMap<string, Tally>> {
    if (now() - talliedAt < tallyMillis) return tallies
    const counted = new Map<string, Tally>()
    let steps = 0
    const count = (task: TaskRecord) => {
      let of = counted.get(task.name)
      if (of === undefined) counted.set(task.name, of = { waiting: 0, delayed: 0, running: 0 })
      if (task.state === "delayed") of.delayed++
      else if (task.state === "queued") of.waiting++
      else of.running++
    }
    for (const task of core.tasks()) {
      count(task)
      if (++steps % stepsAtOnce === 0) yield
    }
    tallies = counted
    talliedAt = now()
    return tallies
  }

  const handlersOf = (name: string): ReadonlyArray<string> => {
    const ids: Array<string> = []
    for (const { id, names } of registry.workers()) if (names.has(name)) ids.push(id)
    return ids
  }

  const latencyOf = (name: string) => {
    const rate = memory.types.find(name)
    rate?.buckets.roll(now() + memory.offset)
    const wait = Histograms.make()
    const run = Histograms.make()
    const parts: Array<number> = []
    for (const bucket of rate?.buckets.read(0, 90) ?? []) {
      bucket.addTo(wait, run)
      const { counts } = bucket
      const finished = (counts[kindIndex.succeeded] as number) + (counts[kindIndex.failed] as number) +
        (counts[kindIndex.cancelled] as number) + (counts[kindIndex.expired] as number)
      parts.push(finished)
    }
    const padded = [...filled(90 - parts.length, 0), ...parts]
    const series = Array.from({ length: 30 }, (_, i) => padded.slice(3 * i, 3 * i + 3).reduce((sum, n) => sum + n, 0))
    const percentiles = { wait: Histograms.percentiles(wait), run: Histograms.percentiles(run) }
    return {
      finished: rate?.finished ?? 0,
      failed: rate?.failed ?? 0,
      perMinute: round(parts.slice(-perMinute).reduce((sum, n) => sum + n, 0)),
      ...defined(percentiles),
      series
    }
  }

  const defined = ({ run, wait }: { wait: Percentiles | undefined; run: Percentiles | undefined }) => ({
    ...(wait === undefined ? {} : { wait }),
    ...(run === undefined ? {} : { run })
  })

  const typeRow = (name: string, workers: number, tallied: ReadonlyMap<string, Tally>): TypeRow => {
    const type = registry.type(name)
    return {
      name,
      ...(type?.description === undefined ? {} : { description: type.description }),
      ...(type?.version === undefined ? {} : { version: type.version }),
      ...(type?.priority === undefined ? {} : { priority: type.priority }),
      paused: core.pauses.isPaused(name),
      workers,
      ...tallied.get(name) ?? { waiting: 0, delayed: 0, running: 0 },
      ...latencyOf(name)
    }
  }

  /** Names that were announced, that have tasks, or that had some. */
  function* types(): Generator<void, ReadonlyArray<TypeRow>> {
    const tallied = yield* tally()
    const names = new Set<string>()
    const handlers = new Map<string, number>()
    for (const { name } of registry.types()) names.add(name)
    for (const name of tallied.keys()) names.add(name)
    for (const [name] of memory.log.names()) names.add(name)
    const workers = [...registry.workers()]
    for (const worker of workers) {
      for (const name of worker.names) handlers.set(name, (handlers.get(name) ?? 0) + 1)
      yield
    }
    const rows: Array<TypeRow> = []
    for (const name of [...names].sort()) {
      rows.push(typeRow(name, handlers.get(name) ?? 0, tallied))
      yield
    }
    return rows
  }

  function* typeDetail(name: string): Generator<void, TypeDetail | undefined> {
    const type = registry.type(name)
    const tallied = yield* tally()
    const isKnown = type !== undefined || tallied.has(name) || memory.log.sizeOf("name", name) > 0
    if (!isKnown) return undefined
    const workerIds = handlersOf(name)
    const { groups } = yield* errors("24h", name)
    return {
      ...typeRow(name, workerIds.length, tallied),
      workerIds,
      ...(type?.limits === undefined ? {} : { limits: type.limits }),
      ...(type?.retention === undefined ? {} : { retention: type.retention }),
      ...(type?.argsSchema === undefined ? {} : { argsSchema: type.argsSchema }),
      ...(type?.resultSchema === undefined ? {} : { resultSchema: type.resultSchema }),
      ...(type?.errorSchema === undefined ? {} : { errorSchema: type.errorSchema }),
      ...(type?.retry === undefined ? {} : { retry: type.retry }),
      ...(type?.timeout === undefined ? {} : { timeoutMillis: type.timeout }),
      ...(type?.isolation === undefined ? {} : { isolation: type.isolation }),
      ...(type?.sensitive === undefined ? {} : { sensitive: type.sensitive }),
      errors: groups
    }
  }

  /** Groups with failures within a range, those that are seen most often first. */
  function* errors(range: Range, name?: string) {
    const time = now()
    const retryable = new Map<number, number>()
    let steps = 0
    // Read at once: what is looked at in slices must not change its order meanwhile.
    const dead = [...core.dead.values()]
    for (const { outcome } of dead) {
      const number = memory.log.find(outcome.id)
      const group = number === undefined ? -1 : memory.log.group(number)
      if (group >= 0) retryable.set(group, (retryable.get(group) ?? 0) + 1)
      if (++steps % stepsAtOnce === 0) yield
    }
    const found: Array<ErrorGroup> = []
    const groups = [...memory.groups.values()]
    for (const group of groups) {
      if (name !== undefined && group.name !== name) continue
      const { count, isNew, isRising, retried, series } = memory.groups.counts(group, range, time)
      if (count === 0) continue
      found.push({
        key: group.key,
        name: group.name,
        reason: group.reason,
        type: group.type,
        message: group.message,
        count,
        retried,
        total: group.total,
        firstAt: wall(group.firstAt),
        lastAt: wall(group.lastAt),
        series,
        isNew,
        isRising,
        sample: group.sample,
        workers: [...group.workers].toReversed(),
        retryable: retryable.get(group.number) ?? 0
      })
      if (++steps % 16 === 0) yield
    }
    return {
      groups: found.toSorted((a, b) => b.count - a.count || b.lastAt - a.lastAt),
      total: found.reduce((sum, { count }) => sum + count, 0)
    }
  }

  return {
    workers,
    workerDetail,
    schedules: (): ReadonlyArray<ScheduleRow> => views.schedules().map(scheduleRow),
    upNext,
    types,
    typeDetail,
    errors
  }
}
