/**
 * `fastworker worker`: a process that runs tasks.
 *
 * @since 0.1.0
 */
import { Command, Flag } from "effect/cli"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { layerWorker } from "../layers/Node.ts"
import { layerSettings } from "../layers/NodeClient.ts"
import * as TaskRegistryModules from "../layers/TaskRegistryModules.ts"
import * as Telemetry from "../layers/Telemetry.ts"
import { TaskRegistry } from "../services/TaskRegistry.ts"
import { Worker } from "../services/Worker.ts"
import * as Flags from "./Flags.ts"
import * as Output from "./Output.ts"
import { onStop } from "./Stop.ts"

const id = Flag.String("id").pipe(
  Flag.withFallbackConfig(Config.String("FASTWORKER_WORKER_ID")),
  Flag.filter((id) => /^[\x21-\x7e]{1,128}$/u.test(id), () => "1 to 128 printable ASCII characters without spaces"),
  Flag.optional,
  Flag.withDescription(
    "Name of this worker, for people (default: host and process id; environment: FASTWORKER_WORKER_ID)"
  )
)

/** A worker that is not registered after this time says what it waits for. */
const patienceMillis = 1_500

export const worker = Command.make(
  "worker",
  {
    ...Flags.taskFiles,
    ...Flags.workerTarget,
    id,
    concurrency: Flags.concurrency,
    maxPayload: Flags.maxPayload,
    maxPayloadDepth: Flags.maxPayloadDepth,
    drainTimeout: Flags.drainTimeout,
    ...Flags.threads
  },
  Effect.fnUntraced(function*(flags) {
    const { json } = yield* Flags.root
    const files = [...flags.tasks, ...flags.files]
    if (files.length === 0) {
      return yield* Output.usage(json, "a worker needs at least one file of tasks: fastworker worker --tasks FILE")
    }
    const { concurrency, discovery, drainTimeout, maxPayload, maxPayloadDepth, namespace, secret } = flags
    const layers = layerWorker({
      ...Flags.asProperty("id", flags.id),
      ...Flags.asProperty("controlPlane", flags.controlPlane),
      ...Flags.threadOptions(flags),
      jsonLogs: json
    }).pipe(
      Layer.provideMerge(TaskRegistryModules.layerFiles(files)),
      Layer.provide([
        layerSettings({
          concurrency,
          discovery,
          drainTimeoutMillis: drainTimeout,
          maxPayloadBytes: maxPayload,
          maxPayloadDepth,
          namespace,
          secret,
          tls: Flags.tlsSettings(flags)
        }),
        Output.layerLogger(json),
        Telemetry.layer("fastworker-worker")
      ])
    )

    const serve = Effect.gen(function*() {
      const { drain, id, left, ready } = yield* Worker
      const { handlers } = yield* TaskRegistry
      const names = handlers.map(({ definition }) => definition.name)
      const soon = yield* Effect.timeoutOption(ready, patienceMillis)
      if (Option.isNone(soon)) {
        const where = Option.getOrElse(flags.controlPlane, () => `announcements on ${discovery}`)
        yield* Effect.logInfo(`Waiting for a control plane (${where})`)
        yield* ready
      }
      if (json) yield* Output.json({ event: "ready", id, tasks: names })
      else yield* Console.log(`Worker ${id} ready: ${names.join(", ")}`)
      const stopped = (interrupted: number) =>
        json
          ? Output.json({ event: "stopped", interrupted })
          : Console.log(
            interrupted === 0 ? "Stopped" : `Stopped: ${interrupted} running tasks interrupted, they run elsewhere`
          )
      // Ends by itself when the control plane tells it to leave.
      return yield* left.pipe(
        onStop(
          Effect.gen(function*() {
            if (!json) yield* Console.log("Stopping: waiting for running tasks (again to stop at once)")
            yield* stopped(yield* drain)
          })
        ),
        Effect.flatMap(stopped)
      )
    })
    return yield* serve.pipe(
      Effect.provide(layers),
      Effect.catch((error) => Output.fail(json, error)),
      // Around all of it: what the command itself logs goes to stderr too.
      Effect.provide(Output.layerLogger(json))
    )
  })
).pipe(
  Command.withDescription("Run a worker: executes tasks, as many workers as you like"),
  Command.withAlias("subworker")
)
