/** How long one task takes when there is no other. */
import { loaded, rateOf } from "../loaded.ts"
import type { Measure } from "../measure.ts"
import type { Options } from "./options.ts"

export const latency = ({ ceilings, millis, systems, warmUpMillis }: Options): Measure => ({
  name: "latency",
  title: "Latency of one task at a time, until the decoded result",
  columns: [
    { key: "p50", label: "p50 ms", digits: 3 },
    { key: "p99", label: "p99 ms", digits: 3 },
    { key: "rate", label: "tasks/s", digits: 0 },
    { key: "hub", label: "hub µs/task", digits: 0 }
  ],
  contenders: loaded(
    [...systems, ...ceilings],
    { loads: [{ load: "closed", inFlight: 1, millis, warmUpMillis }] },
    ([report]) => ({
      p50: report?.p50 ?? NaN,
      p99: report?.p99 ?? NaN,
      rate: rateOf(report),
      hub: report?.hubMicros ?? NaN
    })
  ),
  goals: (number) => [
    ...["p50", "p99"].map((key) => ({
      what: `${key} of one task at a time : BullMQ`,
      value: number("FastWorker", key) / number("BullMQ", key),
      unit: "×",
      need: "at most" as const,
      floor: 1 / 6,
      aim: 1 / 12
    })),
    {
      what: "p50 of one task at a time : raw node:net round trip of as many hops",
      value: number("FastWorker", "p50") / number("node:net", "p50"),
      unit: "×",
      need: "at most",
      floor: 5,
      aim: 2.5
    }
  ]
})
