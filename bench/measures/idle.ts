/** What a control plane uses while nothing happens. */
import type { Contender, Measure } from "../measure.ts"
import { exactCpuMicros, residentBytes, start } from "../processes.ts"
import { startControlPlane, workerCommand } from "../systems/fastworker/system.ts"
import type { Options } from "./options.ts"

/** Compilers of a process that has just started go on for a while, and V8 gives memory back ten seconds after. */
const settleMillis = 15_000

const wait = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

const contender = (name: string, withWorker: boolean, millis: number): Contender => ({
  name,
  async run() {
    const plane = await startControlPlane()
    const worker = withWorker ? await start(workerCommand(plane.discovery, 16)) : undefined
    try {
      // As a browser does that opens the page.
      for (const path of ["/", "/app.js", "/app.css", "/api/stats"]) await (await fetch(plane.dashboard + path)).text()
      await wait(settleMillis)
      const before = exactCpuMicros(plane.pid)
      const began = performance.now()
      await wait(millis)
      const micros = exactCpuMicros(plane.pid) - before
      const share = 100 * micros / (1_000 * (performance.now() - began))
      return { numbers: { share, megabytes: residentBytes(plane.pid) / 1e6 } }
    } finally {
      await worker?.stop()
      await plane.stop()
    }
  }
})

export const idle = ({ millis }: Options): Measure => ({
  name: "idle",
  title: "An idle control plane that has served its dashboard",
  columns: [
    { key: "share", label: "CPU %", digits: 3 },
    { key: "megabytes", label: "MB in RAM", digits: 1 }
  ],
  contenders: [contender("alone", false, millis), contender("with a worker", true, millis)],
  goals: (number) => [
    {
      what: "CPU of an idle control plane",
      value: number("alone", "share"),
      unit: "%",
      need: "at most",
      floor: 0.5,
      aim: 0.1
    },
    {
      what: "memory of an idle control plane, dashboard served",
      value: number("alone", "megabytes"),
      unit: "MB",
      need: "at most",
      floor: 130,
      aim: 90
    }
  ]
})
