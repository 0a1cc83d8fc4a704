import { Schema } from "effect"
import { Task } from "fastworker"

export const hello = Task.define("hello", {
  args: { name: Schema.String },
  success: Schema.String,
  run: async ({ name }) => `Hello, ${name}!`
})
