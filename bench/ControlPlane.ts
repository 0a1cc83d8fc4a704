/**
 * What a task costs the control plane without sockets; see `planeCost.ts`. `--seconds` are of CPU time.
 *
 *     node bench/ControlPlane.ts [--batch 64] [--seconds 2] [--waiting 0] [--json]
 */
import { parseArgs } from "node:util"
import { measurePlaneCost } from "./planeCost.ts"

const { values } = parseArgs({
  options: {
    batch: { type: "string", default: "64" },
    seconds: { type: "string", default: "2" },
    waiting: { type: "string", default: "0" },
    json: { type: "boolean", default: false }
  }
})
const [batch, seconds, waiting] = [values.batch, values.seconds, values.waiting].map(Number) as [number, number, number]
const cost = await measurePlaneCost({ batch, seconds, waiting })
console.log(
  values.json
    ? JSON.stringify({ batch, ...cost })
    : `batch ${batch}: ${cost.plane.toFixed(2)} µs a task (best ${cost.best.toFixed(2)}), ` +
      `${cost.ratio.toFixed(2)} times parsing and printing it twice (${cost.yardstick.toFixed(2)} µs), ` +
      `${Math.round(cost.allocated)} B allocated`
)
