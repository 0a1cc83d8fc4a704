/** Every endpoint of the API as a function, with the types of the contract in `domain/Api.ts` and `domain/View.ts`. */
import type { TaskSelection } from "../../domain/Api.ts"
import type { PauseTarget } from "../../domain/Message.ts"
import type { Priority } from "../../domain/Priority.ts"
import type { ScheduleDeclaration } from "../../domain/Schedules.ts"
import type { Stats } from "../../domain/Status.ts"
import type { TaskState } from "../../domain/TaskState.ts"
import type * as View from "../../domain/View.ts"
import { type Client, path, type Query } from "./Client.ts"

/** Which tasks, as in the address of the list: see `TaskQuery` in `domain/Api.ts`. */
export interface TaskQuery extends Query {
  readonly state?: string | undefined
  readonly type?: string | undefined
  readonly priority?: string | undefined
  readonly worker?: string | undefined
  readonly tag?: string | undefined
  readonly tenant?: string | undefined
  readonly schedule?: string | undefined
  readonly error?: string | undefined
  readonly id?: string | undefined
  readonly q?: string | undefined
  readonly since?: number | undefined
  readonly until?: number | undefined
}

export interface TaskPage {
  readonly asOf: number
  readonly tasks: ReadonlyArray<View.TaskRow>
  readonly next: string | null
}

export interface TaskCounts {
  readonly total: number
  readonly states: Readonly<Record<TaskState | "retrying", number>>
  readonly newer: number
}

export interface ErrorGroups {
  readonly groups: ReadonlyArray<View.ErrorGroup>
  readonly total: number
}

/** What came of a change of many. */
export interface Changed {
  readonly count: number
  readonly skipped: number
}

export interface NewTask {
  readonly name: string
  /** JSON text, as it is. */
  readonly args: string
  readonly priority?: Priority
  /** Milliseconds from now. */
  readonly in?: number
  readonly at?: number
  readonly expiresIn?: number
  readonly limitKey?: string
  readonly fairKey?: string
  readonly tags?: ReadonlyArray<string>
  readonly tenant?: string
  readonly ignoreResult?: boolean
}

export type PayloadPart = "args" | "result" | "error" | "progress"

export const makeApi = (client: Client) => ({
  signOut: () => client.remove("/session"),
  client,
  stats: (signal?: AbortSignal) => client.get<Stats>("/stats", { signal }),
  series: (query: { readonly range?: View.Range; readonly type?: string }, signal?: AbortSignal) =>
    client.get<View.Series>("/series", { query, signal }),
  errors: (query: { readonly range?: View.Range; readonly type?: string }, signal?: AbortSignal) =>
    client.get<ErrorGroups>("/errors", { query, signal }),
  system: (signal?: AbortSignal) => client.get<View.SystemView>("/system", { signal }),
  pause: (target: PauseTarget) => client.post("/pause", target),
  resume: (target: PauseTarget) => client.post("/resume", target),
  tasks: {
    list: (
      query: TaskQuery & {
        readonly cursor?: string | undefined
        readonly limit?: number | undefined
        readonly sort?: "newest" | "oldest" | "changed" | undefined
      },
      signal?: AbortSignal
    ) => client.get<TaskPage>("/tasks", { query, signal }),
    counts: (query: TaskQuery & { readonly after?: number | undefined }, signal?: AbortSignal) =>
      client.get<TaskCounts>("/tasks/counts", { query, signal }),
    /** The newest state of at most 500 tasks. */
    lookup: (ids: ReadonlyArray<string>, signal?: AbortSignal) =>
      client.post<{ readonly tasks: ReadonlyArray<View.TaskRow> }>("/tasks/lookup", { ids }, signal),
    submit: (task: NewTask) => client.post<{ readonly id: string }>("/tasks", task),
    detail: (id: string, signal?: AbortSignal) => client.get<View.TaskDetail>(path`/tasks/${id}`, { signal }),
    /** The whole of a payload as text. */
    payload: (id: string, part: PayloadPart, signal?: AbortSignal) =>
      client.get<string>(path`/tasks/${id}/${part}`, { signal, as: "text" }),
    cancel: (id: string) => client.post<{ readonly state: TaskState }>(path`/tasks/${id}/cancel`),
    retry: (id: string) => client.post<{ readonly id: string }>(path`/tasks/${id}/retry`),
    prioritize: (id: string, to: Priority) =>
      client.post<{ readonly state: TaskState }>(path`/tasks/${id}/prioritize`, { to }),
    cancelMany: (selection: TaskSelection) => client.post<Changed>("/tasks/cancel", selection),
    retryMany: (selection: TaskSelection) => client.post<Changed>("/tasks/retry", selection),
    purgeMany: (selection: TaskSelection) => client.post<Changed>("/tasks/purge", selection),
    prioritizeMany: (selection: TaskSelection, to: Priority) =>
      client.post<Changed>("/tasks/prioritize", { ...selection, to })
  },
  workers: {
    list: (signal?: AbortSignal) =>
      client.get<{ readonly workers: ReadonlyArray<View.WorkerRow> }>("/workers", { signal }),
    detail: (id: string, signal?: AbortSignal) => client.get<View.WorkerDetail>(path`/workers/${id}`, { signal }),
    drain: (id: string) => client.post(path`/workers/${id}/drain`)
  },
  schedules: {
    list: (signal?: AbortSignal) =>
      client.get<{ readonly schedules: ReadonlyArray<View.ScheduleRow> }>("/schedules", { signal }),
    set: (schedule: ScheduleDeclaration) => client.post("/schedules", schedule),
    run: (id: string) => client.post<{ readonly id: string }>(path`/schedules/${id}/run`),
    remove: (id: string) => client.remove(path`/schedules/${id}`)
  },
  types: {
    list: (signal?: AbortSignal) => client.get<{ readonly types: ReadonlyArray<View.TypeRow> }>("/types", { signal }),
    detail: (name: string, signal?: AbortSignal) => client.get<View.TypeDetail>(path`/types/${name}`, { signal })
  }
})

export type Api = ReturnType<typeof makeApi>
