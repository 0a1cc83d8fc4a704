/** What can be done with a worker: pausing holds it back, draining ends it. */
import type { WorkerRow } from "../../../domain/View.ts"
import type { MenuItem } from "../../components/Menu.tsx"
import type { App } from "../../Context.ts"
import { plural } from "../../format.ts"
import { isTargetPaused, pauseTarget, resumeTarget } from "../../shell/pauses.ts"

export const isWorkerPaused = (app: App, worker: WorkerRow): boolean => isTargetPaused(app, { worker: worker.id })

export const pauseWorker = (app: App, worker: WorkerRow): Promise<void> =>
  pauseTarget(app, { worker: worker.id }, {
    name: worker.id,
    done: `${worker.id} gets no more tasks. What it runs goes on.`
  })

export const resumeWorker = (app: App, worker: WorkerRow): Promise<void> =>
  resumeTarget(app, { worker: worker.id }, { name: worker.id, done: `${worker.id} gets tasks again.` })

export const drainWorker = async (app: App, worker: WorkerRow): Promise<void> => {
  const { api, dialogs, toasts } = app
  const yes = await dialogs.confirm({
    title: `Drain ${worker.id}?`,
    text: "It gets no more tasks, " +
      (worker.running === 0 ? "" : `finishes what it runs (${plural(worker.running, "task")}), `) +
      "then leaves and its process ends. This can't be taken back: what starts it has to start it again.",
    action: "Drain"
  })
  if (!yes) return
  const result = await api.workers.drain(worker.key)
  if (result.ok) toasts.add({ text: `${worker.id} drains.` })
  else toasts.fail(`${worker.id} was not drained.`, result.problem)
}

/** Why a worker can't be paused or resumed. */
export const pauseBlocked = ({ live }: App, worker: WorkerRow): string | undefined =>
  worker.state === "lost" ? "It is lost: there is nothing to hold back." : live.blocked()

export const drainBlocked = ({ live }: App, worker: WorkerRow): string | undefined =>
  worker.local
    ? "This is the control plane itself: pause it instead."
    : worker.state === "lost"
    ? "It is lost: its tasks run elsewhere already."
    : worker.state === "draining"
    ? "It drains already."
    : live.blocked()

export const workerMenu = (app: App, worker: WorkerRow): ReadonlyArray<MenuItem> => [
  isWorkerPaused(app, worker)
    ? { label: "Resume", run: () => void resumeWorker(app, worker), blocked: pauseBlocked(app, worker) }
    : { label: "Pause", run: () => void pauseWorker(app, worker), blocked: pauseBlocked(app, worker) },
  { label: "Drain…", kind: "danger", run: () => void drainWorker(app, worker), blocked: drainBlocked(app, worker) }
]
