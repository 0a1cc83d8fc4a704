/** The work that is measured, the same for each system: add two validated integers. */
import { Effect, Schema } from "effect"
import { Task } from "fastworker"
import { writeFileSync } from "node:fs"
import { args } from "./args.ts"

let executions = 0

export const add = Task.define("add", {
  args,
  success: Schema.Int,
  run: ({ x, y }) => {
    executions++
    return Effect.succeed(x + y)
  }
})

/** The worker tells how often it ran the task when it is stopped: each task must have run exactly once. */
const file = process.env["BENCH_EXECUTIONS"]
if (file !== undefined) process.on("exit", () => writeFileSync(file, String(executions)))
