/** What the exact model keeps, and what it is asked. */
import type { FailureReason } from "../../src/domain/Outcome.ts"
import type { PriorityLevel } from "../../src/domain/Priority.ts"
import type { FinalState } from "../../src/domain/TaskState.ts"

export interface ModelTask {
  readonly id: string
  readonly name: string
  readonly args: string
  level: PriorityLevel
  sequence: number
  readonly watchers: Set<string>
  readonly expiresAt: number
  /** When it is due, while it is delayed. */
  dueAt: number | undefined
  /** What it is to be when its worker has stopped it. */
  stop: "cancelled" | "expired" | undefined
  attempt: number
  crashes: number
  losses: number
  lease: { readonly worker: ModelWorker; readonly exchange: number; readonly at: number } | undefined
}

export interface ModelWorker {
  readonly session: string
  readonly slots: number
  readonly names: ReadonlySet<string>
  readonly local: boolean
  readonly leases: Set<ModelTask>
  exchange: number
  settled: number
  free: number
  waiting: number
  isDraining: boolean
  isOpen: boolean
  lostSince: number | undefined
  lastSeen: number
  lag: number
}

export interface ModelOutcome {
  readonly id: string
  readonly name: string
  readonly args: string
  readonly state: FinalState
  readonly reason: FailureReason | undefined
  readonly attempt: number
  readonly body: string
  readonly at: number
}

export interface ModelSession {
  readonly token: string
  /** Not acknowledged, oldest first. */
  outbox: Array<ModelOutcome>
  acked: number
  lastSeen: number
}

export interface ModelSubmission {
  readonly id: string
  /** Whether the caller chose the id. */
  readonly isOwnId: boolean
  readonly name: string
  readonly level: PriorityLevel | undefined
  readonly args: string
  readonly watcher: string | undefined
  readonly dueAt: number
  readonly expiresAt: number
}

/** What the result cache remembers of an id: nothing, that it finished, or the whole outcome. */
export type Memory = "nothing" | "tombstone" | "outcome"
