/**
 * The books of one control plane: every task from its acceptance to its outcome, kept from what the core says that
 * happens and from what it was called with. Each entry is checked when it is made; a broken promise throws.
 */
import * as Body from "../../src/domain/Body.ts"
import type { Report } from "../../src/domain/Message.ts"
import type { Outcome } from "../../src/domain/Outcome.ts"
import type { PriorityLevel } from "../../src/domain/Priority.ts"
import type { TaskOptions, TaskRecord } from "../../src/domain/Task.ts"
import type { WorkerRecord } from "../../src/domain/WorkerInfo.ts"
import type { Observer } from "../../src/layers/ControlPlaneCore.ts"
import type { Bounds } from "./Bounds.ts"
import type { Durable, Snapshot } from "./Durable.ts"
import type { Keys } from "./Keys.ts"
import { Broken } from "./Script.ts"
import type { Parts } from "./Server.ts"
import type { Waiting } from "./Waiting.ts"

export interface Entry {
  readonly id: string
  readonly name: string
  level: PriorityLevel
  readonly args: Body.Body
  readonly options: TaskOptions | undefined
  /** `storing`: accepted, and on its way to the disk. */
  state: "storing" | "delayed" | "queued" | "running" | "cancelling"
  /** Place in the order in which tasks became ready. */
  order: number
  dueAt: number
  expiresAt: number
  attempt: number
  crashes: number
  losses: number
  failures: number
  worker: WorkerRecord | undefined
  stop: "cancelled" | "expired" | undefined
  progress: string | undefined
  /** It ran when the control plane ended: a worker may still have it. */
  isAwaited: boolean
}

export interface OutcomeMark {
  readonly state: Outcome["state"]
  readonly text: string
}

/** What the core was called for, while it runs. */
export interface Call {
  readonly op: string
  readonly worker?: WorkerRecord | undefined
  readonly report?: Report
  readonly body?: Body.Body
}

export type Ledger = ReturnType<typeof makeLedger>

export const markOf = ({ attempt, body, reason, state }: Pick<Outcome, "attempt" | "body" | "reason" | "state">) => ({
  state,
  text: `${state} ${reason ?? ""} ${attempt} ${Body.toText(body)}`
})

const limitKeyOf = ({ options }: Entry) => options?.limitKey ?? ""

/** What may cancel tasks that wait, and what may end those that a worker was told to stop. */
const cancelling = new Set([
  "cancel",
  "cancelAll",
  "cancelWaiting",
  "submit",
  "tick",
  "restore",
  "retry",
  "retryAll",
  "trigger"
])
const releasing = new Set(["report", "news", "register", "leave", "expire"])

export const makeLedger = ({ bounds, durable, keys, now, parts, pauses, reborn, see, waiting, wall }: {
  readonly parts: () => Parts
  readonly waiting: () => Waiting
  readonly bounds: Bounds
  readonly keys: Keys
  readonly pauses: ReadonlySet<string>
  readonly durable: Durable | undefined
  readonly now: () => number
  readonly wall: () => number
  /** An id whose outcome was forgotten begins a new life. */
  readonly reborn: (id: string) => void
  readonly see: (what: string) => void
}) => {
  const entries = new Map<string, Entry>()
  const outcomes = new Map<string, OutcomeMark>(durable?.outcomes)
  const counts = {
    submitted: 0,
    running: 0,
    cancelling: 0,
    succeeded: 0,
    failed: 0,
    cancelled: 0,
    expired: 0,
    retries: 0,
    crashes: 0,
    lateReports: 0
  }
  let call: Call = { op: "" }
  let ready = 0
  let bytes = 0

  const entryOf = (id: string): Entry => {
    const entry = entries.get(id)
    if (entry === undefined) {
      throw new Broken("one outcome", `${id} has none or is unknown, and something happened to it`)
    }
    return entry
  }

  const toWall = (at: number) => at - now() + wall()

  const snapshot = (entry: Entry): Snapshot => {
    const { args, attempt, crashes, failures, id, level, losses, name, options, progress, stop, worker } = entry
    return {
      id,
      name,
      level,
      args,
      options,
      attempt,
      crashes,
      losses,
      failures,
      dueAt: entry.dueAt === 0 ? -Infinity : toWall(entry.dueAt),
      expiresAt: toWall(entry.expiresAt),
      stop,
      isLeased: worker !== undefined,
      progress
    }
  }

  const changed = (entry: Entry) => durable?.changed(snapshot(entry))

  const unexpected = (entry: Entry, what: string) =>
    new Broken("the states of a task", `${entry.id} was ${entry.state} and is ${what}, in ${call.op}`)

  /** A worker does not have a task any more. */
  const release = (entry: Entry) => {
    const isUnstarted = call.op === "news" || (call.op === "report" && call.report?.state === "returned")
    bounds.ended(entry.name, limitKeyOf(entry), isUnstarted, now())
    counts.running--
    if (entry.state === "cancelling") counts.cancelling--
    entry.worker = undefined
  }

  const isReporter = (entry: Entry, state: Report["state"]) =>
    call.op === "report" && call.worker === entry.worker && call.report?.id === entry.id &&
    call.report.attempt === entry.attempt && call.report.state === state

  const enterQueue = (entry: Entry) => {
    entry.state = "queued"
    waiting().add(entry)
  }

  const unwait = (entry: Entry) => {
    if (entry.state === "queued") waiting().remove(entry)
    bytes -= entry.args.length
  }

  const checkFinish = (entry: Entry, outcome: Outcome, task: TaskRecord) => {
    const { state } = outcome
    const wasRunning = entry.worker !== undefined
    const isStopped = entry.state === "cancelling" && entry.stop === state && releasing.has(call.op)
    const isCancelled = state === "cancelled" && !wasRunning && cancelling.has(call.op)
    const isExpired = state === "expired" && !wasRunning && call.op === "tick" && entry.expiresAt <= now()
    const isReported = state === "succeeded"
      ? isReporter(entry, "succeeded")
      : state === "failed" && (
        isReporter(entry, "failed") ||
        (outcome.reason === "crash" && wasRunning && releasing.has(call.op) && entry.state === "running" &&
          (task.crashes >= parts().settings.maxCrashes || task.losses >= 3 * parts().settings.maxCrashes)) ||
        (outcome.reason === "unknown" && !wasRunning && call.op === "expire")
      )
    if (!isStopped && !isCancelled && !isExpired && !isReported) {
      throw unexpected(entry, `${state} ${outcome.reason ?? ""}`)
    }
    const said = Body.toText(call.body ?? Body.empty)
    const expected = outcome.reason === "crash" ? JSON.stringify({ crashes: task.crashes, last: said }) : said
    if (isReported && call.op === "report" && Body.toText(outcome.body) !== expected) {
      throw new Broken("the outcome is what was reported", `${entry.id} has ${Body.toText(outcome.body)}`)
    }
    if (outcome.attempt !== task.attempt || outcome.name !== entry.name || outcome.finishedAt !== now()) {
      throw new Broken("the outcome is what was reported", JSON.stringify(outcome))
    }
  }

  const observer: Omit<Observer, "schedule" | "paused" | "skipped" | "forgotten" | "told"> = {
    accepted(task) {
      const { args, id, level, name, options } = task
      if (entries.has(id)) throw new Broken("one task per id", `${id} was accepted twice`)
      if (outcomes.has(id) && parts().results.recall(id) !== undefined) {
        throw new Broken("an outcome is final", `${id} had one and was accepted again`)
      }
      if (outcomes.delete(id)) reborn(id)
      const isRestored = call.op === "restore"
      const entry: Entry = {
        id,
        name,
        level,
        args,
        options,
        state: "storing",
        // One that a worker may still run has its place among those that come back with it.
        order: isRestored ? ++ready : 0,
        dueAt: task.detail?.dueAt ?? 0,
        expiresAt: task.detail?.expiresAt ?? Infinity,
        attempt: task.attempt,
        crashes: task.crashes,
        losses: task.losses,
        failures: task.detail?.failures ?? 0,
        worker: undefined,
        stop: undefined,
        progress: task.detail?.progress === undefined ? undefined : Body.toText(task.detail.progress),
        isAwaited: false
      }
      if (!isRestored && task.attempt !== 0) {
        throw new Broken("attempts count from 1", `${id} begins at ${task.attempt}`)
      }
      entries.set(id, entry)
      counts.submitted++
      bytes += args.length
      if (!isRestored) {
        durable?.accepted(snapshot(entry), options?.unique?.while === "period")
        keys.hold(entry)
      }
    },

    // Who refuses to store it says so too: that is what counts.
    retracted: () => {},

    delayed({ id }) {
      const entry = entryOf(id)
      if (entry.state !== "storing" || entry.dueAt <= now()) throw unexpected(entry, "delayed")
      entry.state = "delayed"
    },

    queued({ id }) {
      const entry = entryOf(id)
      if (entry.state !== "storing" && entry.state !== "delayed") throw unexpected(entry, "queued")
      if (entry.dueAt > now()) {
        throw new Broken("nothing before it is due", `${id} was queued ${entry.dueAt - now()} ms too early`)
      }
      entry.isAwaited = false
      entry.order = ++ready
      enterQueue(entry)
    },

    started({ attempt, id }, worker) {
      const entry = entryOf(id)
      const time = now()
      const isAdopted = call.op === "register"
      if (isAdopted) {
        see("adopted")
        if (entry.state !== "delayed" || !entry.isAwaited || attempt < entry.attempt) throw unexpected(entry, "adopted")
        bytes -= entry.args.length
        entry.isAwaited = false
        entry.attempt = attempt
      } else {
        if (call.op !== "dispatch" || entry.state !== "queued") throw unexpected(entry, "started")
        if (entry.expiresAt <= time) {
          throw new Broken("nothing starts after it expired", `${id} did, on ${worker.session}`)
        }
        for (const target of ["all", `task:${entry.name}`, `worker:${worker.id}`]) {
          if (pauses.has(target)) throw new Broken("what is paused does not start", `${id}, ${target} is paused`)
        }
        if (!worker.names.has(entry.name)) {
          throw new Broken("a worker gets what it can run", `${worker.session}: ${entry.name}`)
        }
        const { leases, names: _, slots, state, waiting: free } = worker
        if (state !== "active" || leases.size > slots + free) {
          throw new Broken("no lease beyond slots", `${worker.session} has ${leases.size} of ${slots} + ${free}`)
        }
        const broken = bounds.broken(entry.name, limitKeyOf(entry), time)
        if (broken !== undefined) throw new Broken("no start beyond a limit", `${id}: ${broken}`)
        if (attempt !== entry.attempt + 1) {
          throw new Broken("the attempt is the fencing token", `${id} has ${attempt} after ${entry.attempt}`)
        }
        waiting().starts(entry, worker, time)
        see(worker.leases.size > worker.slots ? "started beside waiting handlers" : "started")
        unwait(entry)
        entry.attempt = attempt
        keys.started(entry)
      }
      bounds.started(entry.name, limitKeyOf(entry), time)
      entry.state = "running"
      entry.worker = worker
      counts.running++
      changed(entry)
    },

    retrying(task, reason) {
      const entry = entryOf(task.id)
      if (entry.state !== "running" || !isReporter(entry, "failed") || call.report?.retryIn === undefined) {
        throw unexpected(entry, "retried")
      }
      const dueAt = now() + call.report.retryIn
      if (task.detail?.dueAt !== dueAt || dueAt >= entry.expiresAt || reason !== (call.report.reason ?? "defect")) {
        throw new Broken("a retry is when the report says", `${entry.id} at ${task.detail?.dueAt}, not ${dueAt}`)
      }
      see("retrying")
      release(entry)
      bytes += entry.args.length
      entry.state = "delayed"
      entry.dueAt = dueAt
      entry.failures++
      counts.retries++
      changed(entry)
    },

    requeued(task, cause) {
      const entry = entryOf(task.id)
      if (entry.state === "cancelling") throw new Broken("what is being cancelled is never queued again", entry.id)
      if (entry.state !== "running" || !releasing.has(call.op)) throw unexpected(entry, "queued again")
      const isUnstarted = call.op === "news" || (call.op === "report" && call.report?.state === "returned")
      if (isUnstarted) entry.attempt--
      if (cause === "crashed") {
        if (!isReporter(entry, "crashed")) throw unexpected(entry, "crashed")
        entry.crashes++
        counts.crashes++
      }
      if (cause === "worker lost") {
        if (call.op !== "expire") throw unexpected(entry, "lost")
        entry.losses++
        if (task.crashes > entry.crashes) {
          entry.crashes++
          counts.crashes++
        }
      }
      if (task.attempt !== entry.attempt || task.crashes !== entry.crashes || task.losses !== entry.losses) {
        throw new Broken("crashes are counted apart", `${entry.id}: ${task.attempt} ${task.crashes} ${task.losses}`)
      }
      if (entry.crashes >= parts().settings.maxCrashes) {
        throw new Broken("what kills its workers is given up", `${entry.id} crashed ${entry.crashes} times`)
      }
      see(`requeued: ${cause}`)
      release(entry)
      bytes += entry.args.length
      if (entry.attempt === 0) keys.returned(entry)
      enterQueue(entry)
      changed(entry)
    },

    prioritized({ id, level }, from) {
      const entry = entryOf(id)
      if (call.op !== "prioritize" && call.op !== "prioritizeAll") throw unexpected(entry, "given another priority")
      if (from !== entry.level || level === from) throw unexpected(entry, `given priority ${level} instead of ${from}`)
      see(`prioritized: ${entry.state}`)
      if (entry.state === "queued") waiting().remove(entry)
      entry.level = level
      if (entry.state === "queued") {
        entry.order = ++ready
        waiting().add(entry)
      }
      changed(entry)
    },

    cancelling({ id }, stop) {
      const entry = entryOf(id)
      if (entry.state !== "running") throw unexpected(entry, "cancelling")
      if (stop === "expired" ? call.op !== "tick" || entry.expiresAt > now() : !cancelling.has(call.op)) {
        throw unexpected(entry, `to be stopped because it is ${stop}`)
      }
      see(`stopping: ${stop}`)
      entry.state = "cancelling"
      entry.stop = stop
      counts.cancelling++
      changed(entry)
    },

    finished(outcome, task) {
      const entry = entries.get(outcome.id)
      if (entry === undefined) {
        throw new Broken("one outcome", `${outcome.id} ended, and had ended or was never accepted`)
      }
      checkFinish(entry, outcome, task)
      if (entry.worker !== undefined) {
        // A crash that ends a task is counted as well, whatever it ends as.
        if (isReporter(entry, "crashed") || (call.op === "expire" && task.crashes > entry.crashes)) counts.crashes++
        release(entry)
      } else unwait(entry)
      entries.delete(entry.id)
      counts[outcome.state]++
      keys.ended(entry)
      const mark = markOf(outcome)
      outcomes.set(entry.id, mark)
      durable?.finished(entry.id, mark, outcome.state === "failed" || outcome.state === "expired")
    },

    progress({ id }, body) {
      const entry = entryOf(id)
      entry.progress = Body.toText(body)
      durable?.progress(id, entry.progress)
    },

    uniqueExpired(name, key) {
      see("a unique key's period is over")
      keys.expired(name, key)
    },
    unresponsive: () => {},
    responsive: () => {},
    stood: () => {}
  }

  return {
    observer,
    entries,
    outcomes,
    counts,
    snapshot,
    bytes: () => bytes,
    /** What the core is called for now. */
    op: () => call.op,
    /** What does not run and has no outcome. */
    waiting: () => entries.size - counts.running,

    /** Runs one call of the core. */
    during<A>(made: Call, body: () => A): A {
      const before = call
      call = made
      try {
        return body()
      } finally {
        call = before
      }
    },

    /** A task that could not be stored is as if it had never been submitted. */
    retracted(id: string) {
      const entry = entries.get(id)
      if (entry === undefined) return
      if (entry.state !== "storing") throw unexpected(entry, "taken back")
      entries.delete(id)
      counts.submitted--
      bytes -= entry.args.length
      keys.forget(entry)
    }
  }
}
