/**
 * What runs in a thread of `ExecutorThread.ts`: loads the files of tasks and runs one attempt at a time.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import { parentPort, workerData } from "node:worker_threads"
import { Settings } from "../services/Settings.ts"
import { TaskRegistry } from "../services/TaskRegistry.ts"
import * as ExecutorFiber from "./ExecutorFiber.ts"
import type { FromThread, ThreadData, ToThread } from "./ExecutorThread.ts"
import * as JsonLog from "./JsonLog.ts"
import { makeFromFiles } from "./TaskRegistryModules.ts"
import * as Telemetry from "./Telemetry.ts"

const { answer, files, jsonLogs, settings } = workerData as ThreadData
const post = (message: FromThread) => parentPort?.postMessage(message)

const setWaiting = (isWaiting: boolean): boolean => {
  if (isWaiting) Atomics.store(answer, 0, 0)
  post({ type: "waiting", isWaiting })
  // Nothing else runs in this thread that could be held up by this.
  if (isWaiting) Atomics.wait(answer, 0, 0)
  return !isWaiting || Atomics.load(answer, 0) === 1
}

const scope = Scope.makeUnsafe()

const program = Effect.gen(function*() {
  const { registry } = yield* makeFromFiles(files)
  const executor = yield* Effect.provideService(ExecutorFiber.make, TaskRegistry, registry)
  const services = yield* Effect.context()
  let interrupt: (() => void) | undefined
  let isClosing = false

  // Services that were built with the files are released; then the thread ends, whatever else keeps it alive.
  const close = () => Effect.runForkWith(services)(Scope.close(scope, Exit.void)).addObserver(() => process.exit())

  const start = ({ attempt }: Extract<ToThread, { readonly type: "start" }>) => {
    let isEnded = false
    const stop = executor.start(
      { ...attempt, onProgress: (body) => post({ type: "progress", body }), setWaiting },
      (result) => post({ type: "result", result }),
      () => {
        isEnded = true
        interrupt = undefined
        post({ type: "ended" })
        if (isClosing) close()
      }
    )
    if (!isEnded) interrupt = stop
  }

  parentPort?.on("message", (message: ToThread) => {
    if (message.type === "start") return start(message)
    if (message.type === "close") {
      isClosing = true
      if (interrupt === undefined) return close()
    }
    interrupt?.()
  })
  post({ type: "ready" })
})

// Standard output may be read by a machine.
const layerLogger = Logger.layer([Logger.withConsoleError(jsonLogs ? JsonLog.format : Logger.formatLogFmt)])

Effect.runFork(
  Layer.buildWithScope(
    Layer.mergeAll(layerLogger, Layer.succeed(Settings, settings), Telemetry.layer("fastworker-worker")),
    scope
  ).pipe(
    Effect.flatMap((context) => Effect.provideContext(program, context)),
    Effect.provideService(Scope.Scope, scope)
  )
).addObserver((exit) => {
  if (Exit.isSuccess(exit)) return
  const cause = Cause.squash(exit.cause)
  post({ type: "unusable", message: cause instanceof Error ? cause.message : String(cause) })
})
