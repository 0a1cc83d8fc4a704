/** Whether a million waiting tasks make anything slower. */
import type { Contender, Measure, Run } from "../measure.ts"
import { here, runJson } from "../processes.ts"
import type { Options } from "./options.ts"

const contender = (name: string, waiting: number, rounds: number): Contender => ({
  name,
  async run() {
    const { executions, submitted, ...numbers } = await runJson<Run["numbers"]>(
      [here("children/waiting.ts"), String(waiting), String(rounds)],
      120_000
    )
    return { numbers, ...(submitted === undefined || executions === undefined ? {} : { submitted, executions }) }
  }
})

export const waiting = ({ quick }: Options): Measure => {
  const many = quick ? 100_000 : 1_000_000
  const [empty, full] = ["nothing waits", `${many.toLocaleString("en-US")} wait`]
  return {
    name: "waiting",
    title: "Offer, take and cancel in the core, CPU µs each",
    columns: [
      { key: "offer", label: "offer", digits: 2 },
      { key: "take", label: "take", digits: 2 },
      { key: "cancel", label: "cancel", digits: 2 },
      { key: "all", label: "all three, mean", digits: 2 }
    ],
    contenders: [contender(empty, 0, quick ? 100 : 300), contender(full, many, quick ? 100 : 300)],
    goals: (number) =>
      ["offer", "take", "cancel"].map((key) => ({
        what: `${key} with ${full} : empty`,
        value: number(full, key) / number(empty, key),
        unit: "×",
        need: "at most" as const,
        floor: 1.5,
        aim: 1.1
      })),
    notes: ["The priority of a task that waits can't be changed: there is no such operation to measure."]
  }
}
