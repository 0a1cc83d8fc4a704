/** Tasks a second when each is on disk before its submission is answered. */
import { loaded, rateOf } from "../loaded.ts"
import type { Measure } from "../measure.ts"
import type { Options } from "./options.ts"

export const journal = ({ millis, systems, warmUpMillis }: Options): Measure => ({
  name: "journal",
  title: "Tasks a second, durable before the submission is answered, 1,024 in flight and one at a time",
  columns: [
    { key: "rate", label: "tasks/s", digits: 0 },
    { key: "p50", label: "p50 ms", digits: 2 },
    { key: "p99", label: "p99 ms", digits: 2 },
    { key: "hub", label: "hub µs/task", digits: 1 },
    { key: "one", label: "p50 ms of one", digits: 2 }
  ],
  contenders: loaded(
    systems,
    {
      durable: true,
      loads: [1_024, 1].map((inFlight) => ({ load: "closed", inFlight, millis, warmUpMillis }))
    },
    ([many, one]) => ({
      rate: rateOf(many),
      p50: many?.p50 ?? NaN,
      p99: many?.p99 ?? NaN,
      hub: many?.hubMicros ?? NaN,
      one: one?.p50 ?? NaN
    })
  ),
  goals: (number) => [
    {
      what: "durable tasks/s : BullMQ with appendfsync always",
      value: number("FastWorker", "rate") / number("BullMQ", "rate"),
      unit: "×",
      need: "at least",
      floor: 3,
      aim: 10
    }
  ]
})
