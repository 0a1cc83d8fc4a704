/**
 * The control plane under simulation: the core with its real queue, registry, dispatcher and result cache, behind the real
 * wire sides of workers and clients and the real journaling; composed as the server composes them, on virtual time. The
 * turn of the event loop and the sweep are called from outside.
 */
import { defaults } from "../../src/domain/Settings.ts"
import type { Settings } from "../../src/domain/Settings.ts"
import { makeClients } from "../../src/layers/ControlPlaneClients.ts"
import type { Core, Observer } from "../../src/layers/ControlPlaneCore.ts"
import { makeCore } from "../../src/layers/ControlPlaneCore.ts"
import { makeFollowers } from "../../src/layers/ControlPlaneFollowers.ts"
import { makeJournaling } from "../../src/layers/ControlPlaneJournal.ts"
import { makeViews } from "../../src/layers/ControlPlaneViews.ts"
import { makeWorkers } from "../../src/layers/ControlPlaneWorkers.ts"
import * as DispatcherLeastLoaded from "../../src/layers/DispatcherLeastLoaded.ts"
import { makeHistoryMemory } from "../../src/layers/HistoryMemory.ts"
import * as ResultCacheLru from "../../src/layers/ResultCacheLru.ts"
import * as TaskQueuePriority from "../../src/layers/TaskQueuePriority.ts"
import * as WorkerRegistryMemory from "../../src/layers/WorkerRegistryMemory.ts"
import type { ResultCache } from "../../src/services/ResultCache.ts"
import type { WorkerRegistry } from "../../src/services/WorkerRegistry.ts"
import type { MemoryJournal } from "./MemoryJournal.ts"
import type { Setup } from "./Script.ts"

export interface Parts {
  readonly core: Core
  readonly registry: WorkerRegistry["Service"]
  readonly results: ResultCache["Service"]
  readonly settings: Settings
}

/** Looks on: is told what happens, and stands between the core and those that call it. */
export interface Witness {
  readonly observer: Omit<Observer, "told">
  readonly watch: (parts: Parts) => Core
}

export type Server = ReturnType<typeof makeServer>

export const settingsOf = ({ settings }: Setup): Settings => ({ ...defaults, ...settings })

/** Puts a fault into the core, to see whether it is found. */
export type Tamper = (core: Core) => Core

export const makeServer = ({ epoch, journal, now, randomId, setup, tamper, wall, witness }: {
  readonly setup: Setup
  readonly epoch: string
  readonly now: () => number
  readonly wall: () => number
  readonly randomId: () => string
  readonly journal: MemoryJournal | undefined
  readonly witness: Witness
  readonly tamper: Tamper | undefined
}) => {
  const settings = settingsOf(setup)
  const { maxPassed } = setup
  const registry = WorkerRegistryMemory.makeUnsafe(settings)
  const queue = TaskQueuePriority.makeUnsafe({ ...settings, maxPassed })
  const results = ResultCacheLru.makeUnsafe(settings)
  const dispatcher = DispatcherLeastLoaded.makeUnsafe({ registry, local: settings.local })
  const startedAt = now()
  let isTurnDue = false
  let isRestoring = false
  let resultsExpiredAt = startedAt

  const schedule = () => {
    isTurnDue = true
  }

  const journaling = journal === undefined
    ? undefined
    : makeJournaling({ journal: journal.store, now, wallNow: wall, resultTtlMillis: settings.resultCacheTtlMillis })
  const stored = journaling?.observer
  const told = witness.observer
  const memory = makeHistoryMemory({
    settings,
    now,
    offset: wall() - startedAt,
    levels: () => ({ waiting: bare.waiting(), running: bare.counts.running })
  })
  const remembered = memory.observer
  let restored = 0

  const bare = makeCore({
    queue,
    registry,
    dispatcher,
    results,
    settings,
    startedAt,
    randomId,
    wall,
    isStored: journaling?.isStored,
    observer: {
      ...told,
      accepted(task) {
        if (isRestoring) {
          restored++
          memory.restoredTask(task)
        } else {
          remembered.accepted(task)
          stored?.accepted(task)
        }
        told.accepted(task)
      },
      retracted(task) {
        remembered.retracted(task)
        told.retracted(task)
      },
      delayed(task) {
        remembered.delayed(task)
        told.delayed(task)
      },
      queued(task) {
        remembered.queued(task)
        told.queued(task)
      },
      started(task, worker) {
        remembered.started(task)
        stored?.started(task)
        told.started(task, worker)
      },
      retrying(task, reason) {
        remembered.retrying(task)
        stored?.retrying(task)
        told.retrying(task, reason)
      },
      requeued(task, cause) {
        remembered.requeued(task, cause)
        stored?.requeued(task)
        told.requeued(task, cause)
      },
      prioritized(task, from) {
        remembered.prioritized(task)
        stored?.prioritized(task)
        told.prioritized(task, from)
      },
      cancelling(task, stop) {
        remembered.cancelling(task, stop)
        stored?.cancelling(task)
        told.cancelling(task, stop)
      },
      finished(outcome, task, keepMillis) {
        remembered.finished(outcome, task)
        stored?.finished(outcome, task, keepMillis)
        told.finished(outcome, task, keepMillis)
      },
      told: (outcome) => clients.told(outcome),
      progress(task, body) {
        stored?.progress(task, body)
        told.progress(task, body)
      },
      forgotten(id) {
        stored?.forgotten(id)
        told.forgotten(id)
      },
      uniqueExpired(name, key) {
        stored?.uniqueExpired(name, key)
        told.uniqueExpired(name, key)
      },
      schedule(id, record) {
        stored?.schedule(id, record, bare)
        told.schedule(id, record)
      },
      paused(target, isPaused) {
        stored?.paused(target, isPaused)
        told.paused(target, isPaused)
      }
    }
  })
  const core = witness.watch({ core: tamper === undefined ? bare : tamper(bare), registry, results, settings })

  const followers = makeFollowers({ settings, schedule })
  const views = makeViews({
    core,
    results,
    journaling,
    namespace: settings.namespace,
    epoch,
    startedAt,
    now,
    wall: (millis) => Math.round(millis - now() + wall())
  })
  const workers = makeWorkers({
    core,
    registry,
    settings,
    epoch,
    now,
    publish: () => {},
    log: () => {},
    schedule
  })
  const clients = makeClients({
    core,
    results,
    views,
    followers,
    journaling,
    settings,
    epoch,
    now,
    wallNow: wall,
    schedule,
    // Nobody asks.
    question: () => {}
  })

  if (journal !== undefined) {
    journaling?.attach(core, schedule)
    isRestoring = true
    journaling?.restore(core, results, journal.contents())
    isRestoring = false
  }

  return {
    core,
    epoch,
    queue,
    registry,
    results,
    settings,
    memory,
    /** Tasks that the journal brought back. */
    restored: () => restored,
    onClientRequest: clients.onRequest,
    onWorkerRequest: { local: workers.onRequest(true), remote: workers.onRequest(false) },
    onClose: workers.onClose,
    isTurnDue: () => isTurnDue,

    /** The end of a turn of the event loop. */
    turn() {
      isTurnDue = false
      const time = now()
      core.tick(time)
      workers.answerLeases(core.dispatch(time))
      workers.answerOrders(core.takeOrders())
      clients.answerCollectors()
      followers.flush()
    },

    sweep() {
      const time = now()
      for (const worker of core.expire(time)) workers.lost(worker)
      if (time - resultsExpiredAt >= 10_000) {
        resultsExpiredAt = time
        results.expire(time)
      }
      workers.sweep(time)
      clients.sweep(time)
      followers.sweep(time)
      schedule()
    }
  }
}
