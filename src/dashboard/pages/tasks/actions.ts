/** What is done with tasks: one at once, many after a question that says how many. Nothing is shown before it is so. */
import type { TaskSelection } from "../../../domain/Api.ts"
import type { Priority } from "../../../domain/Priority.ts"
import type { Result } from "../../api/Client.ts"
import type { Changed, TaskQuery } from "../../api/Endpoints.ts"
import { type App, useApp } from "../../Context.ts"
import { clock, count, plural } from "../../format.ts"

/** That of a priority gives the tasks that priority. */
export type Action = "retry" | "cancel" | "purge" | Priority

/** Which tasks: these, or all that a query means. `words` says it: "selected tasks", "failed tasks of webhook.deliver". */
export interface Chosen {
  readonly ids?: ReadonlyArray<string>
  readonly query?: TaskQuery
  readonly asOf: number
  readonly words: string
}

interface Said {
  readonly verb: string
  /** What it says after the tasks. */
  readonly as?: string
  readonly done: string
  readonly none: string
  readonly failed: string
  readonly consequence: string
}

const toPriority = (priority: Priority): Said => ({
  verb: "Prioritize",
  as: ` as ${priority}`,
  done: `given priority ${priority}`,
  none: `None of them can be given priority ${priority}: they have it, or have finished.`,
  failed: "No priority was changed.",
  consequence: "One that waits stands last in that priority; one that runs has it when it waits again."
})

export const sayings: Readonly<Record<Action, Said>> = {
  retry: {
    verb: "Retry",
    done: "retried",
    none: "None of them can be retried: only tasks that failed or expired, and are still kept, can.",
    failed: "Nothing was retried.",
    consequence: "Each runs again as a new task with the same arguments."
  },
  cancel: {
    verb: "Cancel",
    done: "cancelled",
    none: "None of them can be cancelled: they have finished.",
    failed: "Nothing was cancelled.",
    consequence: "Those that run are told to stop; none of them runs again by itself."
  },
  purge: {
    verb: "Purge",
    done: "purged",
    none: "None of them can be purged: only tasks that failed or expired, and are still kept, can.",
    failed: "Nothing was purged.",
    consequence: "They are forgotten with their arguments and errors, and can't be retried any more."
  },
  critical: toPriority("critical"),
  high: toPriority("high"),
  normal: toPriority("normal"),
  low: toPriority("low")
}

/** Most ids in one request. */
const maxIds = 10_000

export interface Actions {
  readonly retry: (id: string) => Promise<void>
  readonly cancel: (id: string) => Promise<void>
  readonly prioritize: (id: string, to: Priority) => Promise<void>
  /** Asks, does it, says what came of it. `true` when something was done. */
  readonly many: (action: Action, chosen: Chosen) => Promise<boolean>
}

export const useActions = (open: (id: string) => void): Actions => makeActions(useApp(), open)

const makeActions = ({ api, dialogs, toasts }: App, open: (id: string) => void): Actions => {
  const call = (action: Action, selection: TaskSelection): Promise<Result<Changed>> =>
    action === "retry"
      ? api.tasks.retryMany(selection)
      : action === "cancel"
      ? api.tasks.cancelMany(selection)
      : action === "purge"
      ? api.tasks.purgeMany(selection)
      : api.tasks.prioritizeMany(selection, action)

  /** In parts when there are more ids than a request takes. */
  const send = async (action: Action, { asOf, ids, query }: Chosen, dryRun: boolean): Promise<Result<Changed>> => {
    const rest = { ...query, asOf, ...dryRun ? { dryRun } : {} }
    if (ids === undefined) return call(action, rest as TaskSelection)
    let sum: Changed = { count: 0, skipped: 0 }
    for (let from = 0; from < ids.length; from += maxIds) {
      const result = await call(action, { ...rest, ids: ids.slice(from, from + maxIds) } as unknown as TaskSelection)
      if (!result.ok) return sum.count > 0 ? { ok: true, value: sum } : result
      sum = { count: sum.count + result.value.count, skipped: sum.skipped + result.value.skipped }
    }
    return { ok: true, value: sum }
  }

  const cancel = async (id: string) => {
    const result = await api.tasks.cancel(id)
    if (!result.ok) return toasts.fail("It was not cancelled.", result.problem)
    toasts.add({ text: result.value.state === "cancelling" ? "It was told to stop." : "Cancelled." })
  }
  return {
    cancel,
    prioritize: async (id, to) => {
      const result = await api.tasks.prioritize(id, to)
      if (!result.ok) return toasts.fail("It has the priority that it had.", result.problem)
      toasts.add({ text: `Given priority ${to}.` })
    },
    retry: async (id) => {
      const result = await api.tasks.retry(id)
      if (!result.ok) return toasts.fail("It was not retried.", result.problem)
      toasts.add({ text: "Retried as a new task.", label: "Open", undo: () => open(result.value.id) })
    },
    many: async (action, chosen) => {
      const { as = "", consequence, done, failed, none, verb } = sayings[action]
      const exact = await send(action, chosen, true)
      if (!exact.ok) {
        toasts.fail(failed, exact.problem)
        return false
      }
      const all = exact.value.count
      if (all === 0) {
        toasts.add({ text: none })
        return false
      }
      const yes = await dialogs.confirm({
        title: `${verb} ${plural(all, "task")}${as}?`,
        text: `${count(all)} of the ${chosen.words}, as seen at ${
          clock(chosen.asOf)
        }: none that came later. ${consequence}`,
        action: `${verb} ${count(all)}`,
        count: all,
        ...action === "purge" ? { grave: true } : {}
      })
      if (!yes) return false
      const result = await send(action, chosen, false)
      if (!result.ok) {
        toasts.fail(failed, result.problem)
        return false
      }
      // What is missing from the number that was agreed to has changed since.
      const changed = Math.max(result.value.skipped, all - result.value.count)
      toasts.add({
        text: `${count(result.value.count)} ${done}${changed > 0 ? `, ${count(changed)} had changed` : ""}.`
      })
      return result.value.count > 0
    }
  }
}
