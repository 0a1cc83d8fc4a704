/**
 * Contract of the worker registry: which workers are connected and which task names have a handler. Owns liveness; does
 * not choose among workers and does not touch tasks.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type { TaskType } from "../domain/Message.ts"
import type { WorkerRecord } from "../domain/WorkerInfo.ts"

/**
 * Service that knows the workers. Its methods are synchronous: they are called for every message of a worker.
 *
 * @category services
 * @since 0.1.0
 */
export class WorkerRegistry extends Context.Service<WorkerRegistry, {
  /** Adds a worker with its handlers; one with the same session is replaced. */
  readonly add: (worker: WorkerRecord, types: ReadonlyArray<TaskType>) => void
  readonly remove: (worker: WorkerRecord) => void
  readonly bySession: (session: string) => WorkerRecord | undefined
  /** Notes a sign of life: a worker that was `lost` is again what it was before. */
  readonly seen: (worker: WorkerRecord, now: number) => void
  /** Notes that the connection closed: the worker is `lost` and has the reconnect grace to come back. */
  readonly disconnected: (worker: WorkerRecord, now: number) => void
  /** Does not count the time of this length before `now` as silence: nobody could be heard then. */
  readonly forgive: (millis: number, now: number) => void
  /** Workers that were silent, or disconnected, for too long: the caller ends their leases and removes them. */
  readonly overdue: (now: number) => ReadonlyArray<WorkerRecord>
  readonly workers: () => Iterable<WorkerRecord>
  readonly size: () => number
  /** What was announced last of the handlers of this name; `undefined` when none ever was. */
  readonly type: (name: string) => TaskType | undefined
  /** Number of workers other than the local one that have a handler of this name. */
  readonly remoteHandlers: (name: string) => number
  /** Every task name that was announced, as announced last. */
  readonly types: () => Iterable<TaskType>
}>()("fastworker/services/WorkerRegistry") {}
