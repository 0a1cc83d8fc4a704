/** Latency under a load that does not wait for the system: at half of the rate that each reached in the same minute. */
import { loaded, rateOf } from "../loaded.ts"
import type { Measure } from "../measure.ts"
import type { Options } from "./options.ts"

export const openLoop = ({ ceilings, millis, systems, warmUpMillis }: Options): Measure => ({
  name: "open-loop",
  title: "Latency at half of each one's own maximum rate, from when a task was to be submitted (open loop)",
  columns: [
    { key: "maximum", label: "maximum/s", digits: 0 },
    { key: "rate", label: "tasks/s", digits: 0 },
    { key: "p50", label: "p50 ms", digits: 2 },
    { key: "p99", label: "p99 ms", digits: 2 }
  ],
  contenders: loaded(
    [...systems, ...ceilings],
    {
      loads: [
        { load: "closed", inFlight: 1_024, millis, warmUpMillis },
        { load: "open", share: 0.5, millis, warmUpMillis }
      ]
    },
    ([maximum, open]) => ({
      maximum: rateOf(maximum),
      rate: rateOf(open),
      p50: open?.p50 ?? NaN,
      p99: open?.p99 ?? NaN
    })
  ),
  goals: (number) => [
    {
      what: "p99 at half of the maximum rate : BullMQ",
      value: number("FastWorker", "p99") / number("BullMQ", "p99"),
      unit: "×",
      need: "at most",
      floor: 1 / 5,
      aim: 1 / 20
    }
  ]
})
