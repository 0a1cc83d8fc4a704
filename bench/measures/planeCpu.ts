/** What a task costs the control plane without the sockets, by how many travel in a message, and with many waiting. */
import type { Contender, Measure } from "../measure.ts"
import type { PlaneCost } from "../planeCost.ts"
import { here, runJson } from "../processes.ts"
import type { Options } from "./options.ts"

const contender = (name: string, batch: number, waiting: number, seconds: number): Contender => ({
  name,
  async run() {
    const flags = Object.entries({ batch, waiting, seconds }).flatMap(([flag, value]) => [`--${flag}`, String(value)])
    const { plane, ratio, yardstick } = await runJson<PlaneCost>([here("ControlPlane.ts"), "--json", ...flags], 120_000)
    return { numbers: { plane, yardstick, ratio } }
  }
})

export const planeCpu = ({ millis, quick }: Options): Measure => {
  const many = quick ? 100_000 : 990_000
  const full = `64 in a message, ${many.toLocaleString("en-US")} wait`
  return {
    name: "plane-cpu",
    title: "CPU of the control plane without sockets, µs a task, by tasks in a message",
    columns: [
      { key: "plane", label: "µs/task", digits: 2 },
      { key: "yardstick", label: "parse and print it twice", digits: 2 },
      { key: "ratio", label: "ratio", digits: 2 }
    ],
    contenders: [
      ...[1, 16, 64, 256].map((batch) => contender(`${batch} in a message`, batch, 0, millis / 1_000)),
      contender(full, 64, many, millis / 1_000)
    ],
    goals: (number) => [
      {
        what: "control-plane CPU per task without sockets, 64 in a message",
        value: number("64 in a message", "plane"),
        unit: "µs",
        need: "at most",
        floor: 4,
        aim: 2.5
      },
      {
        what: `the same with ${many.toLocaleString("en-US")} waiting : empty`,
        value: number(full, "plane") / number("64 in a message", "plane"),
        unit: "×",
        need: "at most",
        floor: 1.5,
        aim: 1.1
      }
    ]
  }
}
