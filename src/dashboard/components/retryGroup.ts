/** Runs the tasks of a group again: those that were seen, nothing that failed since. */
import type { ErrorGroup } from "../../domain/View.ts"
import type { App } from "../Context.ts"
import { clock, count, plural } from "../format.ts"

export const retryGroup = async ({ api, dialogs, live, toasts }: App, group: ErrorGroup): Promise<void> => {
  const asOf = live.now()
  const selection = { error: group.key, state: "dead", asOf }
  const exact = await api.tasks.retryMany({ ...selection, dryRun: true })
  if (!exact.ok) return toasts.fail("Nothing was retried.", exact.problem)
  const all = exact.value.count
  if (all === 0) return toasts.add({ text: "None of them can be retried any more." })
  const yes = all === 1 || await dialogs.confirm({
    title: `Retry ${plural(all, "failed task")}?`,
    text: `Of ${group.name}, failed with ${group.type}, seen up to ${
      clock(asOf)
    }: none that failed later. Each runs again as a new task with the same arguments.`,
    action: `Retry ${count(all)}`,
    count: all
  })
  if (!yes) return
  const result = await api.tasks.retryMany(selection)
  if (!result.ok) return toasts.fail("Nothing was retried.", result.problem)
  const changed = Math.max(result.value.skipped, all - result.value.count)
  toasts.add({ text: `${count(result.value.count)} retried${changed > 0 ? `, ${count(changed)} had changed` : ""}.` })
}
