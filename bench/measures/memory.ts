/** Tasks that wait: how fast they are accepted when nothing runs them, and the memory that each takes. */
import { loaded, rateOf } from "../loaded.ts"
import type { Contender, Measure } from "../measure.ts"
import { here, runJson } from "../processes.ts"
import type { Options } from "./options.ts"

const bytes = 64
const batch = 1_000

/** Batches in flight. */
const batches = 8

/** Tasks before those that are measured. */
const warmUp = 500_000

const exact = (count: number): Contender => ({
  name: "FastWorker, heap",
  async run() {
    const command = [process.execPath, "--expose-gc", here("children/memory.ts"), String(count), String(bytes)]
    const { perTask } = await runJson<{ readonly perTask: number }>(command, 120_000)
    return { numbers: { perTask } }
  }
})

export const memory = ({ quick, systems }: Options): Measure => {
  const count = quick ? 20_000 : 300_000
  return {
    name: "memory",
    title: `${
      count.toLocaleString("en-US")
    } waiting tasks with ${bytes} bytes of arguments, submitted in batches of 1,000, 8 of them in flight`,
    columns: [
      { key: "rate", label: "accepted/s", digits: 0 },
      { key: "perTask", label: "bytes/task", digits: 0 },
      { key: "hub", label: "hub µs/task", digits: 1 }
    ],
    contenders: [
      ...loaded(
        systems,
        { hold: true, loads: [warmUp, count].map((count) => ({ load: "fill", count, batch, batches, bytes })) },
        ([, report]) => ({
          rate: rateOf(report),
          perTask: (report?.hubBytes ?? NaN) / count,
          hub: report?.hubMicros ?? NaN
        })
      ),
      exact(quick ? 100_000 : 500_000)
    ],
    goals: (number) => [
      {
        what: "memory per waiting task, garbage excluded",
        value: number("FastWorker, heap", "perTask"),
        unit: "B",
        need: "at most",
        floor: 600,
        aim: 300
      },
      {
        what: "tasks/s by delayAll of 1,000 : BullMQ addBulk, until they are accepted",
        value: number("FastWorker", "rate") / number("BullMQ", "rate"),
        unit: "×",
        need: "at least",
        floor: 20,
        aim: 40
      }
    ],
    notes: [
      "Processes: growth of their own memory, with garbage and free room (PostgreSQL: not what is on disk only)."
    ]
  }
}
