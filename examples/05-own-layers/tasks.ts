import { Effect, Schema } from "effect"
import { Task, TaskContext } from "fastworker"

const onWhichWorker = () => Effect.map(TaskContext, ({ worker }) => worker)

export const render = Task.define("gpu.render", { success: Schema.String, run: onWhichWorker })
export const report = Task.define("cpu.report", { success: Schema.String, run: onWhichWorker })
