/** Runs the simulation longer than the tests do: `node test/model/run.ts --seed 1 --seeds 100 --steps 10000`. */
import { parseArgs } from "node:util"
import { simulate } from "./Simulation.ts"

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    seeds: { type: "string", default: "1" },
    steps: { type: "string", default: "10000" }
  }
})

const first = Number(values.seed)
const steps = Number(values.steps)
for (let seed = first; seed < first + Number(values.seeds); seed++) {
  console.log(JSON.stringify({ seed, ...simulate(seed, steps) }))
}
