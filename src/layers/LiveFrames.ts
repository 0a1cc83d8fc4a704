/**
 * What is in a frame of the live stream: the parts of a state that changed, and many frames as one. Pure.
 *
 * @since 0.1.0
 */
import type { Frame, Second, Snapshot, TaskTuple, WorkerRow } from "../domain/View.ts"

/** The parts that a frame has as a whole when they changed. */
const names = ["headline", "lanes", "flow", "upNext", "errors", "paused"] as const

/**
 * A state, and its parts as text, by which it is told whether they changed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Parts {
  readonly view: Omit<Snapshot, "seq">
  readonly texts: ReadonlyMap<(typeof names)[number] | "stats", string>
  /** Of the workers by their keys. */
  readonly workers: ReadonlyMap<string, string>
}

/**
 * Returns the parts of a state.
 *
 * @category constructors
 * @since 0.1.0
 */
export const partsOf = (view: Omit<Snapshot, "seq">): Parts => {
  const texts = new Map<(typeof names)[number] | "stats", string>()
  for (const name of names) texts.set(name, JSON.stringify(view[name]))
  // That time goes by is no change.
  texts.set("stats", JSON.stringify({ ...view.stats, upMillis: 0 }))
  return { view, texts, workers: new Map(view.workers.map((worker) => [worker.key, JSON.stringify(worker)])) }
}

/**
 * Returns what a frame says that leads from one state to another; `undefined` when nothing changed.
 *
 * @category rules
 * @since 0.1.0
 */
export const changesBetween = (
  before: Parts,
  after: Parts,
  { over, seconds, tasks }: {
    readonly tasks: ReadonlyArray<TaskTuple>
    readonly over: boolean
    readonly seconds: ReadonlyArray<Second>
  }
): Omit<Frame, "seq" | "at"> | undefined => {
  const { view } = after
  const changed: { -readonly [K in keyof Frame]?: Frame[K] } = {}
  if (before.texts.get("stats") !== after.texts.get("stats")) changed.stats = view.stats
  for (const name of names) {
    if (before.texts.get(name) !== after.texts.get(name)) Object.assign(changed, { [name]: view[name] })
  }
  const workers = view.workers.filter(({ key }) => before.workers.get(key) !== after.workers.get(key))
  if (workers.length > 0) changed.workers = workers
  const gone = [...before.workers.keys()].filter((key) => !after.workers.has(key))
  if (gone.length > 0) changed.gone = gone
  if (tasks.length > 0) changed.tasks = tasks
  if (over) changed.over = true
  if (seconds.length > 0) changed.seconds = seconds
  return Object.keys(changed).length === 0 ? undefined : changed
}

/** Tasks and seconds in one frame, at most. */
const maxTasks = 500
const maxSeconds = 60

/**
 * Returns frames that follow on one another as one that says the same.
 *
 * @category combinators
 * @since 0.1.0
 */
export const mergeFrames = (frames: ReadonlyArray<Frame>): Frame => {
  const workers = new Map<string, WorkerRow>()
  const gone = new Set<string>()
  const tasks = new Map<string, TaskTuple>()
  const seconds: Array<Second> = []
  let merged: Frame = { seq: 0, at: 0 }
  let over = false
  for (const frame of frames) {
    merged = { ...merged, ...frame }
    over ||= frame.over === true
    for (const worker of frame.workers ?? []) {
      workers.set(worker.key, worker)
      gone.delete(worker.key)
    }
    for (const key of frame.gone ?? []) {
      workers.delete(key)
      gone.add(key)
    }
    for (const task of frame.tasks ?? []) {
      // Deleted first: the order is that of the last change.
      tasks.delete(task[0])
      tasks.set(task[0], task)
    }
    seconds.push(...frame.seconds ?? [])
  }
  const { gone: _gone, over: _over, seconds: _seconds, tasks: _tasks, workers: _workers, ...rest } = merged
  return {
    ...rest,
    ...(workers.size === 0 ? {} : { workers: [...workers.values()] }),
    ...(gone.size === 0 ? {} : { gone: [...gone] }),
    ...(tasks.size === 0 ? {} : { tasks: [...tasks.values()].slice(-maxTasks) }),
    ...(over || tasks.size > maxTasks ? { over: true } : {}),
    ...(seconds.length === 0 ? {} : { seconds: seconds.slice(-maxSeconds) })
  }
}
