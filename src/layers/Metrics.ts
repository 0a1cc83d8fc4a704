/**
 * The metrics of a control plane in the text format of Prometheus, written when they are asked for from numbers that are
 * kept anyway: nothing is counted for them. Names, units and labels follow Prometheus' conventions.
 *
 * Owns the names, which alert rules and dashboards of others depend on (`docs/operations.md`). Counters begin with the
 * process. Series are bounded: labels are a priority, a state, a reason, or the name of one of 200 task types; the types
 * beyond those are counted together, with an empty name.
 *
 * @since 0.1.0
 */
import type { Settings as Values } from "../domain/Settings.ts"
import type { Lane, SystemView } from "../domain/View.ts"
import { isUnresponsive } from "../domain/WorkerInfo.ts"
import type { JournalStore } from "../services/Journal.ts"
import type { ResultCache } from "../services/ResultCache.ts"
import { kindIndex } from "./Buckets.ts"
import type { Core } from "./ControlPlaneCore.ts"
import { packageVersion } from "./ControlPlaneViews.ts"
import * as Histogram from "./Histogram.ts"
import type { HistoryMemory } from "./HistoryMemory.ts"
import type { Durations, Totals } from "./Totals.ts"

type Labels = Readonly<Record<string, string>>

type Sample = readonly [labels: Labels, value: number]

/** Upper bounds of the histograms: 1 ms to 70 minutes, each twice the one before; each is the end of an octave. */
const firstBound = 5
const lastBound = 27

const escaped = (value: string): string =>
  value.replaceAll("\\", "\\\\").replaceAll("\"", "\\\"").replaceAll("\n", "\\n")

const labelled = (labels: Labels): string => {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return parts.length === 0 ? "" : `{${parts.join(",")}}`
}

const valueOf = (value: number): string => value === Infinity ? "+Inf" : value === -Infinity ? "-Inf" : String(value)

/** Collects what is written. */
const makeText = () => {
  let text = ""

  const head = (type: string, name: string, help: string) => {
    text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`
  }
  const one = (name: string, labels: Labels, value: number) => {
    text += `${name}${labelled(labels)} ${valueOf(value)}\n`
  }
  const family = (type: "counter" | "gauge") => (name: string, help: string, value: number | Iterable<Sample>) => {
    head(type, name, help)
    if (typeof value === "number") return one(name, {}, value)
    for (const [labels, sample] of value) one(name, labels, sample)
  }

  return {
    counter: family("counter"),
    gauge: family("gauge"),
    histogram: (name: string, help: string, all: Iterable<readonly [labels: Labels, durations: Durations]>) => {
      head("histogram", name, help)
      for (const [labels, { counts, micros }] of all) {
        let seen = 0
        for (let octave = 0; octave < Histogram.octaves; octave++) {
          seen += counts[octave] as number
          if (octave < firstBound || octave > lastBound) continue
          one(`${name}_bucket`, { ...labels, le: String(Histogram.endOf(octave) / 1_000) }, seen)
        }
        one(`${name}_bucket`, { ...labels, le: "+Inf" }, seen)
        one(`${name}_sum`, labels, micros / 1e6)
        one(`${name}_count`, labels, seen)
      }
    },
    end: () => text
  }
}

const outcomes = ["succeeded", "failed", "cancelled", "expired"] as const
const workerStates = ["active", "paused", "unresponsive", "draining", "lost"] as const
const reasons = ["error", "defect", "arguments", "crash", "timeout", "unknown", "size", "lost"] as const

/**
 * Creates what writes them. `lag` is how late the event loop was, in milliseconds.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeMetrics = (parts: {
  readonly core: Core
  readonly memory: HistoryMemory
  readonly results: ResultCache["Service"]
  readonly journal: JournalStore
  readonly settings: Values
  readonly startedAt: number
  readonly now: () => number
  readonly wall: (millis: number) => number
  readonly lanes: () => ReadonlyArray<Lane>
  readonly system: () => Pick<SystemView, "journal">
  readonly lag: () => number
}) => {
  const { core, journal, lag, lanes, memory, now, results, settings, startedAt, system, wall } = parts

  /** A name with half a character in it would make the text unreadable, and with it all others. */
  const typeTotals = (): ReadonlyArray<readonly [type: string, totals: Totals]> =>
    [...memory.types.all()].filter(({ name }) => name.isWellFormed()).map(({ buckets, name }) => [
      name,
      buckets.totals()
    ])

  const workersNow = () => {
    const states = { active: 0, paused: 0, unresponsive: 0, draining: 0, lost: 0 }
    let slots = 0
    let busy = 0
    for (const worker of core.registry.workers()) {
      const { state } = worker
      const shown = state !== "lost" && isUnresponsive(worker)
        ? "unresponsive"
        : state === "active" && worker.paused
        ? "paused"
        : state
      states[shown]++
      if (state === "lost") continue
      slots += worker.slots
      busy += Math.min(worker.slots, Math.max(0, worker.leases.size - worker.waiting))
    }
    return { states, slots, busy }
  }

  return (): string => {
    memory.roll(now())
    const { counter, end, gauge, histogram } = makeText()
    const { counts } = core
    const types = typeTotals()
    const of = (totals: Totals, kind: keyof typeof kindIndex) => totals.counts[kindIndex[kind]] as number
    const failure = journal.failure()
    const workers = workersNow()
    const usage = process.memoryUsage()
    const cpu = process.cpuUsage()

    gauge("fastworker_build_info", "What runs here; always 1.", [
      [{ version: packageVersion, node: process.versions.node, namespace: settings.namespace }, 1]
    ])
    gauge(
      "fastworker_ready",
      "1 while tasks are accepted, 0 while it shuts down or can't write its journal.",
      core.isDraining() || failure !== undefined ? 0 : 1
    )

    gauge(
      "fastworker_queue_tasks",
      "Tasks that wait for a free slot.",
      Object.entries(core.waitingByPriority()).map(([priority, waiting]) => [{ priority }, waiting])
    )
    gauge(
      "fastworker_queue_oldest_seconds",
      "How long the task that has waited longest for a free slot has waited; 0 when none waits.",
      lanes().map(({ oldestMillis = 0, priority }) => [{ priority }, oldestMillis / 1_000])
    )
    gauge("fastworker_waiting_tasks", "Tasks that wait, for a slot or for their time.", core.waiting())
    gauge("fastworker_waiting_limit_tasks", "Tasks that may wait; more are refused.", settings.maxWaiting)
    gauge("fastworker_waiting_bytes", "Arguments of the tasks that wait.", core.waitingBytes())
    gauge("fastworker_waiting_limit_bytes", "Arguments that may wait; more are refused.", settings.maxWaitingBytes)
    gauge(
      "fastworker_delayed_tasks",
      "Tasks that wait for their time, those for their next attempt included.",
      core.delayed()
    )
    gauge("fastworker_running_tasks", "Tasks that workers run, those that are to stop included.", counts.running)
    gauge("fastworker_cancelling_tasks", "Running tasks that are to stop.", counts.cancelling)
    gauge("fastworker_dead_tasks", "Tasks that failed or expired and can be retried.", core.dead.size())
    gauge("fastworker_schedules", "Schedules that are declared.", core.schedules.size())
    gauge("fastworker_pauses", "What is paused: everything, task types, workers.", core.pauses.targets().length)

    gauge(
      "fastworker_workers",
      "Workers that are connected, or were a moment ago.",
      workerStates.map((state): Sample => [{ state }, workers.states[state]])
    )
    gauge("fastworker_worker_slots", "Tasks that the workers can run at once.", workers.slots)
    gauge("fastworker_worker_busy_slots", "Slots in which a task runs.", workers.busy)

    counter(
      "fastworker_tasks_submitted_total",
      "Tasks that were accepted.",
      types.map(([type, totals]) => [{ type }, of(totals, "accepted")])
    )
    counter(
      "fastworker_attempts_started_total",
      "Attempts that were given to a worker.",
      types.map(([type, totals]) => [{ type }, of(totals, "started")])
    )
    counter(
      "fastworker_tasks_finished_total",
      "Tasks that have an outcome.",
      types.flatMap(([type, totals]) => outcomes.map((outcome): Sample => [{ type, outcome }, of(totals, outcome)]))
    )
    counter(
      "fastworker_task_retries_total",
      "Attempts that failed and were not the last.",
      types.map(([type, totals]) => [{ type }, of(totals, "retried")])
    )
    counter(
      "fastworker_attempts_failed_total",
      "Attempts that failed, by why: the last one of a task and those before it.",
      reasons.map((reason) => [{ reason }, memory.failures.get(reason) ?? 0])
    )
    counter("fastworker_crashes_total", "Attempts that ended with their worker or thread.", counts.crashes)
    counter("fastworker_late_reports_total", "Reports of workers that came after their lease.", counts.lateReports)
    histogram(
      "fastworker_task_wait_duration_seconds",
      "How long tasks were ready to run before an attempt was given to a worker.",
      types.map(([type, { wait }]) => [{ type }, wait])
    )
    histogram(
      "fastworker_task_run_duration_seconds",
      "How long attempts took that succeeded or failed.",
      types.map(([type, { run }]) => [{ type }, run])
    )

    const { hits, misses } = results.asked()
    gauge("fastworker_result_cache_outcomes", "Outcomes that are kept for late askers.", results.size())
    gauge("fastworker_result_cache_bytes", "Bytes of the outcomes that are kept.", results.bytes())
    gauge("fastworker_result_cache_limit_bytes", "Bytes of outcomes that may be kept.", settings.resultCacheBytes)
    counter("fastworker_result_cache_requests_total", "Outcomes that were asked for late.", [
      [{ result: "hit" }, hits],
      [{ result: "miss" }, misses]
    ])
    gauge("fastworker_history_tasks", "Finished tasks that are remembered.", memory.log.size())
    gauge("fastworker_history_bytes", "Bytes of the finished tasks that are remembered.", memory.log.bytes())
    gauge("fastworker_history_limit_bytes", "Bytes of finished tasks that may be remembered.", settings.maxHistoryBytes)
    gauge("fastworker_sessions", "Clients that are known.", core.sessions.size())
    const { journal: file } = system()
    if (file !== undefined) {
      gauge(
        "fastworker_journal_failed",
        "1 while the journal can't be written: no task is accepted.",
        failure === undefined ? 0 : 1
      )
      gauge("fastworker_journal_bytes", "Size of the journal on disk.", file.bytes)
    }

    counter("process_cpu_seconds_total", "CPU time of the process.", (cpu.user + cpu.system) / 1e6)
    gauge("process_resident_memory_bytes", "Memory of the process.", usage.rss)
    gauge("process_start_time_seconds", "When it started, in seconds since 1970.", Math.round(wall(startedAt)) / 1_000)
    gauge("nodejs_heap_size_used_bytes", "Heap that is used.", usage.heapUsed)
    gauge("nodejs_eventloop_lag_seconds", "How late the event loop was a moment ago.", lag() / 1_000)
    return end()
  }
}
