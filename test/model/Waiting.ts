/**
 * Who waits and who should go first, from scratch: the tasks of each priority, fairness key, name and limit key in the
 * order in which they became ready. Checks every start: order, starvation, fair shares; and after every dispatch that
 * nothing was left waiting which could have started.
 */
import type { Settings } from "../../src/domain/Settings.ts"
import type { WorkerRecord } from "../../src/domain/WorkerInfo.ts"
import { credit } from "../../src/domain/WorkerInfo.ts"
import type { WorkerRegistry } from "../../src/services/WorkerRegistry.ts"
import type { Bounds } from "./Bounds.ts"
import type { Entry } from "./Ledger.ts"
import { Broken } from "./Script.ts"

interface Lane {
  readonly level: number
  readonly name: string
  readonly limitKey: string
  readonly flow: string
  readonly tasks: Array<Entry>
  isEligible: boolean
}

interface Level {
  size: number
  /** Starts since this level was served while something of it waited. */
  passed: number
  /** Starts in a row that passed it over while it had something that could start. */
  streak: number
  /** How far each flow is behind each other one, since both always have something that can start. */
  readonly lags: Map<string, Map<string, number>>
}

export type Waiting = ReturnType<typeof makeWaiting>

const flowOf = ({ options }: Entry) => options?.fairKey ?? options?.tenant ?? ""
const keyOf = ({ options }: Entry) => options?.limitKey ?? ""

/** A task on its last chance that has run for so long does not keep its worker from others like it. */
const probationMillis = 5_000

export const makeWaiting = ({ bounds, isPaused, maxPassed, registry, see, settings }: {
  readonly registry: WorkerRegistry["Service"]
  readonly settings: Settings
  readonly maxPassed: number
  readonly bounds: Bounds
  /** Whether tasks of a name must not start. */
  readonly isPaused: (name: string) => boolean
  readonly see: (what: string) => void
}) => {
  const lanes = new Map<string, Lane>()
  const suspects = new Set<Entry>()
  const newLevel = (): Level => ({ size: 0, passed: 0, streak: 0, lags: new Map() })
  const levels = [newLevel(), newLevel(), newLevel(), newLevel()]
  const weights = new Map<string, number>()

  const isSuspect = ({ crashes }: { readonly crashes: number }) => crashes > 0 && crashes >= settings.maxCrashes - 1

  const idOf = (entry: Entry) => `${entry.level}\n${entry.name}\n${keyOf(entry)}\n${flowOf(entry)}`

  const weightOf = (flow: string) => weights.get(flow) ?? 1
  /** Flows whose weight has changed: the bound is stated for those whose weights stay. */
  const reweighted = new Set<string>()

  /** Workers that may be given a task of this name; of the one that has just got one, before it got it. */
  const hasWorker = (name: string, got: WorkerRecord | undefined, accepts?: (worker: WorkerRecord) => boolean) => {
    for (const worker of registry.workers()) {
      if (!worker.names.has(name) || credit(worker) + (worker === got ? 1 : 0) <= 0) continue
      if (worker.local && settings.local === "when-alone" && registry.remoteHandlers(name) > 0) continue
      if (accepts === undefined || accepts(worker)) return true
    }
    return false
  }

  /** Marks the lanes whose first task could start now. */
  const mark = (got: WorkerRecord | undefined, now: number) => {
    const known = new Map<string, boolean>()
    for (const lane of lanes.values()) {
      let isPossible = known.get(lane.name)
      if (isPossible === undefined) {
        isPossible = !isPaused(lane.name) && hasWorker(lane.name, got)
        known.set(lane.name, isPossible)
      }
      lane.isEligible = isPossible && bounds.admits(lane.name, lane.limitKey, now)
    }
  }

  const checkLags = (level: Level, number: number, served: string) => {
    const eligible = new Set<string>()
    for (const lane of lanes.values()) if (lane.level === number && lane.isEligible) eligible.add(lane.flow)
    eligible.add(served)
    for (const [flow, others] of level.lags) {
      if (!eligible.has(flow)) level.lags.delete(flow)
      else for (const other of others.keys()) if (!eligible.has(other)) others.delete(other)
    }
    const add = (flow: string, other: string, by: number) => {
      const others = level.lags.get(flow) ?? new Map<string, number>()
      level.lags.set(flow, others)
      const lag = (others.get(other) ?? 0) + by
      others.set(other, lag)
      if (reweighted.has(flow) || reweighted.has(other)) return
      if (lag > 1 / weightOf(flow) + 1 / weightOf(other) + 1e-9) {
        throw new Broken("fair shares", `priority ${number}: "${flow}" is ${lag} behind "${other}", both could start`)
      }
    }
    for (const flow of eligible) {
      if (flow === served) continue
      add(flow, served, 1 / weightOf(served))
      add(served, flow, -1 / weightOf(served))
    }
  }

  return {
    add(entry: Entry) {
      if (isSuspect(entry)) return void suspects.add(entry)
      const id = idOf(entry)
      let lane = lanes.get(id)
      if (lane === undefined) {
        const { level, name } = entry
        lane = { level, name, limitKey: keyOf(entry), flow: flowOf(entry), tasks: [], isEligible: false }
        lanes.set(id, lane)
      }
      const { tasks } = lane
      let at = tasks.length
      while (at > 0 && (tasks[at - 1] as Entry).order > entry.order) at--
      tasks.splice(at, 0, entry)
      ;(levels[entry.level] as Level).size++
      const weight = entry.options?.weight
      if (weight !== undefined) {
        const before = weights.get(lane.flow)
        if (before !== undefined && before !== weight) reweighted.add(lane.flow)
        weights.set(lane.flow, weight)
      }
    },

    remove(entry: Entry) {
      if (suspects.delete(entry)) return
      const id = idOf(entry)
      const lane = lanes.get(id)
      const at = lane?.tasks.indexOf(entry) ?? -1
      if (lane === undefined || at === -1) throw new Error(`${entry.id} does not wait`)
      lane.tasks.splice(at, 1)
      if (lane.tasks.length === 0) lanes.delete(id)
      const level = levels[entry.level] as Level
      // When nothing of a priority waits, nobody is behind.
      if (--level.size === 0) level.lags.clear()
    },

    size: () => levels.reduce((sum, { size }) => sum + size, suspects.size),

    /** A task that waits is given to a worker: it must have been its turn. */
    starts(entry: Entry, worker: WorkerRecord, now: number) {
      if (isSuspect(entry)) {
        let others = 0
        for (const task of worker.leases) {
          if (task.id !== entry.id && isSuspect(task) && now - task.leasedAt < probationMillis) others++
        }
        see("a last chance")
        if (others > 0) {
          throw new Broken("one last chance per worker", `${worker.session} got ${entry.id} beside another`)
        }
        return
      }
      const lane = lanes.get(idOf(entry))
      if (lane?.tasks[0] !== entry) {
        throw new Broken("first in first out", `${entry.id} started before ${lane?.tasks[0]?.id}`)
      }
      mark(worker, now)
      const level = levels[entry.level] as Level
      const eligible = [false, false, false, false]
      for (const other of lanes.values()) {
        if (!other.isEligible || other === lane) continue
        const [first] = other.tasks
        eligible[other.level] = true
        if (
          other.level === entry.level && other.flow === lane.flow && first !== undefined && first.order < entry.order
        ) {
          throw new Broken("first in first out", `${entry.id} started before ${first.id}, which is older`)
        }
        if (other.level < entry.level) see("a lower priority went first")
        if (other.level < entry.level && level.passed < maxPassed) {
          throw new Broken("higher priority first", `${entry.id} started before ${first?.id}, which is more urgent`)
        }
      }
      checkLags(level, entry.level, lane.flow)
      for (let number = 0; number < 4; number++) {
        const other = levels[number] as Level
        if (number === entry.level || eligible[number] !== true) other.streak = 0
        else if (++other.streak > maxPassed + 2) {
          throw new Broken("starvation bound", `priority ${number} was passed over ${other.streak} times in a row`)
        }
      }
      for (const other of levels) {
        const left = other.size - (other === level ? 1 : 0)
        other.passed = left > 0 ? other.passed + 1 : 0
      }
      level.passed = 0
    },

    /** After a dispatch: whatever can start has started. */
    nothingLeft(now: number) {
      mark(undefined, now)
      for (const { isEligible, tasks: [first] } of lanes.values()) {
        if (isEligible) throw new Broken("no idle slot beside a waiting task", `${first?.id} (${first?.name}) was left`)
      }
      for (const entry of suspects) {
        const { name } = entry
        if (isPaused(name) || !bounds.admits(name, keyOf(entry), now)) continue
        if (
          hasWorker(
            name,
            undefined,
            (worker) => [...worker.leases].every((task) => !isSuspect(task) || now - task.leasedAt >= probationMillis)
          )
        ) {
          throw new Broken("no idle slot beside a waiting task", `${entry.id}, on its last chance, was left`)
        }
      }
    }
  }
}
