/** Tasks a second that are submitted in batches by one call each: `delayAll`, `addBulk` and their like. */
import { loaded, rateOf } from "../loaded.ts"
import type { Measure } from "../measure.ts"
import type { Options } from "./options.ts"

const batch = 1_000

export const bulk = ({ millis, systems, warmUpMillis }: Options): Measure => ({
  name: "bulk",
  title: "Tasks a second in batches of 1,000, end to end, with 8 batches in flight",
  columns: [
    { key: "rate", label: "tasks/s", digits: 0 },
    { key: "p50", label: "p50 ms a batch", digits: 1 },
    { key: "p99", label: "p99 ms", digits: 1 },
    { key: "hub", label: "hub µs/task", digits: 1 }
  ],
  contenders: loaded(
    systems,
    { loads: [{ load: "bulk", batch, batches: 8, millis, warmUpMillis }] },
    ([report]) => ({
      rate: rateOf(report),
      p50: report?.p50 ?? NaN,
      p99: report?.p99 ?? NaN,
      hub: report?.hubMicros ?? NaN
    })
  ),
  goals: (number) => [
    {
      what: "tasks/s by delayAll of 1,000 : BullMQ addBulk, end to end",
      value: number("FastWorker", "rate") / number("BullMQ", "rate"),
      unit: "×",
      need: "at least",
      floor: 20,
      aim: 40
    }
  ]
})
