import { Schema } from "effect"
import { Task } from "fastworker"

export const add = Task.define("add", {
  args: { x: Schema.Number, y: Schema.Number },
  success: Schema.Number,
  run: async ({ x, y }) => x + y
})
