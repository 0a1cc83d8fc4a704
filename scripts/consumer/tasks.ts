// What a program writes that has installed the package, with the strictest options: types are checked, then it is run.
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Task } from "fastworker"

export class Rejected extends Schema.TaggedError<Rejected>()("Rejected", { code: Schema.Int }) {}

export const add = Task.define("add", {
  args: { x: Schema.Finite, y: Schema.Finite },
  success: Schema.Finite,
  error: Rejected,
  run: ({ x, y }) => x < 0 ? Effect.fail(new Rejected({ code: x })) : Effect.succeed(x + y)
})
