/**
 * All commands of `fastworker`, as one value: what `main.ts` runs and the reference of the commands is made of.
 *
 * @since 0.1.0
 */
import { Command } from "effect/cli"
import { bench } from "./Bench.ts"
import { cancel, drain, pause, prioritize, purge, resume, retry, schedule } from "./Changes.ts"
import { controlPlane } from "./ControlPlane.ts"
import { events } from "./Events.ts"
import { explain } from "./Explain.ts"
import * as Flags from "./Flags.ts"
import { errors, show, system, taskInfo, workerInfo } from "./Inspect.ts"
import { journal } from "./Journal.ts"
import { logs } from "./Logs.ts"
import { dead, list, result, schedules, stats, status, workers } from "./Query.ts"
import { secret } from "./Secret.ts"
import { submit } from "./Submit.ts"
import { tasks } from "./Tasks.ts"
import { top } from "./Top.ts"
import { worker } from "./Worker.ts"

export const root = Flags.root.pipe(
  Command.withSubcommands([
    controlPlane,
    worker,
    submit,
    status,
    show,
    explain,
    result,
    cancel,
    prioritize,
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
  ])
)
