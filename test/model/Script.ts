/**
 * A run of the simulation as data: how the world is set up and what happens in it, step by step. A step that means
 * nothing any more (its worker is gone, no message is on its way) does nothing, so that steps can be taken out of a
 * script and the rest still runs.
 */
import type { Limits } from "../../src/domain/Message.ts"
import type { Priority } from "../../src/domain/Priority.ts"
import type { ScheduleDeclaration } from "../../src/domain/Schedules.ts"
import type { Settings } from "../../src/domain/Settings.ts"
import type { TaskOptions } from "../../src/domain/Task.ts"

export interface TypeSetup {
  readonly name: string
  readonly priority?: Priority
  readonly limits?: Limits
  readonly retention?: number
}

export interface Setup {
  readonly settings: Partial<Settings>
  /** How often a priority may be passed over. */
  readonly maxPassed: number
  readonly isDurable: boolean
  readonly clients: number
  readonly types: ReadonlyArray<TypeSetup>
}

/** A submission as a client writes it. */
export interface Submission extends Omit<TaskOptions, "retryOf" | "schedule"> {
  readonly id?: string
  readonly name: string
  readonly args: string
  readonly priority?: Priority
  readonly watch?: boolean
  readonly in?: number
  readonly expiresIn?: number
}

export interface Lease {
  readonly id: string
  readonly attempt: number
}

/** What a broken or malicious worker says instead of the truth. */
export interface Lie {
  readonly free?: number
  readonly waiting?: number
  readonly settled?: number
  readonly abandoned?: ReadonlyArray<number>
  readonly held?: ReadonlyArray<Lease>
  readonly reports?: ReadonlyArray<
    Lease & { readonly state: "succeeded" | "failed" | "returned" | "stopped" | "crashed"; readonly retryIn?: number }
  >
}

export interface Filter {
  readonly name?: string
  readonly tag?: string
  readonly tenant?: string
  readonly state?: "delayed" | "queued" | "running" | "failed" | "expired"
}

/** What a client asks besides submitting, watching and collecting. */
export type Question =
  | { readonly op: "cancel" | "result"; readonly id: string; readonly wait?: number }
  | { readonly op: "prioritize"; readonly id: string; readonly to: Priority }
  | { readonly op: "prioritizeAll"; readonly filter: Filter; readonly to: Priority }
  | { readonly op: "cancelAll" | "retryAll" | "purge"; readonly filter: Filter; readonly expect?: number }
  | { readonly op: "retry" | "unschedule" | "trigger"; readonly id: string }
  | { readonly op: "pause" | "resume"; readonly target: { task?: string; worker?: string; schedule?: string } }
  | { readonly op: "schedule"; readonly schedule: ScheduleDeclaration }

export type Step =
  /** Time passes; everybody's clocks run. */
  | { readonly t: "time"; readonly ms: number }
  /** The same, and the control plane's process does not run meanwhile. */
  | { readonly t: "stall"; readonly ms: number }
  /** The wall clock is set. */
  | { readonly t: "wall"; readonly ms: number }
  /** The control plane's turn ends. */
  | { readonly t: "turn" }
  | {
    readonly t: "hire"
    readonly w: number
    readonly slots: number
    readonly names: ReadonlyArray<string>
    readonly isLocal?: boolean
    readonly isPlain?: boolean
    readonly isLiar?: boolean
  }
  | { readonly t: "register"; readonly w: number; readonly held?: ReadonlyArray<Lease> }
  | { readonly t: "exchange"; readonly w: number; readonly lie?: Lie }
  /** A worker, or a client, sends its oldest unanswered request again, or gives it up. */
  | { readonly t: "resend" | "giveUp"; readonly who: string }
  /** A handler ends; `at` chooses among those that run. */
  | {
    readonly t: "end"
    readonly w: number
    readonly at: number
    readonly how: "succeeded" | "failed" | "crashed" | "returned"
    readonly retryIn?: number
    readonly body?: string
  }
  /** A worker stops what it was told to stop. */
  | { readonly t: "obey"; readonly w: number; readonly at: number }
  | { readonly t: "wait"; readonly w: number; readonly at: number }
  | { readonly t: "progress"; readonly w: number; readonly at: number; readonly body: string }
  | { readonly t: "beat"; readonly w: number; readonly lag: number }
  | { readonly t: "drain" | "leave"; readonly w: number }
  /** The process dies; the control plane may notice at once, or later. */
  | { readonly t: "kill" | "cut"; readonly who: string; readonly isNoticed: boolean }
  | { readonly t: "connect"; readonly who: string }
  /** The next message of a connection arrives at the control plane, or its next answer at the other end. */
  | { readonly t: "up" | "down"; readonly who: string }
  | { readonly t: "submit"; readonly c: number; readonly tasks: ReadonlyArray<Submission> }
  | { readonly t: "watch"; readonly c: number; readonly ids: ReadonlyArray<string>; readonly progress?: boolean }
  | { readonly t: "collect"; readonly c: number; readonly wait: number }
  | { readonly t: "ask"; readonly c: number; readonly question: Question }
  /** The journal stores its next entries, or can't store new tasks. */
  | { readonly t: "commit"; readonly entries: number }
  | { readonly t: "refuse" }
  /** The control plane ends and starts again: killed, or stopped in good order. */
  | { readonly t: "restart"; readonly ms: number; readonly isKilled: boolean }
  /** From now on workers declare other limits for a type. */
  | { readonly t: "limit"; readonly name: string; readonly limits: Limits | undefined }

export interface Script {
  readonly setup: Setup
  readonly steps: ReadonlyArray<Step>
}

/** A promise is broken. */
export class Broken extends Error {
  readonly promise: string
  constructor(promise: string, what: string) {
    super(`${promise}: ${what}`)
    this.promise = promise
  }
}
