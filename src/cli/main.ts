/**
 * The `fastworker` command: all subcommands, and how it ends. Started by `bin.ts`.
 *
 * @since 0.1.0
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Command } from "effect/cli"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { packageVersion } from "../layers/ControlPlaneViews.ts"
import { bench } from "./Bench.ts"
import { cancel, drain, pause, purge, resume, retry, schedule } from "./Changes.ts"
import { controlPlane } from "./ControlPlane.ts"
import { events } from "./Events.ts"
import { explain } from "./Explain.ts"
import * as Flags from "./Flags.ts"
import { errors, show, system, taskInfo, workerInfo } from "./Inspect.ts"
import { journal } from "./Journal.ts"
import { logs } from "./Logs.ts"
import * as Output from "./Output.ts"
import { dead, list, result, schedules, stats, status, workers } from "./Query.ts"
import { secret } from "./Secret.ts"
import { submit } from "./Submit.ts"
import { tasks } from "./Tasks.ts"
import { top } from "./Top.ts"
import { worker } from "./Worker.ts"

Flags.root.pipe(
  Command.withSubcommands([
    controlPlane,
    worker,
    submit,
    status,
    show,
    explain,
    result,
    cancel,
    retry,
    purge,
    list,
    dead,
    pause,
    resume,
    drain,
    schedules,
    schedule,
    top,
    logs,
    events,
    errors,
    workers,
    workerInfo,
    stats,
    system,
    tasks,
    taskInfo,
    bench,
    journal,
    secret
  ]),
  Command.run({ version: packageVersion }),
  Effect.provide(Layer.mergeAll(NodeServices.layer, Output.layerPresenter)),
  NodeRuntime.runMain({
    disableErrorReporting: true,
    teardown: (exit, onExit) => {
      const code = Output.exitCode(exit)
      Output.reportUnexpected(exit)
      onExit(code)
    }
  })
)
