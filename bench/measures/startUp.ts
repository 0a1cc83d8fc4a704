/** How long a process takes from its start until it is ready. */
import type { Contender, Measure } from "../measure.ts"
import { here, runJson, start } from "../processes.ts"
import { startControlPlane, workerCommand } from "../systems/fastworker/system.ts"

const controlPlane: Contender = {
  name: "control-plane",
  async run() {
    const began = performance.now()
    const { stop } = await startControlPlane()
    const ready = performance.now() - began
    await stop()
    return { numbers: { ready } }
  }
}

const worker: Contender = {
  name: "worker",
  async run() {
    const plane = await startControlPlane()
    try {
      const began = performance.now()
      const { stop } = await start(workerCommand(plane.discovery, 16))
      const ready = performance.now() - began
      await stop()
      return { numbers: { ready } }
    } finally {
      await plane.stop()
    }
  }
}

const client: Contender = {
  name: "client",
  async run() {
    const plane = await startControlPlane()
    try {
      const began = performance.now()
      const { connecting, importing } = await runJson<{ readonly importing: number; readonly connecting: number }>(
        [here("children/connect.ts"), plane.discovery],
        60_000
      )
      return { numbers: { ready: performance.now() - began, importing, connecting } }
    } finally {
      await plane.stop()
    }
  }
}

export const startUp = (): Measure => ({
  name: "start",
  title: "From start to ready, ms",
  columns: [
    { key: "ready", label: "whole process", digits: 0 },
    { key: "importing", label: "import", digits: 0 },
    { key: "connecting", label: "connect to answer", digits: 1 }
  ],
  contenders: [controlPlane, worker, client],
  goals: (number) =>
    ([
      ["control-plane", "ready", "control-plane: start to ready", 700, 350],
      ["worker", "ready", "worker: start to ready", 600, 300],
      ["client", "connecting", "client: connect until the first answer", 100, 30]
    ] as const).map(([name, key, what, floor, aim]) => ({
      what,
      value: number(name, key),
      unit: "ms",
      need: "at most",
      floor,
      aim
    }))
})
