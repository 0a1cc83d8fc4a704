/** Tasks a second from submission to the checked result, with many in flight; and what the process between them uses. */
import { loaded, rateOf } from "../loaded.ts"
import type { Measure } from "../measure.ts"
import type { Options } from "./options.ts"

export const throughput = ({ ceilings, millis, systems, warmUpMillis }: Options): Measure => ({
  name: "throughput",
  title: "Tasks a second, end to end, with 64 and 1,024 in flight",
  columns: [
    { key: "rate64", label: "tasks/s at 64", digits: 0 },
    { key: "rate1024", label: "at 1,024", digits: 0 },
    { key: "p50", label: "p50 ms at 1,024", digits: 2 },
    { key: "p99", label: "p99 ms", digits: 2 },
    { key: "hub64", label: "hub µs/task at 64", digits: 1 },
    { key: "hub1024", label: "at 1,024", digits: 1 }
  ],
  contenders: loaded(
    [...systems, ...ceilings],
    { loads: [64, 1_024].map((inFlight) => ({ load: "closed", inFlight, millis, warmUpMillis })) },
    ([few, many]) => ({
      rate64: rateOf(few),
      rate1024: rateOf(many),
      p50: many?.p50 ?? NaN,
      p99: many?.p99 ?? NaN,
      hub64: few?.hubMicros ?? NaN,
      hub1024: many?.hubMicros ?? NaN
    })
  ),
  goals: (number) => [
    {
      what: "tasks/s at 1,024 in flight : BullMQ",
      value: number("FastWorker", "rate1024") / number("BullMQ", "rate1024"),
      unit: "×",
      need: "at least",
      floor: 15,
      aim: 30
    },
    {
      what: "tasks/s at 1,024 in flight : raw node-nng round trips",
      value: number("FastWorker", "rate1024") / number("node-nng", "rate1024"),
      unit: "×",
      need: "at least",
      floor: 0.5,
      aim: 0.5
    },
    {
      what: "control-plane CPU per task at 1,024 in flight, sockets included",
      value: number("FastWorker", "hub1024"),
      unit: "µs",
      need: "at most",
      floor: 4,
      aim: 2.5
    }
  ]
})
