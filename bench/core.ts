/** The core of a control plane alone, of the parts that the server has: no messages, no sockets, time as an argument. */
import type { Settings } from "../dist/domain/Settings.js"
import { defaults } from "../dist/domain/Settings.js"
import type { TaskId } from "../dist/domain/Task.js"
import { makeCore } from "../dist/layers/ControlPlaneCore.js"
import * as DispatcherLeastLoaded from "../dist/layers/DispatcherLeastLoaded.js"
import { makeRandomId } from "../dist/layers/RandomId.js"
import * as ResultCacheLru from "../dist/layers/ResultCacheLru.js"
import * as TaskQueuePriority from "../dist/layers/TaskQueuePriority.js"
import * as WorkerRegistryMemory from "../dist/layers/WorkerRegistryMemory.js"

export const randomId = makeRandomId()

export const makeBareCore = (changed: Partial<Settings> = {}) => {
  const settings = { ...defaults, ...changed }
  const registry = WorkerRegistryMemory.makeUnsafe(settings)
  return makeCore({
    queue: TaskQueuePriority.makeUnsafe({ ...settings, maxPassed: 64 }),
    registry,
    dispatcher: DispatcherLeastLoaded.makeUnsafe({ registry, local: settings.local }),
    results: ResultCacheLru.makeUnsafe(settings),
    settings,
    startedAt: 0,
    randomId,
    wall: () => 0
  })
}

export type BareCore = ReturnType<typeof makeBareCore>
export type Worker = ReturnType<BareCore["register"]>["worker"]

const noBytes = new Uint8Array(0)

export const register = (core: BareCore, id: string, slots: number, now: number): Worker => {
  const session = randomId()
  const tasks = [{ name: "add" }]
  const { worker } = core.register({ session, worker: id, slots, tasks, held: [], about: {}, local: false }, now)
  offer(core, worker, now)
  return worker
}

/** A worker's next exchange: all its slots but those of its leases are free. */
export const offer = (core: BareCore, worker: Worker, now: number) => {
  const seq = worker.exchange + 1
  const news = { seq, settled: seq - 1, abandoned: [], waiting: 0, draining: false, held: undefined }
  core.news(worker, { ...news, free: worker.slots - worker.leases.size }, now)
  core.setOpen(worker, true)
}

const args = new TextEncoder().encode("{\"x\":1,\"y\":1}")

export const submit = (core: BareCore, id: string, now: number) => {
  core.submit({ id, name: "add", level: undefined, args, watcher: undefined }, now)
}

/** Reports everything that a worker holds as done. Returns how many reports counted. */
export const reportAll = (core: BareCore, worker: Worker, now: number): number => {
  let counted = 0
  for (const { attempt, id } of worker.leases) {
    if (core.report(worker, { id: id as TaskId, attempt, state: "succeeded" }, noBytes, now)) counted++
  }
  return counted
}
