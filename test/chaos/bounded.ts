/** Tasks of the checks of bounds and of the soak. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Task } from "fastworker"

export const add = Task.define("add", {
  args: { x: Schema.Int, y: Schema.Int },
  success: Schema.Int,
  run: ({ x, y }) => Effect.succeed(x + y)
})

/** A result of many bytes. */
export const fill = Task.define("fill", {
  args: { bytes: Schema.Int },
  success: Schema.String,
  run: ({ bytes }) => Effect.succeed("x".repeat(bytes))
})

export const take = Task.define("take", {
  args: { blob: Schema.String },
  success: Schema.Int,
  run: ({ blob }) => Effect.succeed(blob.length)
})
