/** What the benchmark has to know of a system: how it is started, and how a client uses it. */
import type { Job } from "../work.ts"

/** A system that runs: a hub (control plane, Redis, PostgreSQL, …) and a worker, each a process of its own. */
export interface Running {
  /** What its client has to know, as JSON. */
  readonly connection: object
  /** The processes between client and worker. */
  readonly hub: ReadonlyArray<number>
  readonly stop: () => Promise<void>
}

export interface StartOptions {
  /** Whether a task is on disk before its submission is answered. */
  readonly durable: boolean
  /** Whether tasks wait for ever, instead of being run. */
  readonly hold: boolean
  /** A folder of this run alone, which is removed after it. */
  readonly folder: string
  /** Where the worker writes the number of its executions. */
  readonly executions: string
}

export interface System {
  readonly name: string
  readonly version: string
  /** How it is configured, and on whose word. */
  readonly about: string
  /** Module with `connect`, and the program that runs it. */
  readonly client: string
  readonly program?: string
  /** Why it can't be measured on this machine. */
  readonly missing?: string | undefined
  readonly start: (options: StartOptions) => Promise<Running>
}

export interface Client {
  /** Submits a job and waits for its decoded result. When the hub is durable it was accepted first. */
  readonly run: (job: Job) => Promise<number>
  /** Submits jobs in one call, until the hub has accepted them; the ceilings have none. */
  readonly addAll?: (jobs: ReadonlyArray<Job>) => Promise<unknown>
  /** The same, and waits for their decoded results. */
  readonly runAll?: (jobs: ReadonlyArray<Job>) => Promise<ReadonlyArray<number>>
  readonly close: () => Promise<void>
}

/** What the module of a client exports. */
export interface ClientModule {
  readonly connect: (connection: object) => Promise<Client>
}

/** Slots of the workers, the same for each system that does not say what is best. */
export const slots = 1_024
