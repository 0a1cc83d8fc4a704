import { Effect, Schema } from "effect"
import { Task } from "fastworker"

export class PartnerDown extends Schema.TaggedError<PartnerDown>()("PartnerDown", { status: Schema.Int }) {}

/** A partner that answers at the third attempt, if at all. Retried after its typed error, while that may pass. */
export const callPartner = Task.define("callPartner", {
  args: { status: Schema.Int },
  success: Schema.String,
  error: PartnerDown,
  retry: { attempts: 5, while: ({ status }) => status >= 500 },
  run: ({ status }, { attempt }) =>
    attempt < 3 || status < 500
      ? Effect.fail(new PartnerDown({ status }))
      : Effect.succeed(`answered at attempt ${attempt}`)
})

/** Copies rows, and goes on where the attempt before stopped. */
export const copyRows = Task.define("copyRows", {
  args: { rows: Schema.Int },
  success: Schema.String,
  progress: Schema.Int,
  timeout: "500 millis",
  retry: {},
  run: async ({ rows }, { checkpoint: first = 0, progress }) => {
    for (let row = first; row < rows; row++) {
      // Half way the first attempt hangs.
      if (row === rows / 2 && first === 0) await new Promise(() => {})
      progress(row + 1)
    }
    return `copied, the last attempt began at row ${first}`
  }
})

/** Would run for ever; when it is cancelled its finalizer runs. */
export const follow = Task.define("follow", {
  run: () => Effect.never.pipe(Effect.onInterrupt(() => Effect.sync(() => console.error("the handler was stopped"))))
})

/** Computes for long without a pause: in a thread it blocks nobody, and a timeout ends it. */
export const factor = Task.define("factor", {
  args: { of: Schema.Int },
  success: Schema.Array(Schema.Int),
  isolation: "thread",
  timeout: "30 seconds",
  run: async ({ of }) => {
    const factors: Array<number> = []
    for (let rest = of, by = 2; rest > 1; by++) {
      for (; rest % by === 0; rest /= by) factors.push(by)
    }
    return factors
  }
})
