/** What a frame changes. Pure: the shared worker keeps a snapshot up to date with it for tabs that come later. */
import type { Priority } from "../../domain/Priority.ts"
import type { Frame, Snapshot, TaskRow, TaskTuple, WorkerRow } from "../../domain/View.ts"

export const priorities: ReadonlyArray<Priority> = ["critical", "high", "normal", "low"]

/** Most tasks among the latest. */
const maxLatest = 30

/** The parts of a snapshot that a frame may bring. */
export type Part = Exclude<keyof Snapshot, "seq" | "at">
export const parts: ReadonlyArray<Part> = [
  "stats",
  "headline",
  "lanes",
  "flow",
  "workers",
  "upNext",
  "errors",
  "paused",
  "latest"
]

const mergeWorkers = (known: ReadonlyArray<WorkerRow>, frame: Frame): ReadonlyArray<WorkerRow> => {
  const changed = new Map(frame.workers?.map((worker) => [worker.key, worker]))
  const gone = new Set(frame.gone)
  const kept = known.filter(({ key }) => !gone.has(key)).map((worker) => changed.get(worker.key) ?? worker)
  const there = new Set(known.map(({ key }) => key))
  return [...kept, ...[...changed.values()].filter(({ key }) => !there.has(key) && !gone.has(key))]
}

const mergeLatest = (known: ReadonlyArray<TaskTuple>, changed: ReadonlyArray<TaskTuple>): ReadonlyArray<TaskTuple> => {
  const ids = new Set(changed.map(([id]) => id))
  return [...changed.toReversed(), ...known.filter(([id]) => !ids.has(id))].slice(0, maxLatest)
}

export const merge = (snapshot: Snapshot, frame: Frame): Snapshot => ({
  seq: frame.seq,
  at: frame.at,
  stats: frame.stats ?? snapshot.stats,
  headline: frame.headline ?? snapshot.headline,
  lanes: frame.lanes ?? snapshot.lanes,
  flow: frame.flow ?? snapshot.flow,
  workers: frame.workers === undefined && frame.gone === undefined
    ? snapshot.workers
    : mergeWorkers(snapshot.workers, frame),
  upNext: frame.upNext ?? snapshot.upNext,
  errors: frame.errors ?? snapshot.errors,
  paused: frame.paused ?? snapshot.paused,
  latest: frame.tasks === undefined ? snapshot.latest : mergeLatest(snapshot.latest, frame.tasks)
})

/** What a tuple says of a task; the rest is taken from what was known of it. */
export const rowOf = (tuple: TaskTuple, known?: TaskRow): TaskRow => {
  const [id, name, state, level, attempt, submittedAt, startedAt, finishedAt, worker, error] = tuple
  const {
    dueAt,
    error: _error,
    finishedAt: _finished,
    retrying: _retrying,
    startedAt: _started,
    worker: _worker,
    ...rest
  } = known ?? {} as Partial<TaskRow>
  return {
    ...rest,
    id,
    name,
    state,
    priority: priorities[level] ?? "normal",
    attempt,
    submittedAt,
    ...startedAt > 0 ? { startedAt } : {},
    ...finishedAt > 0 ? { finishedAt } : {},
    ...worker === "" ? {} : { worker },
    ...error === "" ? {} : { error },
    ...state === "delayed" && dueAt !== undefined ? { dueAt } : {},
    ...state === "delayed" && attempt > 0 ? { retrying: true } : {}
  }
}
