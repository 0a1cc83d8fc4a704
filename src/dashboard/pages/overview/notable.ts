/** Which workers are shown where not all fit. Pure. */
import type { WorkerRow } from "../../../domain/View.ts"

/** All up to here. */
const maxAll = 12
const maxNotable = 8

const rank: Readonly<Record<WorkerRow["state"], number>> = {
  lost: 0,
  unresponsive: 1,
  paused: 2,
  draining: 3,
  active: 4
}

const byName = (a: WorkerRow, b: WorkerRow) =>
  Number(b.local) - Number(a.local) || a.id.localeCompare(b.id, "en", { numeric: true }) ||
  a.registeredAt - b.registeredAt

/** In the order of their names, this process first; of many those that need a look, then the busiest. */
export const notable = (workers: ReadonlyArray<WorkerRow>): ReadonlyArray<WorkerRow> =>
  (workers.length <= maxAll
    ? [...workers]
    : workers.toSorted((a, b) =>
      rank[a.state] - rank[b.state] || b.running / Math.max(1, b.slots) - a.running / Math.max(1, a.slots) ||
      byName(a, b)
    ).slice(0, maxNotable)).sort(byName)

/** The id, or the key when another worker has the same id. */
export const addressOf = (worker: WorkerRow, workers: ReadonlyArray<WorkerRow>): string =>
  workers.some((other) => other.id === worker.id && other.key !== worker.key) ? worker.key : worker.id
