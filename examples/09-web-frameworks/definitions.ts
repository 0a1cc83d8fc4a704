import { Schema } from "effect"
import { Task } from "fastworker"

export const resize = Task.make("resize", {
  args: { photo: Schema.NonEmptyString, width: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 4_000 })) },
  success: Schema.Struct({ file: Schema.String })
})
