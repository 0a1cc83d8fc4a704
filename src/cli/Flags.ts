/**
 * The flags of the commands. A flag wins over its environment variable, that over the default; the help names both.
 *
 * @since 0.1.0
 */
import { Argument, Command, Flag } from "effect/cli"
import * as CliError from "effect/cli/CliError"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import { availableParallelism } from "node:os"
import { priorities } from "../domain/Priority.ts"
import type { Settings, TlsSettings } from "../domain/Settings.ts"
import { defaults, formatDuration, formatSize, parseDuration, parseSize } from "../domain/Settings.ts"
import { TaskName } from "../domain/Task.ts"
import { TaskState } from "../domain/TaskState.ts"
import type { TaskFilter } from "../services/Client.ts"
import type { TaskQuery } from "../services/History.ts"

const about = (description: string, fallback: string, variable: string) =>
  `${description} (default: ${fallback}; environment: ${variable})`

const checked = <A>(name: string, parse: (text: string) => Result.Result<A, string>) => (value: string) => {
  const result = parse(value)
  return Result.isSuccess(result)
    ? Effect.succeed(result.success)
    : Effect.fail(new CliError.InvalidValue({ option: name, value, expected: result.failure, kind: "flag" }))
}

const parsed = <A>(
  name: string,
  variable: string,
  fallback: string,
  description: string,
  parse: (text: string) => Result.Result<A, string>
) =>
  Flag.String(name).pipe(
    Flag.withFallbackConfig(Config.String(variable)),
    Flag.withDefault(fallback),
    Flag.mapEffect(checked(name, parse)),
    Flag.withDescription(about(description, fallback, variable))
  )

const text = (name: string, variable: string, fallback: string, description: string) =>
  parsed(name, variable, fallback, description, Result.succeed)

const duration = (name: string, variable: string, fallback: number, description: string) =>
  parsed(name, variable, formatDuration(fallback), description, parseDuration)

const size = (name: string, variable: string, fallback: number, description: string) =>
  parsed(name, variable, formatSize(fallback), description, parseSize)

const count = (name: string, variable: string, fallback: number, minimum: number, description: string) =>
  parsed(name, variable, String(fallback), description, (value) => {
    const number = Number(value)
    return Number.isSafeInteger(number) && number >= minimum
      ? Result.succeed(number)
      : Result.fail(`a whole number of at least ${minimum}`)
  })

const choice = <const Choices extends ReadonlyArray<string>>(
  name: string,
  variable: string,
  fallback: Choices[number],
  description: string,
  choices: Choices
) =>
  parsed(
    name,
    variable,
    fallback,
    `${description}: ${choices.join(", ")}`,
    (value): Result.Result<Choices[number], string> =>
      choices.includes(value) ? Result.succeed(value) : Result.fail(`one of ${choices.join(", ")}`)
  )

/** Said once, before or after the subcommand, valid for all. */
export const shared = {
  json: Flag.Boolean("json").pipe(
    Flag.withDefault(false),
    Flag.withDescription("Print for machines: one JSON value, or one line for each event; logs go to stderr")
  )
}

/** The root command: what is shared can be read from it by every subcommand. */
export const root = Command.make("fastworker").pipe(
  Command.withDescription("A task queue without a broker: one process holds the queue, any number run the tasks"),
  Command.withSharedFlags(shared)
)

/** Files of tasks, by flag or as plain arguments. */
export const taskFiles = {
  tasks: Flag.String("tasks").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("A file of tasks, TypeScript or JavaScript; may be given several times"),
    Flag.atLeast(0)
  ),
  files: Argument.String("file").pipe(
    Argument.withDescription("Further files of tasks"),
    Argument.variadic({ min: 0 })
  )
}

/** What a file says, without what surrounds it: editors end files with a newline. */
const readText = (option: string, file: string) =>
  Effect.try({
    try: () => readFileSync(file, "utf8").trim(),
    catch: (cause) =>
      new CliError.InvalidValue({
        option,
        value: file,
        expected: `a file that can be read: ${cause instanceof Error ? cause.message : String(cause)}`,
        kind: "flag"
      })
  })

/** The secret is never a flag: others on the machine can read the arguments of a process. */
export const secret = Flag.String("secret-file").pipe(
  Flag.withMetavar("FILE"),
  Flag.withFallbackConfig(Config.String("FASTWORKER_SECRET_FILE")),
  Flag.optional,
  Flag.mapEffect(Effect.fnUntraced(function*(file) {
    if (Option.isSome(file)) return yield* readText("secret-file", file.value)
    return yield* Config.String("FASTWORKER_SECRET").pipe(Effect.orElseSucceed(() => undefined))
  })),
  Flag.withDescription(
    "File with the secret that all processes of the application share, or with the key of a role; `fastworker secret` " +
      "makes both (environment: FASTWORKER_SECRET_FILE, or FASTWORKER_SECRET with the secret itself)"
  )
)

const pem = (name: string, variable: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withMetavar("FILE"),
    Flag.withFallbackConfig(Config.String(variable)),
    Flag.optional,
    Flag.mapEffect((file) => Option.isNone(file) ? Effect.undefined : readText(name, file.value)),
    Flag.withDescription(`${description} (environment: ${variable})`)
  )

/** Files for `tls+tcp://` addresses. */
const tls = {
  tlsCa: pem("tls-ca", "FASTWORKER_TLS_CA", "Certificates of the authorities that sign the other side's, PEM"),
  tlsCert: pem("tls-cert", "FASTWORKER_TLS_CERT", "This side's certificate, PEM"),
  tlsKey: pem("tls-key", "FASTWORKER_TLS_KEY", "The key of this side's certificate, PEM")
}

/** The settings that these flags say. */
export const tlsSettings = (
  { clientCertificates, tlsCa, tlsCert, tlsKey }: {
    readonly tlsCa: string | undefined
    readonly tlsCert: string | undefined
    readonly tlsKey: string | undefined
    readonly clientCertificates?: boolean
  }
): TlsSettings => ({
  ...(tlsCa === undefined ? {} : { ca: tlsCa }),
  ...(tlsCert === undefined ? {} : { cert: tlsCert }),
  ...(tlsKey === undefined ? {} : { key: tlsKey }),
  ...(clientCertificates === undefined ? {} : { clientCertificates })
})

export const discovery = text(
  "discovery",
  "FASTWORKER_DISCOVERY",
  defaults.discovery,
  "Address where the control plane announces itself"
)

export const namespace = text(
  "namespace",
  "FASTWORKER_NAMESPACE",
  defaults.namespace,
  "Name of the application: those with other names on the same address do not meet"
)

export const drainTimeout = duration(
  "drain-timeout",
  "FASTWORKER_DRAIN_TIMEOUT",
  defaults.drainTimeoutMillis,
  "How long running tasks may go on after SIGTERM or Ctrl-C"
)

export const concurrency = count(
  "concurrency",
  "FASTWORKER_CONCURRENCY",
  defaults.concurrency,
  1,
  "Tasks that this process runs at once"
)

/** The pool of threads for tasks that ask for one. */
export const threads = {
  threads: count(
    "threads",
    "FASTWORKER_THREADS",
    availableParallelism(),
    1,
    "Threads for tasks with isolation \"thread\", at most"
  ),
  threadHeap: Flag.String("thread-heap").pipe(
    Flag.withFallbackConfig(Config.String("FASTWORKER_THREAD_HEAP")),
    Flag.optional,
    Flag.mapEffect((value) => {
      if (Option.isNone(value)) return Effect.succeedNone
      const bytes = parseSize(value.value)
      return Result.isSuccess(bytes) && bytes.success >= 1024 ** 2
        ? Effect.succeedSome(bytes.success)
        : Effect.fail(
          new CliError.InvalidValue({
            option: "thread-heap",
            value: value.value,
            expected: "a size of at least 1MiB",
            kind: "flag"
          })
        )
    }),
    Flag.withDescription(
      "JavaScript objects in one thread, at most, such as 256MiB; Buffers do not count " +
        "(default: the engine's; environment: FASTWORKER_THREAD_HEAP)"
    )
  )
}

/** What the flags say of threads. */
export const threadOptions = (
  { threadHeap, threads }: { readonly threads: number; readonly threadHeap: Option.Option<number> }
) => ({ threads, ...asProperty("maxHeapMb", Option.map(threadHeap, (bytes) => Math.floor(bytes / 1024 ** 2))) })

export const maxPayload = size(
  "max-payload",
  "FASTWORKER_MAX_PAYLOAD",
  defaults.maxPayloadBytes,
  "Bytes of one task's encoded arguments or result, at most"
)

export const maxPayloadDepth = count(
  "max-payload-depth",
  "FASTWORKER_MAX_PAYLOAD_DEPTH",
  defaults.maxPayloadDepth,
  0,
  "Levels of objects and arrays in one task's arguments or result, at most; 0 is any"
)

/** What is particular to the control plane. */
export const controlPlane = {
  address: text("address", "FASTWORKER_ADDRESS", defaults.address, "Address for clients; port 0 takes a free one"),
  workerAddress: text("worker-address", "FASTWORKER_WORKER_ADDRESS", defaults.workerAddress, "Address for workers"),
  discovery,
  namespace,
  secret,
  ...tls,
  clientCertificates: Flag.Boolean("tls-client-certificates").pipe(
    Flag.withFallbackConfig(Config.Boolean("FASTWORKER_TLS_CLIENT_CERTIFICATES")),
    Flag.withDefault(false),
    Flag.withDescription(
      "Only who shows a certificate that --tls-ca has signed may connect " +
        "(environment: FASTWORKER_TLS_CLIENT_CERTIFICATES)"
    )
  ),
  insecure: Flag.Boolean("insecure").pipe(
    Flag.withFallbackConfig(Config.Boolean("FASTWORKER_INSECURE")),
    Flag.withDefault(false),
    Flag.withDescription(
      "Listen beyond this machine without a secret: whoever connects can run tasks (environment: FASTWORKER_INSECURE)"
    )
  ),
  dashboard: text("dashboard", "FASTWORKER_DASHBOARD", defaults.dashboard, "Host and port of the dashboard"),
  dashboardPrefix: parsed(
    "dashboard-prefix",
    "FASTWORKER_DASHBOARD_PREFIX",
    defaults.dashboardPrefix,
    "Path that the dashboard stands under at a proxy, such as /queue",
    (text) =>
      /^(?:\/[\w.~-]+)*\/?$/u.test(text)
        ? Result.succeed(text.replace(/\/$/u, ""))
        : Result.fail("a path such as /queue, of letters, digits and -._~")
  ),
  noDashboard: Flag.Boolean("no-dashboard").pipe(
    Flag.withDefault(false),
    Flag.withDescription("Serve no dashboard")
  ),
  concurrency,
  local: choice("local", "FASTWORKER_LOCAL", defaults.local, "When this process runs tasks itself", [
    "when-alone",
    "always",
    "never"
  ]),
  maxWaiting: count("max-waiting", "FASTWORKER_MAX_WAITING", defaults.maxWaiting, 1, "Waiting tasks, at most"),
  maxWaitingBytes: size(
    "max-waiting-bytes",
    "FASTWORKER_MAX_WAITING_BYTES",
    defaults.maxWaitingBytes,
    "Bytes of arguments of waiting tasks, at most"
  ),
  maxPayload,
  maxPayloadDepth,
  maxConnectionsPerAddress: count(
    "max-connections-per-address",
    "FASTWORKER_MAX_CONNECTIONS_PER_ADDRESS",
    defaults.maxConnectionsPerAddress,
    0,
    "Connections from one address of the network, for clients and for workers each; 0 is any"
  ),
  maxRequestsPerConnection: count(
    "max-requests-per-connection",
    "FASTWORKER_MAX_REQUESTS_PER_CONNECTION",
    defaults.maxRequestsPerConnection,
    1,
    "Unanswered requests of a connection after which no more are read of it"
  ),
  maxRequestBytesPerConnection: size(
    "max-request-bytes-per-connection",
    "FASTWORKER_MAX_REQUEST_BYTES_PER_CONNECTION",
    defaults.maxRequestBytesPerConnection,
    "Bytes of unanswered requests of a connection after which no more are read of it"
  ),
  busyPoll: count(
    "busy-poll",
    "FASTWORKER_BUSY_POLL",
    defaults.busyPollMicros,
    0,
    "Microseconds to look for the next message before sleeping, while few tasks are under way and come that soon; 0 is never"
  ),
  authTimeout: duration(
    "auth-timeout",
    "FASTWORKER_AUTH_TIMEOUT",
    defaults.authTimeoutMillis,
    "With a secret: how long a connection may take to prove that it has it"
  ),
  unknownWait: duration(
    "unknown-wait",
    "FASTWORKER_UNKNOWN_WAIT",
    defaults.unknownWaitMillis,
    "How long tasks that no worker knows wait for one that does, for deploys; 0ms refuses them"
  ),
  resultCacheSize: count(
    "result-cache-size",
    "FASTWORKER_RESULT_CACHE_SIZE",
    defaults.resultCacheSize,
    0,
    "Outcomes kept for late askers, at most"
  ),
  resultCacheBytes: size(
    "result-cache-bytes",
    "FASTWORKER_RESULT_CACHE_BYTES",
    defaults.resultCacheBytes,
    "Bytes of outcomes kept, at most"
  ),
  resultCacheTtl: duration(
    "result-cache-ttl",
    "FASTWORKER_RESULT_CACHE_TTL",
    defaults.resultCacheTtlMillis,
    "How long an outcome is kept"
  ),
  maxHistory: count(
    "history",
    "FASTWORKER_HISTORY",
    defaults.maxHistory,
    0,
    "Finished tasks that the dashboard remembers, at most; 0 remembers none"
  ),
  maxHistoryBytes: size(
    "history-bytes",
    "FASTWORKER_HISTORY_BYTES",
    defaults.maxHistoryBytes,
    "Bytes of what is remembered of finished tasks, at most: the oldest arguments go first, then the oldest tasks"
  ),
  heartbeat: duration(
    "heartbeat",
    "FASTWORKER_HEARTBEAT",
    defaults.heartbeatMillis,
    "Workers are heard from at least this often"
  ),
  heartbeatTimeout: duration(
    "heartbeat-timeout",
    "FASTWORKER_HEARTBEAT_TIMEOUT",
    defaults.heartbeatTimeoutMillis,
    "A worker that is silent for this long is lost: its tasks run elsewhere"
  ),
  maxCrashes: count(
    "max-crashes",
    "FASTWORKER_MAX_CRASHES",
    defaults.maxCrashes,
    1,
    "Workers or threads that may be lost with one task before it is given up"
  ),
  drainTimeout,
  ...threads,
  journal: Flag.String("journal").pipe(
    Flag.withMetavar("FILE"),
    Flag.withFallbackConfig(Config.String("FASTWORKER_JOURNAL")),
    Flag.optional,
    Flag.withDescription(
      "Store accepted tasks and outcomes in this file: they survive a crash (default: in memory only; " +
        "environment: FASTWORKER_JOURNAL)"
    )
  )
}

/** Where a command finds the control plane, and how long it waits for its answers. */
export const target = {
  controlPlane: Flag.String("control-plane").pipe(
    Flag.withFallbackConfig(Config.String("FASTWORKER_ADDRESS")),
    Flag.optional,
    Flag.withDescription("Address of the control plane for clients; skips discovery (environment: FASTWORKER_ADDRESS)")
  ),
  discovery,
  namespace,
  secret,
  ...tls,
  timeout: duration("timeout", "FASTWORKER_TIMEOUT", defaults.deadlineMillis, "How long to wait for an answer")
}

/** Where a worker finds the control plane. */
export const workerTarget = {
  controlPlane: Flag.String("control-plane").pipe(
    Flag.withFallbackConfig(Config.String("FASTWORKER_WORKER_ADDRESS")),
    Flag.optional,
    Flag.withDescription(
      "Address of the control plane for workers; skips discovery (environment: FASTWORKER_WORKER_ADDRESS)"
    )
  ),
  discovery,
  namespace,
  secret,
  ...tls
}

export const priority = Flag.Literals("priority", priorities).pipe(
  Flag.optional,
  Flag.withDescription(`${priorities.join(", ")} (default: the task's own)`)
)

const optional = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(Flag.withMetavar(metavar), Flag.withDescription(description), Flag.optional)

const optionalDuration = (name: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withMetavar("DURATION"),
    Flag.mapEffect(checked(name, parseDuration)),
    Flag.withDescription(description),
    Flag.optional
  )

/** A time as people write it: with a zone, or in that of this machine. */
const parseTime = (text: string): Result.Result<number, string> => {
  const millis = Date.parse(text)
  return Number.isFinite(millis) ? Result.succeed(millis) : Result.fail("a time such as 2026-01-31T09:00")
}

/** What a submission may say besides the arguments. */
export const submission = {
  priority,
  id: optional("id", "ID", "An id of your own: submitting it again has the effect of once"),
  in: optionalDuration("in", "How long to wait before it may run, for example 5m"),
  at: Flag.String("at").pipe(
    Flag.withMetavar("TIME"),
    Flag.mapEffect(checked("at", parseTime)),
    Flag.withDescription("When it may run at the earliest, for example 2026-01-31T09:00 (local) or 2026-01-31T09:00Z"),
    Flag.optional
  ),
  expiresIn: optionalDuration("expires-in", "How long it is worth running; later it is stopped, or not started"),
  tags: Flag.String("tag").pipe(
    Flag.withMetavar("TAG"),
    Flag.withDescription("A word to find it by; may be given several times"),
    Flag.atLeast(0)
  ),
  tenant: optional("tenant", "TENANT", "For whom it runs: tenants take turns")
}

/** A moment: a time, or how long ago. */
const parseMoment = (text: string): Result.Result<(now: number) => number, string> => {
  const ago = parseDuration(text)
  if (Result.isSuccess(ago)) return Result.succeed((now: number) => now - ago.success)
  return Result.mapBoth(parseTime(text), {
    onSuccess: (time) => () => time,
    onFailure: () => "a duration such as 1h, or a time such as 2026-01-31T09:00"
  })
}

const optionalMoment = (name: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withMetavar("WHEN"),
    Flag.mapEffect(checked(name, parseMoment)),
    Flag.withDescription(`${description}: so long ago, or at this time`),
    Flag.optional
  )

const list = (name: string, metavar: string, description: string) =>
  optional(name, metavar, `${description}; several separated by commas`)

const states: ReadonlyArray<string> = [...TaskState.literals, "retrying", "waiting", "dead"]

/** Which tasks are meant. */
export const filter = {
  state: Flag.String("state").pipe(
    Flag.withMetavar("STATE"),
    Flag.filter(
      (text) => text.split(",").every((state) => states.includes(state)),
      () => `one of ${states.join(", ")}, or several separated by commas`
    ),
    Flag.withDescription(
      `Only tasks in this state: ${states.join(", ")} (can be retried); several separated by commas`
    ),
    Flag.optional
  ),
  name: optional("name", "NAME", "Only tasks of this name"),
  type: list("type", "PATTERN", "Only tasks of names like this, * stands for anything"),
  tag: optional("tag", "TAG", "Only tasks with this tag"),
  tenant: optional("tenant", "TENANT", "Only tasks of this tenant"),
  priority: list("priority", "PRIORITY", "Only tasks of this priority"),
  worker: list("worker", "ID", "Only tasks that this worker runs or ran"),
  schedule: optional("schedule", "ID", "Only tasks of this schedule"),
  error: optional("error", "KEY", "Only tasks that failed so: the key of a group of errors"),
  idPrefix: optional("id-prefix", "PREFIX", "Only tasks with ids that begin so"),
  match: optional("match", "TEXT", "Only tasks with this in their id, name or error"),
  since: optionalMoment("since", "Only tasks that were submitted since"),
  until: optionalMoment("until", "Only tasks that were submitted before"),
  olderThan: optionalDuration("older-than", "Only tasks that were submitted at least so long ago")
}

type Filter = Command.Command.Config.InferValue<typeof filter>

/** The filter that these flags say; `undefined` when they say more than one can. */
export const toFilter = (
  { name, olderThan, state, tag, tenant, ...more }: Filter
): TaskFilter | undefined =>
  Object.values(more).some((value: Option.Option<unknown>) => Option.isSome(value)) ||
    (Option.isSome(state) && !isTaskState(state.value)) ?
    undefined :
    {
      ...asProperty("state", state as Option.Option<TaskState>),
      ...asProperty("name", name),
      ...asProperty("tag", tag),
      ...asProperty("tenant", tenant),
      ...asProperty("olderThan", olderThan)
    }

const isTaskState = Schema.is(TaskState)

/** The query that these flags say at a time. */
export const toQuery = (flags: Filter, now: number): TaskQuery => {
  const before = [
    ...Option.toArray(Option.map(flags.until, (moment) => moment(now))),
    ...Option.toArray(Option.map(flags.olderThan, (age) => now - age))
  ]
  return {
    ...asProperty("state", flags.state),
    ...asProperty("type", Option.orElse(flags.name, () => flags.type)),
    ...asProperty("priority", flags.priority),
    ...asProperty("worker", flags.worker),
    ...asProperty("tag", flags.tag),
    ...asProperty("tenant", flags.tenant),
    ...asProperty("schedule", flags.schedule),
    ...asProperty("error", flags.error),
    ...asProperty("id", flags.idPrefix),
    ...asProperty("q", flags.match),
    ...asProperty("since", Option.map(flags.since, (moment) => moment(now))),
    ...(before.length === 0 ? {} : { until: Math.min(...before) })
  }
}

/** What a schedule may say. */
export const schedule = {
  task: Flag.String("task").pipe(
    Flag.withMetavar("NAME"),
    Flag.withSchema(TaskName),
    Flag.withDescription("Name of its task")
  ),
  every: optionalDuration("every", "Its interval, for example 10m"),
  cron: optional("cron", "EXPRESSION", "Its times: minute, hour, day, month, weekday, for example '0 2 * * *'"),
  timeZone: optional("time-zone", "ZONE", "Of the cron expression, for example Europe/Berlin (default: UTC)"),
  args: Flag.String("args").pipe(
    Flag.withMetavar("JSON"),
    Flag.withDefault("{}"),
    Flag.withDescription("Arguments of its task (default: {})")
  ),
  priority
}

/** What can be paused. */
export const pauseTarget = {
  task: optional("task", "NAME", "Tasks of this name"),
  worker: optional("worker", "ID", "The worker with this id"),
  schedule: optional("schedule", "ID", "The schedule with this id")
}

/** The part of the settings that a client's flags say. */
export const clientSettings = (
  { discovery, namespace, secret, timeout, ...tls }: Command.Command.Config.InferValue<typeof target>
): Partial<Settings> => ({ discovery, namespace, secret, tls: tlsSettings(tls), deadlineMillis: timeout })

/** An optional flag as an optional property. */
export const asProperty = <const Name extends string, A>(name: Name, value: Option.Option<A>): { [_ in Name]?: A } =>
  Option.isSome(value) ? { [name]: value.value } as { [_ in Name]: A } : {}
