/** The tasks of the benchmark as FastWorker has them. */
import { Effect } from "effect"
import { Task } from "fastworker"
import { makeExecutions } from "../../executions.ts"
import { args, perform, success } from "../../work.ts"

const count = makeExecutions()

export const add = Task.define("add", {
  args: args.add,
  success,
  run: (args) => {
    count()
    return Effect.succeed(perform.add(args))
  }
})

export const size = Task.define("size", {
  args: args.size,
  success,
  run: (args) => {
    count()
    return Effect.succeed(perform.size(args))
  }
})
