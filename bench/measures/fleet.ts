/** Fleets of up to 10,000 workers, simulated on the core alone. */
import type { FleetReport } from "../children/fleet.ts"
import type { Contender, Measure } from "../measure.ts"
import { here, runJson } from "../processes.ts"
import type { Options } from "./options.ts"

const contender = (workers: number, rounds: number): Contender => ({
  name: workers === 1 ? "1 worker" : `${workers.toLocaleString("en-US")} workers`,
  async run() {
    const command = [process.execPath, "--expose-gc", here("children/fleet.ts"), String(workers), String(rounds)]
    const { executions, submitted, ...numbers } = await runJson<FleetReport>(command, 120_000)
    return { numbers: { ...numbers, lossMillis: numbers.lossMicros / 1_000 }, executions, submitted }
  }
})

export const fleet = ({ quick }: Options): Measure => ({
  name: "fleet",
  title: "Simulated fleets of workers with 16 slots on the core alone, CPU",
  columns: [
    { key: "steadyMicros", label: "steady, µs/task", digits: 2 },
    { key: "burstMicros", label: "all slots at once, µs/task", digits: 2 },
    { key: "sweepMicros", label: "sweep, µs", digits: 0 },
    { key: "lossMillis", label: "a tenth lost, ms", digits: 1 },
    { key: "bytesPerWorker", label: "bytes/worker", digits: 0 }
  ],
  contenders: [1, 100, 1_000, 10_000].map((workers) => contender(workers, quick ? 400 : 2_000)),
  goals: (number) => [
    {
      what: "CPU per task in the core with 10,000 workers : 100 workers",
      value: number("10,000 workers", "steadyMicros") / number("100 workers", "steadyMicros"),
      unit: "×",
      need: "at most",
      floor: 1.5,
      aim: 1.1
    }
  ]
})
