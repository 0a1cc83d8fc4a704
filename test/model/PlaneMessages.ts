/** What workers and clients of the exact simulation and its control plane say to each other. */
import type { Report } from "../../src/domain/Message.ts"

export interface ExchangeMessage {
  readonly session: string
  readonly seq: number
  readonly settled: number
  readonly abandoned: ReadonlyArray<number>
  readonly free: number
  readonly waiting: number
  readonly draining: boolean
  readonly held: ReadonlyArray<{ readonly id: string; readonly attempt: number }> | undefined
  readonly reports: ReadonlyArray<{ readonly report: Report; readonly body: string }>
}

export interface ExchangeReply {
  readonly leases: ReadonlyArray<{ readonly id: string; readonly attempt: number; readonly name: string }>
  readonly abandon: ReadonlyArray<string>
  readonly cancel: ReadonlyArray<string>
}

export interface RegisterReply {
  readonly abandon: ReadonlyArray<string>
  readonly cancel: ReadonlyArray<string>
}

export interface CollectReply {
  readonly last: number
  readonly outcomes: ReadonlyArray<{ readonly id: string; readonly body: string }>
}

/** Answers a worker; `undefined` says that its session is not known. */
export type Answer<A> = (reply: A | undefined) => void
