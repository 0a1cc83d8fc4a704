/** Megabytes a second in arguments of 1 MiB, end to end. */
import { loaded, rateOf } from "../loaded.ts"
import type { Measure } from "../measure.ts"
import type { Options } from "./options.ts"

const bytes = 1_048_576
const inFlight = 8

export const payload = ({ ceilings, millis, systems, warmUpMillis }: Options): Measure => ({
  name: "payload",
  title: "Arguments of 1 MiB, end to end, 8 in flight",
  columns: [
    { key: "megabytes", label: "MB/s", digits: 1 },
    { key: "p50", label: "p50 ms", digits: 1 },
    { key: "p99", label: "p99 ms", digits: 1 },
    { key: "hub", label: "hub µs/MB", digits: 0 }
  ],
  contenders: loaded(
    [...systems, ...ceilings],
    { loads: [{ load: "closed", inFlight, bytes, millis, warmUpMillis }] },
    ([report]) => ({
      megabytes: rateOf(report) * bytes / 1e6,
      p50: report?.p50 ?? NaN,
      p99: report?.p99 ?? NaN,
      hub: (report?.hubMicros ?? NaN) / (bytes / 1e6)
    })
  ),
  goals: (number) => [
    {
      what: "MB/s of 1 MiB payloads : raw node:net",
      value: number("FastWorker", "megabytes") / number("node:net", "megabytes"),
      unit: "×",
      need: "at least",
      floor: 0.5,
      aim: 0.8
    }
  ],
  notes: [
    "The ceilings carry the bytes and do not look at them; the others make JSON of them, parse and validate it."
  ]
})
