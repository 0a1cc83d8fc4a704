/**
 * What the control plane knows of a worker. Owns the record and its derived load; who is lost and who gets the next task
 * is decided elsewhere.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import type { LeaseList } from "./LeaseList.ts"

/**
 * Schema for the id of a worker: what people see. It need not be unique: its session token is what identifies it.
 *
 * @category schemas
 * @since 0.1.0
 */
export const WorkerId = Schema.String.check(
  Schema.isPattern(/^[\x21-\x7e]{1,128}$/u, { expected: "1 to 128 printable ASCII characters without spaces" })
)

/**
 * Schema for the state of a worker. `lost` is a worker whose connection closed and that may still come back within the
 * reconnect grace.
 *
 * @category schemas
 * @since 0.1.0
 */
export const WorkerState = Schema.Literals(["active", "draining", "lost"])

/**
 * The state of a worker.
 *
 * @category models
 * @since 0.1.0
 */
export type WorkerState = typeof WorkerState.Type

/**
 * The record of a connected worker, mutable and owned by the control plane's core. Times are milliseconds of the
 * monotonic clock.
 *
 * **Details**
 *
 * `free` is what the worker said in its exchange with the highest number (`exchange`), counted after the replies up to
 * `settled`; leases that were sent in later replies are in `unsettled` and not yet part of it, so the slots that may be
 * given away are {@link credit}.
 *
 * @category models
 * @since 0.1.0
 */
export interface WorkerRecord {
  readonly id: string
  readonly session: string
  /** Tells it apart from others with its id, for people: made of the session, which is a secret. */
  readonly key: string
  readonly local: boolean
  readonly slots: number
  readonly names: ReadonlySet<string>
  /** The names, sorted and joined: workers with equal handlers share it. */
  readonly group: string
  readonly about: WorkerAbout
  readonly registeredAt: number
  state: WorkerState
  /** Whether it is given nothing, because somebody said so. */
  paused: boolean
  /** Whether it is told to finish what it runs and to leave. */
  isToLeave: boolean
  /** Whether an exchange waits for an answer, which could carry leases. */
  isOpen: boolean
  lastSeen: number
  /** How far its event loop was behind when it last said so, in milliseconds; 0 since its last exchange. */
  lag: number
  exchange: number
  settled: number
  free: number
  /** Leases whose handlers wait for other tasks, as it says: it may hold so many more. */
  waiting: number
  /** Leases of tasks on their last chance, and when it got the newest of them. */
  suspects: number
  suspectedAt: number
  /** Number of leases in each reply that the worker has not settled yet. */
  readonly unsettled: Map<number, number>
  unsettledLeases: number
  readonly leases: LeaseList
  /** Sum of the expected run times of its leases, in milliseconds. */
  expectedMillis: number
  /** Rises with every lease: breaks ties in favour of who was served longest ago. */
  servedAt: number
  succeeded: number
  failed: number
  /** What it said last of its process. */
  load: WorkerLoad | undefined
  /** Place in the dispatcher's heap, -1 when it is not in one; owned by the dispatcher. */
  heapIndex: number
}

/**
 * Schema for what a worker tells of itself, for people.
 *
 * @category schemas
 * @since 0.1.0
 */
export const WorkerAbout = Schema.Struct({
  host: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(256))),
  pid: Schema.optionalKey(Schema.Int),
  runtime: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(64))),
  /** Of the program that it is. */
  version: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(64)))
})

/**
 * What a worker tells of itself, for people.
 *
 * @category models
 * @since 0.1.0
 */
export type WorkerAbout = typeof WorkerAbout.Type

const Bytes = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const amount = (maximum: number) => Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum }))

/**
 * Schema for how busy a worker's process is, as it says: for people, nothing is decided by it.
 *
 * @category schemas
 * @since 0.1.0
 */
export const WorkerLoad = Schema.Struct({
  /** Bytes of its memory, and of the heap of its main thread. */
  rss: Schema.optionalKey(Bytes),
  heapUsed: Schema.optionalKey(Bytes),
  heapLimit: Schema.optionalKey(Bytes),
  /** Cores' worth of CPU time since it said so before: 1 is one core. */
  cpu: Schema.optionalKey(amount(100_000)),
  /** How late its event loop was since then, in milliseconds; of a hundred turns all but one were less. */
  loopLag: Schema.optionalKey(amount(86_400_000))
})

/**
 * How busy a worker's process is.
 *
 * @category models
 * @since 0.1.0
 */
export type WorkerLoad = typeof WorkerLoad.Type

/**
 * Lag from which on a worker counts as unresponsive, in milliseconds.
 *
 * @category constants
 * @since 0.1.0
 */
export const unresponsiveMillis = 1_000

/**
 * Returns whether the worker's event loop is blocked: it is alive and keeps its leases, but can't start, report or stop
 * anything.
 *
 * @category rules
 * @since 0.1.0
 */
export const isUnresponsive = (worker: WorkerRecord): boolean => worker.lag >= unresponsiveMillis

/**
 * Returns how many leases the worker may be given now.
 *
 * **Details**
 *
 * Whatever it says of its free slots, it never holds more leases than it has slots, those aside that wait for other
 * tasks. One that is unresponsive or paused gets none.
 *
 * @category rules
 * @since 0.1.0
 */
export const credit = (worker: WorkerRecord): number =>
  worker.state === "active" && worker.isOpen && !worker.paused && !isUnresponsive(worker)
    ? Math.min(worker.free - worker.unsettledLeases, worker.slots + worker.waiting - worker.leases.size)
    : 0

/**
 * Returns the load of a worker, in-flight leases divided by slots: 0 is idle, 1 is full.
 *
 * @category rules
 * @since 0.1.0
 */
export const load = (worker: WorkerRecord): number => worker.leases.size / worker.slots
