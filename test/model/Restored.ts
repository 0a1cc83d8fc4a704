/** After a restart with a journal: everything that was accepted and has no outcome is back as it was, and nothing else. */
import { toText } from "../../src/domain/Body.ts"
import type { Audit } from "./Audit.ts"
import type { Durable, Snapshot } from "./Durable.ts"
import { keyId } from "./Keys.ts"
import { markOf } from "./Ledger.ts"
import { Broken } from "./Script.ts"
import type { Server } from "./Server.ts"

/** Times are stored in whole milliseconds. */
const isNear = (a: number, b: number) => a === b || Math.abs(a - b) <= 1.5

const wrong = (what: string) => new Broken("a restart brings back what was accepted", what)

export const checkRestored = ({ audit, durable, now, server, wall }: {
  readonly server: Server
  readonly audit: Audit
  readonly durable: Durable
  readonly now: number
  readonly wall: number
}) => {
  const { core, results, settings } = server
  const fromWall = (at: number) => at - wall + now

  const checkTask = (stored: Snapshot) => {
    const { id, isLeased, options, stop } = stored
    if (stop !== undefined) {
      const state = audit.outcomes.get(id)?.state
      // What has expired does so again, unless the clock was set back meanwhile.
      if (state !== stop && !(stop === "expired" && core.task(id) !== undefined)) {
        throw wrong(`${id} had to be ${stop}, and is ${state ?? core.task(id)?.state}`)
      }
      return
    }
    const entry = audit.entries.get(id)
    if (entry === undefined) throw wrong(`${id} is not there`)
    const due = fromWall(stored.dueAt)
    const dueAt = isLeased ? now + settings.startGraceMillis : due
    const isSame = entry.name === stored.name && entry.level === stored.level &&
      toText(entry.args) === toText(stored.args) &&
      JSON.stringify(entry.options ?? {}) === JSON.stringify(options ?? {}) &&
      entry.attempt === stored.attempt && entry.crashes === stored.crashes && entry.losses === stored.losses &&
      entry.failures === stored.failures && entry.progress === stored.progress &&
      (isNear(entry.dueAt, dueAt) || (entry.dueAt <= now && dueAt <= now + 1.5)) &&
      isNear(entry.expiresAt, fromWall(stored.expiresAt))
    if (!isSame) {
      const { attempt, crashes, dueAt: at, expiresAt, failures, losses, progress } = entry
      throw wrong(
        `${id} is ${JSON.stringify({ attempt, crashes, losses, failures, progress, at, expiresAt })}, was ` +
          JSON.stringify({ ...stored, args: toText(stored.args), dueAt, expiresAt: fromWall(stored.expiresAt) })
      )
    }
  }

  /** Keys that are held for a period come first; then each is held by the oldest task that may. */
  const restoreKeys = () => {
    const { keys } = audit
    for (const [id, { id: holder, until }] of durable.periods) {
      if (until > wall) keys.restore(id, { id: holder, while: "period", until: fromWall(until) })
    }
    for (const { attempt, id, name, options, stop } of durable.tasks.values()) {
      const unique = options?.unique
      if (unique === undefined || stop === "cancelled" || unique.while === "period") continue
      if (unique.while === "waiting" && attempt > 0) continue
      if (keys.find(name, unique.key) === undefined) {
        keys.restore(keyId(name, unique.key), { id, while: unique.while, until: Infinity })
      }
    }
  }

  const sameSet = (what: string, actual: Iterable<string>, expected: Iterable<string>) => {
    const [a, b] = [[...actual].toSorted(), [...expected].toSorted()]
    if (JSON.stringify(a) !== JSON.stringify(b)) throw wrong(`${what} are ${a.join(", ")}; they were ${b.join(", ")}`)
  }

  for (const stored of durable.tasks.values()) checkTask(stored)
  for (const id of audit.entries.keys()) {
    if (!durable.tasks.has(id)) throw wrong(`${id} had an outcome, or was not stored`)
  }
  restoreKeys()
  sameSet("pauses", core.pauses.targets(), durable.pauses)
  sameSet("dead tasks", [...core.dead.values()].map(({ outcome }) => outcome.id), audit.dead)
  sameSet("schedules", [...core.schedules.records()].map(({ declaration }) => declaration.id), durable.schedules.keys())
  for (const record of core.schedules.records()) {
    const stored = durable.schedules.get(record.declaration.id)
    const nextAt = core.schedules.nextWall(record, { now, wall })
    if (
      stored === undefined || JSON.stringify(record.declaration) !== stored.declaration ||
      record.paused !== stored.paused || !isNear(nextAt ?? 0, stored.nextAt ?? 0)
    ) throw wrong(`schedule ${record.declaration.id} is due at ${nextAt}, was ${JSON.stringify(stored)}`)
  }
  for (const outcome of results.outcomes()) {
    const mark = durable.outcomes.get(outcome.id) ?? audit.outcomes.get(outcome.id)
    if (mark?.text !== markOf(outcome).text) {
      throw wrong(`the outcome of ${outcome.id} is ${markOf(outcome).text}, was ${mark?.text}`)
    }
  }
  audit.checkAll()
}
