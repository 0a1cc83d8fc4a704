/**
 * Stands between the core and those that call it: keeps the books of one control plane, says to them what each call is
 * for, and checks the answers. The books are compared with the core: cheaply after every step, wholly now and then.
 */
import * as Result from "effect/Result"
import { toText } from "../../src/domain/Body.ts"
import type { Core } from "../../src/layers/ControlPlaneCore.ts"
import { matches } from "../../src/layers/ControlPlaneCore.ts"
import type { Submitted } from "../../src/layers/CoreAdmission.ts"
import { makeBounds } from "./Bounds.ts"
import { checkDue, expectedOf } from "./Due.ts"
import type { Durable } from "./Durable.ts"
import { keyId, makeKeys } from "./Keys.ts"
import type { Call, Entry } from "./Ledger.ts"
import { makeLedger, markOf } from "./Ledger.ts"
import type { Setup } from "./Script.ts"
import { Broken } from "./Script.ts"
import type { Parts, Witness } from "./Server.ts"
import { settingsOf } from "./Server.ts"
import type { Waiting } from "./Waiting.ts"
import { makeWaiting } from "./Waiting.ts"

export type Audit = ReturnType<typeof makeAudit>

export const makeAudit = ({ durable, isRestarted, now, reborn, see, setup, wall }: {
  readonly setup: Setup
  readonly durable: Durable | undefined
  readonly now: () => number
  readonly wall: () => number
  readonly reborn: (id: string) => void
  /** Counts what has been tried: what never happened was never checked. */
  readonly see: (what: string) => void
  /** Another control plane has used the same journal before. */
  readonly isRestarted: boolean
}) => {
  const settings = settingsOf(setup)
  const bounds = makeBounds()
  const keys = makeKeys({ durable, now, wall })
  const pauses = new Set(durable?.pauses)
  const dead = new Set(durable?.dead)
  let parts: Parts | undefined
  let waiting: Waiting | undefined
  let isDraining = false
  /** What schedules submitted or skipped in this tick. */
  let submitted = new Map<string, number>()
  /** How often each schedule was declared. */
  const declared = new Map<string, number>()

  const the = <A>(part: A | undefined): A => {
    if (part === undefined) throw new Error("the control plane is not there yet")
    return part
  }

  const ledger = makeLedger({
    parts: () => the(parts),
    waiting: () => the(waiting),
    bounds,
    keys,
    pauses,
    durable,
    now,
    wall,
    reborn,
    see
  })
  const { counts, entries, outcomes } = ledger

  const tell = (schedule: string | undefined) => {
    if (schedule !== undefined) submitted.set(schedule, (submitted.get(schedule) ?? 0) + 1)
  }

  const observer: Witness["observer"] = {
    ...ledger.observer,
    accepted(task) {
      if (isDraining) throw new Broken("nothing is accepted while it drains", task.id)
      const schedule = ledger.op() === "tick" ? the(parts).core.schedules.get(task.options?.schedule ?? "") : undefined
      if (schedule?.declaration.overlap === "skip" && entries.has(schedule.lastTask ?? "")) {
        throw new Broken("tasks of a schedule overlap as declared", `${task.id} beside ${schedule.lastTask}`)
      }
      ledger.observer.accepted(task)
      tell(task.options?.schedule)
    },
    finished(outcome, task, keepMillis) {
      ledger.observer.finished(outcome, task, keepMillis)
      see(`${outcome.state} ${outcome.reason ?? ""}`)
      if (task.options?.ignoreResult === true && keepMillis !== 0) {
        throw new Broken("an outcome is kept as long as declared", `${outcome.id} is kept for ${keepMillis} ms`)
      }
      if (outcome.state === "failed" || outcome.state === "expired") dead.add(outcome.id)
    },
    forgotten(id) {
      dead.delete(id)
      durable?.forgotten(id)
    },
    schedule(id, record) {
      durable?.schedule(
        id,
        record === undefined ? undefined : {
          declaration: JSON.stringify(record.declaration),
          nextAt: record.nextAt === undefined
            ? undefined
            : "every" in record.declaration.kind
            ? record.nextAt - now() + wall()
            : record.nextAt,
          paused: record.paused
        }
      )
    },
    paused(target, isPaused) {
      if (target.startsWith("schedule:")) return
      if (isPaused) pauses.add(target)
      else pauses.delete(target)
      durable?.paused(target, isPaused)
    },
    skipped(id) {
      see("a schedule skipped")
      tell(id)
    },
    unresponsive: () => see("unresponsive"),
    stood: () => see("stood")
  }

  const known = (id: string) => entries.get(id)

  const checkSubmit = (core: Core, { args, id, level, name, options, ...times }: Submitted, accepted: string) => {
    const entry = known(accepted)
    if (id !== undefined && accepted !== id && options?.unique?.onConflict !== "existing") {
      throw new Broken("a task has the id it was given", `${id} became ${accepted}`)
    }
    if (entry === undefined) {
      if (core.registry.type(name) === undefined && !outcomes.has(accepted)) {
        throw new Broken("what is accepted is there", `${accepted} is not`)
      }
      return
    }
    if (accepted !== id && id !== undefined) return
    const isNew = entry.state === "storing" || entry.attempt === 0
    const differs = entry.name !== name || toText(entry.args) !== toText(args)
    if (differs && options?.unique === undefined) {
      throw new Broken("the same id is the same task", `${accepted} was submitted with other arguments`)
    }
    if (id === undefined && isNew && !differs && options === entry.options) {
      if (level !== undefined && entry.level !== level) {
        throw new Broken("a task is what was submitted", `level of ${accepted}`)
      }
      if (entry.dueAt !== Math.max(0, times.dueAt ?? 0) && (times.dueAt ?? 0) > now()) {
        throw new Broken("a task is what was submitted", `${accepted} is due at ${entry.dueAt}, not ${times.dueAt}`)
      }
    }
  }

  const checkForgotten = (id: string) => {
    if (the(parts).core.dead.get(id) !== undefined) throw new Broken("what is retried is not dead any more", id)
  }

  const meant = (filter: Parameters<typeof matches>[0]) => {
    let count = 0
    for (const task of the(parts).core.tasks()) if (task.state !== "cancelling" && matches(filter, task, now())) count++
    return count
  }

  const watch = (given: Parts): Core => {
    parts = given
    const { core, registry } = given
    waiting = makeWaiting({
      registry,
      settings,
      maxPassed: setup.maxPassed,
      bounds,
      see,
      isPaused: (name) => isDraining || pauses.has("all") || pauses.has(`task:${name}`)
    })
    const doing = <A>(op: string, body: () => A, more: Omit<Call, "op"> = {}): A => ledger.during({ op, ...more }, body)

    return {
      ...core,

      submit: (task, now) =>
        doing("submit", () => {
          const holder = task.options?.unique === undefined ? undefined : keys.find(task.name, task.options.unique.key)
          const wasAlive = task.id !== undefined && entries.has(task.id)
          const before = counts.submitted
          const result = core.submit(task, now)
          if (Result.isSuccess(result)) {
            if (wasAlive && counts.submitted !== before) throw new Broken("one task per id", `${task.id} twice`)
            checkSubmit(core, task, result.success)
            const replaced = holder === undefined || counts.submitted === before ? undefined : known(holder.id)
            if (replaced !== undefined && replaced.state !== "cancelling") {
              throw new Broken("one task per unique key", `${replaced.id} goes on, ${result.success} replaced it`)
            }
          } else {
            see(result.failure._tag)
            if (counts.submitted !== before) throw new Broken("what is refused is not there", `${task.id}`)
            if (result.failure._tag === "UniqueConflict" && holder === undefined) {
              throw new Broken("a unique key is free again", `${task.options?.unique?.key} of ${task.name} is held`)
            }
          }
          return result
        }),

      stored: (task, now) =>
        doing("stored", () => {
          core.stored(task, now)
          if (task.options?.retryOf !== undefined) checkForgotten(task.options.retryOf)
        }),
      refused: (task) => {
        see("refused by the journal")
        ledger.retracted(task.id)
        core.refused(task)
        const retried = task.options?.retryOf
        if (retried !== undefined && outcomes.has(retried) && core.dead.get(retried) === undefined) {
          throw new Broken("what can't be retried stays dead", `${retried} is not, ${task.id} was refused`)
        }
      },
      restore: (restored, now) =>
        doing("restore", () => {
          const task = core.restore(restored, now)
          const entry = known(task.id)
          if (entry !== undefined) entry.isAwaited = restored.isLeased
          return task
        }),

      cancel: (id, now) =>
        doing("cancel", () => {
          const entry = known(id)
          const wasRunning = entry?.worker !== undefined
          const result = core.cancel(id, now)
          const answer = Result.isSuccess(result) ? result.success : result.failure._tag
          const expected = entry === undefined
            ? ["TaskNotFound", "TaskFinished"]
            : wasRunning
            ? ["cancelling"]
            : ["cancelled"]
          if (!expected.includes(answer) || (answer === "cancelled" && entries.has(id))) {
            throw new Broken(
              "cancel works",
              `${id} was ${entry?.state}, is ${known(id)?.state}, the answer is ${answer}`
            )
          }
          return result
        }),
      cancelAll: (many, now) =>
        doing("cancelAll", () => {
          const expected = meant(many.filter)
          const result = core.cancelAll(many, now)
          const count = Result.isSuccess(result) ? result.success : result.failure.count
          if (count !== expected) throw new Broken("cancel works", `${count} tasks instead of ${expected}`)
          return result
        }),
      prioritize: (id, level) =>
        doing("prioritize", () => {
          const entry = known(id)
          const result = core.prioritize(id, level)
          const answer = Result.isSuccess(result) ? result.success : result.failure._tag
          const isRight = entry === undefined
            ? answer === "TaskNotFound" || answer === "TaskFinished"
            : entry.level === level && core.task(id)?.level === level && answer === core.task(id)?.state
          if (!isRight) throw new Broken("a priority can be changed", `${id}: ${answer}, it has ${entry?.level}`)
          return result
        }),
      prioritizeAll: (many, level, now) =>
        doing("prioritizeAll", () => {
          let expected = 0
          for (const task of core.tasks()) {
            if (task.level !== level && task.state !== "cancelling" && matches(many.filter, task, now)) expected++
          }
          const result = core.prioritizeAll(many, level, now)
          const count = Result.isSuccess(result) ? result.success : result.failure.count
          if (count !== expected) throw new Broken("a priority can be changed", `of ${count} instead of ${expected}`)
          return result
        }),
      cancelWaiting: (now) => doing("cancelWaiting", () => core.cancelWaiting(now)),
      retry: (id, as, now) =>
        doing("retry", () => {
          const wasDead = dead.has(id)
          const result = core.retry(id, as, now)
          if (Result.isSuccess(result)) {
            const entry = known(result.success)
            // While its retry is on its way to the disk it may be dropped as the oldest of too many.
            if (!wasDead && entry?.options?.retryOf !== id) throw new Broken("only what is dead is retried", id)
            if (durable === undefined) checkForgotten(id)
            if (entry !== undefined && entry.options?.retryOf !== id && entry.options?.unique === undefined) {
              throw new Broken("a retry is a new task", `${result.success} does not say that it is ${id} again`)
            }
          }
          return result
        }),
      retryAll: (many, now) => doing("retryAll", () => core.retryAll(many, now)),
      setSchedule(declaration, now) {
        declared.set(declaration.id, (declared.get(declaration.id) ?? 0) + 1)
        return core.setSchedule(declaration, now)
      },
      trigger: (id, as, now) => doing("trigger", () => core.trigger(id, as, now)),

      register: (registration, now) =>
        doing("register", () => {
          const awaited = registration.held.filter(({ attempt, id }) => {
            const entry = known(id)
            return entry?.isAwaited === true && entry.state === "delayed" && attempt >= entry.attempt
          })
          const previous = registry.bySession(registration.session)
          const kept = registration.held.filter(({ attempt, id }) => {
            const entry = known(id)
            return entry?.worker !== undefined && entry.worker === previous && entry.attempt === attempt
          })
          const registered = core.register(registration, now)
          for (const { id } of kept) {
            const entry = known(id)
            if (entry !== undefined && entry.worker === previous) entry.worker = registered.worker
          }
          for (const { id } of awaited) {
            if (known(id)?.worker !== registered.worker) {
              throw new Broken("what runs while the control plane is away goes on", `${id} of ${registration.session}`)
            }
          }
          for (const { limits, name } of registration.tasks) bounds.declare(name, limits, now)
          const ids = registration.held.map(({ id }) => id)
          for (const { attempt, id } of registration.held) {
            if (ids.indexOf(id) !== ids.lastIndexOf(id)) continue
            const entry = known(id)
            const isKept = entry?.worker === registered.worker && entry.attempt === attempt
            if (isKept === registered.abandon.includes(id)) {
              throw new Broken(
                "what a worker holds is kept or abandoned",
                `${id}/${attempt} of ${registration.session}`
              )
            }
          }
          return registered
        }),
      report: (worker, report, body, now) =>
        doing("report", () => {
          const entry = known(report.id)
          const isHis = entry !== undefined && entry.worker === worker && entry.attempt === report.attempt
          const counted = core.report(worker, report, body, now)
          if (counted !== isHis) {
            throw new Broken("only who has a lease reports", `${report.id}/${report.attempt} by ${worker.session}`)
          }
          if (!counted) counts.lateReports++
          see(counted ? `report: ${report.state}` : "a late report")
          return counted
        }, { worker, report, body }),
      news: (worker, news, now) => doing("news", () => core.news(worker, news, now), { worker }),
      leave: (worker, now) => doing("leave", () => core.leave(worker, now), { worker }),
      expire: (now) => doing("expire", () => core.expire(now)),

      tick: (now) =>
        doing("tick", () => {
          const expected = isDraining ? [] : expectedOf(core.schedules, now, wall())
          submitted = new Map()
          core.tick(now)
          for (const { id, lastTask } of expected) {
            const record = core.schedules.get(id)
            const last = lastTask === record?.lastTask ? undefined : known(lastTask ?? "")
            if (record?.declaration.overlap === "replace" && last !== undefined && last.state !== "cancelling") {
              throw new Broken(
                "tasks of a schedule overlap as declared",
                `${record.lastTask} does not replace ${lastTask}`
              )
            }
          }
          checkDue(core.schedules, expected, submitted, (id) => isRestarted || (declared.get(id) ?? 0) > 1)
          return undefined
        }),
      dispatch: (now) =>
        doing("dispatch", () => {
          const leases = core.dispatch(now)
          the(waiting).nothingLeft(now)
          return leases
        }),
      drain() {
        isDraining = true
        core.drain()
      }
    }
  }

  const differ = (what: string, actual: unknown, expected: unknown) => {
    if (actual !== expected) {
      throw new Broken(
        "counts are conserved",
        `${what}: the core says ${String(actual)}, the books ${String(expected)}`
      )
    }
  }

  const isSame = (entry: Entry) => {
    const task = the(parts).core.task(entry.id)
    return task !== undefined && task.worker === entry.worker && task.attempt === entry.attempt &&
      task.state === (entry.state === "storing" ? "delayed" : entry.state) &&
      (entry.state !== "delayed" || entry.isAwaited || task.detail?.dueAt === entry.dueAt) &&
      (task.detail?.stop ?? undefined) === entry.stop && task.crashes === entry.crashes && task.losses === entry.losses
  }

  return {
    observer,
    watch,
    entries,
    outcomes,
    counts,
    keys,
    dead,
    ledger,

    /** After every step. */
    check() {
      const { core } = the(parts)
      const { cancelled, expired, failed, running, submitted, succeeded } = core.counts
      for (const name of Object.keys(counts) as Array<keyof typeof counts>) {
        differ(name, core.counts[name], counts[name])
      }
      differ("waiting", core.waiting(), ledger.waiting())
      differ("bytes that wait", core.waitingBytes(), ledger.bytes())
      differ("submitted", submitted, core.waiting() + running + succeeded + failed + cancelled + expired)
    },

    /** Now and then: everything from scratch. */
    checkAll() {
      const { core, registry, results } = the(parts)
      const sizes = { running: 0, cancelling: 0, delayed: 0, queued: 0, storing: 0 }
      let due = Infinity
      for (const entry of entries.values()) {
        sizes[entry.state]++
        if (!isSame(entry)) {
          const { attempt, state, worker } = core.task(entry.id) ?? {}
          throw new Broken(
            "the states of a task",
            `${entry.id} is ${state} ${attempt} ${worker?.session}, not ${entry.state} ${entry.attempt} ${entry.worker?.session}`
          )
        }
        if (entry.stop !== undefined || entry.state === "storing") continue
        if (entry.state === "delayed") due = Math.min(due, entry.dueAt)
        due = Math.min(due, entry.expiresAt)
      }
      differ("running", counts.running, sizes.running + sizes.cancelling)
      differ("cancelling", counts.cancelling, sizes.cancelling)
      differ("delayed", core.delayed(), sizes.delayed + sizes.storing)
      differ("queued", the(waiting).size(), sizes.queued)
      differ("tasks", [...core.tasks()].length, entries.size)
      if ((core.nextDue() ?? Infinity) > due) {
        throw new Broken("no time is forgotten", `something is due at ${due}, the next timer is at ${core.nextDue()}`)
      }
      let leases = 0
      for (const worker of registry.workers()) {
        for (const task of worker.leases) {
          leases++
          if (known(task.id)?.worker !== worker) {
            throw new Broken("one worker has a task", `${task.id}: ${worker.session}`)
          }
        }
        let unsettled = 0
        for (const count of worker.unsettled.values()) unsettled += count
        differ(`unsettled leases of ${worker.session}`, worker.unsettledLeases, unsettled)
        if (worker.leases.size === 0 && worker.suspects !== 0) {
          throw new Broken("one last chance per worker", `${worker.session} has ${worker.suspects} and no lease`)
        }
      }
      differ("leases", leases, counts.running)
      let held = 0
      for (const [id, holder] of keys.holders) {
        const [name, key] = JSON.parse(id) as [string, string]
        if (holder.until <= now()) continue
        held++
        const actual = core.uniques.find(name, key, now())
        if (actual !== holder.id) {
          throw new Broken("one task per unique key", `${key} of ${name}: ${actual}, not ${holder.id}`)
        }
      }
      // Looked for, keys whose period is over are dropped.
      core.uniques.find("", "", now())
      if (core.uniques.size() !== held) {
        throw new Broken("a unique key is free again", `${core.uniques.size()} are held, not ${held}`)
      }
      for (const outcome of results.outcomes()) {
        const mark = outcomes.get(outcome.id)
        if (mark !== undefined && mark.text !== markOf(outcome).text) {
          throw new Broken("an outcome is final", outcome.id)
        }
      }
      for (const id of dead) {
        if (settings.maxDead > 1_000 && core.dead.get(id) === undefined) {
          throw new Broken("what failed can be retried", id)
        }
      }
      for (const target of pauses) {
        if (!core.pauses.targets().includes(target)) throw new Broken("what is paused stays paused", target)
      }
    },

    keyId
  }
}
