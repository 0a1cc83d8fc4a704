import { Schema } from "effect"
import { Task } from "fastworker"

const Below = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 10_000_000 }))

export const countPrimes = Task.make("countPrimes", {
  args: { below: Below },
  success: Schema.Int
})
