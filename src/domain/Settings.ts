/**
 * Every setting with its default, unit and environment variable. Owns the values and how durations and sizes are
 * written; who reads them from where is the entry points' business (flags win over the environment, that over defaults).
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Result from "effect/Result"

/**
 * When the control plane runs tasks itself: `when-alone` only those that no connected worker has a handler for, `always`
 * as one worker among others, `never` not at all.
 *
 * @category models
 * @since 0.1.0
 */
export type LocalPolicy = "when-alone" | "always" | "never"

/**
 * What `tls+tcp://` addresses need, as PEM text. Who listens has a certificate and its key. Who connects checks that
 * certificate by `ca`, by default by the authorities that Node knows, and shows its own if it has one.
 *
 * @category models
 * @since 0.1.0
 */
export interface TlsSettings {
  /** Certificates of the authorities that sign the other side's. `FASTWORKER_TLS_CA` names a file. */
  readonly ca?: string
  /** This side's certificate, followed by those between it and the authority. `FASTWORKER_TLS_CERT` names a file. */
  readonly cert?: string
  /** Its key. `FASTWORKER_TLS_KEY` names a file. */
  readonly key?: string
  /** Whether who connects must show a certificate that `ca` has signed. `FASTWORKER_TLS_CLIENT_CERTIFICATES`. */
  readonly clientCertificates?: boolean
}

/**
 * The settings of all roles. Raw numbers name their unit.
 *
 * @category models
 * @since 0.1.0
 */
export interface Settings {
  /** Applications on one host with different namespaces do not meet. `FASTWORKER_NAMESPACE`. */
  readonly namespace: string
  /**
   * What all processes of the application share, or the key of a role that was made of it (`fastworker secret`). Without
   * one whoever can connect may do everything. `FASTWORKER_SECRET`, or the file that `FASTWORKER_SECRET_FILE` names.
   */
  readonly secret: string | undefined
  /** For `tls+tcp://` addresses. */
  readonly tls: TlsSettings | undefined
  /** Allows to listen beyond this machine without a secret. `FASTWORKER_INSECURE`. */
  readonly insecure: boolean
  /** Where clients are served. `FASTWORKER_ADDRESS`. */
  readonly address: string
  /** Where workers are served. `FASTWORKER_WORKER_ADDRESS`. */
  readonly workerAddress: string
  /** Where announcements are published. `FASTWORKER_DISCOVERY`. */
  readonly discovery: string
  /** HTTP host and port of the dashboard. `FASTWORKER_DASHBOARD`. */
  readonly dashboard: string
  /** Path that the dashboard stands under at a proxy, such as `/queue`. `FASTWORKER_DASHBOARD_PREFIX`. */
  readonly dashboardPrefix: string
  /** Tasks that a worker runs at once. `FASTWORKER_CONCURRENCY`. */
  readonly concurrency: number
  /** Whether the control plane runs tasks itself. `FASTWORKER_LOCAL`. */
  readonly local: LocalPolicy
  /** Waiting tasks, at most. `FASTWORKER_MAX_WAITING`. */
  readonly maxWaiting: number
  /** Bytes of encoded arguments of waiting tasks, at most. `FASTWORKER_MAX_WAITING_BYTES`. */
  readonly maxWaitingBytes: number
  /** Bytes of one task's encoded arguments or result, at most. `FASTWORKER_MAX_PAYLOAD`. */
  readonly maxPayloadBytes: number
  /** Levels of objects and arrays in one task's arguments or result, at most; 0 is any. `FASTWORKER_MAX_PAYLOAD_DEPTH`. */
  readonly maxPayloadDepth: number
  /** Connections from one address, for clients and for workers each; 0 is any. `FASTWORKER_MAX_CONNECTIONS_PER_ADDRESS`. */
  readonly maxConnectionsPerAddress: number
  /** Unanswered requests of a connection; no more are read until some are. `FASTWORKER_MAX_REQUESTS_PER_CONNECTION`. */
  readonly maxRequestsPerConnection: number
  /** Their bytes. `FASTWORKER_MAX_REQUEST_BYTES_PER_CONNECTION`. */
  readonly maxRequestBytesPerConnection: number
  /**
   * How long a control plane looks for the next message before it sleeps, in microseconds, while few tasks are under way
   * and their messages come that soon, 10,000 at most; 0 is never. `FASTWORKER_BUSY_POLL`.
   */
  readonly busyPollMicros: number
  /** Where there is a secret: how long a connection may take to prove that it has it. `FASTWORKER_AUTH_TIMEOUT`. */
  readonly authTimeoutMillis: number
  /** Outcomes kept for late askers, at most. `FASTWORKER_RESULT_CACHE_SIZE`. */
  readonly resultCacheSize: number
  /** Bytes of outcomes kept, at most. `FASTWORKER_RESULT_CACHE_BYTES`. */
  readonly resultCacheBytes: number
  /** How long an outcome is kept, in milliseconds. `FASTWORKER_RESULT_CACHE_TTL`. */
  readonly resultCacheTtlMillis: number
  /** Tasks that are remembered after their outcome was evicted: the newest so many, and at most as many others. */
  readonly tombstones: number
  /** A waiting exchange is answered at the latest after this time: the rhythm of the heartbeat. `FASTWORKER_HEARTBEAT`. */
  readonly heartbeatMillis: number
  /** A worker that is silent for this long is lost. `FASTWORKER_HEARTBEAT_TIMEOUT`. */
  readonly heartbeatTimeoutMillis: number
  /** A worker whose connection closed may come back within this time. */
  readonly reconnectGraceMillis: number
  /** After its start the control plane accepts tasks of unknown names for this long: workers are still finding it. */
  readonly startGraceMillis: number
  /**
   * How long tasks of a name that no worker has announced wait for one, from the first of them; 0: they are refused after
   * the start. `FASTWORKER_UNKNOWN_WAIT`.
   */
  readonly unknownWaitMillis: number
  /** Tasks that failed or expired and are kept to be retried, at most, and the bytes of their arguments and errors. */
  readonly maxDead: number
  readonly maxDeadBytes: number
  /**
   * Finished tasks that are remembered for the dashboard, at most, and the bytes of all that is remembered of them; 0
   * remembers none. `FASTWORKER_HISTORY`, `FASTWORKER_HISTORY_BYTES`.
   */
  readonly maxHistory: number
  readonly maxHistoryBytes: number
  /** Unique keys that are held, at most. */
  readonly maxUniqueKeys: number
  /** Losses of its worker after which a task is given up. `FASTWORKER_MAX_CRASHES`. */
  readonly maxCrashes: number
  /** How long running tasks may go on after a stop was asked for. `FASTWORKER_DRAIN_TIMEOUT`. */
  readonly drainTimeoutMillis: number
  /** A handler that has not ended this long after it was told to stop is given up; its slot stays busy until it ends. */
  readonly stopGraceMillis: number
  /** A thread whose task has not ended this long after it was told to stop is ended. */
  readonly threadStopGraceMillis: number
  /** Bytes of an encoded report of progress, at most. */
  readonly maxProgressBytes: number
  /** How long a client waits for an answer. `FASTWORKER_TIMEOUT`. */
  readonly deadlineMillis: number
  /** A request without an answer is sent again after this time; what it does, it does once. */
  readonly resendMillis: number
  /** Uncollected outcomes of one client, at most. */
  readonly maxOutbox: number
  /** Clients that are waiting for outcomes, at most. */
  readonly maxSessions: number
  /** Connected workers, at most. */
  readonly maxWorkers: number
  /** A client that does not collect for this long is forgotten. */
  readonly sessionTimeoutMillis: number
  /** Announcements are repeated after this time. */
  readonly announceMillis: number
}

/**
 * The defaults.
 *
 * @category constants
 * @since 0.1.0
 */
export const defaults: Settings = {
  namespace: "default",
  secret: undefined,
  tls: undefined,
  insecure: false,
  address: "tcp://127.0.0.1:5555",
  workerAddress: "tcp://127.0.0.1:5560",
  discovery: "tcp://127.0.0.1:5550",
  dashboard: "127.0.0.1:8080",
  dashboardPrefix: "",
  concurrency: 16,
  local: "when-alone",
  maxWaiting: 1_000_000,
  maxWaitingBytes: 512 * 1024 * 1024,
  maxPayloadBytes: 1024 * 1024,
  maxPayloadDepth: 0,
  maxConnectionsPerAddress: 5_000,
  maxRequestsPerConnection: 1_024,
  maxRequestBytesPerConnection: 64 * 1024 * 1024,
  busyPollMicros: 300,
  authTimeoutMillis: 10_000,
  resultCacheSize: 10_000,
  resultCacheBytes: 64 * 1024 * 1024,
  resultCacheTtlMillis: 3_600_000,
  tombstones: 100_000,
  heartbeatMillis: 5_000,
  heartbeatTimeoutMillis: 15_000,
  reconnectGraceMillis: 2_000,
  startGraceMillis: 5_000,
  unknownWaitMillis: 0,
  maxDead: 10_000,
  maxDeadBytes: 64 * 1024 * 1024,
  maxHistory: 100_000,
  maxHistoryBytes: 64 * 1024 * 1024,
  maxUniqueKeys: 1_000_000,
  maxCrashes: 3,
  drainTimeoutMillis: 30_000,
  stopGraceMillis: 10_000,
  threadStopGraceMillis: 1_000,
  maxProgressBytes: 64 * 1024,
  deadlineMillis: 30_000,
  resendMillis: 2_000,
  maxOutbox: 100_000,
  maxSessions: 10_000,
  maxWorkers: 10_000,
  sessionTimeoutMillis: 120_000,
  announceMillis: 2_000
}

const durationUnits: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000
}

/**
 * Reads a duration as people write it: `500ms`, `30s`, `5m`, `1h`, `2d`, or Effect's `30 seconds`. Returns whole
 * milliseconds.
 *
 * @category parsing
 * @since 0.1.0
 */
export const parseDuration = (text: string): Result.Result<number, string> => {
  const short = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/u.exec(text.trim())
  const long = /^\d/u.test(text.trim()) ? Duration.fromInput(text.trim() as Duration.Input) : Option.none()
  const millis = Math.round(
    short !== null
      ? Number(short[1]) * (durationUnits[short[2] as string] as number)
      : Option.isSome(long)
      ? Duration.toMillis(long.value)
      : NaN
  )
  return Number.isSafeInteger(millis)
    ? Result.succeed(millis)
    : Result.fail(`"${text}" is not a duration: write for example 500ms, 30s, 5m, 1h or "30 seconds"`)
}

const sizeUnits: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["b", 1],
  ["kb", 1e3],
  ["mb", 1e6],
  ["gb", 1e9],
  ["kib", 1024],
  ["mib", 1024 ** 2],
  ["gib", 1024 ** 3]
])

/**
 * Reads a size as people write it: `65536`, `64MiB`, `1 GB`. Returns bytes.
 *
 * @category parsing
 * @since 0.1.0
 */
export const parseSize = (text: string): Result.Result<number, string> => {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/u.exec(text.trim().toLowerCase())
  const bytes = Math.round(Number(match?.[1]) * (sizeUnits.get(match?.[2] ?? "") ?? NaN))
  return Number.isSafeInteger(bytes)
    ? Result.succeed(bytes)
    : Result.fail(`"${text}" is not a size: write for example 65536, 64MiB or 1GB`)
}

/**
 * Returns milliseconds as people write them: `250ms`, `30s`, `1h`.
 *
 * @category formatting
 * @since 0.1.0
 */
export const formatDuration = (millis: number): string => {
  for (const [unit, factor] of Object.entries(durationUnits).toReversed()) {
    if (millis >= factor && millis % factor === 0) return `${millis / factor}${unit}`
  }
  return `${millis}ms`
}

/**
 * Returns bytes as people write them: `512B`, `64MiB`.
 *
 * @category formatting
 * @since 0.1.0
 */
export const formatSize = (bytes: number): string => {
  for (const [unit, factor] of [["GiB", 1024 ** 3], ["MiB", 1024 ** 2], ["KiB", 1024]] as const) {
    if (bytes >= factor && bytes % factor === 0) return `${bytes / factor}${unit}`
  }
  return `${bytes}B`
}
