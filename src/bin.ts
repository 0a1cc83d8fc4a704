#!/usr/bin/env node
/**
 * The `fastworker` command.
 *
 * @since 0.1.0
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Command } from "effect/cli"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { bench } from "./cli/Bench.ts"
import { cancel, drain, pause, purge, resume, retry, schedule } from "./cli/Changes.ts"
import { controlPlane } from "./cli/ControlPlane.ts"
import { events } from "./cli/Events.ts"
import { explain } from "./cli/Explain.ts"
import * as Flags from "./cli/Flags.ts"
import { errors, show, system, taskInfo, workerInfo } from "./cli/Inspect.ts"
import { journal } from "./cli/Journal.ts"
import { logs } from "./cli/Logs.ts"
import * as Output from "./cli/Output.ts"
import { dead, list, result, schedules, stats, status, workers } from "./cli/Query.ts"
import { secret } from "./cli/Secret.ts"
import { submit } from "./cli/Submit.ts"
import { tasks } from "./cli/Tasks.ts"
import { top } from "./cli/Top.ts"
import { worker } from "./cli/Worker.ts"
import { packageVersion } from "./layers/ControlPlaneViews.ts"

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
