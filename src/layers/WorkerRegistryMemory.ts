/**
 * The worker registry in memory. A worker is overdue when it was silent for the heartbeat timeout, or when its
 * connection closed and it did not come back within the reconnect grace. Names of handlers are remembered when their
 * workers are gone, so that tasks can wait for the next one; at most {@link maxNames}.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { TaskType } from "../domain/Message.ts"
import { withoutSchemas } from "../domain/Message.ts"
import type { Settings as Values } from "../domain/Settings.ts"
import type { WorkerRecord } from "../domain/WorkerInfo.ts"
import { Settings } from "../services/Settings.ts"
import { WorkerRegistry } from "../services/WorkerRegistry.ts"

/**
 * Most task names that are remembered; the one announced longest ago is forgotten first.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxNames = 10_000

/** Characters of JSON Schemas that are remembered; those announced longest ago are forgotten first. */
const maxSchemasLength = 32 * 1024 * 1024

const schemasLength = ({ argsSchema = "", errorSchema = "", resultSchema = "" }: TaskType) =>
  argsSchema.length + errorSchema.length + resultSchema.length

/**
 * Creates the registry from the settings.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeUnsafe = (
  { heartbeatTimeoutMillis, reconnectGraceMillis }: Pick<Values, "heartbeatTimeoutMillis" | "reconnectGraceMillis">
): WorkerRegistry["Service"] => {
  const bySession = new Map<string, WorkerRecord>()
  /** Since when a worker is lost, and what it was before. */
  const lost = new Map<WorkerRecord, { readonly since: number; readonly was: WorkerRecord["state"] }>()
  const types = new Map<string, TaskType>()
  let schemas = 0
  const remoteHandlers = new Map<string, number>()

  const count = (worker: WorkerRecord, by: 1 | -1) => {
    if (worker.local) return
    for (const name of worker.names) {
      const handlers = (remoteHandlers.get(name) ?? 0) + by
      if (handlers === 0) remoteHandlers.delete(name)
      else remoteHandlers.set(name, handlers)
    }
  }

  const forget = (name: string) => {
    const type = types.get(name)
    if (type === undefined) return
    types.delete(name)
    schemas -= schemasLength(type)
  }

  const remove = (worker: WorkerRecord) => {
    if (bySession.get(worker.session) !== worker) return
    bySession.delete(worker.session)
    lost.delete(worker)
    count(worker, -1)
  }

  return WorkerRegistry.of({
    add(worker, announced) {
      const previous = bySession.get(worker.session)
      if (previous !== undefined) remove(previous)
      bySession.set(worker.session, worker)
      count(worker, 1)
      for (const type of announced) {
        // Deleted first, so that the order of the map is the order of the last announcement.
        forget(type.name)
        types.set(type.name, type)
        schemas += schemasLength(type)
      }
      for (const name of types.keys()) {
        if (types.size <= maxNames) break
        forget(name)
      }
      for (const [name, type] of types) {
        if (schemas <= maxSchemasLength) break
        schemas -= schemasLength(type)
        types.set(name, withoutSchemas(type))
      }
    },
    remove,
    bySession: (session) => bySession.get(session),
    seen(worker, now) {
      worker.lastSeen = now
      if (worker.state === "lost") {
        worker.state = lost.get(worker)?.was ?? "active"
        lost.delete(worker)
      }
    },
    disconnected(worker, now) {
      if (bySession.get(worker.session) !== worker || worker.state === "lost") return
      lost.set(worker, { since: now, was: worker.state })
      worker.state = "lost"
    },
    forgive(millis, now) {
      // What was heard or told after that time is as old as it says.
      for (const worker of bySession.values()) worker.lastSeen = Math.min(worker.lastSeen + millis, now)
      for (const [worker, { since, was }] of lost) lost.set(worker, { since: Math.min(since + millis, now), was })
    },
    overdue(now) {
      const overdue: Array<WorkerRecord> = []
      for (const worker of bySession.values()) {
        const since = lost.get(worker)?.since
        if (
          now - worker.lastSeen >= heartbeatTimeoutMillis ||
          (since !== undefined && now - since >= reconnectGraceMillis)
        ) overdue.push(worker)
      }
      return overdue
    },
    workers: () => bySession.values(),
    size: () => bySession.size,
    type: (name) => types.get(name),
    remoteHandlers: (name) => remoteHandlers.get(name) ?? 0,
    types: () => types.values()
  })
}

/**
 * Layer that knows the workers from what they send.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<WorkerRegistry> = Layer.effect(WorkerRegistry, Effect.map(Settings, makeUnsafe))
