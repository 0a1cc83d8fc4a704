/** Tasks that try to become markup wherever something of them is shown. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Task } from "fastworker"

/** What would tell of itself if any page took it for markup. */
export const attack = "<img src=x onerror=\"window.owned=1\"><script>window.owned=1</script>"

class Attack extends Schema.TaggedError<Attack>()("<svg/onload=window.owned=1>", {
  message: Schema.String,
  "</pre><script>window.owned=1</script>": Schema.String
}) {}

export const name = "<img src=x onerror=window.owned=1>"

export const hostile = Task.define(name, {
  description: attack,
  args: { [attack]: Schema.String.annotate({ description: attack }), fails: Schema.Boolean },
  success: Schema.Struct({ [attack]: Schema.String }),
  error: Attack,
  run: ({ fails }) =>
    fails
      ? Effect.fail(
        new Attack({ message: attack, "</pre><script>window.owned=1</script>": "javascript:window.owned=1" })
      )
      : Effect.succeed({ [attack]: attack })
})

export const throws = Task.define("throws", {
  run: () =>
    Effect.die(Object.assign(new Error(attack), { stack: `Error: ${attack}\n    at ${attack} (${attack}:1:1)` }))
})

export const schedule = Task.every(hostile, "1 hour", {
  id: "<b onmouseover=window.owned=1>hourly",
  args: { [attack]: attack, fails: false },
  tags: ["<i>tag"]
})
