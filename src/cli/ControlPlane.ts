/**
 * `fastworker control-plane`: the process that holds the queue, with the dashboard and, when it has tasks, a worker of
 * its own.
 *
 * @since 0.1.0
 */
import { Command } from "effect/cli"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { formatDuration } from "../domain/Settings.ts"
import * as JournalSqlite from "../layers/JournalSqlite.ts"
import { layerControlPlaneServer, layerCore, layerLocalWorker } from "../layers/Node.ts"
import { layerSettings } from "../layers/NodeClient.ts"
import * as TaskRegistryModules from "../layers/TaskRegistryModules.ts"
import * as Telemetry from "../layers/Telemetry.ts"
import type { DrainReport } from "../services/ControlPlane.ts"
import { ControlPlane } from "../services/ControlPlane.ts"
import { Worker } from "../services/Worker.ts"
import * as Flags from "./Flags.ts"
import * as Output from "./Output.ts"
import { onStop } from "./Stop.ts"

/** What is due is looked for ten times a second. */
const minHeartbeatMillis = 100

/** Says what a stop left behind. */
const stopped = ({ abandoned, cancelled, kept }: DrainReport): string => {
  const parts = [
    ...(cancelled > 0 ? [`${cancelled} waiting tasks cancelled`] : []),
    ...(kept > 0 ? [`${kept} waiting tasks kept in the journal`] : []),
    ...(abandoned > 0 ? [`${abandoned} running tasks abandoned`] : [])
  ]
  return parts.length === 0 ? "Stopped" : `Stopped: ${parts.join(", ")}`
}

export const controlPlane = Command.make(
  "control-plane",
  { ...Flags.taskFiles, ...Flags.controlPlane },
  Effect.fnUntraced(function*(flags) {
    const { json } = yield* Flags.root
    const files = [...flags.tasks, ...flags.files]
    if (flags.heartbeat < minHeartbeatMillis) {
      return yield* Output.usage(json, `--heartbeat must be at least ${formatDuration(minHeartbeatMillis)}`)
    }
    if (flags.heartbeatTimeout < 2 * flags.heartbeat) {
      return yield* Output.usage(json, "--heartbeat-timeout must be at least twice --heartbeat")
    }
    const settings = layerSettings({
      address: flags.address,
      workerAddress: flags.workerAddress,
      discovery: flags.discovery,
      namespace: flags.namespace,
      secret: flags.secret,
      tls: Flags.tlsSettings(flags),
      insecure: flags.insecure,
      dashboard: flags.dashboard,
      dashboardPrefix: flags.dashboardPrefix,
      concurrency: flags.concurrency,
      local: flags.local,
      maxWaiting: flags.maxWaiting,
      maxWaitingBytes: flags.maxWaitingBytes,
      maxPayloadBytes: flags.maxPayload,
      maxPayloadDepth: flags.maxPayloadDepth,
      maxConnectionsPerAddress: flags.maxConnectionsPerAddress,
      maxRequestsPerConnection: flags.maxRequestsPerConnection,
      maxRequestBytesPerConnection: flags.maxRequestBytesPerConnection,
      busyPollMicros: flags.busyPoll,
      authTimeoutMillis: flags.authTimeout,
      unknownWaitMillis: flags.unknownWait,
      resultCacheSize: flags.resultCacheSize,
      resultCacheBytes: flags.resultCacheBytes,
      resultCacheTtlMillis: flags.resultCacheTtl,
      maxHistory: flags.maxHistory,
      maxHistoryBytes: flags.maxHistoryBytes,
      heartbeatMillis: flags.heartbeat,
      heartbeatTimeoutMillis: flags.heartbeatTimeout,
      maxCrashes: flags.maxCrashes,
      drainTimeoutMillis: flags.drainTimeout
    })
    // Only now: no other command needs a server of HTTP, which takes a quarter of the time that they need to start.
    const DashboardServer = yield* Effect.promise(() => import("../layers/DashboardServer.ts"))
    const runsTasks = files.length > 0 && flags.local !== "never"
    const dashboard = flags.noDashboard ? DashboardServer.layerNone : DashboardServer.layer
    const worker = runsTasks
      ? layerLocalWorker({ ...Flags.threadOptions(flags), jsonLogs: json }).pipe(
        Layer.provide(TaskRegistryModules.layerFiles(files))
      )
      : Layer.empty
    const layers = Layer.mergeAll(dashboard, worker).pipe(
      Layer.provideMerge(layerControlPlaneServer),
      Layer.provide(layerCore),
      Layer.provide(flags.journal._tag === "Some" ? JournalSqlite.layer(flags.journal.value) : Layer.empty),
      Layer.provide([settings, Output.layerLogger(json), Telemetry.layer("fastworker-control-plane")])
    )

    const serve = Effect.gen(function*() {
      const plane = yield* ControlPlane
      const local = yield* Effect.serviceOption(Worker)
      if (local._tag === "Some") yield* local.value.ready
      const { url } = yield* DashboardServer.DashboardServer
      const { address, discovery, workerAddress } = plane
      if (json) yield* Output.json({ event: "ready", address, workerAddress, discovery, dashboard: url ?? null })
      else {
        yield* Console.log(`Control plane ready: clients ${address}, workers ${workerAddress}, discovery ${discovery}`)
        if (url !== undefined) yield* Console.log(`Dashboard: ${url}`)
        if (!runsTasks) yield* Console.log("No task files: tasks wait for a worker (fastworker worker --tasks FILE)")
      }
      return yield* Effect.never.pipe(onStop(
        Effect.gen(function*() {
          if (!json) yield* Console.log("Stopping: waiting for running tasks (again to stop at once)")
          const { abandoned, cancelled, kept } = yield* plane.drain
          if (json) yield* Output.json({ event: "stopped", cancelled, abandoned, kept })
          else yield* Console.log(stopped({ abandoned, cancelled, kept }))
        })
      ))
    })
    return yield* serve.pipe(
      Effect.provide(layers),
      Effect.catch((error) => Output.fail(json, error)),
      // Around all of it: what the command itself logs goes to stderr too.
      Effect.provide(Output.layerLogger(json))
    )
  })
).pipe(Command.withDescription("Run the control plane: queue, results, dashboard"))
