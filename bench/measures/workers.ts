/** Whether a thousand connected workers make a task dearer than one does. */
import type { PeersPlan, PeersReport } from "../children/peers.ts"
import type { Contender, Measure } from "../measure.ts"
import { here, runJson } from "../processes.ts"
import { startControlPlane } from "../systems/fastworker/system.ts"
import type { Options } from "./options.ts"

const slots = 16

const contender = (workers: number, timing: Pick<Options, "millis" | "warmUpMillis">): Contender => ({
  name: workers === 1 ? "1 worker" : `${workers.toLocaleString("en-US")} workers`,
  async run() {
    const { address, pid, stop, workerAddress } = await startControlPlane(["--no-dashboard"])
    const plan: PeersPlan = { address, workerAddress, pid, workers, slots, ...timing }
    const { executions, submitted, wrong, ...numbers } = await runJson<PeersReport>(
      [here("children/peers.ts"), JSON.stringify(plan)],
      60_000 + 3 * (timing.millis + timing.warmUpMillis)
    ).finally(stop)
    return { numbers, executions, submitted, wrong }
  }
})

export const workers = ({ millis, warmUpMillis }: Options): Measure => ({
  name: "workers",
  title: "CPU of the control plane by connected workers of 16 slots, all busy, sockets included",
  columns: [
    { key: "planeMicros", label: "µs/task", digits: 2 },
    { key: "rate", label: "tasks/s", digits: 0 },
    { key: "perExchange", label: "leases a message", digits: 1 }
  ],
  contenders: [1, 10, 100, 1_000].map((workers) => contender(workers, { millis, warmUpMillis })),
  goals: (number) => [
    {
      what: "control-plane CPU per task with 1,000 workers : 1 worker",
      value: number("1,000 workers", "planeMicros") / number("1 worker", "planeMicros"),
      unit: "×",
      need: "at most",
      floor: 1.5,
      aim: 1.1
    }
  ],
  notes: ["Client and workers are simulated by one process, which is what bounds the rate."]
})
