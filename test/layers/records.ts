import { LeaseList } from "../../src/domain/LeaseList.ts"
import type { Outcome } from "../../src/domain/Outcome.ts"
import type { PriorityLevel } from "../../src/domain/Priority.ts"
import type { TaskOptions, TaskRecord } from "../../src/domain/Task.ts"
import type { WorkerRecord } from "../../src/domain/WorkerInfo.ts"

/** A worker that is open for leases, with a handler of `t`. */
export const makeWorker = (
  session: string,
  { names = ["t"], slots = 4, ...options }: {
    readonly slots?: number
    readonly names?: ReadonlyArray<string>
    readonly local?: boolean
    readonly free?: number
    readonly servedAt?: number
    readonly expectedMillis?: number
    readonly lastSeen?: number
  } = {}
): WorkerRecord => ({
  id: session,
  session,
  key: session,
  local: false,
  slots,
  names: new Set(names),
  group: [...names].sort().join("\n"),
  about: {},
  registeredAt: 0,
  state: "active",
  paused: false,
  isToLeave: false,
  isOpen: true,
  lastSeen: 0,
  lag: 0,
  exchange: 1,
  settled: 0,
  free: slots,
  waiting: 0,
  suspects: 0,
  suspectedAt: 0,
  unsettled: new Map(),
  unsettledLeases: 0,
  leases: new LeaseList(),
  expectedMillis: 0,
  servedAt: 0,
  succeeded: 0,
  failed: 0,
  load: undefined,
  heapIndex: -1,
  ...options
})

/** The outcome of a task that succeeded, with a body of this many bytes. */
export const makeOutcome = (id: string, bytes = 0): Outcome => ({
  id,
  name: "t",
  level: 2,
  state: "succeeded",
  reason: undefined,
  attempt: 1,
  options: undefined,
  history: [],
  worker: "w",
  submittedAt: 0,
  startedAt: 0,
  finishedAt: 0,
  body: new Uint8Array(bytes)
})

/** A waiting task, of the age and with the options that are given. */
export const makeTask = (
  sequence: number,
  { bytes = 0, id = `${sequence}`, level = 2, name = "t", options }: {
    readonly bytes?: number
    readonly id?: string
    readonly level?: PriorityLevel
    readonly name?: string
    readonly options?: TaskOptions | undefined
  } = {}
): TaskRecord => ({
  id,
  name,
  level,
  args: new Uint8Array(bytes),
  sequence,
  submittedAt: 0,
  options,
  detail: undefined,
  state: "queued",
  attempt: 0,
  crashes: 0,
  losses: 0,
  worker: undefined,
  leaseExchange: 0,
  leasedAt: 0,
  expectedMillis: 0,
  watchers: [],
  next: undefined,
  previous: undefined
})
