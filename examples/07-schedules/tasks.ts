import { Schema } from "effect"
import { Task } from "fastworker"

/** One report for each customer at a time: who asks for it twice gets the same task. */
export const report = Task.define("report", {
  args: { customer: Schema.String },
  success: Schema.String,
  unique: { key: ({ customer }) => customer, while: "unfinished", onConflict: "existing" },
  run: async ({ customer }) => `report for ${customer}`
})

/** At most two at once and ten a second over all workers, and one at once for each account. */
export const charge = Task.define("charge", {
  args: { account: Task.sensitive(Schema.String), cents: Schema.Int },
  limits: {
    concurrency: 2,
    rate: { limit: 10, per: "1 second" },
    key: ({ account }) => account,
    keyConcurrency: 1
  },
  run: async () => {}
})

/** Every working day at nine in Berlin. What was missed while nothing ran is made up for once. */
export const daily = Task.cron(report, "0 9 * * 1-5", {
  id: "daily-report",
  timeZone: "Europe/Berlin",
  args: { customer: "all" },
  catchUp: "once"
})

export const hourly = Task.every(report, "1 hour", { id: "hourly-report", args: { customer: "acme" }, overlap: "skip" })
