/**
 * A dispatcher of one's own: a task whose name starts with `gpu.` runs only on workers whose id starts with `gpu-`, and so
 * on for every prefix; among those the one with the fewest tasks gets it. It is asked for every task, so it is synchronous.
 */
import { Layer } from "effect"
import { Dispatcher } from "fastworker"
import type { WorkerRecord } from "fastworker/domain/WorkerInfo"
import { credit } from "fastworker/domain/WorkerInfo"

const prefixOf = (text: string, separator: string) => text.slice(0, text.indexOf(separator))

const make = (): Dispatcher["Service"] => {
  const workers = new Set<WorkerRecord>()
  return {
    pick(name, accepts) {
      let best: WorkerRecord | undefined
      for (const worker of workers) {
        const mayRun = worker.names.has(name) && prefixOf(worker.id, "-") === prefixOf(name, ".") &&
          credit(worker) > 0 &&
          accepts?.(worker) !== false
        if (mayRun && (best === undefined || worker.leases.size < best.leases.size)) best = worker
      }
      return best
    },
    update: (worker) => void workers.add(worker),
    remove: (worker) => void workers.delete(worker)
  }
}

export const layer = Layer.sync(Dispatcher, make)
