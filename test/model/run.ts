/**
 * Runs the simulation longer than the tests do: `npm run simulate -- --seed 1 --steps 2000 --seconds 60`. Without
 * `--seconds` only the one seed. What breaks a promise is made as small as it gets and printed; the same seed breaks it
 * again.
 */
import { parseArgs } from "node:util"
import { explore, isFailure, replay, shrinkFailure } from "./Promises.ts"
import { print } from "./Shrink.ts"
import { simulate } from "./Simulation.ts"

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    steps: { type: "string", default: "2000" },
    seconds: { type: "string", default: "0" },
    /** Stops at the first broken promise, and does not make it smaller. */
    brief: { type: "boolean", default: false }
  }
})

const steps = Number(values.steps)
const until = performance.now() + Number(values.seconds) * 1_000
let seed = Number(values.seed)
let happened = 0
let runs = 0

do {
  const run = explore(seed, steps)
  if (isFailure(run)) {
    console.log(`seed ${seed}, step ${run.script.steps.length}: ${run.message}`)
    if (!values.brief) {
      const script = shrinkFailure(run)
      console.log(`\n${script.steps.length} steps are enough: ${replay(script)?.message}\n\n${print(script)}`)
    }
    process.exit(1)
  }
  // The exact model compares everything of what it knows, and does not shrink. A step of it is a smaller thing.
  happened += run.happened + simulate(seed, 3 * steps).steps
  runs++
  seed++
} while (performance.now() < until)
console.log(`${runs} seeds, ${happened.toLocaleString("en")} events: every promise was kept`)
