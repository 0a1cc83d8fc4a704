/**
 * Lists and counts of tasks, alive and finished, by a query. The living are read from the core, the finished from the log;
 * what was finished newest is looked at first, so that the newest page looks at little. Long looks are generators, run in
 * slices. Part of the history of a control plane.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import { BadRequest } from "../domain/Errors.ts"
import type { TaskRecord } from "../domain/Task.ts"
import { readyAt } from "../domain/Task.ts"
import type { FinalState, TaskState } from "../domain/TaskState.ts"
import type { TaskRow } from "../domain/View.ts"
import type { PageRequest, TaskCounts, TaskPage } from "../services/History.ts"
import type { Order, Ranked } from "./Best.ts"
import { isBefore, makeBest } from "./Best.ts"
import type { Core } from "./ControlPlaneCore.ts"
import type { HistoryMemory } from "./HistoryMemory.ts"
import { stepsAtOnce } from "./Slices.ts"
import type { Wanted } from "./TaskQueries.ts"

type Sort = NonNullable<PageRequest["sort"]>

const orders: Readonly<Record<Sort, Order>> = { newest: "descending", oldest: "ascending", changed: "descending" }

const defaultLimit = 100

/**
 * Tasks finish in the order of their times but for what one turn of the event loop takes: so much is looked at further
 * than would be needed.
 */
const slackMillis = 1_000

/** When a task that is alive changed last. */
const changedAt = (task: TaskRecord): number =>
  task.worker !== undefined ? task.leasedAt : task.state === "queued" ? readyAt(task) : lastAt(task)

/** When a delayed task began to be. */
const lastAt = ({ detail, submittedAt }: TaskRecord): number =>
  detail?.history[detail.history.length - 1]?.endedAt ?? submittedAt

/**
 * Lists and counts of a control plane's tasks.
 *
 * @category models
 * @since 0.1.0
 */
export type HistoryLists = ReturnType<typeof makeHistoryLists>

/**
 * Creates them. `rowOf` tells what is known of a task now; `mark` is in all cursors, and other control planes have others.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeHistoryLists = ({ core, mark, memory, rowOf, wallNow }: {
  readonly core: Core
  readonly memory: HistoryMemory
  readonly mark: string
  readonly rowOf: (id: string) => TaskRow | undefined
  readonly wallNow: () => number
}) => {
  const { log } = memory

  const encodeCursor = (sort: Sort, { id, key }: Ranked) => `${sort[0]}.${mark}.${key}.${id}`

  const decodeCursor = (sort: Sort, cursor: string): Result.Result<Ranked, BadRequest> => {
    const match = /^([noc])\.(\w+)\.(-?\d+(?:\.\d+)?(?:e-?\d+)?)\.([\x21-\x7e]{1,128})$/u.exec(cursor)
    if (match === null || match[1] !== sort[0]) {
      return Result.fail(new BadRequest({ reason: "the cursor is not one of such a list: begin the list again" }))
    }
    return match[2] === mark
      ? Result.succeed({ key: Number(match[3]), id: match[4] as string })
      : Result.fail(new BadRequest({ reason: "the control plane was restarted since: begin the list again" }))
  }

  /** The tasks that are alive and meant. */
  function* alive(wanted: Wanted, visit: (task: TaskRecord) => void, anyState = false): Generator<void, void> {
    if (!anyState && !wanted.alive) return
    let steps = 0
    const isOnly = (...states: ReadonlyArray<string>) =>
      !anyState && wanted.states !== undefined && [...wanted.states].every((state) => states.includes(state))
    // Of those that run, or wait for another attempt, there may be few beside many that wait.
    const tasks = isOnly("retrying")
      ? memory.retrying.keys()
      : isOnly("running", "cancelling")
      ? runningTasks()
      : core.tasks()
    for (const task of tasks) {
      if (wanted.isAlive(task, anyState)) visit(task)
      if (++steps % stepsAtOnce === 0) yield
    }
  }

  function* runningTasks(): Generator<TaskRecord> {
    const workers = [...core.registry.workers()]
    for (const { leases } of workers) yield* leases
  }

  /** The finished tasks that are meant, the newest first, until `visit` says that it is enough. */
  function* finished(wanted: Wanted, visit: (number: number) => boolean, anyState = false): Generator<void, void> {
    if (!anyState && !wanted.finished) return
    let steps = 0
    const chain = wanted.chain(anyState)
    let number = chain === undefined ? log.next() - 1 : log.head(chain.chain, chain.value)
    while (number >= log.oldest()) {
      // What finished before was submitted before.
      if (log.finishedAt(number) < wanted.since - slackMillis) return
      if (wanted.isFinished(number, anyState) && !visit(number)) return
      // It may be gone when this goes on: what comes before it is older, and gone too.
      number = chain === undefined ? number - 1 : log.before(chain.chain, number)
      if (++steps % stepsAtOnce === 0) yield
    }
  }

  return {
    alive,
    finished,

    /** Reads what a page asks for, and returns the steps to it. */
    page(wanted: Wanted, request: PageRequest): Result.Result<() => Generator<void, TaskPage>, BadRequest> {
      const { cursor, limit = defaultLimit, sort = "newest" } = request
      const from = cursor === undefined ? Result.succeed(undefined) : decodeCursor(sort, cursor)
      if (Result.isFailure(from)) return Result.fail(from.failure)
      const after = from.success
      const order = orders[sort]
      return Result.succeed(function*() {
        const asOf = wallNow()
        const best = makeBest(order, limit + 1)
        const add = (key: number, id: string) => {
          if (after === undefined || isBefore(order, after, { key, id })) best.add(key, id)
        }
        yield* alive(wanted, (task) => add(sort === "changed" ? changedAt(task) : task.submittedAt, task.id))
        yield* finished(wanted, (number) => {
          const finishedAt = log.finishedAt(number)
          const worst = best.worst()
          // All that is left finished, and so was submitted, before the last one that there is room for.
          if (order === "descending" && worst !== undefined && finishedAt < worst.key - slackMillis) return false
          add(sort === "changed" ? finishedAt : log.submittedAt(number), log.id(number))
          return true
        })
        const sorted = best.sorted()
        const page = sorted.slice(0, limit)
        const last = page[page.length - 1]
        // One that finished meanwhile may have been met twice.
        const ids = new Set(page.map(({ id }) => id))
        return {
          asOf,
          tasks: [...ids].flatMap((id) => rowOf(id) ?? []),
          next: sorted.length > limit && last !== undefined ? encodeCursor(sort, last) : null
        }
      })
    },

    /** Counts what is meant; `after` is monotonic. */
    *counts(wanted: Wanted, after: number): Generator<void, TaskCounts> {
      const states: Record<TaskState | "retrying", number> = {
        delayed: 0,
        queued: 0,
        running: 0,
        cancelling: 0,
        retrying: 0,
        succeeded: 0,
        failed: 0,
        cancelled: 0,
        expired: 0
      }
      if (wanted.isPlain) {
        const { cancelling, running } = core.counts
        states.delayed = core.delayed()
        states.queued = core.waiting() - states.delayed
        states.running = running - cancelling
        states.cancelling = cancelling
        states.retrying = memory.retrying.size
        for (const state of finals) states[state] = log.count(state)
      } else {
        yield* alive(wanted, (task) => {
          states[task.state]++
          if (memory.retrying.has(task)) states.retrying++
        }, true)
        yield* finished(wanted, (number) => {
          states[log.state(number)]++
          return true
        }, true)
      }
      let dead = 0
      if (wanted.states?.has("dead") === true) {
        for (const { outcome } of core.dead.values()) {
          const isCounted = wanted.states.has(outcome.state) || log.find(outcome.id) === undefined
          if (!isCounted && wanted.isOutcome(outcome)) dead++
        }
      }
      const all = states.delayed + states.queued + states.running + states.cancelling +
        states.succeeded + states.failed + states.cancelled + states.expired
      let total = 0
      for (const state of wanted.states ?? []) {
        if (state === "dead") continue
        if (state !== "retrying" || wanted.states?.has("delayed") !== true) total += states[state]
      }
      let newer = 0
      if (after !== Infinity) {
        const newest = { ...wanted, since: Math.max(wanted.since, after) }
        yield* alive(newest, (task) => {
          if (task.submittedAt > after) newer++
        })
        yield* finished(newest, (number) => {
          if (log.submittedAt(number) > after) newer++
          return true
        })
      }
      return { total: wanted.states === undefined ? all : total + dead, states, newer }
    }
  }
}

const finals: ReadonlyArray<FinalState> = ["succeeded", "failed", "cancelled", "expired"]
