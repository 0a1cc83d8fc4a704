/**
 * The control plane itself, as it is shown: its process, its settings, and what its parts hold. Reads, changes nothing.
 *
 * @since 0.1.0
 */
import { statSync } from "node:fs"
import { hostname } from "node:os"
import { getHeapStatistics } from "node:v8"
import { protocolVersions } from "../domain/Message.ts"
import type { Settings as Values } from "../domain/Settings.ts"
import { formatDuration, formatSize } from "../domain/Settings.ts"
import type { SystemView } from "../domain/View.ts"
import type { JournalStore } from "../services/Journal.ts"
import type { ResultCache } from "../services/ResultCache.ts"
import type { Core } from "./ControlPlaneCore.ts"
import { packageVersion } from "./ControlPlaneViews.ts"
import type { HistoryMemory } from "./HistoryMemory.ts"

const textOf = (name: string, value: string | number | boolean): string =>
  typeof value !== "number"
    ? String(value)
    : name.endsWith("Bytes")
    ? formatSize(value)
    : name.endsWith("Millis")
    ? formatDuration(value)
    : String(value)

/** Of the secret and of keys nothing is told but that they are there. */
const settingsOf = ({ secret, tls, ...settings }: Values): SystemView["settings"] => [
  ...Object.entries(settings).map(([name, value]) => ({ name, value: textOf(name, value) })),
  { name: "secret", value: secret === undefined ? "none" : "set" },
  { name: "tls", value: tls?.cert === undefined ? "none" : "set" }
]

/** What stands in the file, and beside it until it is taken over. */
const bytesOf = (file: string): number =>
  [file, `${file}-wal`].reduce((sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0), 0)

/**
 * Creates the view. `lag` is how late the event loop was, in milliseconds.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeSystemView = (parts: {
  readonly core: Core
  readonly memory: HistoryMemory
  readonly results: ResultCache["Service"]
  readonly journal: JournalStore
  readonly settings: Values
  readonly epoch: string
  readonly startedAt: number
  readonly lag: () => number
  readonly now: () => number
  readonly wall: (millis: number) => number
  readonly addresses: () => SystemView["addresses"]
}) => {
  const { addresses, core, epoch, journal, lag, memory, now, results, settings, startedAt, wall } = parts
  let cpuAt = now()
  let cpuBefore = process.cpuUsage()
  let cpu = 0

  /** Cores' worth of CPU time since it was asked for before; of a moment nothing is said. */
  const cpuNow = (): number => {
    const elapsed = now() - cpuAt
    if (elapsed < 500) return cpu
    const { system, user } = process.cpuUsage(cpuBefore)
    cpu = Math.round((system + user) / 10 / elapsed) / 100
    cpuBefore = process.cpuUsage()
    cpuAt = now()
    return cpu
  }

  return (): Omit<SystemView, "dashboards"> => {
    const { log } = memory
    const failure = journal.failure()
    const oldest = log.size() === 0 ? undefined : log.oldest()
    const { heapUsed, rss } = process.memoryUsage()
    return {
      version: packageVersion,
      protocolVersions,
      namespace: settings.namespace,
      epoch,
      startedAt: wall(startedAt),
      process: {
        pid: process.pid,
        host: hostname(),
        runtime: `node ${process.versions.node}`,
        rss,
        heapUsed,
        heapLimit: getHeapStatistics().heap_size_limit,
        cpu: cpuNow(),
        lag: lag()
      },
      addresses: addresses(),
      settings: settingsOf(settings),
      results: {
        size: results.size(),
        limit: settings.resultCacheSize,
        bytes: results.bytes(),
        limitBytes: settings.resultCacheBytes,
        ttlMillis: settings.resultCacheTtlMillis,
        ...results.asked()
      },
      history: {
        tasks: log.size(),
        limit: settings.maxHistory,
        bytes: log.bytes(),
        limitBytes: settings.maxHistoryBytes,
        ...(oldest === undefined ? {} : { oldestAt: wall(log.finishedAt(oldest)) })
      },
      queue: {
        waiting: core.waiting(),
        limit: settings.maxWaiting,
        bytes: core.waitingBytes(),
        limitBytes: settings.maxWaitingBytes
      },
      dead: {
        tasks: core.dead.size(),
        limit: settings.maxDead,
        bytes: core.dead.bytes(),
        limitBytes: settings.maxDeadBytes
      },
      ...(journal.file === undefined ? {} : {
        journal: {
          file: journal.file,
          bytes: bytesOf(journal.file),
          ...(failure === undefined ? {} : { failure: failure.reason })
        }
      }),
      sessions: core.sessions.size(),
      events: memory.events()
    }
  }
}
